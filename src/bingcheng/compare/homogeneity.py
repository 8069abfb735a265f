"""Whether hospitals measure alike: each scanner's values beside those of all other hospitals.

Only measures of whole series count (noise, sharpness, liver uptake, SNR): a lesion's values differ because patients do.
One value an exam and scanner is used, the median over the exam's series, so that a many-series exam has no more weight.

The test. A scanner's median ``m`` with ``n`` exams stands beside the median ``M`` of the ``N`` exams of all other
hospitals. The deviation ``m - M`` is flagged when it exceeds ``t * sqrt(v)``, where

- ``v = (pi / 2) s² (1/n + 1/N) + u² + U² + b²``;
- ``s`` is the robust spread within scanners: 1.4826 times the median absolute residual from each scanner's own
  median, pooled over all scanners and corrected by ``sqrt(R / (R - G))`` for the ``G`` medians taken from ``R``
  values; pi / 2 is what the variance of a median of normal values has over that of a mean;
- ``u`` and ``U`` are the median standard uncertainties of the measure there and elsewhere. They are not divided by the
  number of exams, because a scanner's calibration error does not average out;
- ``b`` is how far the other hospitals' medians spread among themselves (1.4826 MAD from three hospitals on, the range
  over 1.128 for two, 0 for one, which is why two hospitals can tell that they differ but not who deviates);
- ``t`` is Student's 97.5 % point for ``R - G`` degrees of freedom.

With fewer than three degrees of freedom, or a single hospital, nothing is flagged and the row says why.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bingcheng.compare.explanation import explanation
from bingcheng.compare.observation import Observation
from bingcheng.compare.verdict import modality_of
from bingcheng.core.measurement import Tells
from bingcheng.core.wording import Text, text

NORMAL_CONSISTENT = 1.4826
"""Standard deviations per median absolute deviation of a normal distribution."""
RANGE_OF_TWO = 1.128
"""Expected range of two normal values in standard deviations (d2 of control charts)."""
FEWEST_DEGREES = 3
"""Below this many degrees of freedom the spread within scanners is not known well enough to judge by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """One measure at one scanner of one hospital, beside all others.

    Parameters
    ----------
    median, spread : of the values there; spread is the interquartile range, None below three values.
    values : one an exam, in the order of time.
    others_median : over all other hospitals.
    deviation : median minus others' median, in `unit`.
    flagged : whether the deviation is outside what the measure's uncertainty and the sites' spread explain.
    explanation : why it may differ, or why nothing can be said; None where nothing needs explaining.
    """

    site: str
    device: str
    key: str
    label: str
    unit: str
    count: int
    median: float
    spread: float | None
    values: tuple[float, ...]
    others_median: float | None
    deviation: float | None
    flagged: bool
    explanation: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scanner:
    """All observations of one measure at one scanner, and one value an exam."""

    site: str
    device: str
    observations: tuple[Observation, ...]
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return float(np.median(self.values))

    @property
    def uncertainty(self) -> float:
        known = [u for o in self.observations if (u := o.measurement.standard_uncertainty) is not None]
        return float(np.median(known)) if known else 0.0


def site_rows(observations: Iterable[Observation]) -> tuple[SiteRow, ...]:
    """One row for each measure and scanner, in the order of measure, hospital and scanner.

    Parameters
    ----------
    observations : in any order; those of lesions, of what does not tell of the scanner, and those without a value
        are left out.
    """
    measured: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for observation in observations:
        of_scanner = observation.lesion is None and observation.measurement.tells is Tells.SCANNER
        if of_scanner and observation.measurement.value is not None:
            measured[observation.measurement.key, modality_of(observation)].append(observation)
    rows: list[SiteRow] = []
    for _, group in sorted(measured.items()):
        scanners = _scanners(group)
        rows.extend(_row(scanner, scanners) for scanner in scanners)
    return tuple(rows)


