"""No access without its event, no event that disappears, and nobody who could change one."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import func, select
from tests.archive.audit.test_trail import event as event_of
from tests.server.cases.published import give, publish
from tests.server.examples import OBJECT, SERIES, STUDY, ct_file, prepare
from tests.server.test_matrix import ROUTES

from bingcheng.archive.audit import tables
from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import Asked, events, record
from bingcheng.archive.authorisation import Action, Scope, case_space, hospital_space
from bingcheng.archive.people.invitation import invitations
from bingcheng.archive.people.person import person
from bingcheng.server.security.required import Required

INSTANCE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}"
READS = (
    f"/exam/{STUDY}",
    f"/quicklook/{STUDY}",
    f"{INSTANCE}/frames/1",
    "/worklist",
    f"/exports/exam/{STUDY}/exam.json",
)


@pytest.fixture
def served(served):
    prepare(served)
    return served


def stop_recording(served):
    """The trail can't be written; all else can."""
    with served.site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_study RENAME TO audit_study_gone")
        connection.exec_driver_sql("ALTER TABLE audit_event RENAME TO audit_event_gone")


def go_on_recording(served):
    with served.site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_study_gone RENAME TO audit_study")
        connection.exec_driver_sql("ALTER TABLE audit_event_gone RENAME TO audit_event")


def trail(served, **asked):
    served.application.state.recorder.flush()
    with served.site.workspace.reading() as connection:
        return [one.event for one in events(connection, Asked(**asked))]


@pytest.mark.parametrize("path", READS)
def test_what_cannot_be_recorded_is_not_shown_however_often_one_asks(served, path):
    client = served.browser("radiologist")
    stop_recording(served)
    for _ in range(3):
        answer = client.get(path)
        assert answer.status_code == 503, "the second one was taken for a repetition of what was never recorded"
        assert "Doe" not in answer.text
    go_on_recording(served)
    assert client.get(path).status_code == 200
    assert [one.count for one in trail(served)] == [1]


def test_to_ask_without_wanting_the_body_is_refused_and_recorded_as_a_reading(served):
    path = f"/exam/{STUDY}"
    assert served.anonymous().head(path).status_code == 401
    assert served.browser("other-radiologist").head(path).status_code == 404
    answer = served.browser("radiologist").head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    read = [one for one in trail(served) if one.code is EventCode.INSTANCES_ACCESSED and one.login == "radiologist"]
    assert [(one.action, one.count) for one in read] == [(EventAction.READ, 1)]


def test_what_cannot_be_recorded_is_not_done(served):
    admin, technologist = served.browser("site-admin"), served.browser("technologist")
    number = served.people["technologist"]
    stop_recording(served)
    asked = [
        admin.post("/admin/people/invite", data={"role": ["guest"]}),
        admin.post(f"/admin/people/{number}", data={"role": ["guest"], "disabled": "true"}),
        admin.delete(f"/dicomweb/studies/{STUDY}"),
        technologist.post("/account/profile", data={"name": "Another"}),
        technologist.post("/dicomweb/studies", content=ct_file("third"), headers={"content-type": "application/dicom"}),
    ]
    assert [one.status_code for one in asked] == [503] * len(asked)
    assert {one.json()["code"] for one in asked} == {"server.not-recorded"}
    go_on_recording(served)
    with served.site.workspace.reading() as connection:
        assert invitations(connection, served.north, served.clock()) == ()
        known = person(connection, number)
    assert (known.name, known.disabled) == ("Technologist", False)
    assert len(served.site.objects.instances_of([hospital_space(served.north)], STUDY)) == 1


def test_an_object_that_came_just_after_an_event_is_not_kept_without_its_own(served, monkeypatch):
    monkeypatch.setattr("bingcheng.server.security.recorder.SURE_S", 600.0)
    client = served.browser("technologist")

    def sent(number):
        content = ct_file().replace(OBJECT.encode(), f"{OBJECT[:-1]}{number}".encode())
        return client.post(
            "/dicomweb/studies", content=content, headers={"content-type": "application/dicom"}
        ).status_code

    def kept():
        held = served.site.objects.instances_of([hospital_space(served.north)], STUDY)
        return {one.sop_uid[-1] for one in held}

    assert sent(6) == 200
    stop_recording(served)
    assert [sent(7), sent(8)] == [503, 503]
    assert kept() == {OBJECT[-1], "6"}
    go_on_recording(served)
    assert [sent(7), sent(9)] == [200, 200]
    assert kept() == {OBJECT[-1], "6", "7", "9"}
    came = [one for one in trail(served) if one.code is EventCode.INSTANCES_TRANSFERRED and one.login == "technologist"]
    assert [one.outcome.name for one in came].count("SUCCESS") == 3


