"""An exam sent to a peer from its page: by the own hospital, to its own peers, in the background."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time

import pytest
from pydicom import dcmread
from sqlalchemy import select, update
from tests.archive.dimse.making import file_of, image
from tests.server.examples import OBJECT, STUDY, ct_file

from bingcheng.archive.audit.event import EventOutcome
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.dimse.peers import Peer, add_peer, remove_peer
from bingcheng.archive.jobs.queue import JobKind, JobState, ask, last_digest, latest, sendings
from bingcheng.archive.jobs.tables import job_taken
from bingcheng.archive.jobs.target import Target
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import RemoteError
from bingcheng.engine.run import Options
from bingcheng.server.background import sending, telling
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.given import Given
from bingcheng.server.background.work import work
from bingcheng.server.settings import Settings

SENT, MADE = Origin(kind="dimse", peer="CT1@192.0.2.7"), Origin(kind="derived", peer="bingcheng")
EXAM = f"/exam/{STUDY}"


def space(number: int) -> str:
    return f"hospital/{number}"


def derived_file() -> bytes:
    return file_of(
        image(
            StudyInstanceUID=STUDY,
            SeriesInstanceUID=f"{STUDY}.2",
            SOPInstanceUID=f"{STUDY}.2.1",
            PatientID="K-1",
        )
    )


@pytest.fixture
def exam(served):
    served.site.objects.receive(ct_file(), space=space(served.north), origin=SENT)
    served.site.objects.receive(derived_file(), space=space(served.north), origin=MADE)
    return served


def target(served, hospital, *, port=104, title="ARCHIVE", host="127.0.0.1") -> int:
    peer = Peer(ae_title=title, networks=(), space=space(hospital), may=frozenset(), host=host, port=port)
    with served.site.workspace.writing() as connection:
        return add_peer(connection, peer).number


def done(served) -> int:
    return work(served.site.workspace, served.site.objects, Options(workers=1))


def jobs(served):
    with served.site.workspace.reading() as connection:
        return sendings(connection, space(served.north), STUDY, most=9)


def test_an_exam_goes_to_the_peer_that_is_chosen_and_the_page_says_so(exam, archive):
    port, taken = archive()
    number = target(exam, exam.north, port=port)
    client = exam.browser("technologist")
    assert f'<option value="{number}">ARCHIVE</option>' in client.get(EXAM).text
    answer = client.post(f"{EXAM}/send", data={"peer": str(number)})
    assert answer.headers["location"] == f"{EXAM}#sending"
    client.post(f"{EXAM}/send", data={"peer": str(number)})  # pressed twice
    assert len(jobs(exam)) == 1
    assert "Waits to be sent" in client.get(EXAM).text
    assert client.get(f"{EXAM}/sendings").json()[0]["open"] is True
    assert done(exam) == 1
    assert taken == [("BINGCHENG", OBJECT)]
    (job,) = jobs(exam)
    assert (job.state, job.total) == (JobState.DONE, 1)
    (told,) = client.get(f"{EXAM}/sendings").json()
    assert (told["number"], told["says"], told["open"]) == (job.number, "Sent", False)
    assert "data-sendings" not in client.get(EXAM).text


def test_what_was_made_of_it_goes_along_where_wished(exam, archive):
    port, taken = archive()
    number = target(exam, exam.north, port=port)
    exam.browser("radiologist").post(f"{EXAM}/send", data={"peer": str(number), "derived": "true"})
    done(exam)
    assert {uid for _, uid in taken} == {OBJECT, f"{STUDY}.2.1"}


def test_it_stands_in_the_audit_trail_who_asked_and_what_became_of_it(exam, archive):
    port, _ = archive()
    number = target(exam, exam.north, port=port)
    exam.browser("technologist").post(f"{EXAM}/send", data={"peer": str(number)})
    done(exam)
    with exam.site.workspace.reading() as connection:
        told = [one.event for one in events(connection, Asked(study_uid=STUDY))]
    (asked,) = [one for one in told if one.code is EventCode.EXPORT]
    assert (asked.login, asked.subject) == ("technologist", f"peer/{number}")
    (sent,) = [one for one in told if one.what == "dimse-sent"]
    (begun,) = [one for one in told if one.what == "dimse-sending"]
    assert told.index(begun) > told.index(sent), "the latest stands first"
    assert (begun.code, begun.count) == (EventCode.BEGIN_TRANSFERRING_INSTANCES, 1)
    assert (sent.outcome, sent.subject, sent.count, sent.hospital) == (EventOutcome.SUCCESS, "ARCHIVE", 1, exam.north)


def test_objects_that_the_peer_does_not_take_are_told_and_tried_again(exam, archive):
    port, taken = archive(status=0xA900)
    number = target(exam, exam.north, port=port)
    client = exam.browser("technologist")
    client.post(f"{EXAM}/send", data={"peer": str(number)})
    done(exam)
    (job,) = jobs(exam)
    assert (job.state, job.reason.code) == (JobState.FAILED, "server.not-all-taken")
    assert "did not take 1 of 1 objects" in client.get(EXAM).text
    exam.browser("site-admin").post("/admin/store/retry")
    done(exam)
    assert len(taken) == 2


def test_a_peer_without_room_is_tried_again_by_itself_and_at_once_on_wish(exam, archive):
    port, taken = archive(status=0xA700)
    number = target(exam, exam.north, port=port)
    client = exam.browser("technologist")
    client.post(f"{EXAM}/send", data={"peer": str(number)})
    done(exam)
    (job,) = jobs(exam)
    assert (job.state, job.reason.code) == (JobState.WAITING, "server.no-room-there")
    shown = client.get(EXAM).text
    assert "had no room for 1 of 1 objects" in shown
    assert "Tried once. Tried again at" in shown
    assert client.get(f"{EXAM}/sendings").json()[0]["later"] is True
    assert done(exam) == 0, "not before its time"
    assert "tried again later" in exam.browser("site-admin").get("/admin/store").text
    assert client.post(f"{EXAM}/sendings/{job.number}", data={"what": "now"}).status_code == 303
    assert done(exam) == 1
    assert len(taken) == 2
    assert jobs(exam)[0].tries == 2


def test_another_try_sends_what_the_peer_did_not_confirm_and_what_changed(exam, archive):
    """Of three objects the peer has no room for the second, then refuses the third; a person asks again."""
    answers = iter((0x0000, 0xA700, 0xA900, 0xA900, 0x0000, 0xA900, 0x0000, 0x0000))
    port, taken = archive(status=lambda _: next(answers))
    number = target(exam, exam.north, port=port)
    for instance in (2, 3):
        more = image(StudyInstanceUID=STUDY, SeriesInstanceUID=f"{STUDY}.1", SOPInstanceUID=f"{STUDY}.1.{instance}")
        exam.site.objects.receive(file_of(more), space=space(exam.north), origin=SENT)
    client = exam.browser("technologist")
    client.post(f"{EXAM}/send", data={"peer": str(number)})
    done(exam)
    (job,) = jobs(exam)
    assert (job.state, job.reason.reason.facts["failed"], job.reason.reason.facts["count"]) == (JobState.WAITING, 2, 3)
    first = [uid for _, uid in taken]
    client.post(f"{EXAM}/sendings/{job.number}", data={"what": "now"})
    done(exam)
    assert [uid for _, uid in taken[3:]] == first[1:]
    (job,) = jobs(exam)
    assert (job.state, job.total, job.tries) == (JobState.FAILED, 3, 2)
    client.post(f"{EXAM}/sendings/{job.number}", data={"what": "now"})
    done(exam)
    assert [uid for _, uid in taken[5:]] == first[1:2], "the job of a person who asks again knows it too"
    client.post(f"{EXAM}/sendings/{jobs(exam)[0].number}", data={"what": "now"})
    with exam.site.workspace.writing() as connection:
        connection.execute(update(job_taken).where(job_taken.c.sop_uid == first[0]).values(sha256="of other bytes"))
    done(exam)
    assert sorted(uid for _, uid in taken[6:]) == sorted(first[:2])
    assert jobs(exam)[0].state is JobState.DONE
    with exam.site.workspace.reading() as connection:
        assert connection.execute(select(job_taken)).all() == [], "who sends it anew sends all of it"


def test_nothing_leaves_if_it_cannot_be_recorded(exam, archive, monkeypatch):
    port, taken = archive()
    number = target(exam, exam.north, port=port)
    exam.browser("technologist").post(f"{EXAM}/send", data={"peer": str(number)})
    kept = sending.record

    def full(connection, event):
        if event.code is EventCode.BEGIN_TRANSFERRING_INSTANCES:
            raise RemoteError(DISK_FULL)
        return kept(connection, event)

    monkeypatch.setattr(sending, "record", full)
    done(exam)
    (job,) = jobs(exam)
    assert (taken, job.state, job.reason.code) == ([], JobState.WAITING, "archive.disk-full")


def test_a_sending_is_stopped_and_asked_for_again(exam, archive):
    port, taken = archive()
    number = target(exam, exam.north, port=port)
    client = exam.browser("technologist")
    client.post(f"{EXAM}/send", data={"peer": str(number)})
    (job,) = jobs(exam)
    path = f"{EXAM}/sendings/{job.number}"
    assert exam.browser("other-technologist").post(path, data={"what": "stop"}).status_code == 404
    assert exam.browser("site-admin").post(path, data={"what": "stop"}).status_code == 403
    assert client.post(f"{EXAM}/sendings/987654", data={"what": "stop"}).status_code == 404
    assert client.post(path, data={"what": "stop"}).status_code == 303
    assert done(exam) == 0
    assert taken == []
    assert "Was stopped" in client.get(EXAM).text
    assert client.post(path, data={"what": "now"}).status_code == 303
    done(exam)
    assert [one.state for one in jobs(exam)] == [JobState.DONE, JobState.STOPPED]


def test_a_sending_that_is_stopped_under_way_ends_after_the_object_that_is_being_sent(exam, archive, monkeypatch):
    monkeypatch.setattr(telling, "TOLD_EVERY_S", 0.0)
    for number in range(2, 6):
        made = image(
            StudyInstanceUID=STUDY,
            SeriesInstanceUID=f"{STUDY}.9",
            SOPInstanceUID=f"{STUDY}.9.{number}",
            PatientID="K-1",
        )
        exam.site.objects.receive(file_of(made), space=space(exam.north), origin=SENT)
    port, taken = archive()
    client = exam.browser("technologist")
    client.post(f"{EXAM}/send", data={"peer": str(target(exam, exam.north, port=port))})
    (job,) = jobs(exam)

    def stopped_after_two(self, step, at, total):
        if at == 2:
            client.post(f"{EXAM}/sendings/{job.number}", data={"what": "stop"})
        return told(self, step, at, total)

    told = telling.Telling.__call__
    monkeypatch.setattr(telling.Telling, "__call__", stopped_after_two)
    done(exam)
    assert len(taken) == 2
    assert jobs(exam)[0].state is JobState.STOPPED
    with exam.site.workspace.reading() as connection:
        (event,) = [one.event for one in events(connection, Asked(study_uid=STUDY)) if one.event.what == "dimse-sent"]
    assert (event.outcome, event.count, event.reason) == (EventOutcome.MINOR_FAILURE, 2, "archive.job-stopped")


def test_a_peer_that_is_slow_holds_up_what_goes_to_itself_and_nothing_else(exam, archive):
    """It takes the connection and never answers; the others have their exam meanwhile."""
    port, taken = archive()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = target(exam, exam.north, port=silent.getsockname()[1], title="SLOW")
        quick = target(exam, exam.north, port=port)
        for number in (slow, quick):
            exam.browser("technologist").post(f"{EXAM}/send", data={"peer": str(number)})
        working = threading.Thread(target=done, args=(exam,))
        working.start()
        connected, _ = silent.accept()
        until = time.monotonic() + 10
        while JobState.DONE not in {one.state for one in jobs(exam)} and time.monotonic() < until:
            time.sleep(0.02)
        assert taken == [("BINGCHENG", OBJECT)]
        assert {one.state for one in jobs(exam)} == {JobState.RUNNING, JobState.DONE}
        connected.close()
        working.join(20)
    assert not working.is_alive()


def test_a_peer_that_is_gone_or_silent_fails_the_job_with_a_reason(exam):
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    silent, gone = target(exam, exam.north, port=closed), target(exam, exam.north, title="GONE")
    client = exam.browser("technologist")
    for number in (silent, gone):
        client.post(f"{EXAM}/send", data={"peer": str(number)})
    with exam.site.workspace.writing() as connection:
        remove_peer(connection, gone)
    done(exam)
    assert [(one.state, one.reason.code) for one in jobs(exam)] == [
        (JobState.FAILED, "archive.no-such-peer"),
        (JobState.WAITING, "archive.no-answer"),
    ]
    assert client.get(EXAM).status_code == 200  # the peer's title is not known any more


def test_only_the_own_hospital_s_exam_goes_only_to_its_own_peers(exam):
    own, foreign = target(exam, exam.north), target(exam, exam.south, title="<THEIRS>")
    only_calls = Peer(ae_title="CT1", networks=("192.0.2.7",), space=space(exam.north), may=frozenset())
    with exam.site.workspace.writing() as connection:
        scanner = add_peer(connection, only_calls).number
    client = exam.browser("technologist")
    assert "THEIRS" not in client.get(EXAM).text
    for wrong in (foreign, scanner, "x", ""):
        answer = client.post(f"{EXAM}/send", data={"peer": str(wrong)})
        assert answer.status_code == 400
        assert answer.json()["code"] == "server.no-such-target"
    for number in (own, foreign):
        other = exam.browser("other-technologist")
        assert other.post(f"{EXAM}/send", data={"peer": str(number)}).status_code == 404
    assert exam.browser("other-technologist").get(f"{EXAM}/sendings").status_code == 404
    assert exam.browser("site-admin").post(f"{EXAM}/send", data={"peer": str(own)}).status_code == 403
    assert jobs(exam) == ()


def test_a_target_that_became_another_hospital_s_gets_nothing(exam, archive):
    port, taken = archive()
    foreign = target(exam, exam.south, port=port)
    with exam.site.workspace.writing() as connection:
        word = Target(peer=foreign).written()
        ask(connection, JobKind.SEND, space(exam.north), STUDY, exam.clock(), target=word)
    done(exam)
    assert taken == []
    assert jobs(exam)[0].reason.code == "archive.no-such-peer"


def test_sending_an_exam_neither_hides_its_assessment_nor_makes_it_due_again(exam, archive):
    port, _ = archive()
    number = target(exam, exam.north, port=port)
    with exam.site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, space(exam.north), STUDY, exam.clock())
    done(exam)
    with exam.site.workspace.reading() as connection:
        before = latest(connection, [space(exam.north)], [STUDY]), last_digest(connection, space(exam.north), STUDY)
    assert before[1]
    exam.browser("technologist").post(f"{EXAM}/send", data={"peer": str(number)})
    done(exam)
    with exam.site.workspace.reading() as connection:
        after = latest(connection, [space(exam.north)], [STUDY]), last_digest(connection, space(exam.north), STUDY)
    assert after == before


@pytest.mark.skipif(shutil.which("storescp") is None, reason="dcmtk's storescp is not installed")
def test_dcmtk_receives_the_exam_as_it_was_stored(exam, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "received"
    folder.mkdir()
    receiver = subprocess.Popen(["storescp", "-aet", "DCMTK", "-od", str(folder), str(port)])
    try:
        number = target(exam, exam.north, port=port, title="DCMTK")
        path = f"/admin/peers/{number}/echo"
        for _ in range(50):
            if "answered within" in exam.browser("site-admin").post(path).text:
                break
            time.sleep(0.1)
        exam.browser("technologist").post(f"{EXAM}/send", data={"peer": str(number)})
        done(exam)
    finally:
        receiver.terminate()
        receiver.wait(10)
    (received,) = folder.iterdir()
    assert dcmread(received).SOPInstanceUID == OBJECT
    assert jobs(exam)[0].state is JobState.DONE


@pytest.mark.parametrize("derived", [False, True])
def test_a_target_is_read_as_it_was_written(derived):
    given = Target(peer=2**40, derived=derived)
    assert Target.of(given.written()) == given
    assert len(given.written()) <= 64


def test_the_working_process_is_told_how_peers_are_called(tmp_path):
    settings = Settings(
        dicom_ae_title="NORTH",
        dicom_tls_certificate=tmp_path / "c",
        dicom_tls_key=tmp_path / "k",
        dicom_tls_trusted=tmp_path / "t",
    )
    for calling in (Calling.from_settings(settings), Calling()):
        given = Given(workspace=tmp_path, database=None, workers=2, calling=calling)
        assert Given.of(given.as_json()) == given


def test_an_exam_without_any_object_left_is_told(exam):
    number = target(exam, exam.north)
    exam.browser("technologist").post(f"{EXAM}/send", data={"peer": str(number)})
    exam.site.objects.remove(space(exam.north), STUDY)
    done(exam)
    assert jobs(exam)[0].reason.code == "server.nothing-to-send"
