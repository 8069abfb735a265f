"""The findings as structured reports in the workspace: there after each run, new where something changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.engine.making import ct

from bingcheng.archive.statements import Statement, StatementKind, state
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Outcome
from bingcheng.engine import conformance_objects
from bingcheng.engine.agreed import judge_again
from bingcheng.engine.conformance_objects import write_conformance_objects
from bingcheng.outputs.conformance_sr import read_conformance_sr
from bingcheng.protocol.library import protocols

TODAY = date(2026, 3, 1)


@pytest.fixture
def exam(tmp_path, assessed):
    """A workspace with one CT exam."""
    ct(tmp_path / "exam")
    _, seen = assessed(tmp_path / "exam")
    opened = Workspace.open(tmp_path / "workspace")
    yield opened, seen.exams[0]
    opened.close()


def reports(workspace):
    return sorted((workspace.folder / "dicom").rglob("conformance-*.dcm"))


def test_a_run_writes_what_it_found_and_a_second_one_leaves_it(exam, tmp_path, assessed):
    workspace, seen = exam
    (path,) = reports(workspace)
    stored = read_conformance_sr(path)
    assert stored.study_uid == seen.uid
    assert [(one.criterion, one.outcome) for one in stored.outcomes] == [
        (one.criterion, one.outcome) for one in seen.findings
    ]
    assert stored.gates == any(one.gates for one in seen.findings)
    before = path.read_bytes()
    assessed(tmp_path / "exam")
    assert write_conformance_objects(workspace, protocols()) == 0
    assert [one.read_bytes() for one in reports(workspace)] == [before]


def test_what_is_stated_later_is_in_the_report_though_the_images_are_gone(exam, complaints):
    workspace, seen = exam
    (before,) = reports(workspace)
    failed = next(one for one in seen.findings if one.outcome in (Outcome.FAIL, Outcome.UNKNOWN))
    waiver = Statement(
        kind=StatementKind.WAIVER,
        by="Dr Li",
        made_at=datetime(2026, 3, 1, tzinfo=UTC),
        protocol=failed.protocol,
        subject=failed.criterion,
        why="agreed",
        until=date(2026, 12, 31),
    )
    with workspace.writing() as connection:
        state(connection, waiver)
    assert judge_again(workspace, TODAY) == 1
    (after,) = reports(workspace)
    assert after != before
    assert complaints(after) == []
    waived = [one.criterion for one in read_conformance_sr(after).outcomes if one.outcome is Outcome.WAIVED]
    assert failed.criterion in waived


def test_a_report_that_was_lost_comes_back_with_the_exam(exam, tmp_path, assessed):
    workspace, _ = exam
    (path,) = reports(workspace)
    path.unlink()
    assert write_conformance_objects(workspace, protocols()) == 0  # nobody knows the patient and the images
    assert reports(workspace) == []
    assessed(tmp_path / "exam")
    assert reports(workspace) == [path]


def test_a_header_that_nothing_can_inherit_costs_this_exam_its_report_only(exam, monkeypatch, caplog):
    workspace, _ = exam
    (path,) = reports(workspace)
    path.rename(path.with_name("conformance-0123456789ab.dcm"))  # as after a change of what it is judged from

    def broken(*_):
        raise ValueError("Quellberg^Annabeth")

    monkeypatch.setattr(conformance_objects, "conformance_uid", lambda *_: "1.2.3")
    monkeypatch.setattr(conformance_objects, "write_conformance_sr", broken)
    assert write_conformance_objects(workspace, protocols()) == 0
    assert reports(workspace) == []
    assert "ValueError" in caplog.text
    assert "Quellberg" not in caplog.text
