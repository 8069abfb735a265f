"""Charts that lay values along a line: a hospital's values beside all others, and counts as one divided bar."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bingcheng.compare.homogeneity import SiteRow
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.svg import Scale, element

WIDTH, HEIGHT = 420.0, 34.0
PAD = 14.0


def shared_scale(rows: Sequence[SiteRow]) -> Scale:
    """The scale that all rows of one measure share."""
    values = [v for row in rows for v in (*row.values, row.median)]
    values += [row.others_median for row in rows if row.others_median is not None]
    return Scale.around(values, PAD, WIDTH - PAD, margin=0.04)


def strip(row: SiteRow, scale: Scale, unit: str, language: Language) -> Markup:
    """One scanner's values as dots, their median and interquartile range, and the others' median as a line."""
    middle = HEIGHT / 2
    parts = [element("line", class_="axis", x1=PAD, x2=WIDTH - PAD, y1=middle, y2=middle)]
    if row.spread:
        left, right = (scale.within(row.median + sign * row.spread / 2) for sign in (-1, 1))
        parts.append(element("rect", class_="spread", x=left, y=middle - 8, width=right - left, height=16.0, rx=3.0))
    if row.others_median is not None:
        x = scale(row.others_median)
        tip = f"{language.say('median of the other hospitals')}: {language.number(row.others_median)} {unit}".strip()
        parts.append(element("line", class_="others", x1=x, x2=x, y1=2.0, y2=HEIGHT - 2, data_tip=tip))
    parts.extend(
        element(
            "circle",
            class_="dot",
            cx=scale(value),
            cy=middle,
            r=4.0,
            data_tip=f"{row.site}: {language.number(value)} {unit}".strip(),
        )
        for value in row.values
    )
    x = scale(row.median)
    parts.append(element("line", class_="median", x1=x, x2=x, y1=middle - 10, y2=middle + 10))
    return element(
        "svg",
        *parts,
        class_=f"chart strip{' flagged' if row.flagged else ''}",
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        aria_hidden="true",
    )


def strip_axis(scale: Scale, language: Language) -> Markup:
    """The axis under the strips of one measure."""
    parts = []
    for tick in scale.ticks(5):
        x = scale(tick)
        parts.append(element("line", class_="axis", x1=x, x2=x, y1=0.0, y2=4.0))
        parts.append(element("text", language.number(tick), class_="tick", x=x, y=16.0, text_anchor="middle"))
    return element("svg", *parts, class_="chart strip-axis", viewBox=f"0 0 {WIDTH:.0f} 20", aria_hidden="true")


def place_among(value: float, rows: Sequence[SiteRow], language: Language, unit: str) -> Markup:
    """Where one value lies among all scanners' values: small dots, and a mark for the value itself."""
    width, height, pad = 130.0, 18.0, 6.0
    values = [v for row in rows for v in row.values]
    scale = Scale.around([*values, value], pad, width - pad, margin=0.02)
    parts = [element("line", class_="axis", x1=pad, x2=width - pad, y1=height / 2, y2=height / 2)]
    parts.extend(element("circle", class_="dot-faint", cx=scale(v), cy=height / 2, r=2.6) for v in values)
    x = scale(value)
    parts.append(element("path", class_="own", d=f"M{x:.1f} {height / 2 - 6:.1f}l4 6-4 6-4-6z"))
    tip = language.say("this exam among all compared exams")
    return element(
        "svg",
        *parts,
        class_="chart among",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        aria_label=f"{tip}: {language.number(value)} {unit}".strip(),
        data_tip=f"{tip}: {language.number(min(values))} – {language.number(max(values))} {unit}".strip(),
    )


def divided_bar(parts: Sequence[tuple[str, int, str]]) -> Markup:
    """Counts as one bar. Each part is (style, count, words for the tooltip); empty if there is nothing to count."""
    total = sum(count for _, count, _ in parts)
    if not total:
        return Markup("")
    width, gap, drawn, x = 600.0, 2.0, [], 0.0
    for style, count, words in parts:
        if count:
            size = width * count / total
            drawn.append(
                element(
                    "rect",
                    class_=f"part {style}",
                    x=x,
                    y=0.0,
                    width=max(size - gap, 1.0),
                    height=14.0,
                    data_tip=words,
                )
            )
            x += size
    label = ", ".join(words for _, count, words in parts if count)
    return element(
        "svg",
        *drawn,
        class_="chart bar",
        viewBox="0 0 600 14",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )
