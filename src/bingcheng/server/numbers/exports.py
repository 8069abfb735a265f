"""``/exports/hospital`` and ``/exports/province``: what the pages of numbers show, as tables to take away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.numbers import DoseRow
from bingcheng.archive.people.hospital import hospital
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.outputs.comparison_columns import COMPARED, compared_row
from bingcheng.outputs.csv_table import as_csv
from bingcheng.outputs.dose_columns import OWN_LEVEL
from bingcheng.outputs.table import Cell, Column, Kind, column
from bingcheng.server.numbers.shown import CriterionRow, HospitalNumbers, numbers_of_all, numbers_of_hospital
from bingcheng.server.numbers.small_cells import ORDER, told_criteria, told_hospital, told_months
from bingcheng.server.pages.page import language_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Row = Sequence[Cell]
HOSPITAL = column("hospital", Kind.TEXT, "Hospital")
OUTCOMES = (
    column("met", Kind.COUNT, "Exams that met it; for the province <5 stands for one to four, here and below"),
    column("broken", Kind.COUNT, "Exams that broke it"),
    column("open", Kind.COUNT, "Exams of which it is not known"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A table: its columns, its rows as a hospital sees its own, and as the province is told them."""

    columns: tuple[Column, ...]
    own: Callable[[HospitalNumbers], Iterable[Row]]
    told: Callable[[HospitalNumbers], Iterable[Row]]


def _criterion(one: HospitalNumbers, row: CriterionRow, counts: Iterable[Cell]) -> Row:
    return one.name, row.protocol, row.criterion, row.title, row.level, *counts


def _dosed(rows: Iterable[DoseRow]) -> Iterable[Row]:
    return (
        (
            row.site,
            row.procedure,
            row.phantom_cm,
            row.band,
            row.quantity.symbol,
            row.count,
            row.median,
            row.quantity.unit,
            row.reference,
            row.low,
            row.whose or OWN_LEVEL,
            row.provisional,
            row.verdict.value,
            row.sentence,
            row.remedy,
        )
        for row in rows
    )


TABLES = MappingProxyType(
    {
        "criteria": Exported(
            columns=(
                HOSPITAL,
                column("protocol", Kind.TEXT, "Identifier of the protocol"),
                column("criterion", Kind.TEXT, "Identifier of the criterion"),
                Column(name="title", kind=Kind.TEXT, description="What people call the criterion", translated=True),
                column("level", Kind.TEXT, "How much it is asked for"),
                *OUTCOMES,
            ),
            own=lambda one: (_criterion(one, row, (row.passed, row.failed, row.unknown)) for row in one.criteria),
            told=lambda one: (_criterion(one, row, counts) for row, counts in told_criteria(one)),
        ),
        "months": Exported(
            columns=(
                HOSPITAL,
                column("month", Kind.TEXT, "Year and month; empty for exams without a date"),
                column("as_agreed", Kind.COUNT, "Exams that met what is required; <5 stands for one to four"),
                column("open", Kind.COUNT, "Exams that left something required open"),
                column("broken", Kind.COUNT, "Exams that broke something required"),
                column("not_judged", Kind.COUNT, "Exams that no protocol applies to"),
            ),
            own=lambda one: (
                (one.name, month, *(counted[outcome] for outcome in ORDER)) for month, counted in one.months.items()
            ),
            told=lambda one: ((one.name, month, *counts) for month, counts in told_months(one)),
        ),
        "comparison": Exported(
            columns=(HOSPITAL, *COMPARED),
            own=lambda one: map(compared_row, one.comparison),
            told=lambda one: map(compared_row, told_hospital(one).comparison),
        ),
        "doses": Exported(
            columns=(
                HOSPITAL,
                column("procedure", Kind.TEXT, "Body regions that were scanned"),
                column("phantom", Kind.NUMBER, "Diameter of the phantom that the dose refers to", "cm"),
                column("size_band", Kind.TEXT, "Size of the patients; empty for adults of all sizes"),
                column("quantity", Kind.TEXT, "CTDIvol, DLP or SSDE"),
                column("count", Kind.COUNT, "Number of exams"),
                column("median", Kind.NUMBER, "Median over the exams", "{unit}"),
                column("unit", Kind.TEXT, "UCUM code of the unit"),
                column("reference", Kind.NUMBER, "Reference level: 75th percentile", "{unit}"),
                column("low", Kind.NUMBER, "25th percentile, below which a dose is unusually low", "{unit}"),
                column(
                    "level_of", Kind.TEXT, "Whose level: own of the hospitals compared here, else authority and year"
                ),
                column("provisional", Kind.FLAG, "Whether too few hospitals are behind the level for it to judge"),
                column("verdict", Kind.TEXT, "above the level, usual, unusually low, or can't be judged"),
                column("sentence", Kind.TEXT, "The same in words"),
                column("remedy", Kind.TEXT, "What to do"),
            ),
            own=lambda one: _dosed(one.doses),
            told=lambda one: _dosed(told_hospital(one).doses),
        ),
    }
)
"""What can be taken away, by the name in the address."""


@router.get("/exports/hospital/{table}.csv")
def own_table(
    request: Request,
    table: str,
    actor: Annotated[Actor, allowed(Action.READ_NUMBERS)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """A table of the actor's own hospital."""
    wanted = _wanted(table)
    if actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        found, _ = numbers_of_hospital(connection, hospital(connection, actor.hospital))
    return _csv(request, table, wanted, () if found is None else wanted.own(found))


@router.get("/exports/province/{table}.csv", dependencies=[allowed(Action.COMPARE_HOSPITALS)])
def table_of_all(request: Request, table: str, where: Annotated[Site, Depends(site)]) -> Response:
    """A table of every hospital of the installation, without small cells."""
    wanted = _wanted(table)
    with where.workspace.reading() as connection:
        found, _ = numbers_of_all(connection)
    return _csv(request, table, wanted, (row for one in found if one.number is not None for row in wanted.told(one)))


def _wanted(table: str) -> Exported:
    wanted = TABLES.get(table)
    if wanted is None:
        raise InputError(NO_SUCH_THING)
    return wanted


def _csv(request: Request, name: str, table: Exported, rows: Iterable[Row]) -> Response:
    traced(request).code = EventCode.EXPORT
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    content = as_csv(table.columns, rows, language_of(request).say)
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
