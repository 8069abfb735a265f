"""Names of this server, of who asks, and of where somebody is sent: none is believed because a request says so."""

from __future__ import annotations

import base64
import re

import pytest
from tests.server.conftest import PASSWORD
from tests.server.examples import STUDY, prepare

from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Scope

PAGE = {"accept": "text/html"}
WISHES = (
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "/%0d%0aset-cookie:%20a=b",
    "/\r\nset-cookie: a=b",
    "/\u2028/evil.example",
    "/.//evil.example/..",
    "javascript:alert(1)",
)


@pytest.mark.parametrize(
    "host", ["127.0.0.1/evil", "evil@127.0.0.1", "127.0.0.1:80:80", "127.0.0.1\\evil", "127.0.0.1?x"]
)
def test_a_host_is_a_name_and_a_port_and_nothing_else(served, host):
    answer = served.anonymous().get("/login", headers={"host": host, **PAGE})
    assert answer.status_code == 421
    assert "evil" not in answer.text


def test_what_a_request_says_of_the_way_it_came_is_not_believed(served):
    said = {
        "x-forwarded-for": "10.9.9.9",
        "x-real-ip": "10.9.9.9",
        "forwarded": "for=10.9.9.9;host=evil.example;proto=https",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
        "x-original-url": "/admin/people",
        "x-rewrite-url": "/admin/people",
    }
    admin = served.browser("site-admin")
    page = admin.post("/admin/people/invite", data={"role": ["guest"]}, headers=said).text
    assert re.search(r'value="http://127\.0\.0\.1:8080/invitation/', page)
    assert "evil" not in page
    assert served.browser("guest").get("/account", headers=said).status_code == 200, "the page that was asked for"
    with served.site.workspace.reading() as connection:
        assert {one.event.address for one in events(connection, Asked())} == {"testclient"}


def test_an_address_that_says_to_be_many_is_slowed_down_as_one(served):
    client, statuses = served.anonymous(), []
    for number in range(40):
        token = re.search('name="csrf" value="(\\w+)"', client.get("/login").text).group(1)
        given = {"login": f"nobody{number}", "password": "x", "csrf": token}
        statuses.append(client.post("/login", data=given, headers={"x-forwarded-for": f"10.0.0.{number}"}).status_code)
    assert statuses[-1] == 429
    given = {"login": "radiologist", "password": PASSWORD, "csrf": token}
    assert client.post("/login", data=given, headers={"x-forwarded-for": "10.1.1.1"}).status_code == 429


@pytest.mark.parametrize("wish", WISHES)
def test_nobody_is_sent_elsewhere_and_no_header_is_slipped_in(served, wish):
    client = served.browser("guest")
    answers = (
        client.get("/login", params={"next": wish}),
        client.post("/preferences", data={"to": wish, "theme": "dark"}),
    )
    for answer in answers:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith(("//", "/\\"))
        assert "a=b" not in answer.headers.get("set-cookie", "")


def test_a_browser_that_remembers_a_token_from_an_address_is_no_way_in_for_other_sites(served):
    secret = served.program("site-admin", Scope.DICOM_DELETE, Scope.AUDIT_READ).headers["authorization"].split()[1]
    basic = {"authorization": "Basic " + base64.b64encode(f"x:{secret}".encode()).decode()}
    prepare(served)
    for said in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        answer = served.anonymous().delete(f"/dicomweb/studies/{STUDY}", headers={**basic, **said})
        assert (answer.status_code, answer.json()["code"]) == (403, "server.wrong-form")
    assert served.anonymous().delete(f"/dicomweb/studies/{STUDY}", headers=basic).status_code == 204


def test_nobody_is_asked_for_a_password_that_browsers_would_keep(served):
    answer = served.anonymous().get("/api/me")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "asked", ["bytes=0-0,1-1,2-2", "bytes=-0", "bytes=5-2", "bytes=0-" + "9" * 30, "bytes=a-b", "items=0-1"]
)
def test_a_range_that_makes_no_sense_is_no_more_than_the_whole(served, asked):
    prepare(served)
    client = served.browser("radiologist")
    found = client.get("/dicomweb/studies").json()[0]
    assert found["0020000D"]["Value"] == [STUDY]
    path = f"/dicomweb/studies/{STUDY}/instances"
    one = client.get(path).json()[0]
    place = f"/dicomweb/studies/{STUDY}/series/{one['0020000E']['Value'][0]}/instances/{one['00080018']['Value'][0]}"
    answer = client.get(f"{place}/bulk/7FE00010", headers={"accept": "application/octet-stream", "range": asked})
    assert answer.status_code in (200, 206, 416)


@pytest.mark.parametrize(
    "name", ["a\r\nset-cookie: a=b.txt", '"; filename="evil.html', "..\\..\\evil.txt", "\u202egpj.txt"]
)
def test_the_name_of_a_file_writes_no_header(served, name):
    from tests.server.cases.published import publish  # noqa: PLC0415 - beside its only use

    prepare(served)
    case = publish(served, STUDY)
    client = served.browser("radiologist")
    sent = client.post(f"/cases/{case}/comments", data={"words": "see"}, files={"file": (name, b"plain words")})
    assert sent.status_code == 303, sent.text
    page = client.get(f"/cases/{case}").text
    (path,) = set(re.findall(rf"/cases/{case}/attachments/\d+", page))
    answer = client.get(path)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>1</script>",
        b"<?xml version='1.0'?><x/>",
    ],
)
def test_a_page_is_no_attachment(served, content):
    from tests.server.cases.published import publish  # noqa: PLC0415 - beside its only use

    prepare(served)
    case = publish(served, STUDY)
    sent = served.browser("radiologist").post(
        f"/cases/{case}/comments", data={"words": "see"}, files={"file": ("a.png", content)}
    )
    assert sent.status_code == 400
