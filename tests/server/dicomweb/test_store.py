"""What is done with the objects of one body: which are left for the thread that records, and what the trail says."""

from __future__ import annotations

import pytest
from benchmarks.exchange_objects import file_of, image, uid_of

from bingcheng.archive.audit.trail import Asked, events
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


@pytest.mark.parametrize("count", [1, 3])
def test_what_could_not_be_recorded_after_all_is_owed_and_told(fresh, packed, monkeypatch, count):
    study = f"owed-{count}"
    assert fresh.post("/studies", packed([file_of(image("before", "s", 1))]), KIND).status_code == 200

    def fails(*_: object) -> None:
        raise InputError(DISK_FULL)

    with monkeypatch.context() as patched:
        patched.setattr("bingcheng.archive.audit.owed.record_all", fails)
        answer = fresh.post("/studies", packed([file_of(image(study, "s", n)) for n in range(count)]), KIND)
        assert (answer.status_code, answer.json()["code"]) == (507, "server.disk-full")
    assert len(fresh.site.owed) == 1
    assert fresh.post("/studies", packed([file_of(image("after", "s", 1))]), KIND).status_code == 200
    assert received(fresh, study) == [("send-objects", count, 0, (uid_of(study),))]
    assert len(fresh.site.owed) == 0
