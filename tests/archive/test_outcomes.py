"""What the criteria of one protocol came to, as rows."""

from __future__ import annotations

from dataclasses import replace

from tests.archive.conftest import record
from tests.archive.test_summaries import finding

from bingcheng.archive.outcomes import outcomes
from bingcheng.archive.records import Judged
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.core.finding import Outcome


def test_each_finding_of_the_protocol_is_a_row_with_its_hospital(workspace):
    found = {
        "1.1": (finding(Outcome.PASS, -2.0, value=3.0), finding(Outcome.FAIL, protocol="another")),
        "1.2": (finding(Outcome.UNKNOWN),),
    }
    for uid in found:
        save_exam(workspace, replace(record(uid), site=f"Hospital {uid}"))
    with workspace.writing() as connection:
        save_judged(connection, {uid: Judged(digest="d", findings=each) for uid, each in found.items()})
    with workspace.reading() as connection:
        rows = outcomes(connection, "p")
        assert outcomes(connection, "absent") == ()
    assert [(r.exam, r.site, r.criterion, r.role, r.outcome, r.value, r.distance) for r in rows] == [
        ("1.1", "Hospital 1.1", "thickness", "CT", Outcome.PASS, 3.0, -2.0),
        ("1.2", "Hospital 1.2", "thickness", "CT", Outcome.UNKNOWN, None, None),
    ]
