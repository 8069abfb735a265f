"""The page of the IBSI: which reference values this program reaches, and why it does not reach the others.

The digital phantom is computed while the pages are built. The rest needs phantoms that don't ship with the program:
its results are read from ``ibsi_results.csv``, which ``tools/ibsi_conformance.py`` writes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.quantify.filters.configurations import CT_FILTERS, RESPONSE_MAPS
from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.radiomics.conformance import CT_PHANTOM, DIGITAL_PHANTOM, conformance
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.feature import Aggregation
from bingcheng_pages.prose import Content, paragraph, table

RESULTS = Path(__file__).parents[1] / "ibsi_results.csv"
MAPS = "IBSI 2"
"""The case of the response maps; that of a filter's statistics has the filter's name after it."""
IBSI_1_CASES = (DIGITAL_PHANTOM, *CT_PHANTOM)
NOTHING = "\N{EN DASH}"
WORDS = {
    Aggregation.BY_SLICE_AVERAGED: "2D, averaged",
    Aggregation.BY_SLICE_MERGED: "2D, slice-merged",
    Aggregation.BY_DIRECTION_MERGED: "2.5D, direction-merged",
    Aggregation.BY_SLICE_FULLY_MERGED: "2.5D, merged",
    Aggregation.IN_VOLUME_AVERAGED: "3D, averaged",
    Aggregation.IN_VOLUME_MERGED: "3D, merged",
    Aggregation.BY_SLICE: "2D",
    Aggregation.OVER_SLICES_MERGED: "2.5D",
    Aggregation.IN_VOLUME: "3D",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One reference value and what came out, as text; `reached` is ``yes``, ``no``, or empty without a consensus."""

    case: str
    family: str
    tag: str
    expect: str
    tolerance: str
    consensus: str
    ours: str
    reached: str
    why: str


@cache
def lines() -> tuple[Line, ...]:
    """Every reference value."""
    reached = {True: "yes", False: "no", None: ""}
    fresh = tuple(
        Line(
            case=row.case,
            family=row.family,
            tag=row.tag,
            expect=_number(row.expect),
            tolerance=_number(row.tolerance),
            consensus=row.consensus,
            ours=_number(row.ours),
            reached=reached[row.reached],
            why="" if row.why is None else str(row.why),
        )
        for row in conformance()
    )
    stored = (row for row in RESULTS.read_text("utf-8").splitlines() if not row.startswith("#"))
    return (*fresh, *(Line(**row) for row in csv.DictReader(stored)))


def made_by() -> str:
    """The versions and the date of the stored results."""
    return RESULTS.read_text("utf-8").splitlines()[0].removeprefix("#").strip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


class SummaryDirective(SphinxDirective):
    """How many values were reached: feature families and aggregations by case, and the filters."""

    def run(self) -> list[nodes.Node]:
        known = [one for one in lines() if one.case in IBSI_1_CASES]
        return [_total(known), _families(known)]


class FiltersDirective(SphinxDirective):
    """The response maps and the statistics after each filter of the IBSI 2."""

    def run(self) -> list[nodes.Node]:
        maps = {one.tag: one for one in lines() if one.case == MAPS}
        rows: list[list[Content]] = [
            [
                name,
                benchmark.phantom,
                _settings(benchmark.filter),
                f"{100 * float(maps[name].ours):.2g} %" if maps[name].ours else NOTHING,
                maps[name].reached,
            ]
            for name, benchmark in RESPONSE_MAPS.items()
        ]
        heads = ("Test", "Phantom", "Filter", "Largest difference", "Reached")
        values: list[list[Content]] = [
            [name, _settings(chosen), _count(one for one in lines() if one.case == f"{MAPS} {name}")]
            for name, chosen in CT_FILTERS.items()
        ]
        total = _total([one for one in lines() if one.case not in IBSI_1_CASES])
        return [total, table(heads, rows), table(("Test", "Filter", "Statistics reached"), values)]


