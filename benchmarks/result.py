"""What a benchmark found, as lines of text and as JSON: times, memory, ratios against targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.clock import MIB, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A comparison. With `at_most` or `at_least` it is a target, which is met or missed."""

    what: str
    value: float
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    def line(self) -> str:
        """In words."""
        if self.at_most is not None:
            goal = f"at most {self.at_most:g} {self.unit}"
        elif self.at_least is not None:
            goal = f"at least {self.at_least:g} {self.unit}"
        else:
            return f"  {self.what}: {self.value:.3g} {self.unit}"
        return f"  {self.what}: {self.value:.3g} {self.unit} (target: {goal}; {'met' if self.met else 'MISSED'})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One benchmark."""

    title: str
    series: tuple[Series, ...]
    ratios: tuple[Ratio, ...]
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """As people read it."""
        yield self.title
        width = max((len(one.name) for one in self.series), default=0)
        for one in self.series:
            times = (_seconds("wall", one, "wall_s"), _seconds("CPU", one, "cpu_s"), _memory(one))
            yield "  ".join((f"  {one.name:<{width}}", *times))
        for ratio in self.ratios:
            yield ratio.line()
        for note in self.notes:
            yield f"  {note}"

    def as_json(self) -> Mapping[str, object]:
        """For other programs."""
        return {
            "title": self.title,
            "series": {
                one.name: [
                    {"wall_s": s.wall_s, "cpu_s": s.cpu_s, "peak_bytes": s.peak_bytes, "facts": s.facts}
                    for s in one.samples
                ]
                for one in self.series
            },
            "ratios": [
                {"what": r.what, "value": r.value, "at_most": r.at_most, "at_least": r.at_least, "met": r.met}
                for r in self.ratios
            ],
            "notes": list(self.notes),
        }


def _seconds(name: str, series: Series, what: str) -> str:
    least, median, most = series.spread(what)
    return f"{name} {least:.3f} / {median:.3f} / {most:.3f} s"


def _memory(series: Series) -> str:
    return f"peak {series.median('peak_bytes') / MIB:.0f} MiB"


def slower(
    what: str,
    one: Series,
    other: Series,
    field: str = "wall_s",
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Ratio:
    """How many times longer `one` takes than `other`, by their medians."""
    value = one.median(field) / other.median(field)
    return Ratio(what=what, value=value, at_most=at_most, at_least=at_least)
