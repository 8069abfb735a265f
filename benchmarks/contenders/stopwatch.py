"""Timing of one call in a process of its own; the measured process prints what it found as its last line.

Only the standard library: this runs in the environments of the peers too.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

MARK = "benchmark-result "
KIB = 1024


def timed(function: Callable[[], dict[str, float]]) -> None:
    """Run `function` once and print its wall time, CPU time and the peak memory of this process, in one line.

    CPU time is user and system, of this process and of its children that have ended; `function` may add that of
    workers that still live as ``workers_cpu_s``. The facts that it returns show that the work was done.
    """
    before_bytes, cpu_s, start_s = peak_bytes(), _cpu_s(), time.perf_counter()
    facts = function()
    wall_s = time.perf_counter() - start_s
    result = {
        "wall_s": wall_s,
        "cpu_s": _cpu_s() - cpu_s + float(facts.pop("workers_cpu_s", 0.0)),
        "before_bytes": before_bytes,
        "peak_bytes": peak_bytes(),
        "facts": facts,
    }
    sys.stdout.write(f"\n{MARK}{json.dumps(result)}\n")


def peak_bytes() -> int:
    """The most memory that this process ever held.

    Linux hands the parent's high-water mark on to a child in ru_maxrss, so VmHWM, which starts anew with the program,
    is taken where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIB


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
