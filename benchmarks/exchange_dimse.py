"""C-STORE: how fast objects come in from dcmtk's storescu, each durable before it is answered, beside Orthanc.

Every run begins with an empty store and a disk at rest: what the run before left to be written is flushed first, or the
next one's flushes would wait for it. The start of the programs does not count. Orthanc and storescu are started with
``TCP_NODELAY=1``. DCMTK leaves Nagle's algorithm on without it: each of Orthanc's answers then waits 40 ms for an
acknowledgement, and so do the ends of many data sets; what that does to a server is measured with storescu as it comes.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen

from benchmarks.clock import Contender, ContenderError, Sample, alternate, this_python
from benchmarks.exchange_objects import file_of, image
from benchmarks.exchange_orthanc import PROGRAM, free_port
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

SLICES = 500
PARALLEL = 4
LIMIT_S = 300.0
OURS, PYNETDICOM, ORTHANC = "Bingcheng", "pynetdicom's provider, our store", "Orthanc"
PROMPT = {"TCP_NODELAY": "1"}
"""Switches off Nagle's algorithm in what is built with DCMTK."""
HERE = Path(__file__).parent / "contenders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the slices are sent.

    Parameters
    ----------
    associations : at once.
    prompt : whether storescu runs without Nagle's algorithm; else as it comes.
    """

    associations: int
    prompt: bool = True

    def __str__(self) -> str:
        said = f"{self.associations} association{'s' if self.associations > 1 else ''}"
        return said if self.prompt else f"{said}, storescu as it comes"


WAYS = (Way(associations=1), Way(associations=PARALLEL), Way(associations=1, prompt=False))


def run(settings: Settings) -> Result:
    """Send 500 CT slices over one association, over four at once, and over one that waits for acknowledgements."""
    if shutil.which("storescu") is None:
        raise ContenderError("storescu is not installed (Debian: dcmtk)")
    folders = _data(settings.scratch / "dimse", settings.matrix)
    servers = [OURS, PYNETDICOM] + ([ORTHANC] if settings.peers and PROGRAM is not None else [])
    contenders = [
        Contender(name=f"{server}, {way}", once=partial(_stored, server, settings.scratch / "store", folders, way))
        for way in WAYS
        for server in servers
    ]
    found = alternate(contenders, settings.repeats)
    ratios = []
    for way in WAYS:
        for other in servers[1:]:
            ours, theirs = found[f"{OURS}, {way}"], found[f"{other}, {way}"]
            ratios.append(
                Ratio(
                    what=f"rate of {OURS} over that of {other}, {way}",
                    value=theirs.median("wall_s") / ours.median("wall_s"),
                    at_least=1.0 if other == ORTHANC else None,
                )
            )
    rate = SLICES / found[f"{OURS}, {WAYS[0]}"].median("wall_s")
    notes = (
        f"{SLICES} slices of {settings.matrix} x {settings.matrix}; Bingcheng takes {rate:.0f} a second in a row",
        "CPU and memory are those of the server; storescu ran on the same processors",
    )
    return Result(title="C-STORE", series=tuple(found.values()), ratios=tuple(ratios), notes=notes)


def _data(folder: Path, matrix: int) -> list[Path]:
    folders = [folder / f"{matrix}-{part}" for part in range(PARALLEL)]
    for part, one in enumerate(folders):
        if not one.exists():
            one.mkdir(parents=True)
            for number in range(1, SLICES // PARALLEL + 1):
                made = image(f"study {part}", "series", number, matrix=(matrix, matrix))
                (one / f"{number:04}.dcm").write_bytes(file_of(made))
    return folders


def _stored(server: str, store: Path, folders: Sequence[Path], way: Way) -> Sample:
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    os.sync()
    with listening(server, store) as (process, port):
        before = cpu_s(process.pid)
        lots = [[one] for one in folders] if way.associations > 1 else [folders]
        wall_s = sent(port, lots, prompt=way.prompt)
        used_s = cpu_s(process.pid) - before
        peak = memory_bytes(process.pid, "VmHWM")
    # A server that is down is fast: what counts is what lies there afterwards.
    held = sum(1 for one in store.rglob("*") if one.is_file() and one.stat().st_size > 2 * 16 * 16)
    if held < SLICES:
        raise ContenderError(f"{server} holds {held} files of {SLICES}")
    shutil.rmtree(store, ignore_errors=True)
    return Sample(wall_s=wall_s, cpu_s=used_s, peak_bytes=peak, facts={"files": SLICES})


def sent(port: int, lots: Sequence[Sequence[Path]], *, prompt: bool = True) -> float:
    """Seconds that it takes to send the files in each lot's folders, each lot over an association of its own."""
    command = ["storescu", "+sd", "-aec", "ARCHIVE", "127.0.0.1", str(port)]
    inherited = {name: value for name, value in os.environ.items() if name not in PROMPT}
    environment = {**inherited, **(PROMPT if prompt else {})}
    began = time.perf_counter()
    senders = [Popen([*command, *map(str, lot)], stderr=PIPE, env=environment) for lot in lots]
    said = [sender.communicate(timeout=LIMIT_S)[1] for sender in senders]
    wall_s = time.perf_counter() - began
    if any(sender.returncode for sender in senders):
        raise ContenderError(f"storescu: {b''.join(said)[-800:].decode(errors='replace')}")
    return wall_s


def listening(server: str, store: Path) -> AbstractContextManager[tuple[Popen[bytes], int]]:
    """A server with an empty store, and its port; ended when the context is left."""
    return _orthanc(store) if server == ORTHANC else _script(server, store)


@contextmanager
def _script(server: str, store: Path) -> Iterator[tuple[Popen[bytes], int]]:
    script = {OURS: "dimse_bingcheng.py", PYNETDICOM: "dimse_pynetdicom.py"}[server]
    process = Popen([str(this_python()), str(HERE / script), str(store)], stdout=PIPE)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        _end(process)


@contextmanager
def _orthanc(store: Path) -> Iterator[tuple[Popen[bytes], int]]:
    dicom, http = free_port(), free_port()
    settings = {
        "StorageDirectory": str(store),
        "IndexDirectory": str(store),
        "DicomPort": dicom,
        "DicomAet": "ARCHIVE",
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowStore": True,
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "Plugins": [],
    }
    file = store / "orthanc.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = Popen([str(PROGRAM), str(file)], env={**os.environ, **PROMPT}, **quiet)
    try:
        until = time.monotonic() + 30
        while not (_open(dicom) and _open(http)):
            if time.monotonic() > until:
                raise ContenderError("Orthanc did not start")
            time.sleep(0.1)
        yield process, dicom
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/statistics", timeout=10) as answer:
            if json.load(answer)["CountInstances"] != SLICES:
                raise ContenderError("Orthanc does not hold all")
    finally:
        _end(process)


def _end(process: Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()


def _open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def cpu_s(pid: int) -> float:
    """CPU time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int, what: str) -> int:
    """Memory of a process (Linux): ``VmRSS`` is what it holds, ``VmHWM`` the most that it held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) * 1024
