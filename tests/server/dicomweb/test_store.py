"""What is done with the objects of one body: which are left for the thread that records, and what the trail says."""

from __future__ import annotations

import pytest
from benchmarks.exchange_objects import file_of, image, uid_of

from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.objects.location import study_folder
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import InputError

KIND = 'multipart/related; type="application/dicom"; boundary=xyz'


def received(web, study: str):
    """The events of objects that were sent, the latest first."""
    with web.site.workspace.reading() as connection:
        found = [one.event for one in events(connection, Asked(study_uid=uid_of(study)))]
    return [(one.what, one.count, int(one.outcome), one.studies) for one in found]


@pytest.mark.parametrize("count", [1, 2, 6])
def test_what_was_sent_in_one_body_is_stored_and_recorded_once(web, packed, count):
    study = f"once-{count}"
    files = [file_of(image(study, "s", n)) for n in range(count)]
    assert web.post("/studies", packed(files), KIND).status_code == 200
    assert received(web, study) == [("send-objects", count, 0, (uid_of(study),))]


def test_a_body_whose_length_nobody_told_is_stored_as_any_other(web, packed):
    body = packed([file_of(image("streamed", "s", 1))])
    assert web.post("/studies", iter([body[:1000], body[1000:]]), KIND).status_code == 200
    assert received(web, "streamed") == [("send-objects", 1, 0, (uid_of("streamed"),))]


def test_an_object_that_came_whole_before_the_end_was_missed_is_stored(web, packed):
    body = packed([file_of(image("endless", "s", 1))])
    cut = body[: body.rindex(b"--xyz--")] + b"--xyz\r\nContent-Type: application/dicom\r\n"
    assert web.post("/studies", cut, KIND).status_code == 202
    assert received(web, "endless") == [("send-objects", 1, 0, (uid_of("endless"),))]


def test_what_could_not_be_recorded_after_all_is_owed_and_told(fresh, packed, monkeypatch):
    study = "owed"
    assert fresh.post("/studies", packed([file_of(image("before", "s", 1))]), KIND).status_code == 200

    def fails(*_: object) -> None:
        raise InputError(DISK_FULL)

    with monkeypatch.context() as patched:
        patched.setattr("bingcheng.archive.audit.owed.record_all", fails)
        answer = fresh.post("/studies", packed([file_of(image(study, "s", n)) for n in range(3)]), KIND)
        assert (answer.status_code, answer.json()["code"]) == (507, "server.disk-full")
    assert len(fresh.site.owed) == 1
    assert fresh.post("/studies", packed([file_of(image("after", "s", 1))]), KIND).status_code == 200
    assert received(fresh, study) == [("send-objects", 3, 0, (uid_of(study),))]
    assert len(fresh.site.owed) == 0


def test_an_object_that_is_sent_alone_and_its_event_are_both_kept_or_neither(fresh, packed):
    body = packed([file_of(image("alone", "s", 1))])
    assert fresh.post("/studies", packed([file_of(image("before", "s", 1))]), KIND).status_code == 200
    refuse_events(fresh, "database or disk is full")
    assert fresh.post("/studies", body, KIND).json()["code"] == "server.disk-full"
    assert files_of(fresh, "alone") == []
    assert len(fresh.site.owed) == 0
    take_events(fresh)
    assert fresh.post("/studies", body, KIND).status_code == 200
    assert received(fresh, "alone") == [("send-objects", 1, 0, (uid_of("alone"),))]
    assert len(files_of(fresh, "alone")) == 1


def test_an_object_that_is_there_already_is_recorded_once_more(fresh, packed):
    body = packed([file_of(image("again", "s", 1))])
    assert [fresh.post("/studies", body, KIND).status_code for _ in range(2)] == [200, 200]
    assert received(fresh, "again") == [("send-objects", 1, 0, (uid_of("again"),))] * 2


def test_reads_whose_span_is_over_are_recorded_before_an_object_that_is_sent_alone(fresh, packed, monkeypatch):
    monkeypatch.setattr("bingcheng.server.security.recorder.SPAN_S", 0.0)
    for _ in range(3):
        assert fresh.get(f"/studies/{uid_of('later')}/metadata").status_code == 200
    assert fresh.post("/studies", packed([file_of(image("alone", "s", 1))]), KIND).status_code == 200
    with fresh.site.workspace.reading() as connection:
        found = [one.event.what for one in events(connection, Asked())]
    assert found[:2] == ["send-objects", "read-exam"]


def refuse_events(web, why: str) -> None:
    said = f"CREATE TRIGGER full BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, '{why}'); END"
    with web.site.workspace.writing() as connection:
        connection.exec_driver_sql(said)


def take_events(web) -> None:
    with web.site.workspace.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")


def files_of(web, study: str) -> list[str]:
    """Where its objects lie: of those that have a row, and of those that have none."""
    space = f"hospital/{web.hospitals['north']}"
    with_rows = {one.location for one in web.site.objects.instances_of([space], uid_of(study))}
    return sorted(with_rows | set(web.site.objects.storage.keys(study_folder(space, uid_of(study)))))
