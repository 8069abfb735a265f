"""What a protocol file may ask about, and with which operators."""

from __future__ import annotations

from itertools import groupby

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.protocol.attributes import About, Attribute, attributes
from bingcheng.protocol.rules import operators
from bingcheng_pages.prose import Content, section, table
from bingcheng_pages.protocols import units_of_quantity

ABOUT = {
    About.SERIES: "Of one series",
    About.EXAM: "Of a whole exam",
    About.ROLES: "Of the series that fill several roles of an exam",
    About.PAIR: "Of a series and its counterpart at baseline",
    About.OUTSIDE: "In no header: someone has to supply it",
}


class QuantitiesDirective(SphinxDirective):
    """All quantities, by what they belong to."""

    def run(self) -> list[nodes.Node]:
        order = list(ABOUT)
        ranked = sorted(attributes(), key=lambda one: (order.index(one.about), one.key))
        return [
            section(ABOUT[about], f"quantities-{about.value}", self._table(list(group)))
            for about, group in groupby(ranked, key=lambda one: one.about)
        ]

    def _table(self, group: list[Attribute]) -> nodes.Node:
        rows: list[list[Content]] = [
            [nodes.literal(text=one.key), str(one.label), _kind(one), ", ".join(sorted(one.modalities)) or "any"]
            for one in group
        ]
        return table(("Attribute", "What it is", "Value", "Modalities"), rows)


class OperatorsDirective(SphinxDirective):
    """All operators."""

    def run(self) -> list[nodes.Node]:
        rows: list[list[Content]] = [
            [
                nodes.literal(text=one.key),
                ", ".join(sorted(kind.value for kind in one.takes)),
                one.shape.value,
                "a value that is not recorded fails" if one.absence_fails else "",
            ]
            for one in operators()
        ]
        return [table(("Operator", "Judges", "Its limit", "Remark"), rows)]


def _kind(one: Attribute) -> str:
    if one.words:
        return f"{one.kind.value}: {', '.join(f'`{word}`' for word in one.words)}"
    if one.kind.numeric and one.unit != "1":
        return f"{one.kind.value} in {units_of_quantity(one.unit)}"
    return one.kind.value
