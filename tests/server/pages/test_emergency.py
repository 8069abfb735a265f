"""Break-glass on its page: who, what, for how long, and who is told."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse
from tests.archive.conftest import record
from tests.server.examples import STUDY, prepare

from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Action, Actor, readable_spaces
from bingcheng.archive.people.hospital import change_hospital
from bingcheng.archive.people.notice import unread
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


def test_who_may_open_one_finds_the_way_from_where_the_work_begins(served):
    link = '<a href="/emergency">'
    assert link in served.browser("radiologist").get("/worklist").text
    assert link in served.browser("site-admin").get("/").text
    assert link not in served.browser("technologist").get("/worklist").text
