"""Rows as CSV, for people with a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from io import StringIO

from bingcheng.core.wording import Text
from bingcheng.outputs.table import Cell, Column, Kind

Say = Callable[[Text | str], str]
"""What makes a sentence of a text: `Language.say`, or `str` for the English templates."""
Plain = str | float | int | bool | date | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a text as a formula."""


def as_csv(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], say: Say = str) -> bytes:
    """The rows as CSV, encoded.

    A text that a spreadsheet would run as a formula (device names come from headers that anyone may have written) gets
    an apostrophe in front, which spreadsheets take as "this is text".
    """
    stream = StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")  # RFC 4180
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(said(column, cell, say)) for column, cell in zip(columns, row, strict=True)])
    return stream.getvalue().encode("utf-8-sig")


def said(column: Column, cell: Cell, say: Say) -> Plain:
    """The cell with its sentence in the reader's language, and a number as a number."""
    if isinstance(cell, Text):
        return say(cell)
    if isinstance(cell, str):
        return say(cell) if column.translated else cell
    if column.kind is Kind.NUMBER and isinstance(cell, int | float):
        return float(cell)
    return cell


def _csv_cell(cell: Plain) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    return repr(cell) if isinstance(cell, float) else str(cell)
