"""``/hospital`` and ``/province``: how hospitals keep to what was agreed, and how alike they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from bingcheng import __version__
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.numbers import DoseRow, Numbers
from bingcheng.archive.pairing.numbers import LEAST_CELL
from bingcheng.archive.people.hospital import hospital as one_hospital
from bingcheng.archive.site_counts import Outcomes
from bingcheng.core.wording import Text
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.dose import DOSE_STYLES, DOSE_WORDS
from bingcheng.outputs.report.strips import divided_bar
from bingcheng.outputs.report.words import EXAM_WORDS, style
from bingcheng.outputs.scanner import scanner_in_words
from bingcheng.server.numbers.shown import HospitalNumbers, numbers_of_all, numbers_of_hospital
from bingcheng.server.numbers.small_cells import ORDER, ToldHospital, told, told_hospital
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
MONTHS = 12
Procedure = tuple[Text, float, tuple[DoseRow, ...]]
"""A procedure, the diameter of its phantom in cm, and the doses of its exams."""
FINE = 0.02
"""How finely doses are worth showing: 2 % of them, far finer than displayed doses are accurate (IEC 60601-2-44)."""


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
        mine, made = numbers_of_hospital(connection, one_hospital(connection, actor.hospital))
    traced(request).silent = True
    language = language_of(request)
    return page(
        request,
        "numbers/hospital.html.jinja",
        actor=actor,
        mine=mine,
        made=made,
        bars=[] if mine is None else _bars(mine, language),
        order=ORDER,
        doses=() if mine is None else _by_procedure(mine.doses),
        **_words(language),
    )


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
    from bingcheng.outputs.report.embedded import side_by_side  # noqa: PLC0415

    shown = [told_hospital(one) for one in found if one.number is not None]
    language = language_of(request)
    views = tuple(SiteView(site=one.name, devices=one.devices, exam_count=0) for one in shown)
    rows = tuple(row for one in shown for row in one.comparison)
    seen = Assessment(
        version=__version__, identified=False, sites=views, exams=(), changes=(), comparison=rows, refusals=()
    )
    traced(request).silent = True
    return page(
        request,
        "numbers/province.html.jinja",
        actor=actor,
        found=[(one, None if one.counts is None else _bar(one.counts, language)) for one in shown],
        unclaimed=told(sum(one.exam_count for one in found if one.number is None)),
        made=made,
        compared=bool(rows),
        drawn=side_by_side(seen, language),
        doses=_of_all(shown, made),
        least=LEAST_CELL,
        **_words(language),
    )


def _words(language: Language) -> dict[str, Any]:
    return {
        "dose_styles": DOSE_STYLES,
        "dose_words": DOSE_WORDS,
        "exam_words": EXAM_WORDS,
        "style": style,
        "scanner": lambda device: scanner_in_words(device, language),
        "dose": lambda value, quantity: language.rounded(value, quantity.unit, FINE * abs(value)),
    }


def _by_procedure(rows: Iterable[DoseRow]) -> tuple[Procedure, ...]:
    """The rows of each procedure and phantom, in the order in which they come."""
    grouped: dict[tuple[str, float], list[DoseRow]] = defaultdict(list)
    for row in rows:
        grouped[str(row.procedure), row.phantom_cm].append(row)
    return tuple((held[0].procedure, phantom_cm, tuple(held)) for (_, phantom_cm), held in grouped.items())


def _of_all(shown: Iterable[ToldHospital], made: Numbers | None) -> tuple[Procedure, ...]:
    """The doses of all hospitals by procedure; the hospitals beside one level below one another, the highest first."""
    places: dict[object, int] = {}
    for row in () if made is None else made.doses:
        places.setdefault(_level(row), len(places))
    rows = [row for one in shown for row in one.doses]
    return _by_procedure(sorted(rows, key=lambda row: (places[_level(row)], -row.median)))


def _level(row: DoseRow) -> tuple[object, ...]:
    return row.procedure, row.phantom_cm, row.band, row.quantity, row.whose


def _bars(mine: HospitalNumbers, language: Language) -> list[tuple[str, int, Markup]]:
    """The last months: name, number of exams, and how they met the protocols, drawn."""
    return [(month, counted.total(), _bar(counted, language)) for month, counted in list(mine.months.items())[-MONTHS:]]


def _bar(counted: Outcomes, language: Language) -> Markup:
    return divided_bar(
        [
            (style(outcome), counted[outcome], f"{language.say(EXAM_WORDS[outcome])}: {counted[outcome]}")
            for outcome in ORDER
            if counted[outcome]
        ]
    )
