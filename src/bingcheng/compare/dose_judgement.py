"""Exams and hospitals judged by diagnostic reference levels: above, unusually low, as usual, or not to be said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bingcheng.compare.dose_groups import Procedure, SizeBand
from bingcheng.compare.dose_published import ADULT_FROM_A, PublishedLevel
from bingcheng.compare.dose_record import DoseQuantity, DoseRecord, DoseValue
from bingcheng.compare.dose_reference import FEWEST_EXAMS, DoseGroup, ReferenceLevel, group_of, site_medians
from bingcheng.compare.dose_verdict import (
    LOOK_AT_IMAGES,
    OPTIMISE,
    OWN,
    SEND_REPORT,
    VERDICT_OUTCOMES,
    DoseVerdict,
    exam_sentence,
    site_sentence,
    too_few,
    what_to_do,
    why_no_group,
)
from bingcheng.core.errors import Owner
from bingcheng.core.finding import Finding, Level, Trust
from bingcheng.core.units import unit
from bingcheng.core.wording import Text, text

PROTOCOL = "dose"
"""What stands as the protocol of a dose finding."""
OWN_SOURCE = "ICRP Publication 135 (2017); WS/T 637-2018: percentiles 75 and 25 of the hospitals' medians"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseJudgement:
    """One dose value beside one level.

    Parameters
    ----------
    quantity, value : what is judged; None where there is none.
    verdict, sentence : the judgement, and as people read it.
    remedy, owner : what to do and who; None where nothing needs doing.
    reference : the level's 75th percentile; `low` : its 25th; None where there is none.
    whose : authority and year of a published level; None for the hospitals' own.
    """

    quantity: DoseQuantity
    value: DoseValue | None
    verdict: DoseVerdict
    sentence: Text
    reference: float | None = None
    low: float | None = None
    whose: str | None = None
    remedy: Text | None = None
    owner: Owner | None = None
    source: str = OWN_SOURCE
    trust: Trust = Trust.VERIFIED

    @property
    def asks(self) -> bool:
        """Whether somebody has something to look at or to mend."""
        return self.remedy is not None

    def finding(self) -> Finding:
        """The same as a protocol finding: recommended and never gating, because a DRL is no limit."""
        symbol, code = self.quantity.symbol, self.quantity.unit
        shown, limit = None, None
        if self.value is not None:
            shown = text("{value} {unit}", value=self.value.value, unit=unit(code).symbol)
        if self.reference is not None:
            limit = text("at most {value} {unit}", value=self.reference, unit=unit(code).symbol)
        if self.verdict is DoseVerdict.LOW and self.low is not None:
            limit = text("at least {value} {unit}", value=self.low, unit=unit(code).symbol)
        return Finding(
            protocol=PROTOCOL,
            protocol_title=text("CT dose"),
            criterion=f"{self.quantity.value}.{self.whose or 'own'}",
            title=text("{quantity} beside the diagnostic reference level", quantity=symbol),
            outcome=VERDICT_OUTCOMES[self.verdict],
            level=Level.RECOMMENDED,
            trust=self.trust,
            source=self.source,
            measured=shown,
            limit=limit,
            unit=code,
            value=None if self.value is None else self.value.value,
            distance=self._distance(),
            reason=self.sentence,
            remedy=self.remedy,
            owner=self.owner,
        )

    def _distance(self) -> float | None:
        if self.value is None or self.reference is None:
            return None
        if self.verdict is DoseVerdict.LOW and self.low is not None:
            return self.low - self.value.value
        return self.value.value - self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSite:
    """One hospital's median beside one level.

    Parameters
    ----------
    band : the size that the level is for; None for adults of all sizes.
    median : the hospital's, in the unit of the quantity, over `count` exams.
    reference : the level's 75th percentile; `low` : its 25th, None where it has none.
    whose : authority and year of a published level; None for the hospitals' own.
    """

    site: str
    procedure: Procedure
    phantom_cm: float
    quantity: DoseQuantity
    band: SizeBand | None
    verdict: DoseVerdict
    sentence: Text
    median: float
    count: int
    reference: float
    low: float | None
    whose: str | None = None

    @property
    def remedy(self) -> Text | None:
        """What the hospital should do; None if nothing."""
        return {DoseVerdict.ABOVE: OPTIMISE, DoseVerdict.LOW: LOOK_AT_IMAGES}.get(self.verdict)

    @property
    def owner(self) -> Owner | None:
        """Who should; None if nobody."""
        return {DoseVerdict.ABOVE: Owner.PHYSICIST, DoseVerdict.LOW: Owner.RADIOLOGIST}.get(self.verdict)


def judged(
    record: DoseRecord,
    levels: Iterable[ReferenceLevel],
    published: Iterable[PublishedLevel] = (),
) -> tuple[DoseJudgement, ...]:
    """The doses of one exam beside the hospitals' own levels, and beside published ones where there are any.

    Parameters
    ----------
    record : the exam.
    levels : of all groups, `reference_levels`.
    published : of the authorities that the reader goes by; an unverified one tells its number and judges nothing.
    """
    by_group = {level.group: level for level in levels}
    own = {quantity: _by_own(record, quantity, by_group) for quantity in DoseQuantity}
    settled = {quantity for quantity, one in own.items() if one.verdict is not DoseVerdict.UNKNOWN}
    theirs = (_by_published(record, level) for level in published if _fits(record, level))
    return (
        *own.values(),
        # a level of one's own region goes before one from elsewhere: the latter then tells, but asks nobody
        *(replace(one, remedy=None, owner=None) if one.quantity in settled else one for one in theirs),
    )


def judged_sites(level: ReferenceLevel) -> tuple[JudgedSite, ...]:
    """Each hospital's median beside the level of its group, by name.

    A hospital whose median is above the DRL is what DRLs are made to find.
    """
    found = []
    for site in level.sites:
        verdict = DoseVerdict.UNKNOWN
        if not level.provisional and site.counts:
            verdict = _verdict(site.median, level.drl.value, level.low.value)
        words = site_sentence(level.group.quantity, site, verdict, level.drl.value, level.low.value, OWN)
        group = level.group
        found.append(
            JudgedSite(
                site=site.site,
                median=site.median,
                count=site.count,
                reference=level.drl.value,
                low=level.low.value,
                procedure=group.procedure,
                phantom_cm=group.phantom_cm,
                quantity=group.quantity,
                band=group.band,
                verdict=verdict,
                sentence=words,
            )
        )
    return tuple(found)


def judged_by_published(
    records: Iterable[DoseRecord], level: PublishedLevel, fewest_exams: int = FEWEST_EXAMS
) -> tuple[JudgedSite, ...]:
    """Each hospital's median of the adults of all sizes (or of the level's size) beside one published level, by name.

    An unverified level judges nobody; a hospital with fewer than `fewest_exams` is not judged.
    """
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        grown = record.age_a is not None and record.age_a >= ADULT_FROM_A
        if _fits(record, level) and (grown or level.size is not None):
            value = record.values[level.quantity]
            if not value.is_estimate:
                values[record.site].append(value.value)
    sure = level.trust is not Trust.UNVERIFIED
    found = []
    for site in site_medians(values, fewest_exams):
        judges = sure and site.counts
        verdict = _verdict(site.median, level.drl, level.low) if judges else DoseVerdict.UNKNOWN
        whose = text("{authority} {year}", authority=level.authority, year=level.year)
        low = level.drl if level.low is None else level.low
        found.append(
            JudgedSite(
                site=site.site,
                median=site.median,
                count=site.count,
                reference=level.drl,
                low=level.low,
                procedure=level.procedure,
                phantom_cm=level.phantom_cm,
                quantity=level.quantity,
                band=level.size,
                whose=f"{level.authority} {level.year}",
                verdict=verdict,
                sentence=site_sentence(level.quantity, site, verdict, level.drl, low, whose),
            )
        )
    return tuple(found)


def _by_own(record: DoseRecord, quantity: DoseQuantity, levels: Mapping[DoseGroup, ReferenceLevel]) -> DoseJudgement:
    value = record.values.get(quantity)
    if value is None:
        missing = record.absent.get(quantity)
        return DoseJudgement(
            quantity=quantity,
            value=None,
            verdict=DoseVerdict.UNKNOWN,
            sentence=missing.reason if missing else text("The exam states no {quantity}.", quantity=quantity.symbol),
            remedy=missing.remedy if missing else SEND_REPORT,
            owner=missing.owner if missing else Owner.TECHNOLOGIST,
        )
    group = group_of(record, quantity)
    if group is None:
        reason, remedy, owner = why_no_group(record)
        return DoseJudgement(
            quantity=quantity, value=value, verdict=DoseVerdict.UNKNOWN, sentence=reason, remedy=remedy, owner=owner
        )
    level = levels.get(group)
    if level is None or level.provisional:
        return DoseJudgement(
            quantity=quantity,
            value=value,
            verdict=DoseVerdict.UNKNOWN,
            sentence=too_few(level),
            reference=None if level is None else level.drl.value,
            low=None if level is None else level.low.value,
        )
    verdict = _of_value(value, level.drl.value, level.low.value)
    todo, who = what_to_do(verdict, value)
    return DoseJudgement(
        quantity=quantity,
        value=value,
        verdict=verdict,
        sentence=exam_sentence(
            record,
            quantity,
            value,
            verdict,
            reference=level.drl.value,
            low=level.low.value,
            whose=OWN,
        ),
        reference=level.drl.value,
        low=level.low.value,
        remedy=todo,
        owner=who,
    )


def _fits(record: DoseRecord, level: PublishedLevel) -> bool:
    """Whether a published level speaks of the exam: its regions, phantom and size; and the exam has the quantity."""
    same = record.procedure.regions == level.procedure.regions and not record.procedure.hybrid
    sized = level.size is None or level.size == record.band
    return same and sized and record.phantom_cm == level.phantom_cm and level.quantity in record.values


def _by_published(record: DoseRecord, level: PublishedLevel) -> DoseJudgement:
    value = record.values[level.quantity]
    verdict = _of_value(value, level.drl, level.low)
    whose = f"{level.authority} {level.year}"
    words = exam_sentence(
        record,
        level.quantity,
        value,
        verdict,
        reference=level.drl,
        low=level.low,
        whose=text("{authority} {year}", authority=level.authority, year=level.year),
    )
    remedy, owner = what_to_do(verdict, value)
    if level.size is None and (record.age_a is None or record.age_a < ADULT_FROM_A):
        verdict, remedy, owner = DoseVerdict.UNKNOWN, None, None
        words = text(
            "The reference level of {whose} is for adults; the patient is younger or of unknown age.", whose=whose
        )
    elif level.trust is Trust.UNVERIFIED:
        verdict, remedy, owner = DoseVerdict.UNKNOWN, None, None
        words = text(
            "The reference level of {whose}, {reference} {unit}, is not checked in its source and judges nothing.",
            whose=whose,
            reference=level.drl,
            unit=unit(level.quantity.unit).symbol,
        )
    return DoseJudgement(
        quantity=level.quantity,
        value=value,
        verdict=verdict,
        sentence=words,
        reference=level.drl,
        low=level.low,
        whose=whose,
        remedy=remedy,
        owner=owner,
        source=level.source,
        trust=level.trust,
    )


def _of_value(value: DoseValue, reference: float, low: float | None) -> DoseVerdict:
    """The verdict of a value; an estimate is only judged where its expanded uncertainty (k = 2) leaves no doubt."""
    if not value.is_estimate:
        return _verdict(value.value, reference, low)
    reach = 2.0 * (value.standard_uncertainty or 0.0)
    ends = {_verdict(value.value + sign * reach, reference, low) for sign in (-1.0, 1.0)}
    return ends.pop() if len(ends) == 1 else DoseVerdict.UNKNOWN


def _verdict(value: float, reference: float, low: float | None) -> DoseVerdict:
    if value > reference:
        return DoseVerdict.ABOVE
    return DoseVerdict.LOW if low is not None and value < low else DoseVerdict.USUAL
