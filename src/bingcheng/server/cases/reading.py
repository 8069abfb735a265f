"""``/reading``: the cases that somebody keeps to read, and those that were read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import cases
from bingcheng.archive.cases.collections import items
from bingcheng.archive.cases.reading_list import keep, reading_list, set_read, take_off
from bingcheng.archive.cases.unlocking import unlock
from bingcheng.archive.pairing.bundles import names_of_origin
from bingcheng.server.cases.collections import collection_to
from bingcheng.server.cases.seen import (
    LARGEST_NUMBER,
    case_to,
    hospitals_by_number,
    people_by_number,
    person_number,
    readable_cases,
)
from bingcheng.server.cases.thumbnails import thumbnails
from bingcheng.server.pages.next_page import own_path
from bingcheng.server.pages.page import page
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE)]
LIST = "/reading"


@router.get(LIST)
def shown(request: Request, actor: Reading, where: Where) -> Response:
    """The list: what is still to be read, then what was read."""
    with where.workspace.reading() as connection:
        mine = reading_list(connection, person_number(actor))
        readable = readable_cases(connection, actor, [one.case for one in mine], where.now())
        found = {one.number: one for one in cases(connection, sorted(readable))}
        names, places = people_by_number(connection), hospitals_by_number(connection)
        pictured = thumbnails(connection, found.values())
        origins = names_of_origin(connection, found)
    held = [one for one in mine if one.case in found]
    return page(
        request,
        "cases/reading.html.jinja",
        actor=actor,
        waiting=[one for one in held if one.read_at is None],
        done=[one for one in held if one.read_at is not None],
        ended=[one for one in mine if one.case not in found],
        cases=found,
        pictured=pictured,
        origins=origins,
        names=names,
        hospitals=places,
    )


@router.post("/cases/{case_number}/reading")
def change(
    request: Request,
    case_number: int,
    actor: Reading,
    where: Where,
    step: Annotated[str, Form(max_length=8)] = "",
    to: Annotated[str, Form(max_length=200)] = LIST,
) -> Response:
    """Keep a case to be read, say that it was read or is to be read again, or take it off the list.

    Or (`shown`) keep that the person asked for the answer which the case hides: it is found by it from then on.
    """
    now, person = where.now(), person_number(actor)
    with where.workspace.writing() as connection:
        if step != "off":  # a case that was shut meanwhile is taken off without being seen
            case_to(request, connection, actor, case_number, Action.READ_CASE, now)
        match step:
            case "keep":
                keep(connection, person, [case_number], now)
            case "read" | "again":
                set_read(connection, person, case_number, now if step == "read" else None)
            case "shown":
                unlock(connection, person, case_number, now)
            case "off" if case_number <= LARGEST_NUMBER:
                take_off(connection, person, case_number)
    return RedirectResponse(own_path(to, LIST), 303)


@router.post("/collections/{collection_number}/reading")
def keep_all(request: Request, collection_number: int, actor: Reading, where: Where) -> Response:
    """Keep all cases of a collection that the person may read."""
    now = where.now()
    with where.workspace.writing() as connection:
        collection_to(request, connection, actor, collection_number, where)
        inside = [one.case for one in items(connection, collection_number)]
        readable = readable_cases(connection, actor, inside, now)
        keep(connection, person_number(actor), [one for one in inside if one in readable], now)
    return RedirectResponse(LIST, 303)
