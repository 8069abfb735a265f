"""Diagnostic reference levels from the hospitals' own exams, and exams and hospitals judged by them.

For each procedure, size band and quantity, the reference level (DRL) is the 75th percentile of the hospitals' medians,
the achievable dose their 50th, and a dose under their 25th is unusually low (WS/T 637-2018; ICRP Publication 135).

A hospital counts from 20 exams on, and a level judges from 10 hospitals on: ICRP Publication 135 asks for 20 patients
a group for CT, and for 10 to 20 facilities for a local survey. Below that the level is provisional: it is shown with
its numbers and judges nobody.

A DRL is no limit and not for single patients. An exam above it is a question; a hospital whose median is above it has
a protocol to optimise. Unusually low doses are a question too: whether the images are still good enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from zlib import crc32

from bingcheng.compare.dose_groups import Procedure, SizeBand, SizeScheme
from bingcheng.compare.dose_percentiles import Percentile, percentiles_of_medians
from bingcheng.compare.dose_record import DoseQuantity, DoseRecord

FEWEST_EXAMS = 20
"""Exams a hospital needs for its median to count (ICRP Publication 135: patients a group, CT)."""
FEWEST_SITES = 10
"""Hospitals a level needs to judge by (ICRP Publication 135: facilities of a local survey)."""

LOW, ACHIEVABLE, DRL = 25.0, 50.0, 75.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseGroup:
    """Whose doses are compared: the same procedure, size band, phantom and quantity."""

    procedure: Procedure
    band: SizeBand
    phantom_cm: float
    quantity: DoseQuantity


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDose:
    """One hospital's exams of one group: how many, their median, and whether they are enough to count."""

    site: str
    count: int
    median: float
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceLevel:
    """The level of one group, in the unit of its quantity.

    Parameters
    ----------
    drl, achievable, low : percentiles 75, 50 and 25 of the hospitals' medians.
    sites : all hospitals of the group, by name; those that count made the level, all did where it is provisional.
    fewest_exams, fewest_sites : what was asked for.
    estimates_left_out : exams whose value is an estimate; they never make a level.
    """

    group: DoseGroup
    drl: Percentile
    achievable: Percentile
    low: Percentile
    sites: tuple[SiteDose, ...]
    fewest_exams: int = FEWEST_EXAMS
    fewest_sites: int = FEWEST_SITES
    estimates_left_out: int = 0

    @property
    def provisional(self) -> bool:
        """Whether too few hospitals with enough exams are behind it to judge by it."""
        return sum(site.counts for site in self.sites) < self.fewest_sites

    @property
    def exam_count(self) -> int:
        """Exams of all its hospitals."""
        return sum(site.count for site in self.sites)


def reference_levels(
    records: Iterable[DoseRecord], *, fewest_exams: int = FEWEST_EXAMS, fewest_sites: int = FEWEST_SITES
) -> tuple[ReferenceLevel, ...]:
    """The levels of all groups that have a value, in the order of procedure, phantom, band and quantity.

    Left out are records without a phantom, a body region or a size, and estimated values.

    Parameters
    ----------
    records : of all exams, one or more an exam.
    fewest_exams, fewest_sites : what a hospital, and a level, need.
    """
    values: dict[DoseGroup, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    left_out: dict[DoseGroup, int] = defaultdict(int)
    for record in records:
        for quantity, value in record.values.items():
            group = group_of(record, quantity)
            if group is None:
                continue
            if value.is_estimate:
                left_out[group] += 1
            else:
                values[group][record.site].append(value.value)
    return tuple(
        _level(group, by_site, fewest_exams, fewest_sites, left_out[group])
        for group, by_site in sorted(values.items(), key=lambda item: order(item[0]))
    )


def group_of(record: DoseRecord, quantity: DoseQuantity) -> DoseGroup | None:
    """The group that a value of a record belongs to; None where region, size or phantom are not known."""
    known = record.procedure.regions and record.band.scheme is not SizeScheme.UNKNOWN
    if not known or record.phantom_cm is None:
        return None
    return DoseGroup(procedure=record.procedure, band=record.band, phantom_cm=record.phantom_cm, quantity=quantity)


def order(group: DoseGroup) -> tuple[object, ...]:
    """Groups as they are listed: by procedure from head to foot, then by phantom, size and quantity."""
    places = list(type(group.procedure.regions[0])) if group.procedure.regions else []
    return (
        group.procedure.hybrid,
        tuple(places.index(region) for region in group.procedure.regions),
        group.procedure.protocol or "",
        group.phantom_cm,
        group.band.scheme.value,
        -1.0 if group.band.low is None else group.band.low,
        list(DoseQuantity).index(group.quantity),
    )


def site_medians(values: Mapping[str, Sequence[float]], fewest_exams: int = FEWEST_EXAMS) -> tuple[SiteDose, ...]:
    """Each hospital's median, by name."""
    return tuple(
        SiteDose(site=site, count=len(doses), median=median(doses), counts=len(doses) >= fewest_exams)
        for site, doses in sorted(values.items())
    )


def _level(
    group: DoseGroup,
    values: Mapping[str, Sequence[float]],
    fewest_exams: int,
    fewest_sites: int,
    left_out: int,
) -> ReferenceLevel:
    sites = site_medians(values, fewest_exams)
    counting = [site.site for site in sites if site.counts]
    enough = len(counting) >= fewest_sites
    low, achievable, drl = percentiles_of_medians(
        [values[site] for site in (counting if enough else sorted(values))],
        (LOW, ACHIEVABLE, DRL),
        seed=crc32(repr(order(group)).encode()),
    )
    return ReferenceLevel(
        group=group,
        drl=drl,
        achievable=achievable,
        low=low,
        sites=sites,
        fewest_exams=fewest_exams,
        fewest_sites=fewest_sites,
        estimates_left_out=left_out,
    )
