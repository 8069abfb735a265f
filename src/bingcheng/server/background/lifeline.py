"""A working process ends with the server that started it, and with it all processes that it started itself.

The server holds one end of the process's standard input for as long as it lives. However it ends, kill -9 included,
the system closes that end: a process that lived on would work on jobs that the next server gives to another one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress

GONE = 70
"""Exit status of a process whose server is gone."""


def hold_on(descriptor: int = 0) -> None:
    """From now on this process ends as soon as `descriptor` says that its other end is closed."""
    threading.Thread(target=_wait, args=(descriptor,), name="lifeline", daemon=True).start()


def end_all(process: subprocess.Popen[bytes], *, kill: bool = False) -> None:
    """End a process that leads a group, and the rest of the group.

    Parameters
    ----------
    kill : at once, without a chance to tidy up.
    """
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        elif kill:
            process.kill()
        else:
            process.terminate()


def _wait(descriptor: int) -> None:
    # Not through a buffered stream: at the end of the program a thread that waits in one would hold its lock.
    with suppress(OSError):
        while os.read(descriptor, 64):
            pass
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(GONE)
