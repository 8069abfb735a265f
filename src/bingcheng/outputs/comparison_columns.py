"""One measure at one scanner beside all other hospitals, as cells of a row; the hospital stands first."""

from __future__ import annotations

from bingcheng.compare.homogeneity import SiteRow
from bingcheng.outputs.table import DEVICE, MEASURE, MEASURE_LABEL, UNIT, Kind, Row, column

COMPARED = (
    DEVICE,
    MEASURE,
    MEASURE_LABEL,
    UNIT,
    column("count", Kind.COUNT, "Number of exams"),
    column("median", Kind.NUMBER, "Median over the exams there", "{unit}"),
    column("spread", Kind.NUMBER, "Interquartile range there; empty below three exams", "{unit}"),
    column("others_median", Kind.NUMBER, "Median over the exams of all other hospitals", "{unit}"),
    column("deviation", Kind.NUMBER, "Median minus the others' median", "{unit}"),
    column("flagged", Kind.FLAG, "Whether uncertainty and spread do not explain the deviation"),
    column("explanation", Kind.TEXT, "What may explain it, or why nothing can be said"),
)
"""The columns behind the hospital's."""


def compared_row(row: SiteRow) -> Row:
    """The hospital, then a cell for each of `COMPARED`."""
    return (
        row.site,
        row.device,
        row.key,
        row.label,
        row.unit,
        row.count,
        row.median,
        row.spread,
        row.others_median,
        row.deviation,
        row.flagged,
        row.explanation,
    )
