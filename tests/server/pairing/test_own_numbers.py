"""The numbers that leave: of claimed hospitals, without small cells, and of no patient."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update
from tests.archive.conftest import record

from bingcheng.archive import schema
from bingcheng.archive.pairing.key import InstallationKey, verified
from bingcheng.archive.pairing.numbers import Counts, read_numbers
from bingcheng.archive.pairing.received_numbers import PURPOSE
from bingcheng.archive.store import save_exam
from bingcheng.server.pairing.own_numbers import own_numbers


def examined(served, site: str, count: int, failed: int = 0) -> None:
    """Exams of a hospital of which `failed` broke a criterion, the others met it."""
    for number in range(count):
        uid = f"1.2.{sum(map(ord, site))}.{number}"
        save_exam(served.site.workspace, record(uid, site=site, series=0))
        broken = number < failed
        finding = {
            "exam_uid": uid,
            "protocol": "liver-ct",
            "criterion": "slice-thickness",
            "outcome": "fail" if broken else "pass",
            "level": "required",
            "gates": True,
            "record": "{}",
        }
        with served.site.workspace.writing() as connection:
            exam = update(schema.exam).where(schema.exam.c.uid == uid)
            connection.execute(exam.values(failed=int(broken), passed=int(not broken), unknown=0))
            connection.execute(insert(schema.finding), finding)


def told(served):
    key = InstallationKey.of(served.site.workspace.folder)
    with served.site.workspace.reading() as connection:
        written, signature = own_numbers(connection, key, served.clock())
    assert verified(key.public, signature, PURPOSE + written)
    return read_numbers(written).hospitals, written.decode()


def test_small_cells_and_small_hospitals_are_left_out(served):
    examined(served, "North", 9, failed=2)
    examined(served, "South", 4)
    (north,), _ = told(served)
    assert north.name == "North Hospital"
    assert (north.counts.passed, north.counts.failed, north.counts.unknown) == (5, None, 0)
    (month,) = north.months
    assert (month.month, month.counts) == ("2026-01", north.counts)
    (criterion,) = north.criteria
    assert (criterion.criterion, criterion.counts) == ("slice-thickness", north.counts)


@pytest.mark.parametrize("failed", [1, 2, 3, 4])
def test_a_hidden_count_is_not_what_is_left_of_the_counts_that_are_told(served, failed):
    """Of twenty exams so many failed: who knows that they were twenty does not learn how many of them."""
    examined(served, "North", 20, failed=failed)
    (north,), _ = told(served)
    assert north.counts == Counts(passed=20 if failed < 3 else 15, failed=None, unknown=0)
    assert [one.counts for one in north.criteria] == [north.counts]


def test_names_that_nobody_claimed_and_identities_do_not_leave(served):
    examined(served, "Doe Private Practice", 8)
    examined(served, "North", 8)
    hospitals, written = told(served)
    assert [one.name for one in hospitals] == ["North Hospital"]
    for secret in ("Doe", "KH-1", "P-", "1.2.", "1960"):
        assert secret not in written
