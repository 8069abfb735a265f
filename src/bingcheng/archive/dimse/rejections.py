"""Callers that were turned away, told to the audit by a thread of its own: nobody who knocks waits for a database.

The same caller turned away for the same reason is told once with how often, as long as the one before is being told: a
flood of strangers costs a few lines, and none of it is left out.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime

from bingcheng.archive.dimse.events import DimseEvent, EventKind, OnEvent

MOST_CALLERS = 256
"""Told apart at once; of more, which change their title with each call, the address alone is told."""
STOP_WITHIN_S = 5.0

Refusal = tuple[int, int, int]
_Caller = tuple[str, str, Refusal]


class Rejections:
    """Started and stopped with the listener.

    Parameters
    ----------
    on_event : told of each; may take its time.
    """

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._guard, self._waits = threading.Lock(), threading.Event()
        self._stopped = False
        self._noted: Counter[_Caller] = Counter()
        self._thread = threading.Thread(target=self._run, name="dimse-rejections", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell what is left, and end."""
        self._stopped = True
        self._waits.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)

    def note(self, ae_title: str, address: str, refusal: Refusal) -> None:
        """A caller was turned away; from any thread, never waits."""
        with self._guard:
            caller = (ae_title, address, refusal)
            if len(self._noted) >= MOST_CALLERS and caller not in self._noted:
                caller = ("", address, refusal)
            self._noted[caller] += 1
        self._waits.set()

    def _run(self) -> None:
        while not self._stopped:
            self._waits.wait()
            self._waits.clear()
            self._tell()
        self._tell()

    def _tell(self) -> None:
        with self._guard:
            noted, self._noted = self._noted, Counter()
        for (ae_title, address, refusal), times in noted.items():
            self._on_event(
                DimseEvent(
                    at=datetime.now(UTC).replace(tzinfo=None),
                    kind=EventKind.REJECTED,
                    ae_title=ae_title,
                    address=address,
                    succeeded=False,
                    code="/".join(map(str, refusal)),
                    failed=times,
                )
            )
