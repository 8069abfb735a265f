"""The pages of the measures: what each is, in which unit, from which inputs, by whose definition, who checked it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.core.case import GIVENS
from bingcheng.core.measure import Better, Component, Measure, Reference
from bingcheng.core.units import unit
from bingcheng_pages.catalogues import methods
from bingcheng_pages.prose import (
    Content,
    described,
    facts,
    inline,
    link,
    pairs_of,
    paragraph,
    parts_of,
    prose,
    section,
    table,
)

HEADINGS = ("Parameters", "Returns", "Raises", "Notes")


class MeasureListDirective(SphinxDirective):
    """A table of all measures."""

    def run(self) -> list[nodes.Node]:
        known = methods()
        rows: list[list[Content]] = [
            [
                link(f"measure-{one.key}", one.label),
                nodes.literal(text=one.key),
                unit_of(one.unit),
                ", ".join(sorted(one.modalities)),
                "lesion" if known.per_lesion(one) else "series",
            ]
            for one in known.measures
        ]
        return [table(("Measure", "Key", "Unit", "Modalities", "Of"), rows)]


class MeasureDirective(SphinxDirective):
    """One measure whole."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        one = methods().measures[self.arguments[0]]
        parts = dict(parts_of(inspect.getdoc(one.function) or ""))
        made: list[nodes.Node] = [*prose(parts.pop("", [])), facts(_facts(one))]
        made += [_section(name, lines) for name, lines in parts.items() if name in HEADINGS]
        if one.parts:
            made.append(section("Values", "values", _values(one)))
        made.append(section("Uncertainty", "uncertainty", *_uncertainty(one)))
        made.append(section("References", "references", *_references(one)))
        return made


class InputsDirective(SphinxDirective):
    """What a measure may ask for by name."""

    def run(self) -> list[nodes.Node]:
        rows: list[list[Content]] = [[nodes.literal(text=name), "given", says] for name, says in GIVENS.items()]
        for one in methods().derived:
            about = (inspect.getdoc(one.function) or "").split("\n\n")[0].replace("\n", " ")
            rows.append([nodes.literal(text=one.key), inline("from " + ", ".join(f"`{n}`" for n in one.inputs)), about])
        return [table(("Input", "Made", "What it is"), rows)]


def unit_of(code: str) -> str:
    """A unit as people read it."""
    return unit(code).symbol or "1"


def _facts(one: Measure) -> Iterator[tuple[Content, Content]]:
    known = methods()
    yield "Key", [nodes.literal(text=one.key)]
    yield "Unit", f"{unit_of(one.unit)} (UCUM `{one.unit}`, {unit(one.unit).meaning})"
    yield "Speaks of", "one lesion" if known.per_lesion(one) else "a whole series"
    yield "Modalities", ", ".join(sorted(one.modalities))
    if one.better is not Better.NEITHER:
        yield "Better", one.better.value
    yield "Inputs", "; ".join(_input(name) for name in one.inputs)
    if one.parameters:
        yield "Settings", ", ".join(f"`{name}` = {value}" for name, value in one.parameters.items())
    yield "Source", one.source
    if one.ibsi:
        yield "IBSI", f"`{one.ibsi}`"
    if one.code is not None:
        yield "Code in reports", f"`{one.code.value}` ({one.code.scheme}, {one.code.meaning})"
    yield "Revision", str(one.revision)


def _input(name: str) -> str:
    if name in GIVENS:
        return f"`{name}`"
    return f"`{name}` (from {', '.join(f'`{n}`' for n in sorted(methods().given_by(name)))})"


def _section(name: str, lines: list[str]) -> nodes.section:
    if name == "Raises":  # which class is raised is no concern of a reader: the codes say it
        return section("No value when", "no-value", *(paragraph(said) for _, said in pairs_of(lines)))
    return section(name, name.lower(), *(prose(lines) if name == "Notes" else [described(lines)]))


def _values(one: Measure) -> nodes.Node:
    rows = [[f"`{one.key}.{name}`", part.label, unit_of(part.unit)] for name, part in one.parts.items()]
    return table(("Key", "Value", "Unit"), rows)


def _uncertainty(one: Measure) -> Iterator[nodes.Node]:
    if methods().per_lesion(one):
        yield paragraph(
            "The value is measured again on other outlines that a reader might as well have drawn and, where the "
            "measure looks at the image, on other draws of its noise and with a sharpened border."
        )
    else:
        yield paragraph("What the measure itself states, if it does, and the systematic parts below.")
    yield _see()
    if one.budget:
        rows = [[part.name, _size(part, one), part.source] for part in one.budget]
        yield table(("Systematic part", "Standard uncertainty (k = 1)", "Source"), rows)


def _see() -> nodes.paragraph:
    return paragraph(
        [nodes.Text("How the parts are put together: see "), link("uncertainty", "uncertainty"), nodes.Text(".")]
    )


def _size(part: Component, one: Measure) -> str:
    said = []
    if part.relative:
        said.append(f"{100.0 * part.relative:.3g} % of the value")
    if part.absolute:
        said.append(f"{part.absolute:.3g} {unit_of(one.unit)}".removesuffix(" 1"))
    return " and ".join(said)


def _references(one: Measure) -> Iterator[nodes.Node]:
    yield paragraph("Cases with a known answer; `bingcheng verify` recomputes each of them on your machine.")
    rows: list[list[Content]] = [
        [one_reference.name, _expected(one_reference, one), one_reference.kind.value, _said_by(one_reference)]
        for one_reference in one.references
    ]
    yield table(("Case", "Expected", "Kind", "Who says so, and why this tolerance"), rows)


def _expected(reference: Reference, one: Measure) -> str:
    tolerance = reference.atol + reference.rtol * abs(reference.expect)
    code = one.unit if reference.part is None else one.parts[reference.part].unit
    name = "" if reference.part is None else f"{reference.part}: "
    return f"{name}{reference.expect:.6g} ± {tolerance:.3g} {unit(code).symbol}".strip()


def _said_by(reference: Reference) -> str:
    return f"{reference.source}. {reference.why}" if reference.why else reference.source
