"""Exams assessed from folders come into the archive; what fails fails by itself and goes on later."""

from __future__ import annotations

import shutil

import pytest
from tests.engine.making import ct, uid_of
from tests.engine.received.conftest import NORTHERN, STUDY, own

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import RemoteError
from bingcheng.engine.received.problems import may_pass

SECOND = uid_of("study", "second")


@pytest.fixture(scope="module")
def two_made(exam, made, tmp_path_factory):
    """Two exams, and a workspace into which they were assessed. Read only."""
    exams = tmp_path_factory.mktemp("exams") / "exams"
    shutil.copytree(exam, exams / "first")
    ct(exams / "second", name="second")
    return exams, made("received-two", lambda archive: archive.from_folder(exams))


@pytest.fixture
def two(two_made, tmp_path):
    """Two exams that were assessed from a folder."""
    exams = shutil.copytree(two_made[0], tmp_path / "exams")
    archive = own(two_made[1], tmp_path)
    assert archive.from_folder(exams).unchanged == 2  # and where the files now are is known
    yield archive
    archive.close()


def test_every_file_comes_in_with_what_was_made_of_the_exam(two, tmp_path):
    assert [one.refusal for one in two.bring_in(STUDY, SECOND)] == [None, None]
    for study, folder in ((STUDY, "first"), (SECOND, "second")):
        assert len(two.sent(study=study)) == len(list((tmp_path / "exams" / folder).glob("*.dcm")))
        assert len(two.derived(study=study)) == 3


def test_once_more_brings_in_nothing_new(two):
    two.bring_in(STUDY)
    before = two.objects.instances_of([NORTHERN], STUDY)
    two.bring_in(STUDY)
    assert two.objects.instances_of([NORTHERN], STUDY) == before


def test_a_full_disk_fails_the_exam_that_it_meets_and_the_next_time_goes_on(two, monkeypatch):
    real, left = Objects.receive, [10]

    def receive(self, *arguments, **named):
        if not left[0]:
            raise RemoteError(DISK_FULL)
        left[0] -= 1
        return real(self, *arguments, **named)

    monkeypatch.setattr(Objects, "receive", receive)
    outcomes = two.bring_in(STUDY, SECOND)
    assert [one.refusal.code for one in outcomes] == ["archive.disk-full"] * 2
    assert all(may_pass(one.refusal) for one in outcomes)
    assert {one.digest for one in outcomes} == {""}
    assert len(two.sent()) == 10
    monkeypatch.undo()
    assert [one.refusal for one in two.bring_in(STUDY, SECOND)] == [None, None]


def test_an_exam_of_which_no_file_can_be_read_brings_in_nothing(two, tmp_path):
    for path in (tmp_path / "exams" / "first").glob("*.dcm"):
        path.write_bytes(path.read_bytes()[:-700])
    first, second = two.bring_in(STUDY, SECOND)
    assert (first.refusal.code, first.refusal.count) == ("archive.truncated-object", 17)
    assert not may_pass(first.refusal)
    assert second.refusal is None
    assert two.objects.instances_of([NORTHERN], STUDY) == []


def test_files_that_are_gone_are_said_to_be(two, tmp_path):
    shutil.rmtree(tmp_path / "exams" / "first")
    (outcome,) = two.bring_in(STUDY)
    assert outcome.refusal.code == "engine.files-gone"
