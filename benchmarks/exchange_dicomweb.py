"""DICOMweb beside Orthanc's plugin: storing, frames, metadata and searches, both on loopback, in turn."""

from __future__ import annotations

import http.client
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.clock import Sample, Series
from benchmarks.exchange_objects import file_of, image
from benchmarks.exchange_orthanc import installed, orthanc
from benchmarks.exchange_senders import Senders
from benchmarks.exchange_server import serving
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

SLICES, MATRIX = 500, 512
FRAMES, METADATA, SEARCHES = 100, 5, 5
"""Requests of a round."""
BURSTS, BURST = 6, 60
"""Slices that are sent one by one, before it is the other server's turn, and how often."""
SENDERS, SENT = 4, 50
"""Clients that send at the same time, each over a connection of its own, and slices that each sends in a burst."""
ONE_BY_ONE, TOGETHER = "STOW one by one", "STOW 25 at once"
FOUR_BY_ONE, FOUR_TOGETHER = f"{ONE_BY_ONE}, {SENDERS} connections", f"{TOGETHER}, {SENDERS} connections"
FRAME, BARE, HEADERS, FOUND = "frame", "frame, no gzip accepted", "metadata of 500", "search of 500"
OURS, THEIRS = "Bingcheng", "Orthanc"
_OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
_BROWSER = "gzip, deflate"
"""What every browser, and dicomweb-client, says that it accepts. Orthanc then compresses each frame; we don't, for
images hardly shrink and the time is the viewer's."""
_MARK = b"3f2504e04f8911d39a0c0305e82c3301"
"""Between parts: as long as what clients make up, so that no image holds it."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A server under measurement."""

    name: str
    root: str
    headers: Mapping[str, str]
    pid: int
    connection: http.client.HTTPConnection = field(init=False)
    path: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.root)
        self.connection = http.client.HTTPConnection(parts.netloc)
        self.path = parts.path

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """The body of the answer to one request, which must succeed."""
        method = "GET" if body is None else "POST"
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.connection.request(method, self.path + path, body, sent)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self.name} {path}: {answer.status} {said[:300]!r}")
        return said

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        parts = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / _TICKS

    def peak_bytes(self) -> int:
        """The most memory that it held."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0


def run(settings: Settings) -> Result:
    """Rounds in which each server does the same work, one after the other; both are started anew for each.

    A process keeps the speed that its place in memory gives it, within some per cent, for as long as it lives.
    """
    if not installed() or not settings.peers:
        return Result(title="DICOMweb", series=(), ratios=(), notes=("Orthanc with DICOMweb is not installed",))
    rounds = max(3, settings.repeats)
    base = np.clip(np.random.default_rng(1).normal(1000, 40, (MATRIX, MATRIX)), 0, 4095).astype(np.uint16)
    made = [_slice(base, n) for n in range(1, SLICES + 1)]
    samples: dict[tuple[str, str], list[Sample]] = {}
    for number in range(rounds):
        with ExitStack() as opened:
            folder = settings.scratch / f"dicomweb-{number}"
            address, process = opened.enter_context(orthanc(folder / "orthanc"))
            root, headers, ours = opened.enter_context(serving(folder / "bingcheng"))
            servers = (
                Server(OURS, root, headers, ours.pid),
                Server(THEIRS, f"{address}/dicom-web", {}, process.pid),
            )
            for name, sample in _alone(servers, made, number).items():
                samples.setdefault((ONE_BY_ONE, name), []).append(sample)
            for work, batch in ((FOUR_BY_ONE, 1), (FOUR_TOGETHER, 25)):
                for name, sample in _by_many(servers, made, number, batch).items():
                    samples.setdefault((work, name), []).append(sample)
            of = _study(0, 25)
            files = [one.replace(_STUDY, of) for one in made]
            for server in servers if number % 2 else servers[::-1]:
                for work, sample in _round(server, files, of).items():
                    samples.setdefault((work, server.name), []).append(sample)
    series = {key: Series(name=f"{key[0]}, {key[1]}", samples=tuple(found)) for key, found in samples.items()}
    return Result(
        title=f"DICOMweb, {SLICES} slices of {MATRIX} x {MATRIX}; seconds for one request (STOW: one slice)",
        series=tuple(series[work, who] for work in _WORKS for who in (OURS, THEIRS)),
        ratios=tuple(_ratio(series, work, least) for work, least in _WORKS.items()),
        notes=tuple(
            f"{work}, round by round: {', '.join(f'{one:.2f}' for one in _quotients(series, work))}"
            for work in (ONE_BY_ONE, FOUR_BY_ONE, FOUR_TOGETHER)
        ),
    )


_WORKS: Mapping[str, float] = {
    **dict.fromkeys((ONE_BY_ONE, FOUR_BY_ONE, TOGETHER, FOUR_TOGETHER), 1.0),
    FRAME: 15.0,
    BARE: 1.0,
    HEADERS: 15.0,
    FOUND: 15.0,
}
"""What is measured, and how many times faster than Orthanc it is to be."""


def _ratio(series: Mapping[tuple[str, str], Series], work: str, least: float) -> Ratio:
    value = statistics.fmean(_quotients(series, work))
    return Ratio(what=f"{work}: {THEIRS} takes longer", value=value, at_least=least)


def _quotients(series: Mapping[tuple[str, str], Series], work: str) -> list[float]:
    """How many times longer they took than we, in each round."""
    pairs = zip(series[work, THEIRS].samples, series[work, OURS].samples, strict=True)
    return [theirs.wall_s / ours.wall_s for theirs, ours in pairs]


_STUDY = b"1.2.826.0.1.3680043.8.498.100000"
"""Stands in every UID of the slices as they are made; each round puts another of the same length in its place."""


def _study(number: int, batch: int) -> bytes:
    return _STUDY[:-5] + b"%03d%02d" % (number + 1, batch)


def _slice(base: np.ndarray, number: int) -> bytes:
    study = _STUDY.decode()
    made = image(number=number, pixels=np.roll(base, number, axis=0), StudyInstanceUID=study)
    made.SeriesInstanceUID, made.SOPInstanceUID = f"{study}.1", f"{study}.1.{number}"
    made.FrameOfReferenceUID = f"{study}.2"
    return file_of(made)


def _alone(servers: Sequence[Server], made: Sequence[bytes], number: int) -> dict[str, Sample]:
    """Bursts of slices sent one by one, a server's after the other's; what one slice took in the middle burst.

    The first of each, with which code and data are read for the first time, does not count.
    """
    found: dict[str, list[Sample]] = {server.name: [] for server in servers}
    for burst in range(BURSTS + 1):
        files = [one.replace(_STUDY, _study(burst, 1)) for one in made[:BURST]]
        for server in servers if (number + burst) % 2 else servers[::-1]:
            server.connection.close()  # it may have been closed while the other worked
            found[server.name].append(_stored(server, files, 1))
    return {name: _middle(samples[1:]) for name, samples in found.items()}


def _by_many(servers: Sequence[Server], made: Sequence[bytes], number: int, batch: int) -> dict[str, Sample]:
    """Bursts as `_alone` has them, from several clients at once; what one slice of all took in the middle burst."""
    found: dict[str, list[Sample]] = {server.name: [] for server in servers}
    with ExitStack() as opened:
        sending = {
            server.name: opened.enter_context(Senders(SENDERS, partial(_sent, server, made, batch)))
            for server in servers
        }
        for burst in range(BURSTS + 1):
            for server in servers if (number + burst) % 2 else servers[::-1]:
                used = server.cpu_s()
                wall_s = sending[server.name].turn(burst)
                many = SENDERS * SENT
                cpu_s, peak = (server.cpu_s() - used) / many, server.peak_bytes()
                found[server.name].append(Sample(wall_s=wall_s / many, cpu_s=cpu_s, peak_bytes=peak))
    return {name: _middle(samples[1:]) for name, samples in found.items()}


def _sent(server: Server, made: Sequence[bytes], batch: int, sender: int, burst: int) -> None:
    server.connection.close()
    study = _study(burst * SENDERS + sender, 1 + batch)
    _stored(server, [one.replace(_STUDY, study) for one in made[:SENT]], batch)


def _middle(samples: Sequence[Sample]) -> Sample:
    return Sample(
        wall_s=statistics.median(one.wall_s for one in samples),
        cpu_s=statistics.median(one.cpu_s for one in samples),
        peak_bytes=max(one.peak_bytes for one in samples),
    )


def _round(server: Server, files: Sequence[bytes], of: bytes) -> dict[str, Sample]:
    server.connection.close()
    found = {TOGETHER: _stored(server, files, 25)}
    study = of.decode()
    series = f"/studies/{study}/series/{study}.1"

    def frame(n: int) -> None:
        server.ask(f"{series}/instances/{study}.1.{n % SLICES + 1}/frames/1", Accept=_OCTETS, Accept_Encoding=_BROWSER)

    def bare(n: int) -> None:
        said = server.ask(f"{series}/instances/{study}.1.{SLICES - n % SLICES}/frames/1", Accept=_OCTETS)
        if files[SLICES - n % SLICES - 1][-2 * MATRIX * MATRIX :] not in said:
            raise RuntimeError(f"{server.name} gave another frame")

    def metadata(_: int) -> None:
        said = server.ask(f"{series}/metadata", Accept="application/dicom+json")
        if said.count(b'"00080018"') != SLICES:
            raise RuntimeError(f"{server.name} told of other instances")

    def search(_: int) -> None:
        said = server.ask(f"{series}/instances?limit={SLICES}", Accept="application/dicom+json")
        if said.count(b'"00080018"') != SLICES:
            raise RuntimeError(f"{server.name} found other instances")

    found[FRAME] = _timed(server, frame, FRAMES)
    found[BARE] = _timed(server, bare, FRAMES)
    found[HEADERS] = _timed(server, metadata, METADATA)
    found[FOUND] = _timed(server, search, SEARCHES)
    return found


def _stored(server: Server, files: Sequence[bytes], batch: int) -> Sample:
    begun, used = time.perf_counter(), server.cpu_s()
    for at in range(0, len(files), batch):
        parts = (
            b"--%b\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % (_MARK, one) for one in files[at : at + batch]
        )
        body = b"".join((*parts, b"--%b--\r\n" % _MARK))
        kind = f'multipart/related; type="application/dicom"; boundary={_MARK.decode()}'
        said = server.ask("/studies", body, Content_Type=kind, Accept="application/dicom+json")
        if said.count(b"00081155") != len(files[at : at + batch]):
            raise RuntimeError(f"{server.name} did not store all: {said[:300]!r}")
    wall_s = (time.perf_counter() - begun) / len(files)
    return Sample(wall_s=wall_s, cpu_s=(server.cpu_s() - used) / len(files), peak_bytes=server.peak_bytes())


def _timed(server: Server, request: Callable[[int], None], times: int) -> Sample:
    used, walls = server.cpu_s(), []
    for number in range(times):
        begun = time.perf_counter()
        request(number)
        walls.append(time.perf_counter() - begun)
    cpu_s = (server.cpu_s() - used) / times
    return Sample(wall_s=statistics.median(walls), cpu_s=cpu_s, peak_bytes=server.peak_bytes())
