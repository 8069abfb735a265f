"""How exams stand among others is kept, and tells the same as working it out now."""

from __future__ import annotations

import numpy as np
import pytest
from tests.archive.conftest import record
from tests.archive.test_worklist import finding

from bingcheng.archive.records import Judged
from bingcheng.archive.standing import MOST_DISTANCES, save_standing, standing
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.archive.summaries import PeerTable, peer_table
from bingcheng.core.finding import Outcome

KEY = ("p", "c", None)


def test_what_is_kept_is_what_was_worked_out(workspace):
    outcomes = [Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS]
    for number, outcome in enumerate(outcomes):
        save_exam(workspace, record(str(number), series=0))
        with workspace.writing() as connection:
            save_judged(connection, {str(number): Judged(digest="d", findings=(finding(outcome),))})
    with workspace.writing() as connection:
        assert standing(connection) is None
        now = peer_table(connection)
        save_standing(connection, now)
        kept = standing(connection)
    assert (kept.met, kept.judged) == (now.met, now.judged) == ({KEY: 2}, {KEY: 3})
    for outcome in Outcome:
        assert kept.peers(finding(outcome)) == now.peers(finding(outcome))


@pytest.mark.parametrize("count", [3, 1001, 20_000])
def test_a_place_among_very_many_is_right_to_a_tenth_of_a_per_cent(workspace, count):
    distances = np.sort(np.random.default_rng(1).normal(size=count))
    whole = PeerTable(distances={KEY: distances}, met={KEY: 0}, judged={KEY: count})
    with workspace.writing() as connection:
        save_standing(connection, whole)
        kept = standing(connection)
    assert len(kept.distances[KEY]) <= MOST_DISTANCES
    for distance in distances[:: max(1, count // 50)]:
        exact, told = whole._percentile(KEY, distance), kept._percentile(KEY, distance)
        assert told == pytest.approx(exact, abs=0.11 if count > MOST_DISTANCES else 1e-9)
