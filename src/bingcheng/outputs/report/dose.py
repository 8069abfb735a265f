"""The dose section: reference levels by patient size, where each hospital lies, and which exams ask to be looked at."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from bingcheng.compare.dose_groups import Procedure, SizeScheme
from bingcheng.compare.dose_judgement import DoseJudgement, JudgedSite
from bingcheng.compare.dose_overview import DoseOverview
from bingcheng.compare.dose_percentiles import Percentile
from bingcheng.compare.dose_published import PublishedLevel
from bingcheng.compare.dose_record import DoseQuantity, DoseRecord
from bingcheng.compare.dose_reference import ReferenceLevel
from bingcheng.compare.dose_verdict import DoseVerdict
from bingcheng.core.wording import Text, text
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.dose_chart import DosePoint, LevelStep, dose_panels

DOSE_STYLES: Mapping[DoseVerdict, str] = MappingProxyType(
    {
        DoseVerdict.ABOVE: "fail",
        DoseVerdict.LOW: "open",
        DoseVerdict.USUAL: "pass",
        DoseVerdict.UNKNOWN: "none",
    }
)
"""The CSS class of a verdict on dose."""
DOSE_ICONS: Mapping[DoseVerdict, str] = MappingProxyType(
    {
        DoseVerdict.ABOVE: "up",
        DoseVerdict.LOW: "down",
        DoseVerdict.USUAL: "pass",
        DoseVerdict.UNKNOWN: "open",
    }
)
"""The icon of a verdict on dose."""
DOSE_WORDS: Mapping[DoseVerdict, Text] = MappingProxyType(
    {
        DoseVerdict.ABOVE: text("Above the reference level"),
        DoseVerdict.LOW: text("Unusually low"),
        DoseVerdict.USUAL: text("Usual"),
        DoseVerdict.UNKNOWN: text("Can't be judged"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """One level as a row: percentiles written out, and how many stand behind it."""

    quantity: str
    band: str
    sites: str
    exams: int
    low: str
    achievable: str
    drl: str
    interval: str
    provisional: bool
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One published level as a row."""

    whose: str
    quantity: str
    drl: str
    indication: str
    unverified: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingExam:
    """An exam that somebody should look at. `anchor` is its card on the page; None if it has none."""

    label: str
    anchor: str | None
    site: str
    judgements: tuple[DoseJudgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMark:
    """One level that a hospital is above or unusually low beside: CSS class, words, and the whole sentence."""

    style: str
    words: str
    judged: JudgedSite


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureDose:
    """One procedure in one phantom.

    `chart` is empty where no exam has a water-equivalent diameter; `standing_out` are the hospitals above a
    level or unusually low, with what they stand out in; `provisional` explains a level that judges nobody yet.
    """

    title: str
    phantom: str
    exam_count: int
    chart: Markup
    rows: tuple[LevelRow, ...]
    published: tuple[PublishedRow, ...]
    provisional: Text | None
    standing_out: tuple[tuple[str, tuple[SiteMark, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseSection:
    """The whole section.

    `missing` groups the exams that can't be compared by what they lack; `stated_count` counts those with any dose.
    """

    procedures: tuple[ProcedureDose, ...]
    asking: tuple[AskingExam, ...]
    missing: tuple[tuple[Text, Text, str, int], ...]
    exam_count: int
    stated_count: int


def dose_section(
    overview: DoseOverview, language: Language, labels: Mapping[str, str], anchors: Mapping[str, str] | None = None
) -> DoseSection:
    """What the template ``dose.html.jinja`` shows.

    Parameters
    ----------
    overview : of all exams.
    labels : short label of each exam by its UID; an exam without one is called by its place.
    anchors : id of each exam's card on the page, by its UID.
    """
    named = {
        exam.record.exam_uid: labels.get(exam.record.exam_uid, f"#{n}") for n, exam in enumerate(overview.exams, 1)
    }
    by_procedure: dict[tuple[Procedure, float], list[DoseRecord]] = defaultdict(list)
    for exam in overview.exams:
        if exam.record.procedure.regions and exam.record.phantom_cm is not None:
            by_procedure[exam.record.procedure, exam.record.phantom_cm].append(exam.record)
    places = {procedure: place for place, procedure in enumerate(overview.procedures)}
    ordered = sorted(by_procedure.items(), key=lambda item: (places[item[0][0]], item[0][1]))
    return DoseSection(
        procedures=tuple(
            _procedure(procedure, phantom_cm, records, overview, language, named)
            for (procedure, phantom_cm), records in ordered
        ),
        asking=_asking(overview, named, anchors or {}),
        missing=_missing(overview),
        exam_count=len({exam.record.exam_uid for exam in overview.exams}),
        stated_count=len({exam.record.exam_uid for exam in overview.exams if exam.record.values}),
    )


def template_names() -> Mapping[str, object]:
    """What the template needs beside ``dose`` and the page's own names."""
    return MappingProxyType({"dose_styles": DOSE_STYLES, "dose_words": DOSE_WORDS, "dose_icons": DOSE_ICONS})


def _procedure(
    procedure: Procedure,
    phantom_cm: float,
    records: Sequence[DoseRecord],
    overview: DoseOverview,
    language: Language,
    labels: Mapping[str, str],
) -> ProcedureDose:
    levels = [
        level
        for level in overview.levels
        if level.group.procedure == procedure and level.group.phantom_cm == phantom_cm
    ]
    return ProcedureDose(
        title=language.say(procedure.label),
        phantom=language.say(text("{diameter} cm phantom", diameter=phantom_cm)),
        exam_count=len({record.exam_uid for record in records}),
        chart=_chart(records, levels, language, labels),
        rows=tuple(_row(level, language) for level in levels),
        published=tuple(
            _published(level, language) for level in overview.published if _is_of(level, procedure, phantom_cm)
        ),
        provisional=next((_provisional(level) for level in levels if level.provisional), None),
        standing_out=_standing_out(
            (site for site in overview.sites if site.procedure == procedure and site.phantom_cm == phantom_cm), language
        ),
    )


def _provisional(level: ReferenceLevel) -> Text:
    return text(
        "Provisional: a level judges from {sites} hospitals on that have {exams} exams or more each of the same region"
        " and size. Until then it is shown, and judges nobody.",
        sites=level.fewest_sites,
        exams=level.fewest_exams,
    )


def _standing_out(sites: Iterable[JudgedSite], language: Language) -> tuple[tuple[str, tuple[SiteMark, ...]], ...]:
    marks: dict[str, list[SiteMark]] = defaultdict(list)
    for judged in sites:
        if judged.verdict not in (DoseVerdict.ABOVE, DoseVerdict.LOW):
            continue
        dose = f"{judged.quantity.symbol} {_dose(judged.median, judged.quantity, language)}"
        where = judged.whose or ("" if judged.band is None else language.say(judged.band.label))
        marks[judged.site].append(SiteMark(style=DOSE_STYLES[judged.verdict], words=f"{dose} · {where}", judged=judged))
    return tuple((site, tuple(held)) for site, held in sorted(marks.items()))


def _is_of(level: PublishedLevel, procedure: Procedure, phantom_cm: float) -> bool:
    return level.phantom_cm == phantom_cm and level.procedure.regions == procedure.regions and not procedure.hybrid


def _chart(
    records: Iterable[DoseRecord], levels: Iterable[ReferenceLevel], language: Language, labels: Mapping[str, str]
) -> Markup:
    points = [
        DosePoint(
            site=record.site,
            diameter_cm=record.water_equivalent_diameter_cm,
            value=record.values[DoseQuantity.CTDI_VOL].value,
            exam=labels[record.exam_uid],
        )
        for record in records
        if record.water_equivalent_diameter_cm is not None and DoseQuantity.CTDI_VOL in record.values
    ]
    steps = [
        LevelStep(
            low_cm=level.group.band.low,
            high_cm=level.group.band.high,
            drl=level.drl.value,
            low=level.low.value,
            provisional=level.provisional,
        )
        for level in levels
        if level.group.quantity is DoseQuantity.CTDI_VOL and level.group.band.scheme is SizeScheme.DIAMETER
    ]
    return dose_panels(points, steps, language) if points else Markup("")


def _row(level: ReferenceLevel, language: Language) -> LevelRow:
    quantity = level.group.quantity
    counting = sum(site.counts for site in level.sites)
    return LevelRow(
        quantity=quantity.symbol,
        band=language.say(level.group.band.label),
        sites=f"{counting} / {len(level.sites)}",
        exams=level.exam_count,
        low=_dose(level.low.value, quantity, language),
        achievable=_dose(level.achievable.value, quantity, language),
        drl=_dose(level.drl.value, quantity, language),
        interval=_interval(level.drl, language),
        provisional=level.provisional,
        left_out=level.estimates_left_out,
    )


def _published(level: PublishedLevel, language: Language) -> PublishedRow:
    return PublishedRow(
        whose=f"{language.say(level.authority)} {level.year}",
        quantity=level.quantity.symbol,
        drl=_dose(level.drl, level.quantity, language),
        indication=language.say(level.indication) if level.indication else "",
        unverified=level.trust == "unverified",
        source=level.source,
    )


def _interval(percentile: Percentile, language: Language) -> str:
    if percentile.interval is None:
        return ""
    low, high = percentile.interval
    grain = _grain(high)
    return f"{language.rounded(low, '1', grain)} – {language.rounded(high, '1', grain)}"


def _dose(value: float, quantity: DoseQuantity, language: Language) -> str:
    return language.rounded(value, quantity.unit, _grain(value))


def _grain(value: float) -> float:
    """How finely a dose is worth showing: 2 % of it, far finer than displayed doses are accurate (IEC 60601-2-44)."""
    return 0.02 * abs(value)


def _asking(overview: DoseOverview, labels: Mapping[str, str], anchors: Mapping[str, str]) -> tuple[AskingExam, ...]:
    """Exams above a level or unusually low, the farthest first; what lacks data stands in another list."""
    found = []
    for exam in overview.exams:
        judgements = tuple(one for one in exam.asking if one.verdict is not DoseVerdict.UNKNOWN)
        if judgements:
            uid = exam.record.exam_uid
            found.append(
                AskingExam(label=labels[uid], anchor=anchors.get(uid), site=exam.record.site, judgements=judgements)
            )
    return tuple(sorted(found, key=lambda exam: -max(_distance(one) for one in exam.judgements)))


def _distance(judgement: DoseJudgement) -> float:
    """How far a dose is from its level, as a factor's logarithm: twice and half are equally far."""
    level = judgement.low if judgement.verdict is DoseVerdict.LOW else judgement.reference
    if judgement.value is None or not level or judgement.value.value <= 0:
        return 0.0
    return abs(math.log(judgement.value.value / level))


def _missing(overview: DoseOverview) -> tuple[tuple[Text, Text, str, int], ...]:
    """(what is missing, what to do, who, in how many exams), the most frequent first."""
    exams: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    words: dict[tuple[str, str, str], tuple[Text, Text]] = {}
    for exam in overview.exams:
        told = [(one.sentence, one.remedy, one.owner) for one in exam.asking if one.verdict is DoseVerdict.UNKNOWN]
        told.extend((remark.reason, remark.remedy, remark.owner) for remark in exam.record.remarks)
        for reason, remedy, owner in told:
            if remedy is not None and owner is not None:
                key = (str(reason), str(remedy), owner.value)
                exams[key].add(exam.record.exam_uid)
                words[key] = (reason, remedy)
    ordered = sorted(exams.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple((*words[key], key[2], len(uids)) for key, uids in ordered)
