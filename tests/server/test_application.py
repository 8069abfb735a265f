"""The application: guards, headers, errors, languages, no calls to anybody."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

import pytest
from fastapi import APIRouter
from starlette.responses import HTMLResponse, JSONResponse
from tests.server.direct import client_of

from bingcheng.archive.authorisation import Action, Actor
from bingcheng.core.errors import CatalogueError, InputError, Owner, Problem, RemoteError
from bingcheng.server.application import application
from bingcheng.server.security.required import allowed, public
from bingcheng.server.settings import Settings

PAGE = {"accept": "text/html"}
ODD = Problem(code="archive.disk-full", says="it is {what}", remedy="Mend {what}.", owner=Owner.OPERATOR)


@pytest.fixture(scope="module")
def probe():
    """Routes that go wrong in each way."""
    router = APIRouter()

    @router.get("/probe/fault", dependencies=[public(why="test")])
    def fault():
        raise ZeroDivisionError("Doe^Jane")

    @router.get("/probe/ours", dependencies=[public(why="test")])
    def ours():
        raise InputError(ODD, what="<b>odd</b>")

    @router.get("/probe/remote", dependencies=[public(why="test")])
    def remote():
        raise RemoteError(Problem(code="x.y", says="a", remedy="b", owner=Owner.OPERATOR))

    @router.get("/probe/number", dependencies=[public(why="test")])
    def number(n: int):
        return n

    @router.get("/probe/csp", dependencies=[public(why="test")])
    def csp():
        return HTMLResponse("", headers={"content-security-policy": "default-src 'none'", "cache-control": "private"})

    @router.get("/probe/who")
    def who(actor: Annotated[Actor, allowed(Action.READ_EXAM)]):
        return JSONResponse(actor.login)

    return router


def test_a_route_that_declares_nothing_keeps_the_server_from_starting(serve):
    router = APIRouter()

    @router.get("/open/door")
    def door():
        return {}

    outer = APIRouter(prefix="/outer")
    outer.include_router(router)
    with pytest.raises(CatalogueError) as raised:
        serve(outer)
    assert raised.value.code == "server.unguarded-route"
    assert raised.value.reason.facts["route"] == "/outer/open/door"


def test_allowed_names_an_action():
    with pytest.raises(TypeError):
        allowed()


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_answer_carries_the_security_headers(serve, probe, accept):
    client = serve(probe).anonymous()
    paths = "/", "/login", "/nope", "/healthz", "/api/me", "/static/x/app.css", "/probe/fault", "/admin"
    for path in (*paths, "/api/openapi.json"):
        headers = client.get(path, headers={"accept": accept}).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "frame-ancestors 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert headers["referrer-policy"] == "same-origin", path
        assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"]), path
        assert "strict-transport-security" not in headers, f"{path}: not in plain HTTP"
        assert "server" not in headers, path


def test_under_tls_browsers_are_told_to_stay_there_and_cookies_are_bound(serve):
    client = serve(public_url="https://hospital.example").anonymous()
    answer = client.get("/login")
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-bingcheng-form=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_a_router_may_say_what_its_pages_load(serve, probe):
    answer = serve(probe).anonymous().get("/probe/csp")
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert answer.headers["cache-control"] == "private"


def test_a_fault_is_told_by_its_number_only(serve, probe, caplog):
    client = serve(probe).anonymous()
    for headers in (PAGE, {}):
        answer = client.get("/probe/fault", headers=headers)
        assert answer.status_code == 500
        assert answer.headers["x-request-id"] in answer.text
        assert "Traceback" not in answer.text
        assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert "Doe" not in caplog.text + answer.text


def test_an_error_of_ours_is_answered_with_its_code_and_what_to_do(serve, probe):
    client = serve(probe).anonymous()
    answer = client.get("/probe/ours")
    assert answer.status_code == 507
    assert answer.json() == {"code": "archive.disk-full", "says": "it is <b>odd</b>", "remedy": "Mend <b>odd</b>."}
    shown = client.get("/probe/ours", headers=PAGE).text
    assert "<b>odd" not in shown
    assert "&lt;b&gt;odd" in shown
    assert client.get("/probe/remote").status_code == 503


def test_a_wrong_value_is_told_by_its_place_and_not_repeated(serve, probe):
    answer = serve(probe).anonymous().get("/probe/number?n=Doe%5EJane")
    assert answer.status_code == 422
    assert answer.json()["says"].endswith("query.n")
    assert "Doe" not in answer.text


def test_a_page_leads_to_signing_in_and_back_and_a_program_is_told(serve, probe):
    client = serve(probe).anonymous()
    answer = client.get("/probe/who?x=1&y=2", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fprobe%2Fwho%3Fx%3D1%26y%3D2")
    answer = client.get("/probe/who")
    assert (answer.status_code, answer.json()["code"]) == (401, "server.not-signed-in")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_programs_are_always_answered_in_json(served):
    assert served.anonymous().get("/api/none", headers=PAGE).json()["code"] == "server.no-such-page"
    answer = served.anonymous().put("/api/me", headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (405, "server.wrong-method")
    assert answer.headers["allow"] == "GET, HEAD"


def test_whoever_is_signed_in_is_led_on_from_an_address_that_there_is_not(served):
    known, unknown = (one.get("/nowhere", headers=PAGE) for one in (served.browser("radiologist"), served.anonymous()))
    assert (known.status_code, unknown.status_code) == (404, 404)
    assert 'href="/worklist"' in known.text
    assert "Radiologist" in known.text
    assert 'href="/worklist"' not in unknown.text


def test_an_address_names_every_method_that_it_takes(served):
    answer = served.anonymous().put("/dicomweb/studies")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert served.anonymous().put("/nowhere").status_code == 404


@pytest.mark.parametrize("path", ["/health", "/login", "/worklist", "/api/none", "/probe/fault"])
def test_head_is_answered_as_get_is_without_a_body(serve, probe, path):
    client = serve(probe).anonymous()
    asked, told = client.get(path, headers=PAGE), client.head(path, headers=PAGE)
    assert (told.status_code, told.content) == (asked.status_code, b"")
    changing = {"date", "set-cookie", "content-security-policy", "x-request-id", "content-length"}
    assert {k: v for k, v in told.headers.items() if k not in changing} == {
        k: v for k, v in asked.headers.items() if k not in changing
    }
    if asked.status_code == 200:
        assert int(told.headers["content-length"]) > 0


def test_a_page_speaks_the_browsers_language(served):
    wished = {
        "": "en",
        "zh-CN,zh;q=0.9,en;q=0.8": "zh-CN",
        "en;q=0.5, zh;q=0.6": "zh-CN",
        "de, fr;q=0.9": "en",
        "zh;q=0, en;q=0.1": "en",
        "zh;q=x;;,": "en",
    }
    answers = {one: served.anonymous().get("/login", headers={"accept-language": one}) for one in wished}
    assert {one: answer.headers["content-language"] for one, answer in answers.items()} == wished
    assert all(f'<html lang="{wished[one]}"' in answer.text for one, answer in answers.items())


def test_the_choice_of_a_person_goes_before_that_of_the_browser(served):
    client = served.browser("radiologist")
    assert client.post("/preferences", data={"language": "zh", "theme": "dark", "to": "/account"}).status_code == 303
    page = client.get("/account", headers={"accept-language": "en"}).text
    assert '<html lang="zh-CN" data-theme="dark">' in page
    assert '<html lang="zh-CN" data-theme="dark">' in served.browser("radiologist").get("/account").text


def test_who_is_not_signed_in_chooses_for_the_browser(served):
    client = served.anonymous()
    form = client.get("/login").text
    token = re.search('name="csrf" value="(\\w+)"', form).group(1)
    answer = client.post("/preferences", data={"language": "zh", "theme": "light", "to": "//evil", "csrf": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert '<html lang="zh-CN" data-theme="light">' in client.get("/login").text


def test_nothing_inline_and_nothing_from_elsewhere(served):
    client = served.browser("site-admin")
    for path in ("/", "/account", "/admin/people", "/admin/audit", "/admin/hospitals/1", "/api/docs", "/emergency"):
        page = client.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]* src=)", page)
        assert not re.search(r"\son\w+=", page)
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page), path


def test_static_files_are_kept_by_their_digest(served):
    client = served.anonymous()
    address = re.search("/static/[0-9a-f]{12}/app.css", client.get("/login").text).group()
    answer = client.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert client.get("/static/0/app.css").headers["cache-control"] == "no-cache"
    for name in ("none.css", "..%2Fsettings.py", "%2e%2e/settings.py"):
        assert client.get(f"/static/0/{name}").status_code == 404


def test_health_says_whether_the_database_answers(served, monkeypatch):
    client = served.anonymous()
    assert client.get("/healthz").json() == {"status": "ok"}

    def broken():
        raise RemoteError(ODD, what="x")

    monkeypatch.setattr(type(served.site.workspace), "reading", lambda _: broken())
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (503, "archive.disk-full")


def test_the_interface_is_described_without_a_foreign_page(served):
    client = served.anonymous()
    described = client.get("/api/openapi.json").json()
    assert "/api/me" in described["paths"]
    page = client.get("/api/docs", headers=PAGE)
    assert page.status_code == 200
    assert "/api/me" in page.text
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_a_foreign_name_is_not_answered(serve):
    client = serve(public_url="http://hospital.example").anonymous()
    known = ("127.0.0.1:8080", "localhost", "[::1]:8080", "10.2.3.4", "hospital.example")
    foreign = ("evil.example", "", "[", "localhost.evil.example")
    hosts = (*known, *foreign)
    answered = [host for host in hosts if client.get("/healthz", headers={"host": host}).status_code == 200]
    assert answered == list(known)


def test_a_site_of_its_own_is_closed_at_the_end(tmp_path):
    made = application(Settings(workspace=tmp_path / "workspace"))
    closed = []
    made.state.site.objects.storage.close = lambda: closed.append("store")

    async def served() -> int:
        async with made.router.lifespan_context(made):
            return client_of(made).get("/healthz").status_code

    assert asyncio.run(served()) == 200
    assert closed == ["store"]
