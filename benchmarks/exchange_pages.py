"""The pages of the platform on a workspace of 10,000 exams."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial

from benchmarks.clock import Contender, alternate, called, this_python
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

EXAMS, LIMIT_MS = 10_000, 100.0


def run(settings: Settings) -> Result:
    """Ask for every page as a browser does, without the network."""
    place = settings.scratch / "pages"
    shutil.rmtree(place, ignore_errors=True)
    made = min(settings.exams, 1000)
    command = [sys.executable, "-m", "benchmarks.judged_exams", "exams", str(place), str(made)]
    subprocess.run(command, check=True, timeout=1800)
    once = partial(called, this_python(), "pages_bingcheng", place, EXAMS)
    found = alternate([Contender(name="pages", once=once)], settings.repeats)
    facts = [sample.facts for sample in found["pages"].samples]
    ratios = [
        Ratio(
            what=f"{name.removesuffix(' p95 ms')}, 95th percentile",
            value=min(fact[name] for fact in facts),
            unit="ms",
            at_most=LIMIT_MS,
        )
        for name in facts[0]
        if name.endswith(" p95 ms")
    ]
    notes = (f"{made} of the {EXAMS} exams have findings", "in one process with the client; HTML as it is sent")
    title = f"Pages: HTML of a workspace of {EXAMS} exams"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios), notes=notes)
