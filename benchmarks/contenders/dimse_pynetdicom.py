"""pynetdicom's own provider over Bingcheng's store, until it is ended: ``dimse_pynetdicom.py FOLDER``.

Its logging is off, its units are as long and its sockets as prompt as ours: what is left is its state machine.
"""

from __future__ import annotations

import signal
import socket
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, _config, evt

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace


def main() -> None:
    ended = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ended)
    _config.LOG_HANDLER_LEVEL = "none"
    workspace = Workspace.open(Path(sys.argv[1]))
    objects = Objects.open(workspace)

    def store(event: Any) -> int:
        file = BytesIO(event.encoded_dataset())
        objects.receive(file.getvalue(), space="hospital/1", origin=Origin(kind="dimse", peer="peer"))
        return 0x0000

    def prompt(event: Any) -> None:
        event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    entity = AE(ae_title="ARCHIVE")
    entity.maximum_pdu_size = 131_072
    entity.supported_contexts = AllStoragePresentationContexts
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store), (evt.EVT_CONN_OPEN, prompt)]
    )
    assert server is not None
    print(server.socket.getsockname()[1], flush=True)
    signal.sigwait(ended)
    server.shutdown()
    objects.close()
    workspace.close()


main()
