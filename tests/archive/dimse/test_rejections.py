"""Callers that are turned away: told, however many, and nobody waits for that."""

from __future__ import annotations

import threading
import time
from collections import Counter

from tests.archive.dimse.making import echo_request, unit
from tests.archive.dimse.test_attack import is_well

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.rejections import MOST_CALLERS, Rejections

WHY = (1, 1, 3)


class Slow:
    """An audit whose database is locked for a while."""

    def __init__(self):
        self.told, self.free = [], threading.Event()

    def __call__(self, event):
        self.free.wait(20)
        self.told.append(event)


def test_who_knocks_does_not_wait_for_the_audit(listening, connect):
    site = listening()
    slow = Slow()
    site.listener._rejections._on_event = slow
    began = time.monotonic()
    for _ in range(20):
        connected = connect(site.port)
        connected.sendall(echo_request("TESTER", "ANOTHER"))
        assert unit(connected)[0] == pdus.REJECT
    is_well(site)
    assert time.monotonic() - began < 5
    slow.free.set()
    site.listener.stop()
    assert sum(one.failed for one in slow.told) == 20
    # The ones that were being told, and all others together; where its thread woke late, all at once.
    assert len(slow.told) <= 2
    assert {(one.kind, one.ae_title, one.code) for one in slow.told} == {(EventKind.REJECTED, "TESTER", "1/1/7")}


def test_a_flood_under_ever_new_titles_is_told_whole_in_few_lines():
    slow = Slow()
    telling = Rejections(slow)
    telling.start()
    for number in range(5000):
        telling.note(f"FLOOD{number}", "192.0.2.9", WHY)
    slow.free.set()
    telling.stop()
    times = Counter()
    for one in slow.told:
        times[one.address] += one.failed
    assert times == {"192.0.2.9": 5000}
    assert len(slow.told) <= 3 * (MOST_CALLERS + 1)
