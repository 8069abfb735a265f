"""Radiomics features: one lesion against other programs, many lesions on two cores against one, and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.clock import MIB, Contender, ContenderError, Sample, Series, alternate, called, this_python
from benchmarks.environments import peer
from benchmarks.machine import CORES
from benchmarks.radiomics_answers import Answer, apart, lacking, of_pictologics, of_pyradiomics
from benchmarks.result import Ratio, Result, slower
from benchmarks.settings import Settings

OURS, PICTOLOGICS, PYRADIOMICS = "bingcheng", "pictologics", "pyradiomics"
PACKAGES = {PICTOLOGICS: "pictologics==0.9.0", PYRADIOMICS: "pyradiomics-bhklab==3.1.4"}
PICTOLOGICS_NEEDS = (3, 12)

AT_MOST = {"2k": 1.5, "30k": 1.1, "400k": 1.0}
"""Times pictologics' own time."""
CALLS = {"2k": 50, "30k": 15, "400k": 5}
FEW_CALLS = 2
"""Of a program that takes a hundred times as long."""
FEATURES = 174
SAME_RTOL = 1e-6

NO_CONSENSUS = frozenset(
    (
        *(f"morph_{what}_dens_{body}" for what in ("vol", "area") for body in ("ombb", "mvee")),
        "ivh_auc",
    )
)
"""The IBSI reached no consensus on these, and pictologics defines them otherwise or finds another box or ellipsoid."""

WORKERS_GAIN, MEMORY_RATIO, FLOAT32_BYTES = 1.8, 6.0, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another program: how its answer is read, and which of its values are compared with ours."""

    name: str
    read: Callable[[Answer], dict[str, float]]
    same: bool


PEERS = (
    Peer(name=PICTOLOGICS, read=of_pictologics, same=True),
    Peer(name=PYRADIOMICS, read=of_pyradiomics, same=False),
)


def run_lesion(settings: Settings, *, size: str) -> Result:
    """All features of one lesion in arrays by each program, after its first call; every call is timed."""
    file = lesions(settings) / f"{size}.npz"
    notes: list[str] = []
    peers = [one for one in PEERS if settings.peers and not _missing(one.name, notes)]
    answers = {one.name: settings.scratch / f"answer-{one.name}-{size}.json" for one in peers}
    answers[OURS] = settings.scratch / f"answer-{OURS}-{size}.json"
    calls = CALLS[size] if settings.repeats > 1 else 1
    contenders = [_contender(OURS, this_python(), file, calls, answers[OURS])]
    contenders += [
        _contender(
            one.name, peer(PACKAGES[one.name]), file, calls if one.same else min(calls, FEW_CALLS), answers[one.name]
        )
        for one in peers
    ]
    found = alternate(contenders, settings.repeats)
    ours = json.loads(answers[OURS].read_text(encoding="utf-8"))
    if len(ours) != FEATURES:
        raise ContenderError(f"{OURS}: {len(ours)} values, not {FEATURES}")
    for one in peers:
        theirs = one.read(json.loads(answers[one.name].read_text(encoding="utf-8")))
        notes.append(_agreement(one, ours, theirs))
    per_call = {name: _per_call(series) for name, series in found.items()}
    ratios = [Ratio(what=f"{name}, a call", value=1e3 * taken_s, unit="ms") for name, taken_s in per_call.items()]
    ratios += [
        Ratio(
            what=f"{OURS} / {one.name}, a call",
            value=per_call[OURS] / per_call[one.name],
            at_most=AT_MOST[size] if one.same else None,
        )
        for one in peers
    ]
    ratios += [slower(f"{OURS} / {one.name}, CPU", found[OURS], found[one.name], "cpu_s") for one in peers if one.same]
    title = f"Radiomics: all features of one lesion of {size} voxels, {calls} calls a run"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios), notes=tuple(notes))


def lesions(settings: Settings) -> Path:
    """The folder of generated lesions, made once."""
    folder = settings.scratch / "lesions"
    if not (folder / "400k.npz").exists():
        command = [sys.executable, "-m", "benchmarks.radiomics_lesions", str(folder)]
        subprocess.run(command, check=True, timeout=600)
    return folder


def _missing(name: str, notes: list[str]) -> bool:
    """Whether a program can't run here; the reason goes into the notes."""
    if name == PICTOLOGICS and sys.version_info < PICTOLOGICS_NEEDS:
        notes.append("pictologics is left out: it needs Python 3.12 or later")
        return True
    return False


