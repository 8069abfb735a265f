"""Registering the follow-up of a chest and abdomen CT: time, memory and error, against SimpleITK's own B-splines.

Its registration is what matching lesions between exams waits for; all else takes less than a second.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.clock import MIB, Contender, ContenderError, alternate, called, this_python
from benchmarks.result import Ratio, Result, slower
from benchmarks.settings import Settings

OURS, THEIRS = "bingcheng", "SimpleITK B-splines"
MOST_S, MOST_ADDED_MIB = 30.0, 2048.0
PEER_LIMIT_S = 1800.0


def run(settings: Settings) -> Result:
    """Both exams in memory; each contender averages them itself and registers them once a run."""
    folder = settings.scratch / f"follow-up-{settings.slices}-{settings.matrix}"
    if not (folder / "later.npy").exists():
        size = (str(settings.slices), str(settings.matrix))
        command = [sys.executable, "-m", "benchmarks.follow_up_exams", str(folder), *size]
        subprocess.run(command, check=True, timeout=PEER_LIMIT_S)
    contenders = [Contender(name=OURS, once=partial(called, this_python(), "follow_up_bingcheng", folder))]
    if settings.peers:
        peer = partial(called, this_python(), "follow_up_simpleitk", folder, limit_s=PEER_LIMIT_S)
        contenders.append(Contender(name=THEIRS, once=peer))
    found = alternate(contenders, settings.repeats)
    ours = found[OURS]
    errors = {sample.facts["error_mm"] for sample in ours.samples}
    if len(errors) > 1:
        raise ContenderError(f"the registration is not the same in every run: {sorted(errors)}")
    added = ours.median("peak_bytes") - ours.median("before_bytes")
    ratios = [
        Ratio(what="one pair, wall", value=ours.median("wall_s"), unit="s", at_most=MOST_S),
        Ratio(what="added to both exams in memory", value=added / MIB, unit="MiB", at_most=MOST_ADDED_MIB),
    ]
    if THEIRS in found:
        ratios.append(slower(f"{THEIRS} / {OURS}, wall", found[THEIRS], ours))
        ratios.append(slower(f"{THEIRS} / {OURS}, CPU", found[THEIRS], ours, "cpu_s"))
    notes = [f"two exams of {settings.slices} x {settings.matrix} x {settings.matrix} voxels, generated"]
    notes += [
        f"{name}: mean error {series.samples[0].facts['error_mm']:.2f} mm,"
        f" 95 % within {series.samples[0].facts['error_95_mm']:.2f} mm"
        for name, series in found.items()
    ]
    return Result(
        title="Follow-up: registering two CT exams",
        series=tuple(found.values()),
        ratios=tuple(ratios),
        notes=tuple(notes),
    )