class MissesDirective(SphinxDirective):
    """Every value that is not reached, or that has no consensus, with the reason."""

    def run(self) -> list[nodes.Node]:
        missed = [one for one in lines() if one.reached == "no"]
        open_ = [one for one in lines() if not one.reached]
        by_tag = {tag: [one for one in open_ if one.tag == tag] for tag in dict.fromkeys(one.tag for one in open_)}
        rows: list[list[Content]] = [
            [f"`{tag}`", *(_ours(found, case) for case in IBSI_1_CASES)] for tag, found in by_tag.items()
        ]
        told: list[nodes.Node] = [paragraph("No value with a consensus is missed.")] if not missed else [_list(missed)]
        heads = ("No consensus", "Digital phantom", *CT_PHANTOM)
        return [*told, table(heads, rows), *(paragraph(why) for why in dict.fromkeys(one.why for one in open_))]


class ValuesDirective(SphinxDirective):
    """Every value, case by case, folded away."""

    def run(self) -> list[nodes.Node]:
        made: list[nodes.Node] = [paragraph(f"Stored results: {made_by()}. The digital phantom: this build.")]
        for case, found in groupby(lines(), key=lambda one: one.case):
            rows = list(found)
            name = "IBSI 2, response maps" if case == MAPS else _case(case)
            made += _folded(f"{name}: {_count(rows)}", _list(rows))
        return made


def _total(known: Sequence[Line]) -> nodes.Node:
    judged = [one for one in known if one.reached]
    reached = sum(one.reached == "yes" for one in judged)
    without = f", {len(known) - len(judged)} have none" if len(known) > len(judged) else ""
    return paragraph(f"{reached} of {len(judged)} values with a consensus are reached{without}.")


def _families(known: Sequence[Line]) -> nodes.Node:
    heads = ("Family", "Aggregation", "Digital phantom", *CT_PHANTOM)
    places = dict.fromkeys(_place(one) for one in known if one.case in IBSI_1_CASES)
    ordered = sorted(places, key=lambda place: list(dict.fromkeys(family for family, _ in places)).index(place[0]))
    rows: list[list[Content]] = [
        [
            _words(family),
            aggregation,
            *(
                _count(one for one in known if one.case == case and _place(one) == (family, aggregation))
                for case in IBSI_1_CASES
            ),
        ]
        for family, aggregation in ordered
    ]
    return table(heads, rows)


@cache
def _aggregations() -> Mapping[str, str]:
    return {one.tag: "" if one.aggregation is None else WORDS[one.aggregation] for one in all_features()}


def _place(one: Line) -> tuple[str, str]:
    return one.family, _aggregations().get(one.tag, "")


def _words(family: str) -> str:
    return {"cooccurrence": "Co-occurrence"}.get(family, family.replace("_", " ").capitalize())


def _count(found: Iterable[Line]) -> str:
    judged = [one for one in found if one.reached]
    return f"{sum(one.reached == 'yes' for one in judged)}/{len(judged)}" if judged else NOTHING


def _ours(found: Iterable[Line], case: str) -> str:
    return next((one.ours for one in found if one.case == case), NOTHING)


def _case(case: str) -> str:
    return {DIGITAL_PHANTOM: "Digital phantom"}.get(case, f"Configuration {case}" if len(case) == 1 else case)


def _settings(chosen: Filter | None) -> str:
    if chosen is None:
        return "none"
    plain = {key: value for key, value in chosen.as_mapping().items() if key != "name"}
    return f"{chosen.name.replace('_', ' ')} ({', '.join(_told(plain))})"


def _told(plain: Mapping[str, object]) -> Iterator[str]:
    for key, value in plain.items():
        if isinstance(value, Mapping):
            yield f"{key}: {value.get('name', '')}".replace("_", " ")
        elif value is not False:
            yield key.replace("_", " ") if value is True else f"{key.replace('_', ' ')} {_plain(value)}"


def _plain(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)


def _list(found: Sequence[Line]) -> nodes.Node:
    heads = ("Value", "Reference", "Tolerance", "Consensus", "Here", "Reached")
    return table(heads, (_row(one) for one in found))


def _row(one: Line) -> list[Content]:
    reached = f"{one.reached or NOTHING}. {one.why}" if one.why else one.reached
    tag: Content = nodes.literal(text=one.tag)
    return [tag, one.expect or NOTHING, one.tolerance, one.consensus, one.ours or NOTHING, reached]


def _folded(title: str, content: nodes.Node) -> list[nodes.Node]:
    before = nodes.raw("", f"<details><summary>{title}</summary>", format="html")
    return [before, content, nodes.raw("", "</details>", format="html")]
