"""Exams as the page shows them: what to do first, each series with its quality beside the others', each lesion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bingcheng.compare.dose_judgement import PROTOCOL as DOSE
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.core.finding import Finding, Outcome
from bingcheng.core.measurement import Measurement, Tells
from bingcheng.core.units import unit
from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import Assessment, ExamView, LesionView, SeriesView
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.lesions import value_in_words
from bingcheng.outputs.report.radiomics import FeatureBlock, FeatureBlocks
from bingcheng.outputs.report.slices import Slices, close_up_mm
from bingcheng.outputs.report.strips import place_among
from bingcheng.outputs.summary import OUTCOME_ORDER, by_urgency, exam_outcome, protocol_of

OPEN = frozenset({Outcome.FAIL, Outcome.UNKNOWN, Outcome.WAIVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow:
    """One measurement in words, and where it lies among all scanners'."""

    measurement: Measurement
    label: str
    value: str
    others: str
    among: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionBlock:
    """One lesion in one series."""

    view: LesionView
    rows: tuple[MeasureRow, ...]
    picture: Markup | None
    method: str
    features: tuple[FeatureBlock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesBlock:
    """One series of an exam."""

    view: SeriesView
    rows: tuple[MeasureRow, ...]
    lesions: tuple[LesionBlock, ...]
    picture: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolBlock:
    """What one protocol came to on an exam: which series it took for which, and its criteria by urgency."""

    title: Text
    counts: tuple[tuple[Outcome, int], ...]
    roles: tuple[tuple[Finding, str], ...]
    """Each expected series that was found, and how the series is named in the exam."""
    open: tuple[Finding, ...]
    """What failed, is unknown or was waived."""
    settled: tuple[Finding, ...]
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamCard:
    """One exam."""

    anchor: str
    exam: ExamView
    outcome: Outcome | None
    first: tuple[Finding, ...]
    protocols: tuple[ProtocolBlock, ...]
    series: tuple[SeriesBlock, ...]
    modalities: tuple[str, ...]
    lesion_names: Mapping[str, str]
    search: str
    judged: bool
    """Whether a protocol was found to apply; reference levels of dose are none."""


def exam_cards(assessment: Assessment, slices: Slices, language: Language) -> tuple[ExamCard, ...]:
    """One card for each exam, in their order."""
    rows_by_key: dict[str, list[SiteRow]] = {}
    for row in assessment.comparison:
        rows_by_key.setdefault(row.key, []).append(row)
    features = FeatureBlocks(assessment, language)
    return tuple(
        _card(place, exam, _Blocks(exam.site, rows_by_key, slices, features, language))
        for place, exam in enumerate(assessment.exams)
    )


def _card(place: int, exam: ExamView, blocks: _Blocks) -> ExamCard:
    findings = by_urgency(exam.findings)
    modalities = tuple(dict.fromkeys(series.modality for series in exam.series))
    words = (exam.label, exam.patient, exam.site, exam.description, *modalities)
    devices = (series.device for series in exam.series)
    return ExamCard(
        anchor=f"exam-{place}",
        exam=exam,
        outcome=exam_outcome(exam),
        first=tuple(finding for finding in findings if finding.gates),
        protocols=_protocols(findings, exam),
        series=tuple(blocks.series(series) for series in exam.series),
        modalities=modalities,
        lesion_names={lesion.lesion: lesion.label for series in exam.series for lesion in series.lesions},
        search=" ".join(dict.fromkeys((*words, *devices))).lower(),
        judged=any(finding.protocol != DOSE for finding in findings),
    )


def _protocols(findings: Sequence[Finding], exam: ExamView) -> tuple[ProtocolBlock, ...]:
    """The findings by protocol: first those with something to do."""
    named = {series.uid: f"{series.modality} {series.description}".strip() for series in exam.series}
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.protocol, []).append(finding)
    blocks = [_protocol(mine, named) for mine in grouped.values()]
    return tuple(sorted(blocks, key=lambda block: not block.urgent))


def _protocol(findings: Sequence[Finding], named: Mapping[str, str]) -> ProtocolBlock:
    counted = Counter(finding.outcome for finding in findings)
    roles = [one for one in findings if one.criterion.startswith("role.") and one.outcome is Outcome.PASS]
    return ProtocolBlock(
        title=protocol_of(findings[0]),
        counts=tuple((outcome, counted[outcome]) for outcome in OUTCOME_ORDER if counted[outcome]),
        roles=tuple((one, named.get(one.series_uid or "", "")) for one in roles),
        open=tuple(one for one in findings if one.outcome in OPEN),
        settled=tuple(one for one in findings if one.outcome not in OPEN and one not in roles),
        urgent=any(one.gates for one in findings),
    )


class _Blocks:
    """Makes the series and lesions of one exam."""

    def __init__(
        self,
        site: str,
        rows_by_key: Mapping[str, Sequence[SiteRow]],
        slices: Slices,
        features: FeatureBlocks,
        language: Language,
    ) -> None:
        self._site = site
        self._rows_by_key = rows_by_key
        self._slices = slices
        self._features = features
        self._language = language

    def series(self, series: SeriesView) -> SeriesBlock:
        alt = text("{modality} series at {site}", modality=series.modality, site=self._site)
        return SeriesBlock(
            view=series,
            rows=tuple(self._row(one) for one in series.measurements if one.tells is not Tells.EVIDENCE),
            lesions=tuple(self._lesion(lesion) for lesion in series.lesions),
            picture=None if series.image is None else self._slices.whole(series.image, self._language.say(alt)),
        )

    def _lesion(self, lesion: LesionView) -> LesionBlock:
        image = lesion.image
        alt = text("{lesion}, with its border drawn", lesion=lesion.label)
        return LesionBlock(
            view=lesion,
            method=self._method(lesion.method),
            features=tuple(self._features.block(one) for one in lesion.radiomics),
            rows=tuple(self._row(measurement, among=False) for measurement in lesion.measurements),
            picture=None
            if image is None
            else self._slices.close_up(image, close_up_mm([image]), self._language.say(alt)),
        )

    def _method(self, method: str) -> str:
        """How it was drawn: the kind in the reader's language, the algorithm's name as it is."""
        kind, opening, name = method.partition(" (")
        return f"{self._language.say(kind)}{opening}{name}"

    def _row(self, measurement: Measurement, *, among: bool = True) -> MeasureRow:
        rows = self._rows_by_key.get(measurement.key, ()) if among else ()
        others = next((row.others_median for row in rows if row.site == self._site), None)
        symbol = self._language.say(unit(measurement.unit).symbol)
        placed = (
            place_among(measurement.value, rows, self._language, symbol)
            if measurement.value is not None and any(row.values for row in rows)
            else None
        )
        return MeasureRow(
            measurement=measurement,
            label=self._language.say(measurement.label),
            value=value_in_words(measurement, self._language),
            others=""
            if others is None
            else self._language.rounded(others, measurement.unit, measurement.expanded_uncertainty),
            among=placed,
        )
