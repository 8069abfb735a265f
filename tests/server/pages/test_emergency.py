"""Break-glass on its page: who, what, for how long, and who is told."""

from __future__ import annotations

import re
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse
from tests.archive.conftest import record
from tests.server.examples import STUDY, ct_file, prepare

from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Action, Actor, hospital_space, readable_spaces
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.emergency import MOST_TRIES
from bingcheng.archive.people.hospital import change_hospital, make_hospital
from bingcheng.archive.people.notice import notices, unread
from bingcheng.archive.store import save_exam
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

WHY = "unconscious patient in the emergency room"


@pytest.fixture(scope="module")
def probe():
    router = APIRouter()

    @router.get("/probe/{study_uid}")
    def spaces(
        study_uid: str,
        actor: Annotated[Actor, allowed(Action.READ_EXAM, Action.READ_CASE)],
        where: Annotated[Site, Depends(site)],
    ):
        with where.workspace.reading() as connection:
            return JSONResponse(list(readable_spaces(connection, actor, study_uid=study_uid, now=where.now())))

    return router


@pytest.fixture
def served(serve, probe):
    made = serve(probe)
    prepare(made)
    save_exam(made.site.workspace, record("1.2.3", site="South"))
    return made


def allow(served, hospital):
    with served.site.workspace.writing() as connection:
        change_hospital(connection, hospital, name="H", emergency=True)


def open_it(client, uid=STUDY, reason=WHY):
    return client.post("/emergency", data={"study_uid": uid, "reason": reason})


def test_an_administrator_opens_one_exam_of_the_own_hospital_for_an_hour(served):
    client = served.browser("site-admin")
    assert client.get(f"/probe/{STUDY}").status_code == 403
    assert open_it(client).status_code == 303
    assert client.get(f"/probe/{STUDY}").json() == [f"hospital/{served.north}"]
    assert client.get("/probe/1.2.9").status_code == 403, "one open exam opens no other"
    assert "open to you in an emergency" in client.get("/account").text
    served.clock.move(minutes=29)
    client.get("/account")
    served.clock.move(minutes=29)
    assert client.get(f"/probe/{STUDY}").status_code == 200
    served.clock.move(minutes=3)
    assert client.get(f"/probe/{STUDY}").status_code == 403


def test_another_hospital_decides_whether_its_exams_open(served):
    client = served.browser("other-radiologist")
    assert open_it(client).status_code == 404
    allow(served, served.north)
    assert open_it(client).status_code == 303
    assert f"hospital/{served.north}" in client.get(f"/probe/{STUDY}").json()
    assert f"hospital/{served.north}" not in client.get("/probe/1.2.9").json()
    with served.site.workspace.reading() as connection:
        assert unread(connection, served.people["site-admin"]) == 1
        assert unread(connection, served.people["other-site-admin"]) == 1
        assert unread(connection, served.people["radiologist"]) == 0


def test_an_exam_that_was_read_from_a_folder_opens_too(served):
    assert open_it(served.browser("other-site-admin"), "1.2.3").status_code == 303
    assert open_it(served.browser("site-admin"), "1.2.3").status_code == 404


def test_no_exam_or_no_reason_opens_nothing(served):
    client = served.browser("site-admin")
    for uid in ("1.2.9", "", "../etc", "1.2' OR 1=1"):
        assert open_it(client, uid).status_code == 404, uid
        assert client.get(f"/probe/{STUDY}").status_code == 403, uid
    assert open_it(client, STUDY, "short").status_code == 400
    assert client.get(f"/probe/{STUDY}").status_code == 403


def test_not_everybody_may(served):
    others = ("technologist", "physicist", "guest", "province", "operator")
    assert {who: open_it(served.browser(who)).status_code for who in others} == dict.fromkeys(others, 403)


