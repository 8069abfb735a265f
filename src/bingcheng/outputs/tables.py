"""The assessment as tables: CSV for people with a spreadsheet, Parquet for programs; one file a kind of row.

CSV is UTF-8 with a byte-order mark, so that spreadsheets show Chinese; decimals have a point, an absent value is an
empty cell. Parquet has the same columns with types, and unit and description in each column's metadata. The columns are
in `bingcheng.outputs.table_columns`. No identifier stands there that the assessment does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

import bingcheng
from bingcheng.core.errors import InputError
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.csv_table import Say, as_csv, said
from bingcheng.outputs.source_images import CANNOT_WRITE
from bingcheng.outputs.table import Cell, Kind, Table
from bingcheng.outputs.table_columns import TABLES
from bingcheng.outputs.whole_file import whole_file

ARROW_TYPES = MappingProxyType(
    {
        Kind.TEXT: pa.string(),
        Kind.NUMBER: pa.float64(),
        Kind.COUNT: pa.int64(),
        Kind.FLAG: pa.bool_(),
        Kind.DATE: pa.date32(),
    }
)


def write_tables(assessment: Assessment, folder: Path, *, say: Say = str) -> tuple[Path, ...]:
    """Write every table of `assessment` into `folder` as ``NAME.csv`` and ``NAME.parquet``; returns the paths.

    Tables without rows are written too, with their columns, so that a reader need not ask which exist.

    Parameters
    ----------
    assessment : what to write.
    folder : made if it is not there; files of the same names are replaced, each whole or not at all.
    say : the language of the sentences in the rows. Column names and codes are the same in every language.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    written: list[Path] = []
    for table in TABLES:
        rows = list(table.rows(assessment))
        csv_path, parquet_path = folder / f"{table.name}.csv", folder / f"{table.name}.parquet"
        _save(csv_path, as_csv(table.columns, rows, say))
        _save(parquet_path, as_parquet(table, rows, say))
        written += (csv_path, parquet_path)
    return tuple(written)


def as_parquet(table: Table, rows: Sequence[Sequence[Cell]], say: Say = str) -> bytes:
    """The rows as a Parquet file with units and descriptions in its columns' metadata."""
    schema = pa.schema(
        [
            pa.field(
                column.name,
                ARROW_TYPES[column.kind],
                metadata={"description": column.description, "unit": column.unit},
            )
            for column in table.columns
        ],
        metadata={"description": table.description, "made_by": f"Bingcheng {bingcheng.__version__}"},
    )
    values = list(zip(*rows, strict=True)) if rows else [()] * len(table.columns)
    arrays = [
        pa.array([said(column, cell, say) for cell in cells], type=ARROW_TYPES[column.kind])
        for column, cells in zip(table.columns, values, strict=True)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _save(path: Path, content: bytes) -> None:
    try:
        with whole_file(path) as unfinished:
            unfinished.write_bytes(content)
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error
