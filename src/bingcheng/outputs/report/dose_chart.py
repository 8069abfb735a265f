"""Dose against patient size: one small panel a hospital on shared axes, with the reference level as steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bingcheng.core.wording import text
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.svg import Scale, coordinate, element

WIDTH, HEIGHT = 260.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 8.0, 16.0, 30.0
MOST_BEHIND = 600
"""Points of the other hospitals that are drawn behind a panel; more are thinned evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DosePoint:
    """One exam: CTDIvol in mGy at a water-equivalent diameter in cm."""

    site: str
    diameter_cm: float
    value: float
    exam: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelStep:
    """The 75th and 25th percentile of one size band; None where the band is open."""

    low_cm: float | None
    high_cm: float | None
    drl: float
    low: float
    provisional: bool


def dose_panels(points: Sequence[DosePoint], steps: Sequence[LevelStep], language: Language) -> Markup:
    """The panels as figures with inline SVGs, hospitals by name; it needs at least one point."""
    across = Scale.around([p.diameter_cm for p in points], LEFT, WIDTH - RIGHT, margin=0.06)
    up = _up(points, steps)
    levels = Markup("").join(part for step in steps for part in _step(step, across, up, language))
    sites = sorted({point.site for point in points})
    return Markup("").join(_panel(site, points, across, up, levels, language) for site in sites)


def _up(points: Sequence[DosePoint], steps: Sequence[LevelStep]) -> Scale:
    """From zero, because a dose twice as high shall look twice as high."""
    most = max([p.value for p in points] + [step.drl for step in steps])
    return Scale(0.0, 1.06 * most or 1.0, HEIGHT - BOTTOM, TOP)


def _panel(
    site: str, points: Sequence[DosePoint], across: Scale, up: Scale, levels: Markup, language: Language
) -> Markup:
    own = [point for point in points if point.site == site]
    others = [point for point in points if point.site != site]
    name = site or language.say("(hospital not named)")
    label = language.say(text("CTDIvol against patient size, {site}: {count} exams", site=name, count=len(own)))
    # the name stands outside of the drawing, where a long one wraps
    drawing = element(
        "svg",
        *_axes(across, up, language),
        _behind(others, across, up),
        levels,
        *(_point(point, across, up, language) for point in own),
        class_="chart dose-panel",
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        role="img",
        aria_label=label,
    )
    return element("figure", element("figcaption", name, class_="panel-title"), drawing)


def _axes(across: Scale, up: Scale, language: Language) -> list[Markup]:
    parts = []
    base = HEIGHT - BOTTOM
    for tick in up.ticks(4):
        y = up(tick)
        parts.append(element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        parts.append(element("text", language.number(tick), class_="tick", x=LEFT - 5, y=y + 4, text_anchor="end"))
    for tick in across.ticks(4):
        x = across(tick)
        parts.append(element("line", class_="axis", x1=x, x2=x, y1=base, y2=base + 3))
        parts.append(element("text", language.number(tick), class_="tick", x=x, y=base + 14, text_anchor="middle"))
    parts.append(element("line", class_="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=base, y2=base))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        element("text", language.say("Dw, cm"), class_="axis-title", x=middle, y=HEIGHT - 3, text_anchor="middle")
    )
    parts.append(element("text", language.say("mGy"), class_="axis-title", x=LEFT - 5, y=TOP - 6, text_anchor="end"))
    return parts


def _step(step: LevelStep, across: Scale, up: Scale, language: Language) -> list[Markup]:
    start = across.within(step.low_cm if step.low_cm is not None else across.low)
    end = across.within(step.high_cm if step.high_cm is not None else across.high)
    if end - start < 1.0:  # the band lies beside the patients that are shown
        return []
    doubt = " provisional" if step.provisional else ""
    told = (
        ("drl", step.drl, text("75th percentile of the hospitals: {value} mGy", value=step.drl)),
        ("low", step.low, text("25th percentile of the hospitals: {value} mGy", value=step.low)),
    )
    return [
        element(
            "line",
            class_=f"level {kind}{doubt}",
            x1=start,
            x2=end,
            y1=up(value),
            y2=up(value),
            data_tip=language.say(words),
        )
        for kind, value, words in told
    ]


def _behind(points: Sequence[DosePoint], across: Scale, up: Scale) -> Markup:
    """All other hospitals' exams as one path of dots: thousands of circles would weigh the page down."""
    thin = -(-len(points) // MOST_BEHIND) or 1
    dots = (f"M{coordinate(across(p.diameter_cm))} {coordinate(up(p.value))}h0" for p in points[::thin])
    return element("path", class_="behind", d="".join(dots), aria_hidden="true")


def _point(point: DosePoint, across: Scale, up: Scale, language: Language) -> Markup:
    tip = f"{point.exam} · {language.number(point.value)} mGy · Dw {language.number(point.diameter_cm)} cm"
    return element("circle", class_="dot", cx=across(point.diameter_cm), cy=up(point.value), r=3.0, data_tip=tip)
