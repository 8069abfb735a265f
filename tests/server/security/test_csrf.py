"""Forms are believed only from our own pages."""

from __future__ import annotations

import re

import pytest
from tests.server.conftest import PASSWORD

from bingcheng.archive.authorisation import Scope
from bingcheng.server.security.cookies import csrf_of

PROFILE = {"name": "New Name", "language": "", "theme": "auto"}


@pytest.fixture
def browser(served):
    client = served.browser("radiologist")
    client.token = client.headers.pop("x-csrf-token")
    return client


def test_the_token_is_taken_from_the_form_or_the_header(browser):
    assert browser.post("/account/profile", data=PROFILE).status_code == 403
    assert browser.post("/account/profile", data={**PROFILE, "csrf": browser.token}).status_code == 303
    assert browser.post("/account/profile", data=PROFILE, headers={"x-csrf-token": browser.token}).status_code == 303


def test_it_is_taken_from_a_form_with_a_file_too(browser):
    files = {"file": ("a.txt", b"x")}
    assert browser.post("/account/profile", data={**PROFILE, "csrf": browser.token}, files=files).status_code == 303
    assert browser.post("/account/profile", data=PROFILE, files=files).status_code == 403


def test_the_token_of_another_session_is_refused(served, browser):
    other = served.browser("physicist").headers["x-csrf-token"]
    for wrong in (other, "", "\xff", csrf_of("")):
        assert browser.post("/account/profile", data={**PROFILE, "csrf": wrong}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1:8081"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
    ],
)
def test_what_the_browser_says_of_where_it_comes_from_is_heard(browser, headers, taken):
    answer = browser.post("/account/profile", data={**PROFILE, "csrf": browser.token}, headers=headers)
    assert (answer.status_code == 303) is taken


def test_the_form_to_sign_in_needs_one_too(served):
    client = served.anonymous()
    given = {"login": "radiologist", "password": PASSWORD}
    assert client.post("/login", data=given).status_code == 403
    token = re.search('name="csrf" value="(\\w+)"', client.get("/login").text).group(1)
    assert client.post("/login", data={**given, "csrf": token}).status_code == 303


def test_a_program_needs_none_but_a_cookie_beside_a_wrong_token_is_no_way_around(served, browser):
    program = served.program("site-admin", Scope.AUDIT_READ)
    assert program.post("/admin/audit/verify").status_code == 200
    browser.headers["authorization"] = "Bearer nonsense"
    assert browser.post("/account/profile", data=PROFILE).status_code == 401
