"""How fast a lesion grows between two examinations, and what it weighs; each with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.core.measure import Estimate
from bingcheng.core.wording import Text, text

NO_MEASURABLE_GROWTH = Problem(
    code="quantify.no-measurable-growth",
    says="the lesion changed by {change_percent} %, which measurement alone may do (up to {repeatability_percent} %)",
    remedy="Examine again after a longer interval with the same protocol.",
    owner=Owner.RADIOLOGIST,
)
NOT_POSITIVE = Problem(
    code="quantify.growth-not-positive",
    says="{what} must be above zero, but is {value}",
    remedy="Give both sizes, and the two dates in their order; a lesion that is gone has no doubling time.",
    owner=Owner.RADIOLOGIST,
)

FIRST = text("The size at the first examination")
SECOND = text("The size at the second examination")
TIME = text("The time between the examinations")
VOLUME = text("The volume")
DENSITY = text("The density")

COVERAGE = 1.959964
"""Standard uncertainties on each side of an interval that holds the true value in 95 of 100 cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with the bounds of its 95 % interval; None where an uncertainty is unknown."""

    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Exponential growth between two examinations.

    Parameters
    ----------
    rate_per_d : specific growth rate of the volume, ``ln(V2 / V1) / dt``, per day; negative if it shrinks.
    rate_uncertainty_per_d : its standard uncertainty, None if that of a size is unknown.
    interval_d : time between the examinations in days.
    """

    rate_per_d: float
    rate_uncertainty_per_d: float | None
    interval_d: float

    @property
    def rate(self) -> Interval:
        """The specific growth rate per day with its interval."""
        if self.rate_uncertainty_per_d is None:
            return Interval(value=self.rate_per_d, lower=None, upper=None)
        reach = COVERAGE * self.rate_uncertainty_per_d
        return Interval(value=self.rate_per_d, lower=self.rate_per_d - reach, upper=self.rate_per_d + reach)

    def doubling_time_d(self) -> Interval:
        """The time in which the volume doubles, ``ln 2 / rate``, in days; negative: the time in which it halves.

        The bounds are those of the rate turned over, so that they lie unevenly about the value.

        Raises
        ------
        Undefined
            ``quantify.no-measurable-growth``: the change is within the repeatability coefficient of the two sizes
            (the interval of the rate holds zero), or there is none at all.
        """
        rate = self.rate
        if rate.value == 0.0 or (rate.lower is not None and rate.upper is not None and rate.lower <= 0.0 <= rate.upper):
            within = 0.0 if rate.upper is None else (rate.upper - rate.value) * self.interval_d
            raise Undefined(
                NO_MEASURABLE_GROWTH,
                change_percent=100.0 * math.expm1(rate.value * self.interval_d),
                repeatability_percent=100.0 * math.expm1(within),
            )
        value = math.log(2.0) / rate.value
        if rate.lower is None or rate.upper is None:
            return Interval(value=value, lower=None, upper=None)
        return Interval(value=value, lower=math.log(2.0) / rate.upper, upper=math.log(2.0) / rate.lower)


def growth_of_volume(first: Estimate, second: Estimate, interval_d: float) -> Growth:
    """Growth between two volumes of one unit, each with its standard uncertainty.

    Volumes err by a part of themselves, so that their logarithms have the uncertainty ``u(V) / V``; errors of the
    two examinations are taken as independent. With equal parts the limit of what is measurable is the repeatability
    coefficient, ``1.96 sqrt(2)`` times the within-lesion coefficient of variation.

    Parameters
    ----------
    first, second : the earlier and the later volume, above zero.
    interval_d : days between them, above zero.

    Raises
    ------
    InputError
        ``quantify.growth-not-positive``.

    Notes
    -----
    Schwartz, Cancer 1961;14:1272-1294 (doubling time); Mehrara et al., Cancer Res 2007;67:3970-3975 (growth rate).
    """
    return _growth(first, second, interval_d, power=1)


def growth_of_diameter(first: Estimate, second: Estimate, interval_d: float) -> Growth:
    """Growth of the volume from two diameters of one unit, for a lesion that keeps its shape: ``V ~ d^3``.

    Parameters and errors as `growth_of_volume`; the doubling time is ``dt ln 2 / (3 ln(d2 / d1))``.
    """
    return _growth(first, second, interval_d, power=3)


def mass_mg(volume_mm3: Estimate, mean_hu: Estimate) -> Estimate:
    """The mass of a lesion in CT, mg: its volume times ``1 + HU / 1000``, the density of tissue in mg/mm3.

    Parameters
    ----------
    volume_mm3 : with its standard uncertainty.
    mean_hu : mean CT number in the volume, above -1000, with its standard uncertainty.

    Raises
    ------
    InputError
        ``quantify.growth-not-positive``: the volume is not above zero, or the mean is -1000 HU or less.

    Notes
    -----
    De Hoop et al., Radiology 2010;255:199-206. What noise and outline do to volume and mean is taken as independent.
    """
    density = 1.0 + mean_hu.value / 1000.0
    for what, value in ((VOLUME, volume_mm3.value), (DENSITY, density)):
        _above_zero(what, value)
    mass = volume_mm3.value * density
    if volume_mm3.standard_uncertainty is None or mean_hu.standard_uncertainty is None:
        return Estimate(mass)
    parts = (volume_mm3.standard_uncertainty * density, volume_mm3.value * mean_hu.standard_uncertainty / 1000.0)
    return Estimate(mass, math.hypot(*parts))


def _growth(first: Estimate, second: Estimate, interval_d: float, *, power: int) -> Growth:
    for what, value in ((FIRST, first.value), (SECOND, second.value), (TIME, interval_d)):
        _above_zero(what, value)
    uncertainty = None
    if first.standard_uncertainty is not None and second.standard_uncertainty is not None:
        parts = (first.standard_uncertainty / first.value, second.standard_uncertainty / second.value)
        uncertainty = power * math.hypot(*parts) / interval_d
    return Growth(
        rate_per_d=power * math.log(second.value / first.value) / interval_d,
        rate_uncertainty_per_d=uncertainty,
        interval_d=interval_d,
    )


def _above_zero(what: Text, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise InputError(NOT_POSITIVE, what=what, value=value)
