"""Each access is in the audit trail before its answer leaves."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import JSONResponse

from bingcheng.archive.audit.event import EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import Asked, events, verify
from bingcheng.archive.authorisation import Action, Actor
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.problems import DISK_FULL, READ_ONLY
from bingcheng.core.errors import InputError
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced


@pytest.fixture(scope="module")
def probe():
    router = APIRouter()

    @router.get("/probe/{study_uid}")
    def read(study_uid: str, actor: Annotated[Actor, allowed(Action.READ_EXAM)]):
        if study_uid == "1.404":
            raise InputError(NO_SUCH_THING)
        if study_uid == "1.500":
            raise ZeroDivisionError
        return JSONResponse(study_uid)

    @router.get("/probe-list")
    def listed(request: Request, actor: Annotated[Actor, allowed(Action.READ_EXAM)]):
        saw_studies(request, ["1.1", "1.2", "1.1"])
        traced(request).patient = "P-ABC"
        return JSONResponse({})

    @router.post("/probe-delete/{study_uid}")
    def delete(study_uid: str, actor: Annotated[Actor, allowed(Action.DELETE_OBJECTS)]):
        return JSONResponse({})

    @router.get("/probe-late", dependencies=[allowed(Action.READ_EXAM)])
    def late():
        raise HTTPException(418)

    return router


def recorded(served, *, flush: bool = True):
    if flush:
        served.application.state.recorder.flush()
    with served.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked())]
        assert verify(connection) == len(found)
    return found


def test_who_read_what_from_where_is_recorded(serve, probe):
    served = serve(probe)
    answer = served.browser("radiologist").get("/probe/1.2.3")
    (event,) = recorded(served)
    assert (event.code, event.action, event.outcome) == (
        EventCode.INSTANCES_ACCESSED,
        EventAction.READ,
        EventOutcome.SUCCESS,
    )
    assert (event.login, event.person, event.roles) == ("radiologist", served.people["radiologist"], ("radiologist",))
    assert (event.hospital, event.actor_hospital) == (served.north, served.north)
    assert (event.studies, event.what, event.address) == (("1.2.3",), "read-exam", "testclient")
    assert event.request == answer.headers["x-request-id"]


def test_what_a_list_shows_is_recorded_once_each(serve, probe):
    served = serve(probe)
    served.browser("radiologist").get("/probe-list")
    (event,) = recorded(served)
    assert (event.studies, event.patient) == (("1.1", "1.2"), "P-ABC")


def test_repeated_reads_are_counted_and_recorded_as_one(serve, probe):
    served = serve(probe)
    client = served.browser("radiologist")
    for _ in range(5):
        client.get("/probe/1.2.3")
    assert [event.count for event in recorded(served, flush=False)] == [1], "the first at once"
    assert [event.count for event in recorded(served)] == [4, 1]
    assert len(recorded(served)) == 2


def test_another_exam_or_person_is_no_repetition(serve, probe):
    served = serve(probe)
    client = served.browser("radiologist")
    client.get("/probe/1.2")
    client.get("/probe/1.3")
    served.browser("technologist").get("/probe/1.2")
    assert [(event.login, event.studies) for event in recorded(served, flush=False)] == [
        ("technologist", ("1.2",)),
        ("radiologist", ("1.3",)),
        ("radiologist", ("1.2",)),
    ]


def test_counts_are_written_when_their_span_is_over(serve, probe, monkeypatch):
    served = serve(probe)
    client = served.browser("radiologist")
    client.get("/probe/1.2")
    client.get("/probe/1.2")
    monkeypatch.setattr("bingcheng.server.security.recorder.SPAN_S", -1.0)
    client.get("/probe/1.3")
    assert [(event.studies, event.count) for event in recorded(served, flush=False)] == [
        (("1.3",), 1),
        (("1.2",), 1),
        (("1.2",), 1),
    ]


@pytest.mark.parametrize(
    ("who", "path", "status", "outcome"),
    [
        ("guest", "/probe/1.2", 403, EventOutcome.MINOR_FAILURE),
        ("radiologist", "/probe/1.404", 404, EventOutcome.MINOR_FAILURE),
        ("radiologist", "/probe/1.500", 500, EventOutcome.SERIOUS_FAILURE),
        ("radiologist", "/probe-late", 418, EventOutcome.MINOR_FAILURE),
    ],
)
def test_what_was_refused_or_failed_is_recorded_each_time(serve, probe, who, path, status, outcome):
    served = serve(probe)
    client = served.browser(who)
    for _ in range(2):
        assert client.get(path).status_code == status
    found = recorded(served, flush=False)
    assert [event.outcome for event in found] == [outcome] * 2
    assert {event.login for event in found} == {who}


def test_who_is_not_signed_in_is_counted_and_does_not_fill_the_trail(serve, probe):
    served = serve(probe)
    for _ in range(20):
        served.anonymous().get("/probe/1.2")
    assert len(recorded(served, flush=False)) == 1
    assert sum(event.count for event in recorded(served)) == 20


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (InputError(READ_ONLY, folder="workspace"), (503, "server.not-recorded")),
        (InputError(DISK_FULL), (507, "server.disk-full")),
    ],
)
def test_what_cannot_be_recorded_is_not_granted(serve, probe, monkeypatch, problem, said):
    served = serve(probe)
    client = served.browser("radiologist")
    client.get("/probe-list")

    def fails(_):
        raise problem

    monkeypatch.setattr(type(served.site.workspace), "writing", fails)
    answer = client.get("/probe/1.2.3")
    assert (answer.status_code, answer.json()["code"]) == said
    assert "1.2.3" not in answer.text
    assert "content-security-policy" in answer.headers


def test_a_deletion_is_recorded_as_one(serve, probe):
    served = serve(probe)
    served.browser("site-admin").post("/probe-delete/1.2")
    (event,) = recorded(served, flush=False)
    assert (event.code, event.what, event.studies) == (EventCode.STUDY_DELETED, "delete-objects", ("1.2",))


def test_reading_the_trail_and_managing_people_are_recorded_as_what_they_are(served):
    client = served.browser("site-admin")
    client.get("/admin/audit")
    client.get("/admin/people")
    client.post("/admin/people/invite", data={"role": ["guest"]})
    said = [(event.code, event.type_code, event.action) for event in recorded(served, flush=False)]
    assert said == [
        (EventCode.SECURITY_ALERT, EventType.USER_SECURITY_ATTRIBUTES_CHANGED, EventAction.EXECUTE),
        (EventCode.SECURITY_ALERT, EventType.USE_OF_RESTRICTED_FUNCTION, EventAction.READ),
        (EventCode.AUDIT_LOG_USED, None, EventAction.READ),
    ]


def test_public_pages_and_the_own_account_leave_no_trace(served):
    client = served.browser("radiologist")
    for path in ("/account", "/healthz", "/api/openapi.json", "/emergency", "/account/notices"):
        assert client.get(path).status_code == 200
    assert recorded(served) == []
