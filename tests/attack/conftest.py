"""The served application, as the server's own tests have it, and one that really listens."""

from __future__ import annotations

import contextlib
import mmap
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.conftest import serve, served
from tests.server.direct import NO_TLS

from bingcheng.archive.authorisation import Scope, hospital_space
from bingcheng.archive.objects.received import Origin
from bingcheng.server.run import Stoppable, configured

__all__ = ["listening", "serve", "served"]


@dataclass
class Listening:
    """A server on a port of this machine."""

    served: Any
    port: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def connected(self, sent: bytes = b"") -> socket.socket:
        """A connection on which `sent` was sent."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        made.sendall(sent)
        return made


def answered(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection; nothing if it was cut."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(1 << 16):
            found += piece
    return found


@contextlib.contextmanager
def reader_of(here: Listening, file: Path) -> Iterator[httpx.Client]:
    """A radiologist's client of a server that keeps the object in `file`, which is not held in memory."""
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        origin = Origin(kind="import", peer="test")
        here.served.site.objects.receive(memoryview(data), space=hospital_space(here.served.north), origin=origin)
    token = here.served.program("radiologist", Scope.DICOM_READ).headers["authorization"]
    with httpx.Client(
        base_url=here.address, headers={"authorization": token}, trust_env=False, verify=NO_TLS, timeout=60
    ) as client:
        yield client


@pytest.fixture
def listening(serve) -> Iterator[Any]:
    """Lets an application listen: ``listening(router, …, setting=value)``."""
    running: list[tuple[Stoppable, threading.Thread]] = []

    def begun(*routers: Any, **settings: object) -> Listening:
        made = serve(*routers, **settings)
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        server = Stoppable(configured(made.application, made.site.settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        return Listening(made, bound.getsockname()[1])

    yield begun
    for server, thread in running:
        server.should_exit = server.force_exit = True
        thread.join(20)
        assert not thread.is_alive()