def _scanners(group: Iterable[Observation]) -> tuple[_Scanner, ...]:
    by_scanner: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for observation in group:
        by_scanner[observation.site, observation.device].append(observation)
    return tuple(
        _Scanner(site=site, device=device, observations=tuple(mine), values=_one_an_exam(mine))
        for (site, device), mine in sorted(by_scanner.items())
    )


def _one_an_exam(observations: Sequence[Observation]) -> tuple[float, ...]:
    exams: dict[str, list[float]] = defaultdict(list)
    for observation in sorted(observations, key=lambda o: (o.performed_at is None, str(o.performed_at), o.exam_uid)):
        assert observation.measurement.value is not None
        exams[observation.exam_uid].append(observation.measurement.value)
    return tuple(float(np.median(values)) for values in exams.values())


def _row(scanner: _Scanner, all_scanners: Sequence[_Scanner]) -> SiteRow:
    others = tuple(other for other in all_scanners if other.site != scanner.site)
    others_median = float(np.median([v for other in others for v in other.values])) if others else None
    deviation = None if others_median is None else scanner.median - others_median
    flagged, why = (False, None) if deviation is None else _judged(scanner, others, all_scanners, deviation)
    described = scanner.observations[0].measurement
    return SiteRow(
        site=scanner.site,
        device=scanner.device,
        key=described.key,
        label=described.label,
        unit=described.unit,
        count=len(scanner.values),
        median=scanner.median,
        spread=_interquartile_range(scanner.values),
        values=scanner.values,
        others_median=others_median,
        deviation=deviation,
        flagged=flagged,
        explanation=why,
    )


def _judged(
    scanner: _Scanner, others: Sequence[_Scanner], all_scanners: Sequence[_Scanner], deviation: float
) -> tuple[bool, Text | None]:
    total = sum(len(s.values) for s in all_scanners)
    degrees = total - len(all_scanners)
    if degrees < FEWEST_DEGREES:
        return False, text(
            "Too few exams to judge by: {count} values on {scanners} scanners.", count=total, scanners=len(all_scanners)
        )
    from scipy.special import stdtrit  # noqa: PLC0415 - a server shows rows without it; scipy.stats is ten times larger

    allowed = float(stdtrit(degrees, 0.975)) * math.sqrt(_variance(scanner, others, all_scanners, degrees))
    if abs(deviation) <= allowed:
        return False, None
    elsewhere = [observation for other in others for observation in other.observations]
    return True, explanation(scanner.observations, elsewhere)


def _variance(scanner: _Scanner, others: Sequence[_Scanner], all_scanners: Sequence[_Scanner], degrees: int) -> float:
    residuals = np.concatenate([np.asarray(s.values) - s.median for s in all_scanners])
    # residuals of scanners with one exam are zero by construction and say nothing of the spread
    told = np.concatenate([np.asarray(s.values) - s.median for s in all_scanners if len(s.values) > 1])
    within = NORMAL_CONSISTENT * float(np.median(np.abs(told))) * math.sqrt(residuals.size / degrees)
    count, elsewhere = len(scanner.values), sum(len(other.values) for other in others)
    medians = [float(np.median([v for o in others if o.site == site for v in o.values])) for site in _sites(others)]
    their_uncertainty = float(np.median([other.uncertainty for other in others]))
    return (
        math.pi / 2 * within**2 * (1 / count + 1 / elsewhere)
        + scanner.uncertainty**2
        + their_uncertainty**2
        + _spread_of_sites(medians) ** 2
    )


def _sites(scanners: Iterable[_Scanner]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scanner.site for scanner in scanners))


def _spread_of_sites(medians: Sequence[float]) -> float:
    if len(medians) < 2:
        return 0.0
    if len(medians) == 2:
        return abs(medians[1] - medians[0]) / RANGE_OF_TWO
    return NORMAL_CONSISTENT * float(np.median(np.abs(np.asarray(medians) - np.median(medians))))


def _interquartile_range(values: Sequence[float]) -> float | None:
    if len(values) < 3:
        return None
    low, high = np.percentile(values, (25, 75))
    return float(high - low)
