"""The chart of one measure of one lesion over time: values with their uncertainty, and what repeatability explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bingcheng.core.wording import text
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.svg import Scale, element, path
from bingcheng.outputs.scanner import scanner_in_words

WIDTH, HEIGHT = 460.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 16.0, 18.0, 40.0
MARK = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One value in time. `x` is the day, or the exam's place in order where days are unknown; `expanded` is k = 2."""

    x: float
    value: float
    expanded: float | None
    exam: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """What the chart shows.

    `limits_percent` bounds, around the value of `points[baseline]`, the changes that repeatability alone explains.
    """

    label: str
    unit: str
    points: tuple[TrendPoint, ...]
    in_days: bool
    limits_percent: tuple[float, float] | None
    baseline: int
    verdict: str


def trend_chart(trend: Trend, language: Language) -> Markup:
    """The chart as inline SVG; it needs at least one point."""
    band = _band(trend)
    across = _across(trend.points)
    up = _up(trend.points, band)
    devices = list(dict.fromkeys(point.device for point in trend.points))
    parts = [
        *_axes(trend, across, up, language),
        *_band_shape(band, trend, across, up, language),
        element("path", class_="trend-line", d=path([(across(p.x), up(p.value)) for p in trend.points])),
        *(_point(p, across, up, devices.index(p.device), trend, language) for p in trend.points),
    ]
    label = language.say(
        text("{measure} over time, {count} values", measure=language.say(trend.label), count=len(trend.points))
    )
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return element(
        "svg", *parts, class_=f"chart trend verdict-{trend.verdict}", viewBox=box, role="group", aria_label=label
    )


def device_marks(points: Sequence[TrendPoint]) -> tuple[tuple[Markup, str], ...]:
    """The mark of each scanner in the chart, for its legend; empty if only one scanner occurs."""
    devices = list(dict.fromkeys(point.device for point in points))
    if len(devices) < 2:
        return ()
    return tuple(
        (
            element("svg", _mark(7.0, 7.0, index), class_="legend-mark", viewBox="0 0 14 14", aria_hidden="true"),
            device,
        )
        for index, device in enumerate(devices)
    )


def _band(trend: Trend) -> tuple[float, float] | None:
    if trend.limits_percent is None:
        return None
    base = trend.points[trend.baseline].value
    low, high = sorted(base * (1 + limit / 100) for limit in trend.limits_percent)
    return low, high


def _across(points: Sequence[TrendPoint]) -> Scale:
    return Scale.around([p.x for p in points], LEFT, WIDTH - RIGHT, margin=0.09)


def _up(points: Sequence[TrendPoint], band: tuple[float, float] | None) -> Scale:
    ends = [p.value + sign * (p.expanded or 0.0) for p in points for sign in (-1, 1)]
    scale = Scale.around([*ends, *(band or ())], HEIGHT - BOTTOM, TOP)
    # A quantity that is never negative gets no axis below zero.
    low = 0.0 if scale.low < 0 <= min(ends) else scale.low
    return Scale(low, scale.high, scale.start, scale.end)


def _axes(trend: Trend, across: Scale, up: Scale, language: Language) -> list[Markup]:
    parts = []
    for tick in up.ticks(4):
        y = up(tick)
        parts.append(element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        parts.append(element("text", language.number(tick), class_="tick", x=LEFT - 8, y=y + 4, text_anchor="end"))
    places = sorted({point.x for point in trend.points})
    shown = [places[0]]
    for place in places[1:]:
        if across(place) - across(shown[-1]) > 42:
            shown.append(place)
    base = HEIGHT - BOTTOM
    for place in shown:
        x = across(place)
        parts.append(element("line", class_="axis", x1=x, x2=x, y1=base, y2=base + 4))
        parts.append(
            element("text", language.number(round(place)), class_="tick", x=x, y=base + 18, text_anchor="middle")
        )
    parts.append(element("line", class_="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=base, y2=base))
    title = language.say("days since the first exam") if trend.in_days else language.say("exam, in order")
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(element("text", title, class_="axis-title", x=middle, y=HEIGHT - 4, text_anchor="middle"))
    parts.append(element("text", trend.unit, class_="axis-title", x=4.0, y=TOP - 6))
    return parts


def _band_shape(
    band: tuple[float, float] | None, trend: Trend, across: Scale, up: Scale, language: Language
) -> list[Markup]:
    if band is None:
        return []
    low, high = band
    x, end = across(trend.points[trend.baseline].x), WIDTH - RIGHT
    top, bottom = up.within(high), up.within(low)
    tip = language.say(
        text(
            "Values in this band are explained by repeatability: {low} to {high} {unit}",
            low=low,
            high=high,
            unit=trend.unit,
        )
    )
    middle = up(trend.points[trend.baseline].value)
    return [
        element("rect", class_="band", x=x, y=top, width=end - x, height=bottom - top, data_tip=tip),
        element("line", class_="baseline", x1=x, x2=end, y1=middle, y2=middle),
        element(
            "text",
            language.say("explained by repeatability"),
            class_="band-label",
            x=end,
            y=TOP - 6,  # above the plot, where no line and no error bar can run through it
            text_anchor="end",
        ),
    ]


def _point(point: TrendPoint, across: Scale, up: Scale, device: int, trend: Trend, language: Language) -> Markup:
    x, y = across(point.x), up(point.value)
    parts = []
    if point.expanded:
        low, high = up.within(point.value - point.expanded), up.within(point.value + point.expanded)
        parts.append(element("path", class_="error-bar", d=f"M{x:.1f} {low:.1f}V{high:.1f}"))
        parts.extend(
            element("path", class_="error-bar", d=f"M{x - 4:.1f} {end:.1f}H{x + 4:.1f}") for end in (low, high)
        )
    parts.append(_mark(x, y, device))
    value = _quantity(point, trend, language)
    tip = f"{point.exam} · {value} · {scanner_in_words(point.device, language)}"
    return element("g", *parts, class_="point", tabindex="0", role="img", aria_label=tip, data_tip=tip)


def _quantity(point: TrendPoint, trend: Trend, language: Language) -> str:
    number = language.quantity(point.value, "1", point.expanded)
    return f"{number} {trend.unit}".strip()


def _mark(x: float, y: float, device: int) -> Markup:
    """A circle for the first scanner, a square for the second, a triangle for the third, then diamonds."""
    if device == 0:
        return element("circle", class_="mark", cx=x, cy=y, r=MARK)
    if device == 1:
        return element(
            "rect", class_="mark", x=x - MARK + 0.5, y=y - MARK + 0.5, width=2 * MARK - 1, height=2 * MARK - 1
        )
    corners = {
        2: [(x, y - MARK - 1), (x + MARK + 1, y + MARK - 1), (x - MARK - 1, y + MARK - 1)],
    }.get(device, [(x, y - MARK - 1), (x + MARK + 1, y), (x, y + MARK + 1), (x - MARK - 1, y)])
    return element("path", class_="mark", d=path(corners, closed=True))
