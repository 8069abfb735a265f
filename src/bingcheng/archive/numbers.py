"""How the hospitals stand beside each other, as it was worked out last: numbers of scanners, of no patient.

Working it out reads every measurement and every finding, so it is done after exams were assessed, not when somebody
looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection

from bingcheng.archive.about import held, hold
from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.site_counts import MonthCount
from bingcheng.archive.summaries import CriterionCount
from bingcheng.compare.dose_record import DoseQuantity
from bingcheng.compare.dose_reference import ReferenceLevel
from bingcheng.compare.dose_verdict import DoseVerdict
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text

KEY = "numbers"


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionName:
    """What people call a criterion, and what to do where it is broken."""

    protocol: str
    criterion: str
    role: str | None
    title: Text
    protocol_title: Text
    remedy: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """The median CT dose of one hospital's exams of one kind and patient size, beside one reference level.

    Parameters
    ----------
    phantom_cm : diameter of the phantom that the dose refers to.
    band : size of the patients; None for adults of all sizes.
    median : over `count` exams, in the unit of the quantity.
    reference, low : 75th and 25th percentile of the level; the latter None where it has none.
    provisional : too few hospitals are behind the level for it to judge.
    whose : authority and year of a published level; None for the hospitals' own.
    remedy, owner : what to do about it and who; None where nothing needs doing.
    """

    site: str
    procedure: Text
    phantom_cm: float
    band: Text | None
    quantity: DoseQuantity
    count: int
    median: float
    reference: float
    low: float | None
    verdict: DoseVerdict
    sentence: Text
    provisional: bool = False
    whose: str | None = None
    remedy: Text | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseCount:
    """How many CT exams of a hospital there are, and how many of them state a dose."""

    site: str
    exams: int
    stated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What was worked out.

    Parameters
    ----------
    made_at : UTC.
    comparison : each measure at each scanner beside all others.
    criteria : names of all criteria that exams were judged by.
    months, counts : how exams met the protocols, by month and by criterion; None in what an earlier release kept.
    doses, dose_counts : CT doses beside reference levels, and how many exams state any.
    levels : the hospitals' own reference levels.
    """

    made_at: datetime
    comparison: tuple[SiteRow, ...] = ()
    criteria: tuple[CriterionName, ...] = ()
    months: tuple[MonthCount, ...] | None = None
    counts: tuple[CriterionCount, ...] | None = None
    doses: tuple[DoseRow, ...] = ()
    dose_counts: tuple[DoseCount, ...] = ()
    levels: tuple[ReferenceLevel, ...] = ()


def save_numbers(connection: Connection, numbers: Numbers) -> None:
    """Keep `numbers` in place of what was kept before."""
    hold(connection, KEY, encoded(numbers))


def numbers(connection: Connection) -> Numbers | None:
    """What was worked out last; None before the first time.

    Raises
    ------
    InputError
        ``archive.damaged-row``.
    """
    stored = held(connection, KEY)
    return None if stored is None else _read(stored)


@lru_cache(maxsize=2)
def _read(stored: str) -> Numbers:
    """Read once for as long as nothing new is worked out: of fifty hospitals these are thousands of rows."""
    return decoded(Numbers, stored)
