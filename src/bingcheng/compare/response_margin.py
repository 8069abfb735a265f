"""How far a sum of diameters lies from the limits of RECIST 1.1, beside what measuring it leaves open.

Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.3.1: partial response from 30 % below the baseline's sum,
progression from 20 % and 5 mm above the smallest sum so far. The rules take a sum as exact. A sum that comes as near to
a limit as the uncertainties of both allow could have fallen on its other side, and whoever reads the answer is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bingcheng.core.wording import Text, text

PARTIAL_SHARE, PROGRESS_SHARE, PROGRESS_LEAST_MM = 0.7, 1.2, 5.0
COVERAGE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOfDiameters:
    """The sum of the targets in one exam.

    Parameters
    ----------
    uncertainty_mm : its standard uncertainty; None if that of a target is not known.
    """

    mm: float
    uncertainty_mm: float | None


def sum_uncertainty_mm(targets: Sequence[float | None]) -> float | None:
    """The standard uncertainty of a sum, as if its parts erred together: one reader and one scanner made all of them.

    Parameters
    ----------
    targets : the standard uncertainty of each, in mm.

    Returns
    -------
    In mm; None if that of one is not known.
    """
    known = [one for one in targets if one is not None]
    return sum(known) if len(known) == len(targets) else None


def partial_limit_mm(baseline_mm: float) -> float:
    """The largest sum that is a partial response."""
    return PARTIAL_SHARE * baseline_mm


def progress_limit_mm(nadir_mm: float) -> float:
    """The smallest sum that is progression.

    Parameters
    ----------
    nadir_mm : the smallest sum so far, the baseline's included.
    """
    return max(PROGRESS_SHARE * nadir_mm, nadir_mm + PROGRESS_LEAST_MM)


def margins(baseline: SumOfDiameters, later: Sequence[SumOfDiameters | None]) -> Iterator[tuple[Text, ...]]:
    """Of each sum after the baseline the limits on whose other side it may lie, in words.

    Parameters
    ----------
    later : in time; None where the sum is not known.
    """
    nadir = baseline
    for one in later:
        if one is None:
            yield ()
            continue
        yield tuple(_margins(one, baseline, nadir))
        nadir = min(nadir, one, key=lambda found: found.mm)


def _margins(one: SumOfDiameters, baseline: SumOfDiameters, nadir: SumOfDiameters) -> Iterator[Text]:
    limit = partial_limit_mm(baseline.mm)
    expanded = _expanded_mm(one, baseline, PARTIAL_SHARE)
    if expanded is not None and abs(one.mm - limit) <= expanded:
        yield text(
            "Within the uncertainty of both (± {expanded} mm) the sum may lie on the other side of {limit} mm, where "
            "partial response begins.",
            expanded=f"{expanded:.1f}",
            limit=f"{limit:.1f}",
        )
    limit = progress_limit_mm(nadir.mm)
    share = PROGRESS_SHARE if limit > nadir.mm + PROGRESS_LEAST_MM else 1.0
    expanded = _expanded_mm(one, nadir, share)
    if expanded is not None and abs(one.mm - limit) <= expanded:
        yield text(
            "Within the uncertainty of both (± {expanded} mm) the sum may lie on the other side of {limit} mm, where "
            "progression begins.",
            expanded=f"{expanded:.1f}",
            limit=f"{limit:.1f}",
        )


def _expanded_mm(one: SumOfDiameters, reference: SumOfDiameters, share: float) -> float | None:
    """The expanded uncertainty of a sum's distance from a limit that is a share of another sum; None if not known."""
    if one.uncertainty_mm is None or reference.uncertainty_mm is None:
        return None
    return COVERAGE * math.hypot(one.uncertainty_mm, share * reference.uncertainty_mm)
