"""Judging stored exams by all protocols, and summing up what was found; in one thread."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.clock import Contender, Series, alternate, called, this_python
from benchmarks.contenders.summaries import NAMES
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

PER_EXAM_MS, QUERY_MS = 5.0, 200.0
FINDINGS = 100_000
FACTS, WHOLE = "choosing and judging alone", "with reading and storing"


def run(settings: Settings) -> Result:
    """Judge the same exams from facts at hand and from the database, then fill it up and ask every summary."""
    workspace = _workspace(settings)
    contenders = [
        Contender(name=name, once=partial(called, this_python(), "judge_bingcheng", workspace, how))
        for name, how in ((FACTS, "facts"), (WHOLE, "whole"))
    ]
    judged = alternate(contenders, settings.repeats)
    _generate("fill", workspace, FINDINGS if settings.exams >= 1000 else 0)
    queries = [
        Contender(name=name, once=partial(called, this_python(), "summarise_bingcheng", workspace, name))
        for name in NAMES
    ]
    asked = alternate(queries, settings.repeats)
    alone = judged[FACTS].samples[0].facts
    stored = next(iter(asked.values())).samples[0].facts["findings"]
    return Result(
        title=f"Judging: {settings.exams} exams of 8 series by all protocols",
        series=(*judged.values(), *asked.values()),
        ratios=(
            _per_exam(judged[FACTS], settings.exams, at_most=PER_EXAM_MS),
            _per_exam(judged[WHOLE], settings.exams),
            *(
                Ratio(what=f"{name}, wall", value=1e3 * one.median("wall_s"), unit="ms", at_most=QUERY_MS)
                for name, one in asked.items()
            ),
        ),
        notes=(
            f"{alone['findings']:.0f} findings on {alone['judged']:.0f} exams; half of the exams have a baseline",
            "with reading and storing: facts from SQLite, digests, baselines, findings into SQLite in one transaction",
            f"summaries are asked of {stored:.0f} findings",
        ),
    )


def _per_exam(series: Series, exams: int, at_most: float | None = None) -> Ratio:
    value = 1e3 * series.median("cpu_s") / exams
    return Ratio(what=f"{series.name}, CPU an exam", value=value, unit="ms", at_most=at_most)


def _workspace(settings: Settings) -> Path:
    place = settings.scratch / f"judged-{settings.exams}"
    shutil.rmtree(place, ignore_errors=True)
    _generate("exams", place, settings.exams)
    return place


def _generate(what: str, workspace: Path, count: int) -> None:
    command = [sys.executable, "-m", "benchmarks.judged_exams", what, str(workspace), str(count)]
    subprocess.run(command, check=True, timeout=1800)
