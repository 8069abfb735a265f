"""Exams are counted by hospital, month and how they met the protocols; every exam once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from tests.archive.conftest import MONDAY, record
from tests.archive.test_worklist import finding

from bingcheng.archive.records import Judged
from bingcheng.archive.site_counts import UNDATED, month_counts
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.core.finding import Outcome
from bingcheng.dicom.exam import Patient


@pytest.fixture
def counted(workspace):
    dates = {"1": MONDAY, "2": MONDAY + timedelta(days=20), "3": MONDAY + timedelta(days=40), "4": None, "5": MONDAY}
    for uid, at in dates.items():
        site = "South" if uid == "5" else "North"
        save_exam(workspace, record(uid, site=site, performed_at=at, patient=Patient(patient_id=uid)))
    outcomes = {"1": Outcome.PASS, "2": Outcome.FAIL, "3": Outcome.UNKNOWN, "5": Outcome.FAIL}
    with workspace.writing() as connection:
        found = {
            uid: Judged(digest="d", findings=(finding(one), finding(Outcome.PASS))) for uid, one in outcomes.items()
        }
        save_judged(connection, found)
        return month_counts(connection)


def test_by_hospital_and_month(counted):
    assert [(one.site, one.month, one.outcomes) for one in counted] == [
        ("North", UNDATED, Counter({None: 1})),
        ("North", "2026-01", Counter({Outcome.PASS: 1, Outcome.FAIL: 1})),
        ("North", "2026-02", Counter({Outcome.UNKNOWN: 1})),
        ("South", "2026-01", Counter({Outcome.FAIL: 1})),
    ]


def test_every_exam_once(counted):
    assert sum(one.outcomes.total() for one in counted) == 5
