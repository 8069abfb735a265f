"""C-STORE: how fast objects come in from dcmtk's storescu, each durable before it is answered, beside Orthanc.

Every run begins with an empty store and a disk at rest: what the run before left to be written is flushed first, or the
next one's flushes would wait for it. The start of the programs does not count. Orthanc is started with
``TCP_NODELAY=1``: without it each of its answers waits 40 ms for an acknowledgement.
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
from contextlib import contextmanager
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
HERE = Path(__file__).parent / "contenders"


def run(settings: Settings) -> Result:
    """Send 500 CT slices over one association, then over four at once."""
    if shutil.which("storescu") is None:
        raise ContenderError("storescu is not installed (Debian: dcmtk)")
    folders = _data(settings.scratch / "dimse", settings.matrix)
    servers = [OURS, PYNETDICOM] + ([ORTHANC] if settings.peers and PROGRAM is not None else [])
    contenders = [
        Contender(name=_named(server, count), once=partial(_stored, server, settings.scratch / "store", folders, count))
        for count in (1, PARALLEL)
        for server in servers
    ]
    found = alternate(contenders, settings.repeats)
    ratios = []
    for count in (1, PARALLEL):
        for other in servers[1:]:
            ours, theirs = found[_named(OURS, count)], found[_named(other, count)]
            ratios.append(
                Ratio(
                    what=f"rate of {OURS} over that of {other}, {count} at once",
                    value=theirs.median("wall_s") / ours.median("wall_s"),
                    at_least=1.0 if other == ORTHANC else None,
                )
            )
    rate = SLICES / found[_named(OURS, 1)].median("wall_s")
    notes = (
        f"{SLICES} slices of {settings.matrix} x {settings.matrix}; Bingcheng takes {rate:.0f} a second in a row",
        "CPU and memory are those of the server; storescu ran on the same processors",
    )
    return Result(title="C-STORE", series=tuple(found.values()), ratios=tuple(ratios), notes=notes)


def _named(server: str, count: int) -> str:
    return f"{server}, {count} association{'s' if count > 1 else ''}"


def _data(folder: Path, matrix: int) -> list[Path]:
    folders = [folder / f"{matrix}-{part}" for part in range(PARALLEL)]
    for part, one in enumerate(folders):
        if not one.exists():
            one.mkdir(parents=True)
            for number in range(1, SLICES // PARALLEL + 1):
                made = image(f"study {part}", "series", number, matrix=(matrix, matrix))
                (one / f"{number:04}.dcm").write_bytes(file_of(made))
    return folders


def _stored(server: str, store: Path, folders: Sequence[Path], count: int) -> Sample:
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    os.sync()
    with (_orthanc if server == ORTHANC else partial(_script, server))(store) as (process, port):
        lots = folders if count > 1 else [" ".join(map(str, folders))]
        before = _cpu_s(process.pid)
        began = time.perf_counter()
        senders = [
            Popen(["storescu", "+sd", "-aec", "ARCHIVE", "127.0.0.1", str(port), *str(lot).split()], stderr=PIPE)
            for lot in lots
        ]
        said = [sender.communicate(timeout=LIMIT_S)[1] for sender in senders]
        wall_s = time.perf_counter() - began
        if any(sender.returncode for sender in senders):
            raise ContenderError(f"{server}: {b''.join(said)[-800:].decode(errors='replace')}")
        cpu_s = _cpu_s(process.pid) - before
        peak = _peak_bytes(process.pid)
    # A server that is down is fast: what counts is what lies there afterwards.
    held = sum(1 for one in store.rglob("*") if one.is_file() and one.stat().st_size > 2 * 16 * 16)
    if held < SLICES:
        raise ContenderError(f"{server} holds {held} files of {SLICES}")
    shutil.rmtree(store, ignore_errors=True)
    return Sample(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=peak, facts={"files": SLICES})


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
    process = Popen([str(PROGRAM), str(file)], env={**os.environ, "TCP_NODELAY": "1"}, **quiet)
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


def _cpu_s(pid: int) -> float:
    """CPU time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
