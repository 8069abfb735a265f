"""Drawing inline SVG: elements with escaped attributes, linear scales, round tick values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values [low, high] to coordinates [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of `value`."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def within(self, value: float) -> float:
        """The coordinate of `value`, held inside the scale's ends."""
        return self(min(max(value, self.low), self.high))

    def ticks(self, count: int = 5) -> tuple[float, ...]:
        """About `count` round values (1, 2 or 5 times a power of ten apart) inside the scale."""
        raw = (self.high - self.low) / max(count, 1)
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))

    @staticmethod
    def around(values: list[float], start: float, end: float, *, margin: float = 0.08) -> Scale:
        """A scale that holds all `values` with a margin, as a fraction of their range, on either side."""
        low, high = min(values), max(values)
        spread = high - low or abs(high) * 0.2 or 1.0
        return Scale(low - margin * spread, high + margin * spread, start, end)


def element(tag: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """An SVG element; text and attributes are escaped, an attribute of None is left out.

    An underscore in a name stands for a hyphen, a trailing one is dropped (``class_``).
    """
    # Not Markup.format, which takes six times as long: pages of many pictures are made of thousands of elements.
    written = "".join(
        f' {_name(name)}="{coordinate(value) if isinstance(value, float) else escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(map(escape, children))
    return Markup(f"<{tag}{written}>{inner}</{tag}>")  # noqa: S704 - all but our own words is escaped


def coordinate(value: float) -> str:
    """A coordinate with at most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def path(points: list[tuple[float, float]], *, closed: bool = False) -> str:
    """The ``d`` of a polyline."""
    return "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points) + ("Z" if closed else "")


@cache
def _name(name: str) -> str:
    if name == "viewBox":
        return name
    return name.rstrip("_").replace("_", "-")
