"""Only a required and verified criterion gates, and UNKNOWN gates as FAIL does."""

from __future__ import annotations

import pytest

from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.wording import text


@pytest.mark.parametrize(
    ("outcome", "level", "trust", "gates"),
    [
        (Outcome.FAIL, Level.REQUIRED, Trust.VERIFIED, True),
        (Outcome.UNKNOWN, Level.REQUIRED, Trust.QUOTED, True),
        (Outcome.PASS, Level.REQUIRED, Trust.VERIFIED, False),
        (Outcome.WAIVED, Level.REQUIRED, Trust.VERIFIED, False),
        (Outcome.NOT_APPLICABLE, Level.REQUIRED, Trust.VERIFIED, False),
        (Outcome.FAIL, Level.RECOMMENDED, Trust.VERIFIED, False),
        (Outcome.FAIL, Level.REQUIRED, Trust.UNVERIFIED, False),
    ],
)
def test_what_gates(outcome, level, trust, gates):
    finding = Finding(
        protocol="p", criterion="c", title=text("t"), outcome=outcome, level=level, trust=trust, source="s"
    )
    assert finding.gates is gates
