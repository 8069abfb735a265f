"""Sphinx extension: pages made from the program itself, so that they can't fall behind it.

Measures, protocols, problems, limits, tables, quantities and values of the IBSI are read from the installed package
while the pages are built. For each measure and each protocol a stub of three lines is written, which holds the
directive that fills it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bingcheng_pages.columns import TablesDirective
from bingcheng_pages.comparison import LimitsDirective, RulesDirective
from bingcheng_pages.ibsi import FiltersDirective, MissesDirective, SummaryDirective, ValuesDirective
from bingcheng_pages.measures import InputsDirective, MeasureDirective, MeasureListDirective
from bingcheng_pages.problems import ProblemsDirective
from bingcheng_pages.protocols import ProtocolDirective, ProtocolListDirective
from bingcheng_pages.quantities import OperatorsDirective, QuantitiesDirective
from bingcheng_pages.stubs import write_stubs

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DIRECTIVES = {
    "measure-list": MeasureListDirective,
    "measure-page": MeasureDirective,
    "measure-inputs": InputsDirective,
    "protocol-list": ProtocolListDirective,
    "protocol-page": ProtocolDirective,
    "protocol-quantities": QuantitiesDirective,
    "protocol-operators": OperatorsDirective,
    "problem-list": ProblemsDirective,
    "limit-list": LimitsDirective,
    "rule-list": RulesDirective,
    "table-columns": TablesDirective,
    "ibsi-summary": SummaryDirective,
    "ibsi-filters": FiltersDirective,
    "ibsi-misses": MissesDirective,
    "ibsi-values": ValuesDirective,
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and the writing of the stubs."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("builder-inited", write_stubs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
