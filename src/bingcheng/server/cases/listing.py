"""``/cases``: the cases that somebody may read, to search."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.notices import NoticeKind, muted, set_muted
from bingcheng.archive.cases.query import FIELDS
from bingcheng.archive.cases.reading_list import opened, reading_list
from bingcheng.archive.cases.search import MOST, Found, Search, known_measures, known_protocols, search
from bingcheng.archive.pairing.bundles import names_of_origin
from bingcheng.core.errors import InputError
from bingcheng.server.cases.seen import hospitals_by_number, people_by_number, person_number, reader_of
from bingcheng.server.cases.thumbnails import thumbnails
from bingcheng.server.cases.words import NOTICE_WORDS, STATUS_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.paging import back_to_last, page_asked, page_count
from bingcheng.server.pages.told import told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
NOTHING = Found(cases=(), total=0, body_parts=(), modalities=(), tags=(), hospitals=())
LONGEST = 200


def asked_for(
    words: str = "",
    query: str = "",
    body_part: str = "",
    modality: str = "",
    tag: str = "",
    hospital: str = "",
) -> Search:
    """What an address asks for."""
    return Search(
        words=words[:LONGEST],
        query=query,
        body_part=body_part[:LONGEST],
        modality=modality[:16],
        tag=tag[:LONGEST],
        hospital=int(hospital) if hospital.isdecimal() and len(hospital) < 10 else None,
    )


Asked = Annotated[Search, Depends(asked_for)]
"""The search as a route's parameter."""


@router.get("/cases")
def listed(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_CASE)],
    where: Where,
    asked: Asked,
    page_number: str = "1",
) -> Response:
    """The list, and what it can be narrowed to."""
    number = page_asked(page_number)
    reader, problem, found = reader_of(actor), None, NOTHING
    with where.workspace.reading() as connection:
        try:
            found = search(connection, reader, asked, where.now(), offset=(number - 1) * MOST)
        except InputError as error:
            problem = told(error)
        measures = known_measures(connection, reader, where.now())
        said = known_protocols(connection, reader, where.now())
        names, places = people_by_number(connection), hospitals_by_number(connection)
        pictured = thumbnails(connection, found.cases)
        origins = names_of_origin(connection, [one.number for one in found.cases])
        mine = {one.case: one.read_at for one in reading_list(connection, person_number(actor))}
        old = opened(connection, person_number(actor), [one.number for one in found.cases])
    pages = page_count(found.total, MOST)
    if problem is None and (last := back_to_last(request, number, pages)) is not None:
        return last
    kept = {key: value for key, value in request.query_params.items() if key != "page_number" and value}

    def address(**changed: str) -> str:
        wanted = {key: value for key, value in {**kept, **changed}.items() if value}
        return f"/cases?{urlencode(wanted)}" if wanted else "/cases"

    return page(
        request,
        "cases/list.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        found=found,
        pictured=pictured,
        origins=origins,
        mine=mine,
        old=old,
        asked=asked,
        kept=kept,
        address=address,
        number=number,
        pages=pages,
        first=(number - 1) * MOST + 1,
        measures=measures,
        protocols=said,
        download=urlencode({key: value for key, value in kept.items() if value}),
        fields=FIELDS,
        problem=problem,
        names=names,
        hospitals=places,
        status_words=STATUS_WORDS,
    )


@router.get("/cases/notices")
def notices_form(request: Request, actor: Annotated[Actor, allowed(Action.READ_CASE)], where: Where) -> Response:
    """Which notices about cases the person wants."""
    traced(request).silent = True
    with where.workspace.reading() as connection:
        chosen = muted(connection, person_number(actor))
    return page(request, "cases/notices.html.jinja", actor=actor, muted=chosen, notice_words=NOTICE_WORDS)


@router.post("/cases/notices")
def keep_notices(
    actor: Annotated[Actor, allowed(Action.READ_CASE)],
    where: Where,
    wanted: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Keep it."""
    quiet = [kind for kind in NoticeKind if kind.value not in (wanted or ())]
    with where.workspace.writing() as connection:
        set_muted(connection, person_number(actor), quiet)
    return RedirectResponse("/cases", 303)
