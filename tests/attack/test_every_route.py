"""What holds of every route, whichever is added: its guard, method and origin, and whatever stands in its address."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import pytest
from fastapi import APIRouter
from tests.server.conftest import serving
from tests.server.every_route import Callers, hold, named
from tests.server.examples import address, parameters, prepare, without_example
from tests.server.test_matrix import GUARDED, PUBLIC, ROUTES, SINGLE, expected

from bingcheng.archive.authorisation import Action, Actor, Role, Scope
from bingcheng.server.pairing.signed import Signed
from bingcheng.server.security.csrf import SAFE
from bingcheng.server.security.guards import guarded_routes
from bingcheng.server.security.required import Public, Required, allowed

SIGNED = [one for one in ROUTES if isinstance(one[1].guard, Signed)]
ROOMS = ("/dicomweb/", "/quicklook/", "/viewer", "/exports/", "/exam/", "/cases/", "/api/", "/pairing/", "/admin/")
NOTHING_THERE = (
    "/exports/hospital/{table}.csv",
    "/exports/province/{table}.csv",
    "/shared/{method_number}/adopt",
    "/cases/{case_number}/thumbnail.webp",
)
"""Of these no example may be seen by anybody: the tables are called otherwise, the method is no protocol, the case has
no key image."""
PAGE = {"accept": "text/html"}
STRANGE = (
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd",
    "..%5c..%5cwindows%5cwin.ini",
    "1%00.2",
    "%ed%a0%80",
    "9" * 30,
    "-1",
    "'%20OR%201=1--",
    "%e2%80%ae%0d%0aset-cookie:%20a=b",
    "a" * 3000,
)
"""In the place of a parameter: other folders (encoded once and twice), no text, no number, other languages."""
WORDS = (
    "words",
    "query",
    "study",
    "study_uid",
    "since",
    "until",
    "page_number",
    "series",
    "window",
    "side",
    "part",
    "uid",
)
VALUES = ("%00%ff", "9" * 400, "9999-12-31", "0001-01-01", "-1", "%27%22%3e%3cx%3e", "a" * 3000)


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = serving(tmp_path_factory.mktemp("every") / "workspace", language="en")
    prepare(made)
    yield made
    made.close()


@pytest.fixture
def served(installation):
    return installation


@pytest.fixture
def callers(served):
    return Callers(served)


READS = [one for one in ROUTES if one[0] == "GET"]


def one_who_may(callers, route):
    """A caller that the route lets in."""
    if not isinstance(route.guard, Required):
        return callers.served.anonymous()
    return callers.of(next(role for role in Role if expected(route, role)))


def test_the_routes_are_of_three_kinds_and_each_kind_is_tested_in_every_role():
    assert sorted(named(GUARDED) + named(PUBLIC) + named(SIGNED)) == sorted(named(ROUTES))
    assert {type(route.guard) for _, route in ROUTES} == {Required, Public, Signed}


def test_every_room_s_routes_are_in_the_table():
    assert [room for room in ROOMS if not any(room in path for path in named(ROUTES))] == []


def test_a_new_route_is_in_the_table_and_one_without_a_rule_or_an_example_fails(serve):
    router = APIRouter()

    @router.get("/new/{thing}")
    def new(thing: str, actor: Annotated[Actor, allowed(Action.READ_EXAM)]):
        return thing

    (found,) = (one for one in guarded_routes(serve(router).application) if one.path == "/new/{thing}")
    assert found.guard.actions == (Action.READ_EXAM,)
    assert without_example(found.path) == ["thing"], "which test_every_parameter_of_a_path_has_an_example refuses"


def test_the_examples_are_there_for_whom_they_belong_to(served, callers):
    """Otherwise "as if it were not there" would be true of everything."""

    def holds(method, route):
        path = address(served, route.path)
        answers = [callers.of(role).get(path).status_code for role in Role if expected(route, role)]
        assert any(one < 400 for one in answers) or route.path in NOTHING_THERE, answers

    # No other installation is paired here; test_pages of pairing asks for one that is.
    there = [one for one in SINGLE if one[0] == "GET" and not one[1].path.startswith("/admin/pairing")]
    hold(there, holds)


def test_what_paired_installations_ask_for_opens_to_no_session_and_no_token(served):
    callers = [served.anonymous(), *(served.browser(role) for role in Role), served.program("site-admin", *Scope)]

    def holds(method, route):
        path = address(served, route.path)
        answers = [one.request(method, path) for one in callers]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {(403, "archive.not-paired")}

    hold(SIGNED, holds)


def test_other_methods_show_and_change_nothing(served, callers):
    def holds(method, route):
        path, known = address(served, route.path), {one[0] for one in ROUTES if one[1].path == route.path}
        for client in (served.anonymous(), one_who_may(callers, route)):
            for other in {"OPTIONS", "TRACE", "PUT", "DELETE"} - known:
                answer = client.request(other, path)
                assert answer.status_code in (400, 401, 403, 404, 405), (other, answer.status_code)
                assert "access-control-allow-origin" not in answer.headers

    hold(ROUTES, holds)


def test_a_header_or_field_makes_no_other_method_of_it(served, callers):
    def holds(method, route):
        client = one_who_may(callers, route)
        client.headers.pop("x-csrf-token", None)
        path, before = address(served, route.path), client.get(address(served, route.path))
        for more in ({"x-http-method-override": "DELETE"}, {"x-method-override": "POST"}, {"x-http-method": "DELETE"}):
            again = client.get(path, params={"_method": "DELETE"}, headers=more)
            assert again.status_code == before.status_code
        assert client.get(path).status_code == before.status_code

    changing = {route.path for method, route in ROUTES if method != "GET"}
    hold([one for one in READS if one[1].path in changing], holds)


def test_no_other_origin_may_read_an_answer(served, callers):
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}

    def holds(method, route):
        client = one_who_may(callers, route)
        answer = client.request(method, address(served, route.path), headers=elsewhere)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        if not isinstance(route.guard, Signed):
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        if method not in SAFE:
            assert answer.status_code == 403, "from another site nothing is changed"

    hold(ROUTES, holds)


def test_whatever_stands_in_an_address_is_answered_and_leads_nowhere_else(served, callers):
    def holds(method, route):
        for strange in STRANGE:
            path = route.path
            for name in parameters(route.path):
                path = path.replace("{" + name + ":path}", strange).replace("{" + name + "}", strange)
            answer = one_who_may(callers, route).request(method, path, follow_redirects=False)
            assert answer.status_code < 500, (path, answer.text)
            assert "root:" not in answer.text
            assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"]
            assert answer.headers.get("location", "/").startswith("/")

    hold([one for one in ROUTES if parameters(one[1].path)], holds)


def test_whatever_is_asked_for_is_answered(served, callers):
    def holds(method, route):
        client, path = one_who_may(callers, route), address(served, route.path)
        for value in VALUES:
            answer = client.get(f"{path}?" + "&".join(f"{word}={value}" for word in WORDS))
            assert answer.status_code < 500, (path, value, answer.text)
            assert '"><x>' not in answer.text

    hold(READS, holds)


def test_whatever_is_sent_as_a_form_is_answered(served, callers):
    names = ("name", "login", "password", "title", "words", "reason", "until", "audience", "study", "study_uid", "job")
    kind = {"content-type": "application/x-www-form-urlencoded"}

    def holds(method, route):
        prepare(served)  # another form may have taken it away
        client, path = one_who_may(callers, route), address(served, route.path)
        for value in ("\0\udcff\u202e", "9" * 5000, "9999-12-31", "-1"):
            sent = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name in names)
            answer = client.post(path, content=sent, headers=kind)
            assert answer.status_code < 500, (path, value[:10], answer.text)

    hold([one for one in ROUTES if one[0] == "POST"], holds)


BODIES = {
    "no boundary": ("multipart/form-data", b"x"),
    "an empty boundary": ("multipart/form-data; boundary=", b"--\r\n\r\nx\r\n----"),
    "an unknown character set": ("multipart/form-data; boundary=b; charset=none", b"--b\r\n\r\nx\r\n--b--"),
    "a part without a name": ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
    "a part in one": (
        "multipart/form-data; boundary=b",
        b"--b\r\ncontent-disposition: form-data;name=a\r\ncontent-type: multipart/mixed;boundary=c\r\n\r\n--c\r\n--b--",
    ),
    "two of a name": (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="csrf"\r\n\r\na\r\n' * 2 + b"--b--\r\n",
    ),
    "2000 parts": (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n' * 2000 + b"--b--\r\n",
    ),
    "headers of a part without an end": (
        "multipart/form-data; boundary=b",
        b"--b\r\n" + b"x-y: " + b"z" * 200_000 + b"\r\n\r\nx\r\n--b--\r\n",
    ),
    "2000 fields": ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(2000))),
    "deep JSON": ("application/json", b"[" * 100_000),
    "two kinds": ("multipart/form-data; boundary=b, application/json", b"{}"),
}


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("path", ["/login", "/account/profile", "/cases/new", "/dicomweb/studies", "/cases/1/comments"])
def test_a_body_that_plays_games_is_refused(served, path, what):
    kind, body = BODIES[what]
    client = served.browser("radiologist")
    client.headers.pop("x-csrf-token")
    answer = client.post(path, content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "content", ["[" * 200_000, '{"a":' * 50_000, "a = " + "[" * 100_000], ids=["lists", "objects", "toml"]
)
@pytest.mark.parametrize("kind", ["method", "protocol"])
def test_what_is_nested_without_an_end_is_refused(served, kind, content):
    client = served.browser("physicist")
    answer = client.post("/shared", data={"kind": kind, "title": "Deep", "content": content, "evidence": content})
    assert answer.status_code == 400, answer.text[:500]


def test_metadata_that_are_nested_without_an_end_are_refused(served):
    body = b"--b\r\ncontent-type: application/dicom+json\r\n\r\n" + b"[" * 200_000 + b"\r\n--b--\r\n"
    kind = 'multipart/related; type="application/dicom+json"; boundary=b'
    answer = served.browser("technologist").post("/dicomweb/studies", content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("cookie", ["5b" * 3000, "5b" * 30_000, "6e756c6c", "31", "22" * 2])
def test_a_cookie_that_plays_games_is_none(served, cookie):
    client = served.anonymous()
    client.cookies.set("bingcheng-oidc", cookie)
    client.cookies.set("bingcheng", cookie)
    client.cookies.set("bingcheng-form", "\\000\\377")
    assert client.get("/login/oidc/back?code=x&state=y").status_code in (403, 404)
    assert client.get("/login", headers=PAGE).status_code == 200
