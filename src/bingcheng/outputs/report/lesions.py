"""Lesions over time as the page shows them: verdict, chart, both time points side by side, every measure's change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.lesions import LesionChange
from bingcheng.compare.observation import Observation
from bingcheng.core.measurement import Measurement
from bingcheng.core.units import unit
from bingcheng.core.wording import text
from bingcheng.outputs.assessment import Assessment, ExamView, LesionView
from bingcheng.outputs.language import Language
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.report.follow_up import LinkRow, link_rows_of
from bingcheng.outputs.report.slices import Slices, close_up_mm
from bingcheng.outputs.report.trend import Trend, TrendPoint, device_marks, trend_chart
from bingcheng.outputs.report.words import style, verdict_icon


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One time point of a lesion: its value, and its picture if there is one; in `pieces` it may lie there.

    `address` leads to the exam, on this page or another.
    """

    exam: str
    address: str
    site: str
    device: str
    day: int | None
    value: str
    picture: Markup | None
    image: KeyImage | None
    pieces: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One measure's change, in words."""

    change: Change
    label: str
    before: str
    after: str
    percent: str
    limits: str
    leads: bool

    @property
    def judged(self) -> bool:
        """Whether anything can be said of it: it decides, or there are limits to hold it against."""
        return self.leads or self.change.limits_percent is not None or self.change.verdict is not Verdict.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionCard:
    """One lesion over time."""

    anchor: str
    change: LesionChange
    icon: str
    chart: Markup | None
    marks: tuple[tuple[Markup, str], ...]
    measure: str
    shots: tuple[Shot, ...]
    judged: tuple[ChangeRow, ...]
    unjudged: tuple[ChangeRow, ...]
    links: tuple[LinkRow, ...] = ()


def value_in_words(measurement: Measurement, language: Language) -> str:
    """The value with its expanded uncertainty and unit; a dash if there is none (the reason stands elsewhere)."""
    if measurement.value is None:
        return "–"
    return language.quantity(measurement.value, measurement.unit, measurement.expanded_uncertainty)


def _volume(view: LesionView) -> float:
    return next((one.value for one in view.measurements if one.key == "volume" and one.value is not None), 0.0)


