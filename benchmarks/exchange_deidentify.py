"""De-identification against dicognito and against bare pydicom reading and writing the same files; a CT with pixels.

All read from and write to the same folder; ours also judges the pixels and proves every output by a second pass.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.clock import Contender, alternate, called, this_python
from benchmarks.environments import peer, versions
from benchmarks.result import Ratio, Result, slower
from benchmarks.settings import Settings

PEER = "dicognito==0.19.0"
OURS, PLAIN, THEIRS = "bingcheng", "pydicom, read and write", "dicognito"


def run(settings: Settings) -> Result:
    """Clean the same headers by each, one process each."""
    folder = settings.scratch / f"headers-{settings.files}"
    if not folder.exists():
        command = [sys.executable, "-m", "benchmarks.generate", "headers", str(folder), str(settings.files)]
        subprocess.run(command, check=True, timeout=600)
    python, out = this_python(), settings.scratch / "deidentified"
    contenders = [
        Contender(name=OURS, once=partial(called, python, "deidentify_bingcheng", folder, out)),
        Contender(name=PLAIN, once=partial(called, python, "deidentify_pydicom", folder, out)),
    ]
    notes = ["one process each; imports excluded; bingcheng's time holds the pixel check and the proof"]
    if settings.peers:
        environment = peer(PEER)
        contenders.append(
            Contender(name=THEIRS, once=partial(called, environment, "deidentify_dicognito", folder, out))
        )
        notes.append(f"dicognito's environment has {versions(environment, 'dicognito', 'pydicom')}")
    contenders[0].once()  # so that nobody is the first to read the files from the disk
    found = alternate(contenders, settings.repeats)
    ratios = [slower("bingcheng / pydicom, wall", found[OURS], found[PLAIN])]
    if THEIRS in found:
        ratios.append(slower("dicognito / bingcheng, wall", found[THEIRS], found[OURS], at_least=1.0))
        ratios.append(slower("dicognito / bingcheng, CPU", found[THEIRS], found[OURS], "cpu_s"))
    title = f"De-identification: {settings.files} CT headers"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios), notes=tuple(notes))


def run_exam(settings: Settings) -> Result:
    """Clean a whole CT with the check of its pixels."""
    folder = settings.scratch / f"exam-{settings.slices}-{settings.matrix}-uncompressed"
    if not folder.exists():
        size = (str(settings.slices), str(settings.matrix), "uncompressed")
        command = [sys.executable, "-m", "benchmarks.generate", "exam", str(folder), *size]
        subprocess.run(command, check=True, timeout=600)
    out = settings.scratch / "deidentified-exam"
    ours = Contender(name=OURS, once=partial(called, this_python(), "deidentify_bingcheng", folder, out))
    ours.once()
    found = alternate([ours], settings.repeats)[OURS]
    wall_s = min(sample.wall_s for sample in found.samples)
    ratios = (Ratio(what="the whole exam, wall", value=wall_s, unit="s", at_most=10.0),)
    title = f"De-identification: {settings.slices} CT slices of {settings.matrix} x {settings.matrix}"
    return Result(title=title, series=(found,), ratios=ratios)
