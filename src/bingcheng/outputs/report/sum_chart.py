"""The chart of a patient's sum of diameters over time, with the limits of partial response and of progression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from markupsafe import Markup

from bingcheng.compare.response import Response
from bingcheng.compare.response_margin import COVERAGE, partial_limit_mm, progress_limit_mm
from bingcheng.compare.response_reading import PatientResponse
from bingcheng.core.wording import text
from bingcheng.outputs.assessment import ExamView
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.svg import Scale, element, path

WIDTH, HEIGHT = 460.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 20.0, 26.0, 40.0
MARK, CAP, NEAR = 5.0, 4.0, 42.0
"""Radius of a mark, half the cap of an error bar, and the least distance of two numbers on the axis."""
STYLES: Mapping[Response | None, str] = MappingProxyType(
    {
        None: "none",
        Response.COMPLETE: "pass",
        Response.PARTIAL: "pass",
        Response.STABLE: "within",
        Response.NEITHER: "within",
        Response.PROGRESSIVE: "real",
        Response.NOT_EVALUABLE: "open",
    }
)
"""The CSS class of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """One exam; `progress_mm` is the limit of progression there."""

    x: float
    exam: str
    mm: float | None
    expanded_mm: float | None
    response: Response | None
    progress_mm: float | None


def sum_chart(one: PatientResponse, exams: Mapping[str, ExamView], language: Language) -> Markup | None:
    """The chart as inline SVG; None where there are no targets to sum."""
    if not one.targets:
        return None
    points, in_days = _points(one, exams)
    across = Scale.around([point.x for point in points], LEFT, WIDTH - RIGHT, margin=0.07)
    tops = [(point.mm or 0.0) + (point.expanded_mm or 0.0) for point in points]
    highest = max([*tops, *(point.progress_mm or 0.0 for point in points)])
    up = Scale(0.0, highest * 1.06, HEIGHT - BOTTOM, TOP)
    base = HEIGHT - BOTTOM
    parts = [
        *_axes(points, across, up, in_days=in_days, language=language),
        element(
            "path",
            class_="limit partial",
            d=path(
                [
                    (across(points[0].x), up(partial_limit_mm(one.baseline_mm))),
                    (WIDTH - RIGHT, up(partial_limit_mm(one.baseline_mm))),
                ]
            ),
        ),
        element("path", class_="limit progress", d=path(_steps(points, across, up))),
        *(element("path", class_="trend-line", d=path(run)) for run in _runs(points, across, up)),
        *(_mark(point, across(point.x), up, base, language) for point in points),
    ]
    label = language.say(text("Sum of the targets over time, {count} exams", count=len(points)))
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return element("svg", *parts, class_="chart sums", viewBox=box, role="group", aria_label=label)


def _points(one: PatientResponse, exams: Mapping[str, ExamView]) -> tuple[list[_Point], bool]:
    """The exams in time; `x` is the day where every exam has one of its own, else the place in order."""
    uids = (one.baseline_uid, *(point.exam_uid for point in one.points))
    days = [exams[uid].day for uid in uids]
    in_days = None not in days and len(set(days)) == len(days)
    places = [float(day if in_days and day is not None else place) for place, day in enumerate(days, start=1)]
    first = _Point(
        x=places[0],
        exam=exams[one.baseline_uid].label,
        mm=one.baseline_mm,
        expanded_mm=_expanded(one.uncertainty_mm),
        response=None,
        progress_mm=None,
    )
    later = [
        _Point(
            x=x,
            exam=exams[point.exam_uid].label,
            mm=point.answer.sum_mm,
            expanded_mm=_expanded(point.uncertainty_mm),
            response=point.answer.response,
            progress_mm=None if point.answer.nadir_mm is None else progress_limit_mm(point.answer.nadir_mm),
        )
        for x, point in zip(places[1:], one.points, strict=True)
    ]
    return [first, *later], in_days


def _expanded(uncertainty_mm: float | None) -> float | None:
    return None if uncertainty_mm is None else COVERAGE * uncertainty_mm


def _runs(points: Sequence[_Point], across: Scale, up: Scale) -> list[list[tuple[float, float]]]:
    """The lines between neighbouring exams that both have a sum: nothing is drawn over an unknown one."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point.mm is None:
            runs.append([])
        else:
            runs[-1].append((across(point.x), up(point.mm)))
    return [run for run in runs if len(run) > 1]


def _steps(points: Sequence[_Point], across: Scale, up: Scale) -> list[tuple[float, float]]:
    """The limit of progression: it holds from the exam before, and falls with the smallest sum."""
    corners = []
    for before, after in pairwise(points):
        y = up(after.progress_mm or 0.0)
        corners += [(across(before.x), y), (across(after.x), y)]
    return [*corners[:-1], (WIDTH - RIGHT, corners[-1][1])]


def _axes(points: Sequence[_Point], across: Scale, up: Scale, *, in_days: bool, language: Language) -> list[Markup]:
    parts, base = [], HEIGHT - BOTTOM
    for tick in up.ticks(4):
        y = up(tick)
        parts.append(element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        parts.append(element("text", language.number(tick), class_="tick", x=LEFT - 8, y=y + 4, text_anchor="end"))
    shown: list[float] = []
    for point in points:
        x = across(point.x)
        parts.append(element("line", class_="axis", x1=x, x2=x, y1=base, y2=base + 4))
        if not shown or x - shown[-1] > NEAR:
            shown.append(x)
            number = language.number(round(point.x))
            parts.append(element("text", number, class_="tick", x=x, y=base + 18, text_anchor="middle"))
    parts.append(element("line", class_="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=base, y2=base))
    title = language.say("days since the first exam") if in_days else language.say("exam, in order")
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(element("text", title, class_="axis-title", x=middle, y=HEIGHT - 4, text_anchor="middle"))
    parts.append(element("text", "mm", class_="axis-title", x=4.0, y=TOP - 12))
    return parts


def _mark(point: _Point, x: float, up: Scale, base: float, language: Language) -> Markup:
    answer = "" if point.response is None else point.response.value
    if point.mm is None:
        tip = language.say(text("{exam}: no sum, {answer}", exam=point.exam, answer=answer))
        unknown = element("text", "?", class_="unknown", x=x, y=base - 8, text_anchor="middle")
        parts, top = [unknown], base - 20
    else:
        y = up(point.mm)
        amount = f"{point.mm:.1f}" if not point.expanded_mm else f"{point.mm:.1f} ± {point.expanded_mm:.1f}"
        tip = " · ".join(filter(None, (point.exam, f"{amount} mm", answer)))
        parts, top = [element("circle", class_="mark", cx=x, cy=y, r=MARK)], y - MARK
        if point.expanded_mm:
            high, low = up.within(point.mm + point.expanded_mm), up.within(point.mm - point.expanded_mm)
            caps = "".join(f"M{x - CAP:.1f} {end:.1f}h{2 * CAP:.0f}" for end in (high, low))
            bar = f"M{x:.1f} {high:.1f}V{low:.1f}{caps}"
            parts.insert(0, element("path", class_="error-bar", d=bar))
            top = min(top, high)
    if answer:
        parts.append(element("text", answer, class_="answer", x=x, y=top - 6, text_anchor="middle"))
    style = f"point mark {STYLES[point.response]}" if answer else "point"
    return element("g", *parts, class_=style, tabindex="0", role="img", aria_label=tip, data_tip=tip)
