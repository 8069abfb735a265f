"""The first run: account, hospitals, administrators."""

from __future__ import annotations

import re

import pytest
from tests.archive.conftest import record
from tests.archive.people.quick import quick_hashing
from tests.server.conftest import PASSWORD, Clock, application_of, give_back
from tests.server.direct import ADDRESS, client_of

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.hospital import hospitals
from bingcheng.archive.people.person import persons
from bingcheng.archive.store import save_exam
from bingcheng.server.application import open_site
from bingcheng.server.pages.wizard import suggested_code
from bingcheng.server.run import new_setup_code
from bingcheng.server.settings import Settings

CODE = "ABCD-EFGH"
ACCOUNT = {"code": CODE, "login": "operator", "name": "Olga", "password": PASSWORD}


@pytest.fixture
def fresh(tmp_path):
    """An installation without any account, and a browser."""
    with quick_hashing():
        where = open_site(Settings(workspace=tmp_path / "workspace"))
    where.setup_code, where.now = CODE, Clock()
    for number, name in enumerate(["North Hospital", "NORTH hospital", "South"]):
        save_exam(where.workspace, record(f"1.2.{number}", site=name))
    made = application_of(where)
    client = client_of(made)
    client.site = where
    yield client
    where.close()
    give_back(made)


def send(client, path, data, page=None):
    token = re.search('name="csrf" value="(\\w+)"', client.get(page or path).text).group(1)
    return client.post(path, data={**data, "csrf": token})


def test_a_new_installation_leads_to_the_wizard(fresh):
    assert fresh.get("/").headers["location"] == "/welcome"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"code": "WRONG"}, 403),
        ({"code": ""}, 403),
        ({"password": "short"}, 400),
        ({"login": "x"}, 400),
        ({"name": ""}, 400),
    ],
)
def test_without_the_code_or_a_good_account_there_is_none(fresh, changed, status):
    assert send(fresh, "/welcome", {**ACCOUNT, **changed}).status_code == status
    with fresh.site.workspace.reading() as connection:
        assert persons(connection) == ()


def test_what_was_typed_stands_again_after_a_mistake_but_no_password(fresh):
    shown = send(fresh, "/welcome", {**ACCOUNT, "login": "王芳"}).text
    for value in (CODE, "王芳", "Olga"):
        assert f'value="{value}"' in shown
    assert PASSWORD not in shown
    assert 'value="WRONG"' not in send(fresh, "/welcome", {**ACCOUNT, "code": "WRONG"}).text


def focused(page):
    return re.findall(r'<input id="f-(\w+)"[^>]* autofocus', page)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({}, []),
        ({"code": "WRONG"}, ["code"]),
        ({"login": "x"}, ["login"]),
        ({"name": " "}, ["name"]),
        ({"password": "short"}, ["password"]),
    ],
)
def test_a_mistake_brings_the_cursor_to_where_it_was_made(fresh, changed, field):
    assert focused(fresh.get("/welcome").text) == ["code"]
    if changed:
        assert focused(send(fresh, "/welcome", {**ACCOUNT, **changed}).text) == field


def test_a_mistake_in_a_hospital_brings_the_cursor_to_it(fresh):
    send(fresh, "/welcome", ACCOUNT)
    right = {"site_name": ["South"], "name": "South", "code": "S", "issuer": ""}
    assert focused(fresh.get("/welcome/next").text) == []
    for changed, field in (({"name": " "}, "name"), ({"code": "a b"}, "code"), ({"issuer": "a\\b"}, "issuer")):
        answer = send(fresh, "/welcome/hospitals", {**right, **changed}, page="/welcome/next")
        assert focused(answer.text) == [field]


def test_a_refused_hospital_stands_again_as_it_was_written(fresh):
    send(fresh, "/welcome", ACCOUNT)
    wrong = {"site_name": ["NORTH hospital", "South"], "name": "Our Hospital", "code": "not a code", "issuer": "ISSUER"}
    answer = send(fresh, "/welcome/hospitals", wrong, page="/welcome/next")
    assert answer.status_code == 400
    for value in ("Our Hospital", "not a code", "ISSUER"):
        assert f'value="{value}"' in answer.text
    ticked = re.findall('name="site_name" value="([^"]+)" checked', answer.text)
    assert set(ticked) == {"NORTH hospital", "South"}


def test_codes_can_not_be_tried_out(fresh):
    for _ in range(5):
        assert send(fresh, "/welcome", {**ACCOUNT, "code": "WRONG"}).status_code == 403
    assert send(fresh, "/welcome", ACCOUNT).status_code == 429


def test_from_the_code_to_an_administrator(fresh):
    answer = send(fresh, "/welcome", {**ACCOUNT, "code": f" {CODE.lower()} "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/welcome/next")
    assert fresh.get("/api/me").json()["roles"] == ["operator"]
    page = fresh.get("/welcome/next").text
    assert "North Hospital" in page
    assert 'value="NH"' in page
    sites = {"site_name": ["North Hospital", "NORTH hospital"], "name": "North Hospital", "code": "NH"}
    sites["issuer"] = "BAIHE"
    assert send(fresh, "/welcome/hospitals", sites, "/welcome/next").status_code == 303
    answer = send(fresh, "/welcome/hospitals", {**sites, "site_name": "South", "code": "nh"}, "/welcome/next")
    assert (answer.status_code, "another hospital already has this short name" in answer.text) == (400, True)
    answer = send(fresh, "/welcome/administrator", {"hospital": "1"}, "/welcome/next")
    link = re.search(f"{ADDRESS}(/invitation/[\\w-]+)", answer.text).group(1)
    assert send(fresh, "/welcome/administrator", {"hospital": "9"}, "/welcome/next").status_code == 400

    fresh.cookies.clear()
    answer = send(fresh, link, {"login": "admin", "name": "李娜", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert fresh.get("/api/me").json()["roles"] == ["site-admin"]
    assert fresh.get(link).status_code == 404
    with fresh.site.workspace.reading() as connection:
        (made,) = hospitals(connection)
        assert made.issuer == "BAIHE"
        assert made.spellings == ("North Hospital",)
        assert {one.name: one.roles for one in persons(connection)} == {
            "Olga": {Role.OPERATOR},
            "李娜": {Role.SITE_ADMIN},
        }


def test_once_there_is_an_account_the_code_is_worth_nothing(fresh):
    token = re.search('name="csrf" value="(\\w+)"', fresh.get("/welcome").text).group(1)
    form = fresh.cookies["bingcheng-form"]
    assert send(fresh, "/welcome", ACCOUNT).status_code == 303
    fresh.site.setup_code = CODE
    fresh.cookies.clear()
    fresh.cookies.set("bingcheng-form", form)
    answer = fresh.post("/welcome", data={**ACCOUNT, "login": "second", "csrf": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), "led on to signing in, as by GET"
    with fresh.site.workspace.reading() as connection:
        assert len(persons(connection)) == 1
    assert fresh.get("/welcome").headers["location"] == "/"


def test_codes_are_random_and_short_names_are_suggested():
    assert len({new_setup_code() for _ in range(50)}) == 50
    assert re.fullmatch("[A-Z2-7]{4}-[A-Z2-7]{4}", new_setup_code())
    assert [suggested_code(name) for name in ("North Hospital", "South", "哈尔滨医院", "a (b) c", "")] == [
        "NH",
        "South",
        "哈尔滨医院",
        "AC",
        "",
    ]