def test_counts_that_could_not_be_written_are_written_later(served):
    client = served.browser("radiologist")
    for _ in range(4):
        client.get(f"/quicklook/{STUDY}")
    stop_recording(served)
    assert served.browser("site-admin").get("/admin/audit").status_code == 503
    go_on_recording(served)
    assert sum(one.count for one in trail(served) if one.login == "radiologist") == 4


def test_taking_away_is_recorded_each_time_and_never_hidden_among_views(served):
    client = served.browser("radiologist")
    for path in (f"/exam/{STUDY}", *[f"/exports/exam/{STUDY}/{name}" for name in ("exam.json", "findings.csv")] * 2):
        assert client.get(path).status_code == 200
    assert client.get(f"/exam/{STUDY}").status_code == 200
    found = trail(served)
    assert [one.code for one in found].count(EventCode.EXPORT) == 4
    assert sum(one.count for one in found if one.code is EventCode.INSTANCES_ACCESSED) == 2


def test_each_export_of_the_trail_is_in_it(served):
    client, program = served.browser("site-admin"), served.program("site-admin", Scope.AUDIT_READ)
    for _ in range(2):
        client.get("/admin/audit/export.xml")
        client.get("/admin/audit/export.jsonl")
        program.get("/api/audit")
    assert [one.subject for one in trail(served)].count("audit/export") == 6


def test_a_refusal_is_recorded_where_a_success_would_not_be(served):
    client = served.browser("other-radiologist")
    assert client.get(f"/exam/{STUDY}/progress").status_code == 404
    (event,) = trail(served)
    assert (event.login, event.studies, int(event.outcome)) == ("other-radiologist", (STUDY,), 4)


def test_what_somebody_types_in_the_place_of_a_uid_is_not_kept(served):
    client = served.browser("radiologist")
    for name in ("Doe^Jane", "x" * 2000, "1.2.3%00", "%ff"):
        assert client.get(f"/exam/{name}").status_code in (400, 404)
    with served.site.workspace.reading() as connection:
        records = " ".join(connection.scalars(select(tables.audit_event.c.record)))
        assert connection.scalar(select(func.count()).select_from(tables.audit_study)) == 0
    assert "Doe" not in records
    assert "xxx" not in records


def test_whose_case_was_seen_through_the_viewer_finds_it_in_its_trail(served):
    case = publish(served, STUDY)
    give(served, case, hospital=served.south)
    client = served.browser("other-guest")
    study = client.get("/dicomweb/studies").json()[0]["0020000D"]["Value"][0]
    for path in (f"/dicomweb/studies/{study}/metadata", f"/quicklook/{study}"):
        assert client.get(path).status_code == 200
    found = [one for one in trail(served, hospital=served.north) if one.login == "other-guest" and one.case == case]
    assert sum(one.count for one in found) == 2
    assert served.site.objects.instances_of([case_space(case)], study)


def test_taking_the_trail_slowly_keeps_nobody_from_the_database(listening):
    here = listening(largest_form_mb=2)
    served, client = here.served, here.served.browser("site-admin")
    prepare(served)
    secret = client.cookies["bingcheng"]
    with served.site.workspace.writing() as connection:
        for number in range(4000):
            record(connection, event_of(number, hospital=served.north, reason="x" * 500))
    head = f"GET /admin/audit/export.xml HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: bingcheng={secret}\r\n\r\n".encode()
    pool, last = served.site.workspace.engine.pool, time.monotonic() + 30
    kept = pool.checkedout()
    slow = [here.connected(head) for _ in range(20)]
    try:
        assert all(one.recv(10) == b"HTTP/1.1 2" for one in slow)
        while pool.checkedout() > kept and time.monotonic() < last:
            time.sleep(0.05)
        assert pool.checkedout() == kept <= 1, "each has been given as much as it takes, and waits without the database"
    finally:
        for one in slow:
            one.close()


def test_no_route_changes_the_trail():
    audit = {Action.READ_AUDIT, Action.VERIFY_AUDIT}
    found = {
        (method, route.path)
        for method, route in ROUTES
        if isinstance(route.guard, Required) and audit & set(route.guard.actions)
    }
    assert {method for method, path in found if path != "/admin/audit/verify"} == {"GET"}


def test_what_a_program_stores_is_in_the_trail_with_whose_token_it_was(served):
    program = served.program("technologist", Scope.DICOM_WRITE)
    program.post("/dicomweb/studies", content=ct_file(), headers={"content-type": "application/dicom"})
    event = trail(served)[0]
    assert (event.code, event.login, event.studies) == (EventCode.INSTANCES_TRANSFERRED, "technologist", (STUDY,))
