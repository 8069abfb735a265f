"""The numbers of this installation as they leave it: cells below five suppressed, the others rounded; signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.manifest import stamped
from bingcheng.archive.pairing.numbers import (
    FORMAT,
    LEAST_CELL,
    Counts,
    Criterion,
    HospitalNumbers,
    Month,
    NumbersDocument,
    Scanner,
    counts,
    enough,
    read_numbers,
    rounded,
)
from bingcheng.archive.pairing.received_numbers import PURPOSE
from bingcheng.archive.site_counts import UNDATED, Outcomes
from bingcheng.core.finding import Outcome
from bingcheng.server.numbers.shown import HospitalNumbers as Shown
from bingcheng.server.numbers.shown import numbers_of_all


def own_numbers(connection: Connection, key: InstallationKey, now: datetime) -> tuple[bytes, bytes]:
    """The document and its signature.

    Hospitals that nobody has claimed are left out: what scanners write there may be anything.
    """
    found, _ = numbers_of_all(connection)
    hospitals = tuple(_hospital(one) for one in found if one.number is not None and one.exam_count >= LEAST_CELL)
    made = NumbersDocument(
        format=FORMAT,  # type: ignore[arg-type]  # the constant is the one value
        origin=key.identifier,
        made_at=stamped(now),
        hospitals=hospitals,
    )
    written = made.written()
    read_numbers(written)  # the same gate as at the other end
    return written, key.sign(PURPOSE + written)


def _hospital(one: Shown) -> HospitalNumbers:
    return HospitalNumbers(
        name=one.name[:200],
        counts=_counts(one.outcomes),
        months=tuple(
            Month(month=month, counts=_counts(outcomes))
            for month, outcomes in one.months.items()
            if month != UNDATED and enough(outcomes)
        ),
        criteria=tuple(_criteria(one)),
        scanners=tuple(_scanners(one)),
    )


def _criteria(one: Shown) -> Iterator[Criterion]:
    for row in one.criteria:
        if row.passed + row.failed + row.unknown >= LEAST_CELL:
            yield Criterion(
                protocol=row.protocol[:100],
                criterion=row.criterion[:100],
                level=row.level[:100],
                counts=counts(row.passed, row.failed, row.unknown),
            )


def _scanners(one: Shown) -> Iterator[Scanner]:
    for row in one.comparison:
        if row.count >= LEAST_CELL:
            yield Scanner(
                device=row.device[:200],
                key=row.key[:100],
                label=row.label[:200],
                unit=row.unit,
                count=rounded(row.count),
                median=float(row.median),
                spread=None if row.spread is None else float(row.spread),
                others_median=None if row.others_median is None else float(row.others_median),
                deviation=None if row.deviation is None else float(row.deviation),
                flagged=bool(row.flagged),
            )


def _counts(outcomes: Outcomes) -> Counts:
    return counts(outcomes[Outcome.PASS], outcomes[Outcome.FAIL], outcomes[Outcome.UNKNOWN])
