"""The tables that an assessment writes, column by column."""

from __future__ import annotations

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bingcheng.core.units import UNITS
from bingcheng.outputs.table import Table
from bingcheng.outputs.table_columns import TABLES
from bingcheng_pages.prose import Content, paragraph, section, table


class TablesDirective(SphinxDirective):
    """Every table with its columns."""

    def run(self) -> list[nodes.Node]:
        return [section(f"`{one.name}`", f"table-{one.name}", *self._table(one)) for one in TABLES]

    def _table(self, one: Table) -> list[nodes.Node]:
        rows: list[list[Content]] = [
            [nodes.literal(text=column.name), column.kind.value, _unit(column.unit), column.description]
            for column in one.columns
        ]
        return [paragraph(f"{one.description}."), table(("Column", "Type", "Unit", "Meaning"), rows)]


def _unit(code: str) -> str:
    if code == "{unit}":
        return "as `unit` says"
    return UNITS[code].symbol if code in UNITS else code
