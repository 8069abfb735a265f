"""One call timed several times in a process of its own, after a first one that loads what is needed.

Only the standard library: this runs in the environments of the peers too.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from stopwatch import timed

CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""Sets VmHWM to what the process holds now (proc(5), Linux 4.0)."""


def repeated(once: Callable[[], Mapping[str, float]], calls: int, answer: Path) -> None:
    """Write what `once` gives as JSON, then time `calls` more of it (none: nothing); the median and least are facts."""
    found = {str(name): float(value) for name, value in once().items()}
    answer.write_text(json.dumps(found), encoding="utf-8")
    if not calls:
        return
    forget_peak()

    def work() -> dict[str, float]:
        taken_s = []
        for _ in range(calls):
            start_s = time.perf_counter()
            once()
            taken_s.append(time.perf_counter() - start_s)
        return {"call_s": statistics.median(taken_s), "least_s": min(taken_s), "calls": calls, "values": len(found)}

    timed(work)


def forget_peak() -> None:
    """Let the peak of memory begin at what is held now, where the system can."""
    if CLEAR_REFS.exists():
        CLEAR_REFS.write_text(RESET_PEAK, encoding="ascii")
