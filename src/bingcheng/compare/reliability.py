"""How well a value tells one lesion from another, in spite of its own uncertainty: the intraclass correlation.

A feature that moves little when a lesion is outlined or imaged again is of no use if it differs as little between
lesions. The intraclass correlation sets one against the other: the part of the variance between values that is due to
the lesions,

ICC = var(between) / (var(between) + var(within)) = 1 - mean(u^2) / var(x),

where x are the values of n lesions, measured once each in the same way, and u their standard uncertainties. This is
ICC(1,1), one-way random effects, absolute agreement, single measurement, of Shrout & Fleiss (Psychol Bull
1979;86:420-428), with the mean square within taken from each lesion's own repetitions instead of from repeated values.
Its confidence interval is theirs: var(x) / mean(u^2), divided by its expectation, has an F distribution with n - 1
degrees of freedom and those of the uncertainties.

The grade is that of Koo & Li (J Chiropr Med 2016;15:155-163) and goes by the lower bound of the 95 % interval, as
Zwanenburg et al. (Sci Rep 2019;9:614) grade features by perturbation: below 0.5 poor, below 0.75 moderate, below 0.9
good, otherwise excellent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import fdtri

from bingcheng.core.errors import Owner, Problem, Undefined

FEWEST_LESIONS = 10
"""With fewer the 95 % interval is so wide that hardly any feature leaves the lowest grade."""
CONFIDENCE = 0.95

TOO_FEW_LESIONS = Problem(
    code="compare.too-few-lesions-to-grade",
    says="too few lesions were measured in this way to tell how robust this feature is: {lesions} of {needed}",
    remedy="Measure more lesions with the same settings; until then go by the uncertainty of the value.",
    owner=Owner.OPERATOR,
)
NO_SPREAD = Problem(
    code="compare.lesions-all-alike",
    says="all lesions have the same value, so that nothing can be told apart by it",
    remedy="Leave this feature out, or measure lesions that differ.",
    owner=Owner.OPERATOR,
)


class Robustness(StrEnum):
    """How far values can be relied on to tell lesions apart (Koo & Li 2016)."""

    POOR = "poor"
    MODERATE = "moderate"
    GOOD = "good"
    EXCELLENT = "excellent"


_BOUNDS = ((0.9, Robustness.EXCELLENT), (0.75, Robustness.GOOD), (0.5, Robustness.MODERATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """The intraclass correlation of one feature over lesions.

    Parameters
    ----------
    icc : ICC(1,1), at most 1; negative where lesions differ less than their uncertainty.
    low, high : its 95 % confidence interval.
    lesions : how many were measured.
    """

    icc: float
    low: float
    high: float
    lesions: int

    @property
    def grade(self) -> Robustness:
        """The grade that the lower bound of the interval earns."""
        return next((grade for bound, grade in _BOUNDS if self.low >= bound), Robustness.POOR)


def reliability(values: Sequence[float], standard_uncertainties: Sequence[float], *, repetitions: int) -> Reliability:
    """The intraclass correlation of one feature.

    Parameters
    ----------
    values : of n lesions, each measured once, all with the same settings.
    standard_uncertainties : of these values (k = 1), from repetitions.
    repetitions : in each lesion; tells how well the uncertainties are known.

    Raises
    ------
    Undefined
        ``compare.too-few-lesions-to-grade``, ``compare.lesions-all-alike``.
    """
    x, u = np.asarray(values, dtype=float), np.asarray(standard_uncertainties, dtype=float)
    if x.size < FEWEST_LESIONS:
        raise Undefined(TOO_FEW_LESIONS, lesions=int(x.size), needed=FEWEST_LESIONS)
    total, within = float(x.var(ddof=1)), float(np.mean(np.square(u)))
    if total == 0.0:
        raise Undefined(NO_SPREAD)
    share = within / total
    tail = 0.5 * (1.0 - CONFIDENCE)
    freedom = x.size - 1, x.size * max(1, repetitions - 1)
    upper, lower = (float(fdtri(*freedom, q)) for q in (1.0 - tail, tail))
    return Reliability(icc=1.0 - share, low=1.0 - share * upper, high=1.0 - share * lower, lesions=int(x.size))
