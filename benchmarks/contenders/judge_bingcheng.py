"""Judging stored exams. Arguments: workspace folder; ``whole`` (from the database and back into it) or ``facts``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import delete, update
from stopwatch import timed

from bingcheng.archive import schema
from bingcheng.archive.retrieval import acquisition, exam_facts
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.judgement import judge_exams
from bingcheng.protocol.conformance import judge_fitting
from bingcheng.protocol.library import protocols

DAY = date(2026, 7, 1)


def main() -> None:
    workspace = Workspace.open(Path(sys.argv[1]))
    _warm(workspace)
    timed((lambda: _whole(workspace)) if sys.argv[2] == "whole" else _facts(workspace))
    workspace.close()


def _warm(workspace: Workspace) -> None:
    """Nothing is judged yet; what is looked up once a process (attributes, patterns) is looked up before the clock."""
    with workspace.writing() as connection:
        connection.execute(delete(schema.finding))
        connection.execute(update(schema.exam).values(judged=None))
        facts = exam_facts(connection)
    for exam in facts[:40]:
        found = tuple(acquisition(modality, stored) for modality, stored in exam.acquisitions)
        judge_fitting(protocols(), found)


def _whole(workspace: Workspace) -> dict[str, float]:
    return {"exams": judge_exams(workspace, protocols(), today=DAY)}


def _facts(workspace: Workspace) -> Callable[[], dict[str, float]]:
    """Choosing protocols and judging alone, of exams whose facts are at hand."""
    with workspace.reading() as connection:
        stored = exam_facts(connection)
    exams = [tuple(acquisition(modality, one) for modality, one in exam.acquisitions) for exam in stored]

    def work() -> dict[str, float]:
        findings = judged = 0
        for found in exams:
            of_exam = judge_fitting(protocols(), found)
            judged += bool(of_exam)
            findings += len(of_exam)
        return {"exams": len(exams), "judged": judged, "findings": findings}

    return work


if __name__ == "__main__":
    main()