def test_the_trail_keeps_who_opened_what_and_why(served):
    open_it(served.browser("site-admin"))
    with served.site.workspace.reading() as connection:
        event = next(events(connection, Asked())).event
    assert (event.code, event.type_code) == (EventCode.SECURITY_ALERT, EventType.EMERGENCY_OVERRIDE_STARTED)
    assert (event.login, event.studies, event.reason, event.hospital) == (
        "site-admin",
        (STUDY,),
        WHY,
        served.north,
    )


JANES = {"number": "K-1", "birth_date": "1960-01-01"}


def look(client, reason=WHY, **known):
    return client.post("/emergency/exams", data={**(known or JANES), "reason": reason})


def trail(served):
    served.application.state.recorder.flush()
    with served.site.workspace.reading() as connection:
        return [one.event for one in events(connection, Asked())]


def test_an_exam_is_found_by_the_patient_and_opened_by_choosing_it(served):
    allow(served, served.north)
    client = served.browser("other-radiologist")
    answer = look(client)
    assert answer.status_code == 200
    assert "1 exam fits" in answer.text
    assert all(words in answer.text for words in ("2026-01-05", "Thorax", "H", WHY))
    assert not any(words in answer.text for words in ("Doe", "K-1", "1960")), "no more than is needed to choose"
    assert client.get(f"/exam/{STUDY}").status_code == 404, "what is listed is not open"
    (uid,) = re.findall(r'name="study_uid" value="([0-9.]+)"', answer.text)
    assert open_it(client, uid).headers["location"] == f"/exam/{STUDY}"
    shown = client.get("/emergency").text
    assert "Open to you now" in shown
    assert f'href="/exam/{STUDY}"' in shown


def test_that_somebody_looks_is_recorded_before_anything_is_looked_up(served, monkeypatch):
    allow(served, served.north)
    before = []

    def looked_up(connection, *_):
        before.extend(one.event for one in events(connection, Asked()))
        return ()

    monkeypatch.setattr("bingcheng.server.pages.emergency.fitting", looked_up)
    assert look(served.browser("other-radiologist")).status_code == 404
    assert [(one.what, one.code, one.subject, one.reason, one.studies) for one in before] == [
        ("break-glass", EventCode.QUERY, "emergency-search", WHY, ())
    ]


def test_each_try_and_what_it_showed_is_in_the_trail_of_the_hospital_and_holds_no_patient(served):
    allow(served, served.north)
    client = served.browser("other-radiologist")
    look(client)
    look(client, number="K-1", birth_date="1960-01-02")
    refused, second, shown, first = trail(served)[:4]
    assert {one.what for one in (refused, second, shown, first)} == {"break-glass"}
    assert [one.reason for one in (refused, second, shown, first)] == [WHY] * 4
    assert (shown.hospital, shown.actor_hospital, shown.studies) == (served.north, served.south, (STUDY,))
    assert [int(one.outcome) for one in (refused, second, shown, first)] == [4, 0, 0, 0]
    assert not any(words in repr(one) for one in trail(served) for words in ("K-1", "Doe", "1960"))
    assert "looked for in an emergency" in served.browser("site-admin").get("/admin/audit").text


def test_nothing_is_looked_up_that_cannot_be_recorded(served):
    allow(served, served.north)
    client = served.browser("other-radiologist")
    with served.site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit_study")
    answer = look(client)
    assert answer.status_code == 503
    assert STUDY not in answer.text


def test_none_and_may_not_are_answered_with_the_same_words(served):
    client = served.browser("other-radiologist")
    may_not = look(client)
    assert may_not.status_code == 404
    none = look(client, number="K-1", birth_date="1960-01-02")
    assert none.status_code == 404
    assert none.text == may_not.text.replace("1960-01-01", "1960-01-02")
    by_uid = {uid: open_it(client, uid) for uid in (STUDY, "1.2.9")}
    assert {answer.status_code for answer in by_uid.values()} == {404}
    assert by_uid[STUDY].text.replace(STUDY, "1.2.9") == by_uid["1.2.9"].text


