"""Orthanc with its DICOMweb plugin on loopback, where both are installed (Debian: orthanc, orthanc-dicomweb)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

PROGRAM = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
LIMIT_S = 30.0


def installed() -> bool:
    """Whether there is an Orthanc with DICOMweb on this machine."""
    return PROGRAM is not None and PLUGIN.exists()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def orthanc(folder: Path, *, servers: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Popen[bytes]]]:
    """Its address and process; ended when the context is left.

    Parameters
    ----------
    servers : DICOMweb servers that it is a client of, by name, as its configuration wants them.
    """
    if PROGRAM is None:
        raise RuntimeError("Orthanc is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = {
        "Name": "peer",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        # Its DICOM port would listen on all addresses whatever is asked of it.
        "DicomServerEnabled": False,
        "HttpPort": port,
        "HttpServerEnabled": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Servers": dict(servers or {})},
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        # Without TCP_NODELAY each message waits 40 ms for an acknowledgement, which would be no fair peer.
        process = Popen([PROGRAM, str(file)], stdout=log, stderr=log, env={**os.environ, "TCP_NODELAY": "1"})
    try:
        _wait(f"http://127.0.0.1:{port}/system", process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except TimeoutError:
            process.kill()


def _wait(address: str, process: Popen[bytes]) -> None:
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("Orthanc did not start")
