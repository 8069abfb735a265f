"""``/collections``: cases in an order, for a forum or to read one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases import collections as kept
from bingcheng.archive.cases.case import cases
from bingcheng.archive.cases.free_text import check_texts
from bingcheng.archive.cases.grants import Given
from bingcheng.archive.cases.reading_list import reading_list
from bingcheng.archive.cases.search import visible
from bingcheng.archive.cases.tables import shared_case
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.giving import Asked, Granting, give_or_take_back, given_to
from bingcheng.server.cases.seen import (
    LARGEST_NUMBER,
    hospital_of,
    hospitals_by_number,
    person_number,
    readable_cases,
    reader_of,
)
from bingcheng.server.cases.thumbnails import thumbnails
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE)]
MOST_OFFERED = 300
MOST_LOOKED_AT = 5
"""Cases of a collection among which one is looked for to stand for it."""
Publishing = Annotated[Actor, allowed(Action.PUBLISH_CASE)]


@router.get("/collections")
def listed(request: Request, actor: Reading, where: Where) -> Response:
    """The collections of one's hospital, and those given to it."""
    return _list(request, actor, where)


@router.post("/collections")
def make(
    request: Request,
    actor: Publishing,
    where: Where,
    title: Annotated[str, Form(max_length=400)] = "",
    description: Annotated[str, Form(max_length=10_000)] = "",
) -> Response:
    """Make one."""
    try:
        with where.workspace.writing() as connection:
            number = kept.make_collection(
                connection,
                hospital=hospital_of(actor),
                author=person_number(actor),
                title=title,
                description=description,
                now=where.now(),
            )
    except InputError as error:
        written = {"title": title, "description": description}
        return _list(request, actor, where, written, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/collections/{number}", 303)


@router.get("/collections/{collection_number}")
def shown(request: Request, collection_number: int, actor: Reading, where: Where) -> Response:
    """One collection: its cases that the reader may see, in order."""
    return _page(request, actor, where, collection_number)


@router.post("/collections/{collection_number}")
def change(
    request: Request,
    collection_number: int,
    actor: Publishing,
    where: Where,
    step: Annotated[str, Form(max_length=8)] = "",
    case_number: Annotated[str, Form(max_length=9)] = "",
    note: Annotated[str, Form(max_length=400)] = "",
    title: Annotated[str, Form(max_length=400)] = "",
    description: Annotated[str, Form(max_length=10_000)] = "",
) -> Response:
    """Put a case in, take it out, move it, write title and description, or remove the whole."""
    try:
        with where.workspace.writing() as connection:
            _own(request, connection, actor, collection_number, where)
            match step:
                case "write":
                    inside = [one.case for one in kept.items(connection, collection_number)]
                    _check_words(connection, actor, inside, {"title": title, "description": description})
                    kept.change_collection(connection, collection_number, title=title, description=description)
                case "remove":
                    kept.remove_collection(connection, collection_number, where.now())
                case "put" | "take" | "up" | "down":
                    _change(connection, actor, collection_number, (step, case_number, note), where)
                case _:
                    return RedirectResponse(f"/collections/{collection_number}", 303)
    except InputError as error:
        if error.code == NO_SUCH_THING.code:
            raise
        written = {"title": title, "description": description, "case_number": case_number, "note": note}
        return _page(request, actor, where, collection_number, written, problem=told(error), status=status_of(error))
    return RedirectResponse("/collections" if step == "remove" else f"/collections/{collection_number}", 303)


@router.post("/collections/{collection_number}/grants")
def give(request: Request, collection_number: int, actor: Granting, where: Where, form: Asked) -> Response:
    """Give it to others, or take a grant back."""
    with where.workspace.reading() as connection:
        _own(request, connection, actor, collection_number, where)
    try:
        with where.workspace.writing() as connection:
            give_or_take_back(connection, where, form, Given.COLLECTION, collection_number, actor)
    except InputError as error:
        if error.code == NO_SUCH_THING.code:
            raise
        return _page(request, actor, where, collection_number, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/collections/{collection_number}", 303)


def _own(request: Request, connection: Connection, actor: Actor, number: int, where: Site) -> kept.Collection:
    known = collection_to(request, connection, actor, number, where)
    if known.hospital != actor.hospital:
        raise InputError(NO_SUCH_THING)
    return known


def collection_to(request: Request, connection: Connection, actor: Actor, number: int, where: Site) -> kept.Collection:
    """A collection that the actor may see now; noted for the audit trail.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    if not 0 < number <= LARGEST_NUMBER:
        raise InputError(NO_SUCH_THING)
    known = kept.collection(connection, number, actor.hospital, where.now())
    traced(request).subject, traced(request).hospital = f"collection/{number}", known.hospital
    return known


def _offered(connection: Connection, actor: Actor, taken: list[int], where: Site) -> list[tuple[int, str]]:
    """The latest cases that can be put in: number and title."""
    table = shared_case.c
    query = select(table.id, table.title).where(visible(reader_of(actor), where.now()), table.id.not_in(taken))
    return [(row[0], row[1]) for row in connection.execute(query.order_by(table.id.desc()).limit(MOST_OFFERED))]


def _change(connection: Connection, actor: Actor, number: int, asked: tuple[str, str, str], where: Site) -> None:
    step, case_number, note = asked
    meant = int(case_number) if case_number.isdecimal() and len(case_number) < 10 else 0
    if step == "put":
        if not readable_cases(connection, actor, [meant], where.now()):
            raise InputError(NO_SUCH_THING)
        known = kept.collection(connection, number, actor.hospital, where.now())
        said = {"remark": note, "title": known.title, "description": known.description}
        _check_words(connection, actor, [meant], said)
        kept.put_in(connection, number, meant, note)
    elif step == "take":
        kept.take_out(connection, number, meant)
    else:
        kept.move(connection, number, meant, by=-1 if step == "up" else 1)


def _check_words(connection: Connection, actor: Actor, inside: Sequence[int], texts: Mapping[str, str]) -> None:
    """Raise if words that stand beside cases of the own hospital tell who one of the patients is.

    Raises
    ------
    InputError
        ``archive.case-tells-who``.
    """
    for one in cases(connection, inside):
        if one.hospital == actor.hospital:
            check_texts(connection, one.number, one.hospital, texts)


def _fronts(
    connection: Connection, actor: Actor, held: Mapping[int, Sequence[int]], where: Site
) -> tuple[dict[int, int], dict[int, str]]:
    """The case that stands for each collection, and what its picture shows, by the case.

    It is the first that the reader may see and that has a picture; the collections that have none are left out.
    """
    first = {number for inside in held.values() for number in inside[:MOST_LOOKED_AT]}
    readable = readable_cases(connection, actor, sorted(first), where.now())
    pictured = thumbnails(connection, cases(connection, sorted(readable)))
    fronts = {
        number: next((one for one in inside[:MOST_LOOKED_AT] if one in pictured), None)
        for number, inside in held.items()
    }
    return {number: front for number, front in fronts.items() if front is not None}, pictured


def _list(
    request: Request,
    actor: Actor,
    where: Site,
    written: Mapping[str, str] | None = None,
    *,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    with where.workspace.reading() as connection:
        found = kept.collections(connection, actor.hospital, where.now())
        held = {one.number: [item.case for item in kept.items(connection, one.number)] for one in found}
        fronts, pictured = _fronts(connection, actor, held, where)
        places = hospitals_by_number(connection)
    return page(
        request,
        "cases/collections.html.jinja",
        actor=actor,
        status=status,
        collections=found,
        counts={number: len(inside) for number, inside in held.items()},
        fronts=fronts,
        pictured=pictured,
        hospitals=places,
        written=written or {},
        problem=problem,
    )


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    written: Mapping[str, str] | None = None,
    *,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    with where.workspace.reading() as connection:
        known = collection_to(request, connection, actor, number, where)
        own = known.hospital == actor.hospital
        items = kept.items(connection, number)
        readable = readable_cases(connection, actor, [one.case for one in items], where.now())
        found = {one.number: one for one in cases(connection, sorted(readable))}
        given = given_to(connection, where, Given.COLLECTION, number, own=own)
        offered = _offered(connection, actor, [one.case for one in items], where) if own else []
        pictured = thumbnails(connection, found.values())
        mine = reading_list(connection, person_number(actor))
    return page(
        request,
        "cases/collection.html.jinja",
        actor=actor,
        status=status,
        collection=known,
        own=own,
        items=items if own else [one for one in items if one.case in found],
        shut=0 if own else len(items) - len(found),
        offered=offered,
        cases=found,
        pictured=pictured,
        read={one.case for one in mine if one.read_at is not None},
        written=written or {},
        problem=problem,
        **given,
    )