@pytest.mark.parametrize("wild", ["*", "?", "%", "_", "\\", "K*"])
def test_no_wildcard_finds_anything(served, wild):
    allow(served, served.north)
    client = served.browser("other-radiologist")
    for known in ({"number": wild, "birth_date": "1960-01-01"}, {"number": "K-1", "name": wild}, {"accession": wild}):
        assert look(client, **known).status_code == 404


def test_few_tries_are_allowed_whether_they_find_anything_or_not(served):
    allow(served, served.north)
    client = served.browser("other-radiologist")
    assert {look(client, accession=f"A{number}").status_code for number in range(MOST_TRIES - 1)} == {404}
    assert look(client).status_code == 200
    refused = look(client)
    assert refused.status_code == 429
    assert STUDY not in refused.text
    assert trail(served)[0].reason == WHY
    assert look(served.browser("radiologist")).status_code == 200, "each has tries of the own"
    assert open_it(client).status_code == 303, "what the last one found"
    served.clock.move(minutes=61)
    assert look(served.browser("other-radiologist")).status_code == 200
    with served.site.workspace.reading() as connection:
        told = notices(connection, served.people["other-site-admin"])[-1]
    assert str(told.says) == f"Other-Radiologist looked for exams in an emergency {MOST_TRIES} times within an hour"


def test_few_uids_may_be_tried(served):
    client = served.browser("site-admin")
    assert {open_it(client, f"1.2.9.{number}").status_code for number in range(MOST_TRIES)} == {404}
    assert open_it(client).status_code == 429
    assert client.get(f"/exam/{STUDY}").status_code == 403
    served.clock.move(minutes=60)
    assert open_it(served.browser("site-admin")).status_code == 303


def test_what_opened_is_no_try(served):
    client = served.browser("site-admin")
    assert {open_it(client).status_code for _ in range(MOST_TRIES + 1)} == {303}


def test_too_little_or_no_reason_is_told_and_keeps_what_was_written(served):
    client = served.browser("other-radiologist")
    for answer in (look(client, number="K-77"), look(client, reason="short", number="K-77", name="Roe")):
        assert answer.status_code == 400
        assert 'value="K-77"' in answer.text
    assert "too little to find one patient by" in look(client, number="K-77").text


def test_an_administrator_finds_exams_of_the_own_hospital_only(served):
    allow(served, served.north)
    assert look(served.browser("site-admin")).status_code == 200
    assert look(served.browser("other-site-admin")).status_code == 404


def test_of_an_exam_that_may_not_be_opened_only_the_copy_that_may_is_told_of(served):
    with served.site.workspace.writing() as connection:
        west = make_hospital(connection, name="West Hospital", code="W", now=served.clock(), spellings=["West"])
        change_hospital(connection, west, name="West Hospital", emergency=True)
    served.site.objects.receive(ct_file("copy"), space=hospital_space(west), origin=Origin(kind="import", peer="test"))
    client = served.browser("other-radiologist")
    answer = look(client, number="K-1", name="Jane Doe")
    assert "West Hospital" in answer.text
    assert "Thorax" not in answer.text, "what the owner's results say of it"
    assert look(client).status_code == 404, "the copy states no date of birth"
    assert open_it(client).status_code == 303
    assert f"hospital/{west}" in client.get(f"/probe/{STUDY}").json()
    assert f"hospital/{served.north}" not in client.get(f"/probe/{STUDY}").json()


def test_a_link_names_the_exam(served):
    page = served.browser("radiologist").get(f"/emergency?study_uid={STUDY}").text
    assert f'value="{STUDY}"' in page
    assert "<script>" not in served.browser("radiologist").get("/emergency?study_uid=<script>1").text


def test_who_may_open_one_finds_the_way_from_where_the_work_begins(served):
    link = '<a href="/emergency">'
    assert link in served.browser("radiologist").get("/worklist").text
    assert link in served.browser("site-admin").get("/").text
    assert link not in served.browser("technologist").get("/worklist").text
