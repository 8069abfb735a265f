"""How the hospitals stand beside each other, as it was worked out last: numbers of scanners, of no patient.

Working it out reads every measurement, so it is done after exams were assessed, not when somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive import schema
from bingcheng.archive.codec import decoded, encoded
from bingcheng.compare.homogeneity import SiteRow
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
class Numbers:
    """What was worked out.

    Parameters
    ----------
    made_at : UTC.
    comparison : each measure at each scanner beside all others.
    criteria : names of all criteria that exams were judged by.
    """

    made_at: datetime
    comparison: tuple[SiteRow, ...] = ()
    criteria: tuple[CriterionName, ...] = ()


def save_numbers(connection: Connection, numbers: Numbers) -> None:
    """Keep `numbers` in place of what was kept before."""
    about = schema.about
    connection.execute(delete(about).where(about.c.key == KEY))
    connection.execute(insert(about), {"key": KEY, "value": encoded(numbers)})


def numbers(connection: Connection) -> Numbers | None:
    """What was worked out last; None before the first time."""
    stored = connection.scalar(select(schema.about.c.value).where(schema.about.c.key == KEY))
    return None if stored is None else decoded(Numbers, stored)
