"""One CT exam from files to its stored result, against pydicom decoding its pixels and doing nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.clock import MIB, Contender, Sample, alternate, called, this_python
from benchmarks.environments import peer
from benchmarks.result import Ratio, Result, slower
from benchmarks.settings import Settings
from benchmarks.stacks import RATE_HZ, read, tree

FLOAT32_BYTES = 4
TIME_RATIO, MEMORY_RATIO = 3.0, 2.5
PROFILER = "py-spy==0.4.1"
LEAST_S, DEEPEST = 0.03, 14
OURS, THEIRS = "bingcheng", "pydicom"


def run(settings: Settings, *, syntax: str) -> Result:
    """Assess the exam on a fresh workspace each time; compiled kernels are on the disk already."""
    exam = _exam(settings, syntax)
    _assess(exam, settings.scratch)  # compiles what is not compiled yet, and stops if the exam isn't assessed in full
    contenders = (
        Contender(name=OURS, once=partial(_assess, exam, settings.scratch)),
        Contender(name=THEIRS, once=partial(called, this_python(), "decode_pydicom", exam / "ct")),
    )
    found = alternate(contenders, settings.repeats)
    ours, theirs = found[OURS], found[THEIRS]
    volume = settings.slices * settings.matrix**2 * FLOAT32_BYTES
    imports = ours.median("before_bytes")
    ratios = (
        slower("bingcheng / pydicom, wall", ours, theirs, at_most=TIME_RATIO),
        slower("bingcheng / pydicom, CPU", ours, theirs, "cpu_s"),
        Ratio(
            what="peak memory / the volume as float32",
            value=ours.median("peak_bytes") / volume,
            at_most=MEMORY_RATIO,
        ),
        Ratio(
            what="the same without what the imports hold",
            value=(ours.median("peak_bytes") - imports) / volume,
        ),
    )
    notes = [
        f"the volume is {volume / MIB:.0f} MiB as float32; the imports hold {imports / MIB:.0f} MiB before the clock",
        "bingcheng: index, exam, facts, pixels, quality, lesion with uncertainty, key images, SEG, SR, database",
        "pydicom: dcmread and pixel_array of each file, nothing kept",
    ]
    if settings.profile:
        notes.extend(_profile(exam, settings.scratch))
    title = f"CT exam: {settings.slices} x {settings.matrix} x {settings.matrix}, {syntax}"
    return Result(title=title, series=(ours, theirs), ratios=ratios, notes=tuple(notes))


def _exam(settings: Settings, syntax: str) -> Path:
    folder = settings.scratch / f"exam-{settings.slices}-{settings.matrix}-{syntax}"
    if not folder.exists():
        size = (str(settings.slices), str(settings.matrix))
        command = [sys.executable, "-m", "benchmarks.generate", "exam", str(folder), *size, syntax]
        subprocess.run(command, check=True, timeout=600)
    return folder


def _assess(exam: Path, scratch: Path) -> Sample:
    workspace = scratch / "workspace"
    shutil.rmtree(workspace, ignore_errors=True)
    try:
        return called(this_python(), "assess_bingcheng", exam, workspace)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _profile(exam: Path, scratch: Path) -> list[str]:
    """Where the time of one more run goes; sampling from outside slows it little."""
    spy = peer(PROFILER).with_name("py-spy")
    file, workspace = scratch / "assess.stacks", scratch / "workspace"
    record = [str(spy), "record", "--rate", str(RATE_HZ), "--format", "raw", "--output", str(file), "--"]
    try:
        called(this_python(), "assess_bingcheng", exam, workspace, prefix=record)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    return list(tree(read(file, within="work"), LEAST_S, DEEPEST))
