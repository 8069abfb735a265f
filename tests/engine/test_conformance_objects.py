"""The findings as structured reports in the workspace: there after each run, new where something changed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pydicom
import pytest
from tests.engine.making import ct

from bingcheng.archive.statements import Statement, StatementKind, state
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Outcome
from bingcheng.engine import conformance_objects
from bingcheng.engine.agreed import judge_again
from bingcheng.engine.conformance_objects import NO_REPORT, write_conformance_objects
from bingcheng.engine.view import assessment
from bingcheng.outputs.conformance_sr import read_conformance_sr
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json
from bingcheng.outputs.report.page import write_report
from bingcheng.protocol.library import protocols

pytestmark = pytest.mark.usefixtures("brief")

ENGLISH = Language.of("en")
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


def test_a_header_that_nothing_can_inherit_costs_this_exam_its_report_and_is_said_by_name(exam, monkeypatch):
    workspace, seen = exam
    (path,) = reports(workspace)
    before = path.with_name("conformance-0123456789ab.dcm")
    path.rename(before)  # as after a change of what it is judged from

    def broken(*_, **__):
        raise ValueError("Quellberg^Annabeth")

    with monkeypatch.context() as patched:
        patched.setattr(conformance_objects, "conformance_uid", lambda *_: "1.2.3")
        patched.setattr(conformance_objects, "write_conformance_sr", broken)
        assert write_conformance_objects(workspace, protocols()) == 0
    assert reports(workspace) == []
    found = assessment(workspace)
    (refusal,) = [one for one in found.exams[0].refusals if one.code == NO_REPORT.code]
    assert refusal.study_uid == seen.uid
    assert "ValueError" in str(refusal.reason)
    for output in (json.dumps(as_json(found, ENGLISH)), *pages(found, workspace.folder)):
        assert "no structured report" in output
        assert "Quellberg" not in output


def pages(found, folder):
    """The report of an assessment, as text."""
    report = write_report(found, folder / "report", ENGLISH)
    return [report.read_text(encoding="utf-8")]


def test_the_refusal_goes_when_the_report_can_be_written_again(exam, tmp_path, assessed, monkeypatch):
    workspace, _ = exam
    (path,) = reports(workspace)
    path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(conformance_objects, "write_conformance_sr", lambda *_, **__: {}["no such element"])
        _, seen = assessed(tmp_path / "exam")
    assert NO_REPORT.code in {one.code for one in seen.exams[0].refusals}
    _, seen = assessed(tmp_path / "exam")
    assert reports(workspace) == [path]
    assert NO_REPORT.code not in {one.code for one in seen.exams[0].refusals}


def test_the_sentences_are_in_the_language_that_is_asked_for_and_the_codes_are_the_same(exam, tmp_path, assessed):
    workspace, _ = exam
    (path,) = reports(workspace)
    english = read_conformance_sr(path)
    assessed(tmp_path / "exam", language=Language.of("zh"))
    (path,) = reports(workspace)
    chinese = read_conformance_sr(path)
    assert [(o.criterion, o.outcome, o.deficiency) for o in chinese.outcomes] == [
        (o.criterion, o.outcome, o.deficiency) for o in english.outcomes
    ]
    assert chinese.outcomes != english.outcomes
    assert any(letter >= "\u4e00" for one in chinese.outcomes for words in one.said.values() for letter in words)
    concepts = {str(code.CodeMeaning) for code in every_code(pydicom.dcmread(path))} - {"Chinese (China)"}
    assert all(meaning.isascii() or max(meaning) < "\u4e00" for meaning in concepts)
    before = path.read_bytes()
    assessed(tmp_path / "exam", language=Language.of("zh"))
    assert [one.read_bytes() for one in reports(workspace)] == [before]


def every_code(dataset):
    """All items of code sequences below a dataset."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                if "CodeMeaning" in item:
                    yield item
                yield from every_code(item)
