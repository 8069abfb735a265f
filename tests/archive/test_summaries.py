"""Findings summed up: counts by hospital, and how an exam stands among its peers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.archive.conftest import record

from bingcheng.archive.records import Judged
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.archive.summaries import criterion_counts, peer_table
from bingcheng.core.finding import Finding, Level, Outcome, Peers, Trust
from bingcheng.core.wording import text


def finding(outcome, distance=None, **facts):
    made = {
        "protocol": "p",
        "criterion": "thickness",
        "title": text("Slice thickness"),
        "level": Level.REQUIRED,
        "trust": Trust.VERIFIED,
        "source": "somebody",
        "role": "CT",
    }
    return Finding(**(made | facts), outcome=outcome, distance=distance)


@pytest.fixture
def filled(workspace):
    """Five exams in two hospitals: distances -2, -1, 1, 3 and one unknown."""
    found = {
        "1.1": finding(Outcome.PASS, -2.0),
        "1.2": finding(Outcome.PASS, -1.0),
        "1.3": finding(Outcome.FAIL, 1.0),
        "1.4": finding(Outcome.FAIL, 3.0),
        "1.5": finding(Outcome.UNKNOWN),
    }
    for uid in found:
        save_exam(workspace, replace(record(uid), site="A" if uid < "1.3" else "B"))
    with workspace.writing() as connection:
        save_judged(connection, {uid: Judged(digest="d", findings=(one,)) for uid, one in found.items()})
    return workspace, found


def test_outcomes_are_counted_by_hospital_and_criterion(filled):
    workspace, _ = filled
    with workspace.reading() as connection:
        counts = criterion_counts(connection)
        assert criterion_counts(connection, protocol="another") == ()
    assert [(c.site, dict(c.outcomes), c.judged) for c in counts] == [
        ("A", {Outcome.PASS: 2}, 2),
        ("B", {Outcome.FAIL: 2, Outcome.UNKNOWN: 1}, 2),
    ]


def test_an_exam_counts_once_by_the_worst_of_its_series(workspace):
    save_exam(workspace, replace(record("1.1"), site="A"))
    found = (finding(Outcome.PASS), *(finding(Outcome.FAIL) for _ in range(6)), finding(Outcome.PASS, role=None))
    with workspace.writing() as connection:
        save_judged(connection, {"1.1": Judged(digest="d", findings=found)})
        counts = criterion_counts(connection)
    assert {c.role: dict(c.outcomes) for c in counts} == {"CT": {Outcome.FAIL: 1}, None: {Outcome.PASS: 1}}


def test_an_exam_is_ranked_among_the_others_by_its_distance_to_the_limit(filled):
    workspace, found = filled
    with workspace.reading() as connection:
        table = peer_table(connection)
    ranks = {uid: table.peers(one) for uid, one in found.items()}
    assert ranks["1.1"] == Peers(count=3, met=1, percentile=100.0)
    assert ranks["1.2"] == Peers(count=3, met=1, percentile=pytest.approx(200 / 3))
    assert ranks["1.4"] == Peers(count=3, met=2, percentile=0.0)
    assert ranks["1.5"] is None


def test_ties_count_half_and_the_only_one_has_no_peers(workspace):
    found = {uid: finding(Outcome.PASS, -1.0) for uid in ("1.1", "1.2", "1.3")}
    alone = finding(Outcome.PASS, -1.0, criterion="gap")
    for uid in found:
        save_exam(workspace, record(uid))
    with workspace.writing() as connection:
        judged = {uid: Judged(digest="d", findings=(one,)) for uid, one in found.items()}
        judged["1.1"] = Judged(digest="d", findings=(found["1.1"], alone))
        save_judged(connection, judged)
        table = peer_table(connection)
    assert table.peers(found["1.1"]) == Peers(count=2, met=2, percentile=50.0)
    assert table.peers(alone) is None
