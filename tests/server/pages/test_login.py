"""Signing in and out in a browser."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.conftest import PASSWORD

from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.server.pages.next_page import own_path

PAGE = {"accept": "text/html"}


def token_of(page: str) -> str:
    return re.search('name="csrf" value="(\\w+)"', page).group(1)


def enter(client, login="radiologist", password=PASSWORD, to="/", **more):
    token = token_of(client.get("/login").text)
    return client.post("/login", data={"login": login, "password": password, "to": to, "csrf": token}, **more)


def test_the_right_password_leads_where_one_wanted_to_go(served):
    client = served.anonymous()
    answer = enter(client, to="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert client.get("/api/me").json()["login"] == "radiologist"
    assert client.get("/login").status_code == 303


def test_a_session_that_somebody_else_set_is_not_taken_over(served):
    client = served.anonymous()
    client.cookies.set("bingcheng", "chosen-by-the-attacker")
    token = token_of(client.get("/login").text)
    answer = client.post("/login", data={"login": "radiologist", "password": PASSWORD, "csrf": token})
    assert answer.status_code == 303
    assert client.get("/api/me").status_code == 200
    attacker = served.anonymous()
    attacker.cookies.set("bingcheng", "chosen-by-the-attacker")
    assert attacker.get("/api/me").status_code == 401


def test_each_sign_in_has_a_secret_of_its_own(served):
    client = served.anonymous()
    secrets = []
    for _ in range(2):
        enter(client)
        secrets.append(client.cookies["bingcheng"])
        client.headers["x-csrf-token"] = token_of(client.get("/account").text)
        client.post("/logout")
        del client.headers["x-csrf-token"]
    assert secrets[0] != secrets[1]


def test_signing_out_ends_the_session_and_not_only_the_cookie(served):
    client = served.browser("radiologist")
    secret = client.cookies["bingcheng"]
    left = client.post("/logout").headers["location"]
    assert "You are signed out." in client.get(left).text
    other = served.anonymous()
    other.cookies.set("bingcheng", secret)
    assert other.get("/api/me").status_code == 401


@pytest.mark.parametrize("login", ["radiologist", "nobody", '"><script>alert(1)</script>'])
def test_a_wrong_password_is_told_alike_and_the_name_stays_in_the_form(served, login):
    answer = enter(served.anonymous(), login, "wrong")
    assert answer.status_code == 401
    assert "the name or the password is wrong" in answer.text
    assert "<script>alert" not in answer.text
    assert "set-cookie" not in answer.headers or "bingcheng=" not in answer.headers["set-cookie"]


def test_after_five_failures_one_waits(served):
    client = served.anonymous()
    for _ in range(5):
        assert enter(client, password="wrong").status_code == 401  # noqa: S106
    assert enter(client).status_code == 429
    served.clock.move(minutes=2)
    assert enter(client).status_code == 303


def test_both_ends_of_a_session_and_failures_are_in_the_trail(served):
    client = served.anonymous()
    enter(client, password="wrong")  # noqa: S106
    enter(client)
    client.headers["x-csrf-token"] = token_of(client.get("/account").text)
    client.post("/logout")
    with served.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked())]
    assert {event.code for event in found} == {EventCode.USER_AUTHENTICATION}
    assert [(event.type_code, event.login, int(event.outcome)) for event in found] == [
        (EventType.LOGOUT, "radiologist", 0),
        (EventType.LOGIN, "radiologist", 0),
        (EventType.LOGIN, "", 4),
    ]


@pytest.mark.parametrize(
    "wish",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "\\\\evil.example",
        "",
        "evil",
        " /x",
    ],
)
def test_one_is_never_led_to_another_server(served, wish):
    assert own_path(wish) == "/"
    assert enter(served.anonymous(), to=wish).headers["location"] == "/"


@given(st.text(max_size=30))
def test_what_is_taken_as_a_path_stays_here(wish):
    path = own_path(wish)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable() or any(ord(letter) > 127 for letter in path)


def test_the_start_leads_to_signing_in_to_the_exams_or_says_what_one_can_do(served):
    assert served.anonymous().get("/", headers=PAGE).headers["location"] == "/login"
    answer = served.browser("radiologist").get("/")
    assert answer.headers["location"] == "/worklist" if answer.status_code == 303 else "/emergency" in answer.text
    assert 'href="/admin"' not in served.browser("guest").get("/").text
    page = served.browser("site-admin").get("/").text
    assert 'href="/admin"' in page
    assert 'href="/emergency"' in page
