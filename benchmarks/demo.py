"""The demo as a newcomer runs it: generate, assess, report."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial

from benchmarks.clock import MIB, Contender, Sample, alternate, this_python, whole
from benchmarks.machine import CORES
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings
from benchmarks.start import command_of

LIMIT_S = 120.0
DEMO, AGAIN = "bingcheng demo", "bingcheng assess, again"


def run(settings: Settings) -> Result:
    """Run the demo once on an empty folder, then assess the same exams anew into a fresh workspace."""
    folder = settings.scratch / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    command = command_of(this_python())
    exams, workspace = folder / "exams", folder / "workspace"
    workers = ["--workers", str(CORES)]

    def anew() -> Sample:
        shutil.rmtree(folder / "second", ignore_errors=True)
        return whole([command, "assess", exams, "--workspace", folder / "second", *workers])

    contenders = (
        Contender(name=DEMO, once=partial(whole, [command, "demo", folder, *workers])),
        Contender(name="of which assess and report (run on its own)", once=anew),
        Contender(name=AGAIN, once=partial(whole, [command, "assess", exams, "--workspace", workspace, *workers])),
    )
    found = alternate(contenders, 1)
    files = [path for path in exams.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    ratios = (Ratio(what="the demo, wall", value=found[DEMO].median("wall_s"), unit="s", at_most=LIMIT_S),)
    notes = (
        f"{len(files)} files, {size / MIB:.0f} MiB; {CORES} processes",
        f"all processes of the demo together hold at most {(found[DEMO].median('tree_bytes')) / MIB:.0f} MiB",
        "again: nothing has changed, so nothing is assessed; headers are read and the report is written",
        f"of the assess step, importing the engine takes {_engine_import_s():.1f} s in each process",
    )
    shutil.rmtree(folder, ignore_errors=True)
    return Result(title="The demo", series=tuple(found.values()), ratios=ratios, notes=notes)


def _engine_import_s() -> float:
    code = "import time; start = time.perf_counter(); import bingcheng.engine.run; print(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)
