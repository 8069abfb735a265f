"""Bingcheng's listener, until it is ended: ``dimse_bingcheng.py FOLDER``; says its port in one line."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace


def main() -> None:
    ended = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ended)
    workspace = Workspace.open(Path(sys.argv[1]))
    with workspace.writing() as connection:
        known = Peer(ae_title="STORESCU", networks=("127.0.0.1",), space="hospital/1", may=frozenset(May))
        add_peer(connection, known)
    objects = Objects.open(workspace)
    with Listener(workspace, objects, ae_title="ARCHIVE", port=0) as listener:
        print(listener.port, flush=True)
        signal.sigwait(ended)
    objects.close()
    workspace.close()


main()