class LesionCards:
    """Makes the cards of an assessment's lesions.

    Parameters
    ----------
    exam_path : where an exam's page is, with ``{uid}`` in it; None where exams stand on the same page.
    """

    def __init__(
        self, assessment: Assessment, slices: Slices, language: Language, *, exam_path: str | None = None
    ) -> None:
        self._assessment = assessment
        self._slices = slices
        self._language = language
        self._exam_path = exam_path
        self._exams: Mapping[str, tuple[int, ExamView]] = {
            exam.uid: (place, exam) for place, exam in enumerate(assessment.exams)
        }

    def all(self) -> tuple[LesionCard, ...]:
        """One card for each lesion of `Assessment.changes`, in their order."""
        return tuple(self._card(place, change) for place, change in enumerate(self._assessment.changes))

    def _card(self, place: int, change: LesionChange) -> LesionCard:
        shown = self._led(change)
        trend = self._trend(change, shown)
        rows = sorted((self._row(each, change.lead) for each in change.changes), key=lambda row: not row.leads)
        return LesionCard(
            anchor=f"lesion-{place}",
            change=change,
            icon=verdict_icon(change),
            chart=None if trend is None else trend_chart(trend, self._language),
            marks=() if trend is None else device_marks(trend.points),
            measure="" if not shown else self._language.say(shown[0].measurement.label),
            shots=self._shots(change, shown),
            judged=tuple(row for row in rows if row.judged),
            unjudged=tuple(row for row in rows if not row.judged),
            links=link_rows_of(self._assessment, change),
        )

    def _led(self, change: LesionChange) -> tuple[Observation, ...]:
        """The observations of the measure that decides, in the modality in which it decides, in order of time."""
        if change.lead is None:
            key = change.history[0].measurement.key if change.history else ""
            modality = change.history[0].conditions.get("modality") if change.history else None
        else:
            key = change.lead.after.measurement.key
            modality = change.lead.after.conditions.get("modality")
        chosen = [
            seen
            for seen in change.history
            if seen.measurement.key == key and seen.conditions.get("modality") == modality
        ]
        return tuple(sorted(chosen, key=self._time))

    def _time(self, seen: Observation) -> tuple[bool, datetime, int]:
        at = None if seen.performed_at is None else seen.performed_at.replace(tzinfo=None)
        place = self._exams[seen.exam_uid][0] if seen.exam_uid in self._exams else len(self._exams)
        return at is None, at or datetime.min, place  # noqa: DTZ901 - a mere sort key

    def _trend(self, change: LesionChange, seen: Sequence[Observation]) -> Trend | None:
        valued = [(place, one) for place, one in enumerate(seen) if one.measurement.value is not None]
        if not valued:
            return None
        days = [self._day(one) for _, one in valued]
        in_days = all(day is not None for day in days) and len(set(days)) == len({one.exam_uid for _, one in valued})
        points = tuple(
            TrendPoint(
                x=float(day) if in_days and day is not None else float(place + 1),
                value=float(one.measurement.value or 0.0),
                expanded=one.measurement.expanded_uncertainty,
                exam=self._exam_label(one),
                device=one.device,
            )
            for (place, one), day in zip(valued, days, strict=True)
        )
        first = valued[0][1].measurement
        lead = change.lead
        before = (lead.before.exam_uid, lead.before.series_uid) if lead is not None else ("", "")
        baseline = next((i for i, (_, o) in enumerate(valued) if (o.exam_uid, o.series_uid) == before), None)
        return Trend(
            label=first.label,
            unit=self._language.say(unit(first.unit).symbol),
            points=points,
            in_days=in_days,
            limits_percent=None if lead is None or baseline is None else lead.limits_percent,
            baseline=baseline or 0,
            verdict=style(change.verdict),
        )

    def _day(self, seen: Observation) -> int | None:
        known = self._exams.get(seen.exam_uid)
        return None if known is None else known[1].day

    def _exam_label(self, seen: Observation) -> str:
        known = self._exams.get(seen.exam_uid)
        return "" if known is None else known[1].label

    def _shots(self, change: LesionChange, seen: Sequence[Observation]) -> tuple[Shot, ...]:
        pair = tuple(seen) if change.lead is None else (change.lead.before, change.lead.after)
        images = [self._image(one, change.names.get(one.exam_uid, (change.lesion,))) for one in pair]
        side_mm = close_up_mm([image for image in images if image is not None])
        return tuple(self._shot(one, image, side_mm, change) for one, image in zip(pair, images, strict=True))

    def _shot(self, seen: Observation, image: KeyImage | None, side_mm: float, change: LesionChange) -> Shot:
        place, exam = self._exams.get(seen.exam_uid, (0, None))
        label = self._exam_label(seen)
        alt = text("{lesion} in exam {exam}, with its border drawn", lesion=change.label, exam=label)
        return Shot(
            exam=label,
            address=f"#exam-{place}" if self._exam_path is None else self._exam_path.format(uid=seen.exam_uid),
            site=seen.site,
            device=seen.device,
            day=None if exam is None else exam.day,
            value=value_in_words(seen.measurement, self._language),
            picture=None if image is None else self._slices.close_up(image, side_mm, self._language.say(alt)),
            image=image,
            pieces=len(change.names.get(seen.exam_uid, ())),
        )

    def _image(self, seen: Observation, names: Collection[str]) -> KeyImage | None:
        """The picture of the lesion, or of the largest of its pieces."""
        known = self._exams.get(seen.exam_uid)
        if known is None:
            return None
        views = (view for series in known[1].series if series.uid == seen.series_uid for view in series.lesions)
        drawn = [view for view in views if view.lesion in names and view.image is not None]
        return max(drawn, key=_volume).image if drawn else None

    def _difference(self, change: Change) -> str:
        """The change in per cent, or in its unit where a percentage means nothing (CT numbers have no true zero)."""
        if change.percent is not None:
            return self._language.percent(change.percent, signed=True)
        if change.difference is None:
            return "–"
        expanded = [one.measurement.expanded_uncertainty for one in (change.before, change.after)]
        grain = max((one for one in expanded if one is not None), default=None)
        return self._language.rounded(change.difference, change.after.measurement.unit, grain, signed=True)

    def _row(self, change: Change, lead: Change | None) -> ChangeRow:
        say = self._language
        modality = change.after.conditions.get("modality")
        label = say.say(change.after.measurement.label)
        limits = change.limits_percent
        return ChangeRow(
            change=change,
            label=f"{label} ({modality})" if isinstance(modality, str) else label,
            before=value_in_words(change.before.measurement, say),
            after=value_in_words(change.after.measurement, say),
            percent=self._difference(change),
            limits="–"
            if limits is None
            else f"{say.percent(limits[0], signed=True)} … {say.percent(limits[1], signed=True)}",
            leads=change is lead or change == lead,
        )
