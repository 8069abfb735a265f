"""``/hospital`` and ``/province``: how hospitals keep to what was agreed, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from bingcheng import __version__
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.core.finding import Outcome
from bingcheng.outputs.csv_table import as_csv
from bingcheng.outputs.report.strips import divided_bar
from bingcheng.outputs.report.words import EXAM_WORDS, style
from bingcheng.outputs.table import Column, Kind
from bingcheng.server.numbers.shown import MOST_FAILURES, HospitalNumbers, numbers_of_all
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
ORDER = (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL, None)
MONTHS = 12
COLUMNS = (
    Column(name="hospital", kind=Kind.TEXT, description="Hospital"),
    Column(name="protocol", kind=Kind.TEXT, description="Identifier of the protocol"),
    Column(name="criterion", kind=Kind.TEXT, description="Identifier of the criterion"),
    Column(name="title", kind=Kind.TEXT, description="What people call the criterion", translated=True),
    Column(name="level", kind=Kind.TEXT, description="How much it is asked for"),
    Column(name="met", kind=Kind.COUNT, description="Exams that met it"),
    Column(name="broken", kind=Kind.COUNT, description="Exams that broke it"),
    Column(name="open", kind=Kind.COUNT, description="Exams of which it is not known"),
)


@router.get("/hospital")
def hospital(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_NUMBERS)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """The actor's own hospital; who belongs to none is shown the province."""
    if actor.hospital is None:
        return RedirectResponse("/province", 303)
    with where.workspace.reading() as connection:
        found, made = numbers_of_all(connection)
    mine = next((one for one in found if one.number == actor.hospital), None)
    traced(request).silent = True
    return page(request, "numbers/hospital.html.jinja", actor=actor, mine=mine, made=made, bars=_bars(request, mine))


@router.get("/province")
def province(
    request: Request,
    actor: Annotated[Actor, allowed(Action.COMPARE_HOSPITALS)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """All hospitals side by side, for those who may see the numbers of all."""
    with where.workspace.reading() as connection:
        found, made = numbers_of_all(connection)
    # What draws the comparison is large; a server that only receives never loads it.
    from bingcheng.outputs.assessment import Assessment, SiteView  # noqa: PLC0415
    from bingcheng.outputs.report.embedded import hospitals  # noqa: PLC0415

    views = tuple(
        SiteView(
            site=one.name,
            devices=one.devices,
            exam_count=one.exam_count,
            outcomes={outcome.value: n for outcome, n in one.outcomes.items() if outcome is not None},
            top_failures=tuple((row.title, row.failed) for row in one.criteria[:MOST_FAILURES] if row.failed),
        )
        for one in found
    )
    rows = tuple(row for one in found for row in one.comparison)
    seen = Assessment(
        version=__version__, identified=False, sites=views, exams=(), changes=(), comparison=rows, refusals=()
    )
    drawn = hospitals(seen, language_of(request))
    traced(request).silent = True
    return page(request, "numbers/province.html.jinja", actor=actor, found=found, made=made, drawn=drawn)


@router.get("/exports/hospital/criteria.csv")
def own_criteria(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_NUMBERS)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """How the actor's own hospital met each criterion."""
    with where.workspace.reading() as connection:
        found, _ = numbers_of_all(connection)
    return _csv(request, [one for one in found if actor.hospital is not None and one.number == actor.hospital])


@router.get("/exports/province/criteria.csv", dependencies=[allowed(Action.COMPARE_HOSPITALS)])
def all_criteria(
    request: Request,
    where: Annotated[Site, Depends(site)],
) -> Response:
    """How every hospital met each criterion."""
    with where.workspace.reading() as connection:
        found, _ = numbers_of_all(connection)
    return _csv(request, found)


def _bars(request: Request, mine: HospitalNumbers | None) -> list[tuple[str, int, Markup]]:
    """The last months: name, number of exams, and how they met the protocols, drawn."""
    if mine is None:
        return []
    language = language_of(request)
    drawn: list[tuple[str, int, Markup]] = []
    for month, counted in [one for one in mine.months.items() if one[0]][-MONTHS:]:
        parts = [
            (style(outcome), counted[outcome], f"{language.say(EXAM_WORDS[outcome])}: {counted[outcome]}")
            for outcome in ORDER
            if counted[outcome]
        ]
        drawn.append((month, counted.total(), divided_bar(parts)))
    return drawn


def _csv(request: Request, found: Sequence[HospitalNumbers]) -> Response:
    traced(request).code = EventCode.EXPORT
    rows = [
        (one.name, row.protocol, row.criterion, row.title, row.level, row.passed, row.failed, row.unknown)
        for one in found
        for row in one.criteria
    ]
    headers = {"content-disposition": 'attachment; filename="criteria.csv"'}
    return Response(
        as_csv(COLUMNS, rows, language_of(request).say), media_type="text/csv; charset=utf-8", headers=headers
    )
