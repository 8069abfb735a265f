"""The header index against dicompare's session loading and against bare pydicom."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.clock import Contender, alternate, called, this_python
from benchmarks.environments import peer, versions
from benchmarks.machine import CORES
from benchmarks.result import Result, slower
from benchmarks.settings import Settings

PEER = "dicompare==0.11.1"
OURS, VALUES, RAW, THEIRS = "bingcheng", "pydicom, values", "pydicom, raw", "dicompare"


def run(settings: Settings) -> Result:
    """Index the same headers by each, on the same processors."""
    folder = settings.scratch / f"headers-{settings.files}"
    if not folder.exists():
        command = [sys.executable, "-m", "benchmarks.generate", "headers", str(folder), str(settings.files)]
        subprocess.run(command, check=True, timeout=600)
    python = this_python()
    contenders = [
        Contender(name=OURS, once=partial(called, python, "index_bingcheng", folder)),
        Contender(name=VALUES, once=partial(called, python, "index_pydicom", folder, CORES, "values")),
        Contender(name=RAW, once=partial(called, python, "index_pydicom", folder, CORES, "raw")),
    ]
    notes = [f"pydicom reads in {CORES} processes that were started before the clock; every call excludes its imports"]
    if settings.peers:
        environment = peer(PEER)
        contenders.append(Contender(name=THEIRS, once=partial(called, environment, "index_dicompare", folder, CORES)))
        notes.append(f"dicompare reads in {CORES} threads; it has {versions(environment, 'dicompare', 'pydicom')}")
    contenders[0].once()  # so that nobody is the first to read the files from the disk
    found = alternate(contenders, settings.repeats)
    ours = found[OURS]
    ratios = [
        slower("bingcheng / pydicom reading the same tags as values, wall", ours, found[VALUES], at_most=2.0),
        slower("bingcheng / pydicom, CPU", ours, found[VALUES], "cpu_s"),
        slower("bingcheng / pydicom finding the same tags without converting them, wall", ours, found[RAW]),
    ]
    if THEIRS in found:
        ratios.append(slower("dicompare / bingcheng, wall", found[THEIRS], ours, at_least=10.0))
        ratios.append(slower("dicompare / bingcheng, CPU", found[THEIRS], ours, "cpu_s"))
    title = f"Header index: {settings.files} CT headers"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios), notes=tuple(notes))