def _contender(name: str, python: Path, file: Path, calls: int, answer: Path) -> Contender:
    return Contender(name=name, once=partial(called, python, f"radiomics_{name}", file, calls, answer))


def _per_call(series: Series) -> float:
    """Seconds: the median over the runs of each run's median call."""
    walls = [sample.facts["call_s"] for sample in series.samples]
    return sorted(walls)[len(walls) // 2]


def _agreement(one: Peer, ours: Answer, theirs: Answer) -> str:
    if not one.same:
        return f"{one.name} has {len(theirs)} of the features, its texture averaged over directions instead of merged"
    without, differing = lacking(ours, theirs), apart(ours, theirs, SAME_RTOL)
    if without or set(differing) - NO_CONSENSUS:
        raise ContenderError(f"{one.name} and {OURS} part: {without}, {differing}")
    return (
        f"{one.name} gives the same {len(theirs)} features, the same values to {SAME_RTOL:g} but for "
        f"{', '.join(sorted(differing)) or 'none'}, on which the IBSI has no consensus"
    )


def run_many(settings: Settings) -> Result:
    """So many small lesions of one image, by one worker and by as many as there are cores."""
    file = lesions(settings) / "2k.npz"
    alone, starting, kept = "1 worker", f"{CORES} workers", f"{CORES} workers, started before"
    how = {alone: (1,), starting: (CORES,), kept: (CORES, settings.warming)}
    contenders = [Contender(name=name, once=partial(_many, file, settings.lesions, rest)) for name, rest in how.items()]
    found = alternate(contenders, settings.repeats)
    sums = {sample.facts["sum"] for one in found.values() for sample in one.samples}
    if len(sums) > 1:
        raise ContenderError(f"values depend on the number of workers: {sums}")
    one = found[alone]
    return Result(
        title=f"Radiomics: {settings.lesions} lesions of 2k voxels",
        series=tuple(found.values()),
        ratios=(
            slower(f"1 / {kept}, wall", one, found[kept], at_least=WORKERS_GAIN),
            slower(f"1 / {starting}, wall, with what starting them takes", one, found[starting]),
            Ratio(what="1 worker, a lesion", value=1e3 * one.median("wall_s") / settings.lesions, unit="ms"),
        ),
        notes=(f"'{kept}': of their processors' time only that of one is told",),
    )


def _many(file: Path, count: int, how: tuple[int, ...]) -> Sample:
    sample = called(this_python(), "radiomics_many_bingcheng", file, count, *how)
    if sample.facts["lesions"] != count:
        raise ContenderError(f"{sample.facts['lesions']:.0f} of {count} lesions were measured")
    return sample


def run_memory(settings: Settings) -> Result:
    """The most that one call adds to what the process holds: imports, kernels, image."""
    folder = lesions(settings)
    sizes = ("30k", "400k")
    contenders = [
        Contender(
            name=size,
            once=partial(
                called, this_python(), "radiomics_bingcheng", folder / f"{size}.npz", "memory", folder / "2k.npz"
            ),
        )
        for size in sizes
    ]
    found = alternate(contenders, settings.repeats)
    ratios = [
        Ratio(
            what=f"{size}: added by a call / the lesion's box as float32",
            value=_added(found[size]),
            at_most=MEMORY_RATIO,
        )
        for size in sizes
    ]
    boxes = ", ".join(
        f"{size} {found[size].samples[0].facts['box_voxels'] * FLOAT32_BYTES / MIB:.1f} MiB" for size in sizes
    )
    notes = (f"boxes as float32: {boxes}", "all kernels are loaded by a smaller lesion first")
    return Result(title="Radiomics: memory", series=tuple(found.values()), ratios=tuple(ratios), notes=notes)


def _added(series: Series) -> float:
    box = series.samples[0].facts["box_voxels"] * FLOAT32_BYTES
    return (series.median("peak_bytes") - series.median("before_bytes")) / box
