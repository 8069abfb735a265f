"""5,000 slices received in a row, by C-STORE and by STOW-RS: whether the fifth thousand comes in like the first.

Five exams of a thousand slices into one store, each over an association or a connection of its own, each slice durable
before it is answered. What an exam takes and what the server holds after it are told exam by exam.
"""

from __future__ import annotations

import http.client
import os
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.clock import MIB, ContenderError, Sample, Series
from benchmarks.exchange_dimse import OURS, cpu_s, listening, memory_bytes, sent
from benchmarks.exchange_objects import file_of, image
from benchmarks.exchange_server import serving
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

EXAMS, SLICES, AT_ONCE = 5, 1000, 25
GROWTH_LIMIT_MIB = 32.0
"""What the server may hold more after the last exam than after the first."""
_STUDY, _SLICE = "1.2.826.0.1.3680043.8.498.{}", "1.2.826.0.1.3680043.8.498.{}.1.{}"
_FIRST = 10_000
"""In the UIDs of the slice as it is made; each one's own numbers, as long, go in its place."""
Send = Callable[[Sequence[bytes]], float]
"""Sends one exam and says how many seconds that took."""


def run(settings: Settings) -> Result:
    """Receive all exams by C-STORE, then by STOW-RS."""
    if shutil.which("storescu") is None:
        raise ContenderError("storescu is not installed (Debian: dcmtk)")
    template, scratch = _slice_as_made(settings.matrix), settings.scratch / "long"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    with listening(OURS, scratch / "dimse") as (listener, port):
        stored = _exams("C-STORE", template, listener.pid, partial(_stored, scratch / "exam", port))
    _check(scratch)
    with serving(scratch / "stow") as (root, headers, server):
        posted = _exams(f"STOW-RS, {AT_ONCE} at once", template, server.pid, partial(_posted, root, headers))
    _check(scratch)
    return Result(
        title=f"{EXAMS} exams of {SLICES} slices of {settings.matrix} x {settings.matrix} in a row; times of one exam",
        series=(stored, posted),
        ratios=tuple(ratio for one in (stored, posted) for ratio in _ratios(one)),
        notes=("CPU and memory are those of the server; who sends runs on the same processors",),
    )


def _slice_as_made(matrix: int) -> bytes:
    made = image(matrix=(matrix, matrix))
    made.StudyInstanceUID, made.SOPInstanceUID = _STUDY.format(_FIRST), _SLICE.format(_FIRST, _FIRST)
    made.SeriesInstanceUID = f"{made.StudyInstanceUID}.1"
    return file_of(made)


def _exams(name: str, template: bytes, server: int, send: Send) -> Series:
    samples = []
    for exam in range(_FIRST + 1, _FIRST + 1 + EXAMS):
        of_exam = template.replace(_STUDY.format(_FIRST).encode(), _STUDY.format(exam).encode())
        place, numbers = _SLICE.format(exam, _FIRST).encode(), range(_FIRST + 1, _FIRST + 1 + SLICES)
        slices = [of_exam.replace(place, _SLICE.format(exam, number).encode()) for number in numbers]
        os.sync()
        used = cpu_s(server)
        wall_s = send(slices)
        sample = Sample(
            wall_s=wall_s,
            cpu_s=cpu_s(server) - used,
            peak_bytes=memory_bytes(server, "VmHWM"),
            facts={"files": SLICES, "held_mib": memory_bytes(server, "VmRSS") / MIB},
        )
        samples.append(sample)
    return Series(name=name, samples=tuple(samples))


def _stored(folder: Path, port: int, slices: Sequence[bytes]) -> float:
    folder.mkdir()
    for number, data in enumerate(slices):
        (folder / f"{number:05}.dcm").write_bytes(data)
    os.sync()
    wall_s = sent(port, [[folder]])
    shutil.rmtree(folder)
    return wall_s


def _posted(root: str, headers: dict[str, str], slices: Sequence[bytes]) -> float:
    parts = urlsplit(root)
    connection = http.client.HTTPConnection(parts.netloc)
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    begun = time.perf_counter()
    for at in range(0, len(slices), AT_ONCE):
        some = slices[at : at + AT_ONCE]
        body = b"".join(b"--x\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % one for one in some) + b"--x--\r\n"
        asked = {**headers, "Content-Type": kind, "Accept": "application/dicom+json"}
        connection.request("POST", f"{parts.path}/studies", body, asked)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200 or said.count(b"00081155") != len(some):
            raise ContenderError(f"STOW-RS: {answer.status} {said[:300]!r}")
    wall_s = time.perf_counter() - begun
    connection.close()
    return wall_s


def _check(scratch: Path) -> None:
    """Count what lies there, and make room."""
    held = sum(1 for _ in scratch.rglob("objects/*/*/*/*.dcm"))
    if held != EXAMS * SLICES:
        raise ContenderError(f"the store holds {held} files of {EXAMS * SLICES}")
    shutil.rmtree(scratch)
    scratch.mkdir()


def _ratios(exams: Series) -> tuple[Ratio, ...]:
    first, last = exams.samples[0], exams.samples[-1]
    grown = last.facts["held_mib"] - first.facts["held_mib"]
    return (
        Ratio(what=f"{exams.name}: slices", value=SLICES / exams.median("wall_s"), unit="/s"),
        Ratio(what=f"{exams.name}: time of the last exam over that of the first", value=last.wall_s / first.wall_s),
        Ratio(what=f"{exams.name}: memory added since the first", value=grown, unit="MiB", at_most=GROWTH_LIMIT_MIB),
    )
