"""One's own account: password, tokens, sessions, notices."""

from __future__ import annotations

import re

import pytest
from tests.server.conftest import PASSWORD

from bingcheng.archive.people.notice import notify
from bingcheng.archive.people.sign_in import sign_in
from bingcheng.archive.people.tables import session
from bingcheng.core.errors import RefusedError
from bingcheng.core.wording import text

NEW = "another long sentence"


def enters(served, password) -> bool:
    try:
        sign_in(
            served.site.workspace,
            served.site.passwords,
            login="radiologist",
            password=password,
            address="10.0.0.9",
            program="",
            now=served.clock(),
        )
    except RefusedError:
        return False
    return True


def test_the_password_is_changed_and_every_other_session_ends(served):
    client, other = served.browser("radiologist"), served.browser("radiologist")
    before = client.cookies["bingcheng"]
    assert client.post("/account/password", data={"current": PASSWORD, "new": NEW}).status_code == 303
    assert client.get("/api/me").status_code == 200
    assert client.cookies["bingcheng"] != before
    assert other.get("/api/me").status_code == 401
    assert enters(served, NEW)
    assert not enters(served, PASSWORD)


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [("wrong", NEW, 401), (PASSWORD, "short", 400), (PASSWORD, "radiologist 123456", 400), ("", "", 401)],
)
def test_it_needs_the_current_one_and_a_good_new_one(served, current, new, status):
    client = served.browser("radiologist")
    answer = client.post("/account/password", data={"current": current, "new": new})
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert enters(served, PASSWORD)


def test_the_current_password_can_not_be_tried_out(served):
    client = served.browser("radiologist")
    for _ in range(5):
        assert client.post("/account/password", data={"current": "wrong", "new": NEW}).status_code == 401
    assert client.post("/account/password", data={"current": PASSWORD, "new": NEW}).status_code == 429


def test_a_token_is_shown_once_and_carries_only_rights_that_the_person_has(served):
    client = served.browser("radiologist")
    given = {"label": "<b>PACS</b>", "scope": ["dicom:read", "audit:read", "nonsense"], "days": "7"}
    page = client.post("/account/tokens", data=given).text
    secret = re.search(r'value="(bcg_[\w-]+)"', page).group(1)
    listed = client.get("/account").text
    assert secret not in listed
    assert "&lt;b&gt;PACS" in listed
    program = served.anonymous()
    program.headers["authorization"] = f"Bearer {secret}"
    assert program.get("/api/me").json()["scopes"] == ["dicom:read"]
    number = re.search(r"/account/tokens/(\d+)/revoke", listed).group(1)
    assert served.browser("technologist").post(f"/account/tokens/{number}/revoke").status_code == 303
    assert program.get("/api/me").status_code == 200, "another person's token is left"
    client.post(f"/account/tokens/{number}/revoke")
    assert program.get("/api/me").status_code == 401


@pytest.mark.parametrize("given", [{"scope": []}, {"scope": ["audit:read"]}, {"label": ""}, {"days": "0"}])
def test_a_token_without_right_name_or_span_is_not_made(served, given):
    asked = {"label": "x", "scope": ["dicom:read"], "days": "7", **given}
    assert served.browser("radiologist").post("/account/tokens", data=asked).status_code == 400


def test_one_session_is_ended_and_all(served):
    first, second = served.browser("radiologist"), served.browser("radiologist")
    (digest,) = re.findall(r'name="session" value="(\w+)"', first.get("/account").text)
    assert served.browser("technologist").post("/account/sessions/end", data={"session": digest}).status_code == 303
    assert second.get("/api/me").status_code == 200
    first.post("/account/sessions/end", data={"session": digest})
    assert second.get("/api/me").status_code == 401
    assert first.post("/account/sessions/end-all").headers["location"].startswith("/login")
    assert first.get("/api/me").status_code == 401


def test_the_browser_is_named_in_words(served):
    client = served.browser("radiologist")
    with served.site.workspace.writing() as connection:
        connection.execute(
            session.update().values(program="Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36")
        )
    assert "Chrome, Linux" in client.get("/account").text


def test_notices_are_counted_shown_and_read(served):
    number = served.people["radiologist"]
    with served.site.workspace.writing() as connection:
        notify(connection, number, text("{name} answered", name="<script>"), now=served.clock(), link="/cases/1")
    client = served.browser("radiologist")
    assert "data-unread>1</span>" in client.get("/account").text
    page = client.get("/account/notices").text
    assert "&lt;script&gt; answered" in page
    client.post("/account/notices/read")
    assert "data-unread hidden>0</span>" in client.get("/account/notices").text


def test_a_name_with_a_script_is_shown_as_it_is_written(served):
    client = served.browser("radiologist")
    name = "<script>alert(1)</script>\"'{{7*7}}"
    assert client.post("/account/profile", data={"name": name}).status_code == 303
    for browser, path in ((client, "/account"), (client, "/"), (served.browser("site-admin"), "/admin/people")):
        page = browser.get(path, follow_redirects=True).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert "49" not in page.partition("&lt;script")[2][:60]


def test_only_who_reads_cases_is_offered_notices_about_them(served):
    link = '<a href="/cases/notices">'
    assert link in served.browser("radiologist").get("/account").text
    for who in ("operator", "site-admin"):
        client = served.browser(who)
        assert client.get("/cases/notices").status_code == 403
        assert link not in client.get("/account").text
