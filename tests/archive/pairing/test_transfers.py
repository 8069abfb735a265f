"""When what waits for another installation is tried again, also where the clock was set meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.archive.pairing.making import NOON

from bingcheng.archive.pairing import transfers
from bingcheng.archive.pairing.transfers import LONGEST_WAIT_S, TransferKind
from bingcheng.core.wording import text


@pytest.mark.parametrize(("ahead", "at_once"), [(timedelta(days=1), True), (timedelta(minutes=20), False)])
def test_what_a_clock_that_was_ahead_put_off_goes_on_soon_after_it_is_set_right(both, ahead, at_once):
    north, _ = both
    with north.workspace.writing() as connection:
        transfers.ask(connection, north.other, TransferKind.GREET, NOON + ahead)
        assert bool(transfers.due(connection, NOON)) is at_once
        found = transfers.take(connection, NOON + ahead)
        transfers.fail(connection, found, text("no"), NOON + ahead, again=True)
        assert bool(transfers.due(connection, NOON)) is at_once
        assert bool(transfers.due(connection, NOON + ahead + timedelta(seconds=20)))
        assert (transfers.take(connection, NOON) is not None) is at_once


def test_what_waits_longest_waits(both):
    north, _ = both
    with north.workspace.writing() as connection:
        transfers.ask(connection, north.other, TransferKind.GREET, NOON + timedelta(seconds=LONGEST_WAIT_S))
        assert transfers.due(connection, NOON) == ()
