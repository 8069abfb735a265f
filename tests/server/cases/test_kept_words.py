"""What people write is searched before others see it, and is not lost when it is refused."""

from __future__ import annotations

import pytest
from tests.server.cases.published import give, publish
from tests.server.examples import STUDY, prepare

from bingcheng.archive.cases.discussion import comments
from bingcheng.archive.cases.grants import Given, grants
from bingcheng.archive.people.notice import notices

HTML = {"accept": "text/html"}


@pytest.fixture
def stocked(served):
    prepare(served)
    return served


@pytest.mark.parametrize(("name", "content"), [("Doe_CT.txt", b"an image"), ("note.txt", b"Mrs Doe, K-1")])
def test_a_file_that_tells_who_the_patient_is_hangs_at_no_comment(stocked, name, content):
    number = publish(stocked, STUDY)
    client = stocked.browser("radiologist")
    answer = client.post(
        f"/cases/{number}/comments", data={"words": "my words"}, files={"file": (name, content)}, headers=HTML
    )
    assert answer.status_code == 400
    assert ">my words</textarea>" in answer.text
    with stocked.site.workspace.reading() as connection:
        assert comments(connection, number) == ()


def test_questions_reasons_and_remarks_that_tell_who_it_is_reach_nobody(stocked):
    number = publish(stocked, STUDY)
    client = stocked.browser("radiologist")
    said = client.post(f"/cases/{number}/comments", data={"words": "Look"}).headers["location"].rsplit("-", 1)[1]
    path = client.post("/collections", data={"title": "Forum"}).headers["location"]
    south = f"hospital/{stocked.south}"
    for address, sent in (
        (f"/cases/{number}/opinions", {"whom": south, "question": "Is Doe operable?"}),
        (f"/cases/{number}/comments/{said}/hide", {"because": "tells of Doe"}),
        (path, {"step": "put", "case_number": str(number), "note": "Mrs Doe"}),
    ):
        answer = client.post(address, data=sent, headers=HTML)
        assert answer.status_code == 400, address
        assert next(one for key, one in sent.items() if "Doe" in one) in answer.text, "what was written stands there"
    assert stocked.browser("other-radiologist").get(f"/cases/{number}").status_code == 404, "and nothing was given"


def test_a_wrong_quiz_costs_nothing_else_that_was_written_and_nobody_overwrites_another(stocked):
    number = publish(stocked, STUDY)
    client, path = stocked.browser("radiologist"), f"/cases/{number}/edit"
    sent = {"title": "A liver", "context": "written long", "quiz": "What?\n- one", "version": "1"}
    answer = client.post(path, data=sent, headers=HTML)
    assert answer.status_code == 400
    assert "written long" in answer.text
    assert "- one</textarea>" in answer.text
    assert client.post(path, data={"title": "Other", "version": "1"}).status_code == 303
    late = client.post(path, data={**sent, "quiz": ""}, headers=HTML)
    assert late.status_code == 400
    assert "somebody else changed the case" in late.text.lower()
    assert client.post(path, data={**sent, "quiz": "", "version": "2"}).status_code == 303


def test_days_end_at_midnight_where_the_installation_is_and_a_new_grant_takes_the_old_one_s_place(stocked):
    stocked.site.settings = stocked.site.settings.model_copy(update={"time_zone": "Asia/Shanghai"})
    number = publish(stocked, STUDY)
    client, south = stocked.browser("radiologist"), f"hospital/{stocked.south}"
    for until in ("2101-03-04", "2101-03-05"):
        assert client.post(f"/cases/{number}/grants", data={"audience": south, "until": until}).status_code == 303
    with stocked.site.workspace.reading() as connection:
        new, old = grants(connection, Given.CASE, number)
        told = notices(connection, stocked.people["other-radiologist"])
    assert f"{new.expires_at:%Y-%m-%d %H:%M}" == "2101-03-05 16:00"
    assert old.withdrawn_at is not None
    assert "2101-03-05" in client.get(f"/cases/{number}/grants", headers=HTML).text
    reader = stocked.browser("other-radiologist")
    assert "Lesion of segment 6" in reader.get("/account/notices", headers=HTML).text
    follow = reader.get(f"/account/notices/{told[0].number}")
    assert follow.headers["location"] == f"/cases/{number}"
    assert reader.get("/account/standing").json()["unread"] == 1
    assert client.get(f"/account/notices/{told[1].number}").headers["location"] == "/account/notices"


def test_who_reads_the_case_is_named_and_told_and_reports_what_is_wrong(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number, hospital=stocked.south)
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    (found,) = client.get(f"/cases/{number}/people?begins=other-rad").json()
    sent = {"words": f"@{found['name']}, please look"}
    said = client.post(f"/cases/{number}/comments", data=sent).headers["location"].rsplit("-", 1)[1]
    assert reader.get(f"/cases/{number}/people?begins=technologist").json() == [], "the case hides its hospital"
    assert reader.post(f"/cases/{number}/comments/{said}/report", data={"because": "odd"}).status_code == 303
    admin = stocked.browser("site-admin")
    shown = admin.get("/reported", headers=HTML).text
    assert "odd" in shown
    assert 'href="/reported"' in admin.get("/", headers=HTML, follow_redirects=True).text
    assert 'href="/cases"' not in shown + admin.get(f"/cases/{number}", headers=HTML).text, "he may read no others"
    assert client.post(f"/cases/{number}/comments/{said}/show").status_code == 303
    assert "odd" not in client.get("/reported", headers=HTML).text
