"""What is stored, what failed and is tried again, and studies deleted for good."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.archive.dimse.making import file_of, image
from tests.server.examples import STUDY, ct_file

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import Asked, events, record
from bingcheng.archive.dimse.peers import Peer, add_peer
from bingcheng.archive.jobs.queue import (
    JobKind,
    JobState,
    ask,
    counts,
    end,
    failed,
    last_digest,
    latest,
    open_jobs,
    sendings,
    take,
)
from bingcheng.archive.jobs.target import Target
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.engine.received.problems import NOTHING_LEFT
from bingcheng.server.dicom_admin.callers import last_heard_of, turned_away
from bingcheng.server.dicom_admin.sizes import size_in_words
from bingcheng.server.dicom_admin.store import STUDIES_A_PAGE

SENT = Origin(kind="dimse", peer="CT1@192.0.2.7")


def space(number: int) -> str:
    return f"hospital/{number}"


def fail(served, hospital, kind, study, **more):
    with served.site.workspace.writing() as connection:
        ask(connection, kind, space(hospital), study, served.clock(), **more)
        for job in take(connection, served.clock(), most=8):
            error = InputError(NOTHING_LEFT)
            refusal = Refusal.of(error, kind=SubjectKind.EXAM, subject=study, study_uid=study)
            end(connection, job.number, served.clock(), refusal)


def states(served, hospital):
    with served.site.workspace.reading() as connection:
        return counts(connection, [space(hospital)])


@pytest.fixture
def study(served):
    served.site.objects.receive(ct_file(), space=space(served.north), origin=SENT)
    return f"/admin/store/{STUDY}"


def test_an_administrator_sees_what_the_hospital_holds_and_no_patient(served, study):
    served.site.objects.receive(file_of(image()), space=space(served.south), origin=SENT)
    shown = served.browser("site-admin").get("/admin/store").text
    assert STUDY in shown
    assert "North Hospital" in shown
    assert "South Hospital" not in shown
    assert "1.2.3.1" not in shown
    for path in ("/admin/store", study):
        seen = served.browser("site-admin").get(path).text
        assert "Doe" not in seen
        assert "K-1" not in seen


def test_the_operator_sees_amounts_of_all_hospitals_and_no_study(served, study):
    shown = served.browser("operator").get("/admin/store").text
    assert "South Hospital" in shown
    assert STUDY not in shown
    assert served.browser("operator").get(study).status_code == 403


def test_studies_are_found_by_their_uid_and_shown_page_by_page(served):
    for number in range(1, STUDIES_A_PAGE + 2):
        uid = f"1.2.3.{number}"
        data = file_of(image(StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1", SOPInstanceUID=f"{uid}.1.1"))
        served.site.objects.receive(data, space=space(served.north), origin=SENT)
    admin = served.browser("site-admin")
    first = admin.get("/admin/store").text
    assert first.count("/admin/store/1.2.3.") == STUDIES_A_PAGE
    assert 'rel="next" href="/admin/store?uid=&amp;part=2#studies-title"' in first
    assert admin.get("/admin/store?part=2").text.count("/admin/store/1.2.3.") == 1
    assert admin.get("/admin/store?uid=1.2.3.7").text.count("/admin/store/1.2.3.") == 1
    for odd in ("1.2.3.999", "*", "<script>", "1.2.3.7%5C1.2.3.8"):
        shown = admin.get(f"/admin/store?uid={odd}").text
        assert "No study fits." in shown
        assert "<script>" not in shown
    for odd in ("0", "-3", "999999999999"):
        assert admin.get(f"/admin/store?part={odd}").status_code == 200


def test_a_study_is_deleted_once_the_end_of_its_uid_is_typed(served, study):
    admin = served.browser("site-admin")
    for wrong in ("", "delete", STUDY[-7:-1]):
        answer = admin.post(study, data={"ending": wrong})
        assert answer.status_code == 400
        assert "nothing was deleted" in answer.text
    assert admin.get(study).status_code == 200
    assert admin.post(study, data={"ending": f" {STUDY[-6:]}"}).status_code == 303
    assert admin.get(study).status_code == 404
    assert served.site.objects.instances_of([space(served.north)], STUDY) == []
    with served.site.workspace.reading() as connection:
        told = [one.event for one in events(connection, Asked(study_uid=STUDY, code=EventCode.STUDY_DELETED.value))]
    assert [one.action for one in told if one.outcome == 0] == [EventAction.DELETE]
    assert told[0].count == 1


def test_nobody_deletes_what_another_hospital_stores(served, study):
    other = served.browser("other-site-admin")
    assert other.post(study, data={"ending": STUDY[-6:]}).status_code == 404
    assert served.browser("radiologist").post(study, data={"ending": STUDY[-6:]}).status_code == 403
    assert len(served.site.objects.instances_of([space(served.north)], STUDY)) == 1


def test_what_failed_is_shown_with_its_reason_and_tried_again(served):
    with served.site.workspace.writing() as connection:
        peer = Peer(ae_title="<PACS>", networks=(), space=space(served.north), may=frozenset(), host="h", port=104)
        number = add_peer(connection, peer).number
    fail(served, served.north, JobKind.ASSESS, "1.2.1")
    fail(served, served.north, JobKind.SEND, "1.2.1", target=Target(peer=number).written())
    fail(served, served.south, JobKind.ASSESS, "1.2.2")
    admin = served.browser("site-admin")
    shown = admin.get("/admin/store").text
    assert str(InputError(NOTHING_LEFT).reason)[:30] in shown
    assert "→ &lt;PACS&gt;" in shown
    assert "1.2.2" not in shown
    with served.site.workspace.reading() as connection:
        send, assess = failed(connection, [space(served.north)], most=9)
    assert (send.kind, assess.kind) == (JobKind.SEND, JobKind.ASSESS)
    assert admin.post("/admin/store/retry", data={"job": str(send.number)}).status_code == 303
    with served.site.workspace.writing() as connection:
        (again,) = take(connection, served.clock(), most=8)
        end(connection, again.number, served.clock())
    assert (again.kind, again.target) == (JobKind.SEND, send.target)
    admin.post("/admin/store/retry")
    admin.post("/admin/store/retry")
    assert states(served, served.north)[JobState.WAITING] == 1
    assert states(served, served.south)[JobState.WAITING] == 0
    assert "Nothing failed" in admin.get("/admin/store").text


def test_what_is_under_way_and_waits_is_shown_done_next_and_stopped(served):
    with served.site.workspace.writing() as connection:
        for study in ("1.2.1", "1.2.3", "1.2.4"):
            ask(connection, JobKind.ASSESS, space(served.north), study, served.clock())
        foreign = ask(connection, JobKind.ASSESS, space(served.south), "1.2.2", served.clock())
        (running,) = take(connection, served.clock(), most=1)
    admin = served.browser("site-admin")
    shown = admin.get("/admin/store").text
    assert shown.count("/admin/store/jobs") == 3
    assert "1.2.2" not in shown
    assert "under way" in shown
    with served.site.workspace.reading() as connection:
        by_study = {one.study_uid: one.number for one in open_jobs(connection, [space(served.north)], most=9)}
    assert admin.post("/admin/store/jobs", data={"job": str(by_study["1.2.4"]), "what": "first"}).status_code == 303
    assert admin.post("/admin/store/jobs", data={"job": str(by_study["1.2.3"]), "what": "stop"}).status_code == 303
    assert admin.post("/admin/store/jobs", data={"job": str(running.number), "what": "stop"}).status_code == 303
    admin.post("/admin/store/jobs", data={"job": str(foreign), "what": "stop"})
    assert served.browser("technologist").post("/admin/store/jobs", data={"job": "1"}).status_code == 403
    assert states(served, served.south)[JobState.WAITING] == 1
    assert states(served, served.north)[JobState.STOPPED] == 2
    with served.site.workspace.writing() as connection:
        assert [one.study_uid for one in take(connection, served.clock(), most=1)] == ["1.2.4"]
    assert "Nothing failed" in admin.get("/admin/store").text, "what a person stopped did not fail"


def test_a_job_of_another_hospital_is_not_tried_again(served):
    fail(served, served.south, JobKind.ASSESS, "1.2.2")
    with served.site.workspace.reading() as connection:
        (job,) = failed(connection, [space(served.south)], most=9)
    served.browser("site-admin").post("/admin/store/retry", data={"job": str(job.number)})
    assert states(served, served.south)[JobState.WAITING] == 0


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (678, "678 B"),
        (1500, "1.5 kB"),
        (999_999, "1000 kB"),
        (1_000_000, "1 MB"),
        (123_456_789, "123 MB"),
        (2_340_000_000, "2.34 GB"),
        (5 * 10**12, "5 TB"),
    ],
)
def test_sizes_are_told_to_three_digits(size, words):
    assert str(size_in_words(size)) == words


def test_a_database_server_answers_the_same(postgresql, tmp_path):
    workspace = Workspace.open(tmp_path / "w", postgresql)
    noon = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
    peer = Peer(ae_title="CT1", networks=("192.0.2.7",), space=space(1), may=frozenset())
    with workspace.writing() as connection:
        kept = add_peer(connection, peer)
        for target in (None, "peer/1", "peer/1", "peer/2"):
            ask(connection, JobKind.SEND if target else JobKind.ASSESS, space(1), "1.2", noon, target=target)
        refusal = Refusal.of(InputError(NOTHING_LEFT), kind=SubjectKind.EXAM, subject="1.2")
        while taken := take(connection, noon, most=1):
            (job,) = taken
            end(connection, job.number, noon, refusal)
        found = failed(connection, [space(1)], most=9)
        assert [(one.kind.value, one.target) for one in found] == [
            ("send", "peer/2"),
            ("send", "peer/1"),
            ("assess", None),
        ]
        assert [one.target for one in sendings(connection, space(1), "1.2", most=9)] == ["peer/2", "peer/1"]
        assert latest(connection, [space(1)], ["1.2"])[space(1), "1.2"].kind is JobKind.ASSESS
        assert last_digest(connection, space(1), "1.2") is None
        event = AuditEvent(
            code=EventCode.NETWORK_ENTRY,
            action=EventAction.EXECUTE,
            outcome=EventOutcome.SUCCESS,
            at=noon,
            what="dimse-echoed",
            login="CT1",
            hospital=1,
        )
        record(connection, event)
        assert last_heard_of(connection, [kept], noon) == {kept.number: noon}
        assert turned_away(connection, [kept], noon) == []
    workspace.close()
