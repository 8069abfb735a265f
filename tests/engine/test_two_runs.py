"""Two runs that fill one workspace at the same time: what is newer is never replaced by what was before."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from tests.engine.making import ct

from bingcheng.archive.findings import judged_from
from bingcheng.archive.statements import Statement, StatementKind, state
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Outcome
from bingcheng.engine import conformance_objects
from bingcheng.engine.agreed import judge_again
from bingcheng.engine.conformance_objects import write_conformance_objects
from bingcheng.engine.plan import foreign_index, short
from bingcheng.engine.publish import publish
from bingcheng.engine.replacing import staying
from bingcheng.engine.view import assessment
from bingcheng.outputs.conformance_sr import read_conformance_sr
from bingcheng.outputs.language import Language
from bingcheng.protocol.library import protocols

ENGLISH = Language.of("en")
TODAY = date(2026, 3, 1)


@pytest.fixture
def workspace(own_workspace):
    """A copy of the workspace that holds the small study."""
    opened = Workspace.open(own_workspace)
    yield opened
    opened.close()


def reports(workspace):
    return sorted((workspace.folder / "dicom").rglob("conformance-*.dcm"))


def waive_one(workspace):
    """Another run's work: something is stated, and all is judged by it; gives the criterion."""
    seen = assessment(workspace, images=False).exams[0]
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
    judge_again(workspace, TODAY)
    return failed.criterion


def test_findings_that_another_run_stored_meanwhile_are_what_the_report_says(workspace, monkeypatch):
    waived = []

    @contextmanager
    def after_another_run(folder):
        monkeypatch.undo()
        waived.append(waive_one(workspace))
        with staying(folder):
            yield

    monkeypatch.setattr(conformance_objects, "staying", after_another_run)
    # In another language every report is out of date: the run looks for what to write before the other one judges.
    write_conformance_objects(workspace, protocols(), language=Language.of("zh"))
    (criterion,) = waived
    assert [path for path in reports(workspace) if criterion in waived_in(path)]
    with workspace.reading() as connection:
        judged = judged_from(connection)
    named = {f"conformance-{short(f'{digest} zh-CN')}.dcm" for digest in judged.values()}
    assert {path.name for path in reports(workspace)} == named


def waived_in(path):
    return [one.criterion for one in read_conformance_sr(path).outcomes if one.outcome is Outcome.WAIVED]


def test_a_report_that_cannot_be_put_in_its_place_is_said(workspace, monkeypatch):
    before = reports(workspace)

    def full(*_given, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(conformance_objects, "write_conformance_sr", full)
    with pytest.raises(InputError) as raised:
        write_conformance_objects(workspace, protocols(), language=Language.of("zh"))
    assert raised.value.code == "engine.cannot-write"
    assert reports(workspace) == before


def test_the_report_of_the_run_that_ends_last_shows_what_all_of_them_found(workspace):
    published = []
    with staying(workspace.folder / "report"):  # another run writes its report
        waiting = threading.Thread(target=lambda: published.append(publish(workspace, ENGLISH)))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        criterion = waive_one(workspace)
    waiting.join()
    (one,) = published
    assert criterion in [f.criterion for e in one.assessment.exams for f in e.findings if f.outcome is Outcome.WAIVED]
    assert one.report.is_file()
    assert all(path.is_file() for path in one.tables)


def test_what_runs_write_into_a_workspace_among_the_exams_is_not_looked_into(tmp_path):
    ct(tmp_path / "exam", lesion=False)
    outputs = tmp_path / "workspace" / "dicom"
    for name in ("0123456789ab", "other"):
        (outputs / name).mkdir(parents=True)
        (outputs / name / "half.dcm").write_bytes(b"not written to its end")
    found = foreign_index([tmp_path], outputs)
    assert len(found.headers) == 16
    assert [refusal.subject for refusal in found.refusals] == ["workspace/dicom/other/half.dcm"]
