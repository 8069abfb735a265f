"""``/shared``: protocols and methods that hospitals share, with their evidence."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.grants import Audience, Given, grant, grants, withdraw_grant
from bingcheng.archive.cases.methods import Method, MethodKind, method, methods, share_method, withdraw_method
from bingcheng.archive.cases.problems import WRONG_AUDIENCE
from bingcheng.archive.people.hospital_group import groups
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.one import audience_of
from bingcheng.server.cases.seen import (
    LARGEST_NUMBER,
    end_of_day,
    hospitals_by_number,
    people_by_number,
    person_number,
)
from bingcheng.server.cases.words import AUDIENCE_WORDS, METHOD_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE, Action.SHARE_PROTOCOL)]
Sharing = Annotated[Actor, allowed(Action.SHARE_PROTOCOL)]


@router.get("/shared")
def listed(request: Request, actor: Reading, where: Where) -> Response:
    """What the own hospital shares, and what is given to it."""
    return _list(request, actor, where)


@router.post("/shared")
def share(
    request: Request,
    actor: Sharing,
    where: Where,
    kind: Annotated[str, Form(max_length=16)] = "",
    title: Annotated[str, Form(max_length=400)] = "",
    description: Annotated[str, Form(max_length=10_000)] = "",
    content: Annotated[str, Form(max_length=1_000_000)] = "",
    evidence: Annotated[str, Form(max_length=1_000_000)] = "",
) -> Response:
    """Share one."""
    try:
        with where.workspace.writing() as connection:
            number = share_method(
                connection,
                MethodKind.METHOD if kind == MethodKind.METHOD.value else MethodKind.PROTOCOL,
                hospital=actor.hospital,
                author=person_number(actor),
                title=title,
                description=description,
                content=content,
                evidence=evidence,
                now=where.now(),
            )
    except InputError as error:
        return _list(request, actor, where, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/shared/{number}", 303)


@router.get("/shared/{method_number}")
def shown(request: Request, method_number: int, actor: Reading, where: Where) -> Response:
    """One of them."""
    return _page(request, actor, where, method_number)


@router.get("/shared/{method_number}/file")
def file(request: Request, method_number: int, actor: Reading, where: Where) -> Response:
    """The file, to be taken away: ``bingcheng assess --protocol-file`` judges by it."""
    known = _seen(request, actor, where, method_number)
    return _saved(known.content, known.file_name)


@router.get("/shared/{method_number}/evidence")
def evidence_file(request: Request, method_number: int, actor: Reading, where: Where) -> Response:
    """The evidence, as a file."""
    known = _seen(request, actor, where, method_number)
    if not known.evidence:
        raise InputError(NO_SUCH_THING)
    return _saved(known.evidence, f"evidence-{known.number}.json")


@router.post("/shared/{method_number}")
def change(
    request: Request,
    method_number: int,
    actor: Sharing,
    where: Where,
    step: Annotated[str, Form(max_length=8)] = "",
    audience: Annotated[str, Form(max_length=24)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
    withdrawn: Annotated[str, Form(max_length=9)] = "",
) -> Response:
    """Give it to others, take a grant back, or share it no longer."""
    if not _is_own(_seen(request, actor, where, method_number), actor):
        raise InputError(NO_SUCH_THING)
    now = where.now()
    try:
        with where.workspace.writing() as connection:
            if step == "remove":
                withdraw_method(connection, method_number, now)
            elif withdrawn.isdecimal():
                withdraw_grant(connection, Given.METHOD, method_number, int(withdrawn), now)
            else:
                kind, to = audience_of(audience)
                number = person_number(actor)
                end = end_of_day(until)
                grant(connection, Given.METHOD, method_number, kind, to=to, by=number, now=now, expires_at=end)
    except InputError as error:
        said = InputError(WRONG_AUDIENCE) if error.code == NO_SUCH_THING.code else error
        return _page(request, actor, where, method_number, problem=told(said), status=status_of(said))
    return RedirectResponse("/shared" if step == "remove" else f"/shared/{method_number}", 303)


def _is_own(known: Method, actor: Actor) -> bool:
    return known.hospital == actor.hospital


def _seen(request: Request, actor: Actor, where: Site, number: int) -> Method:
    if not 0 < number <= LARGEST_NUMBER:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        known = method(connection, number, actor.hospital, where.now())
    traced(request).subject, traced(request).hospital = f"shared/{number}", known.hospital
    return known


def _saved(content: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _list(request: Request, actor: Actor, where: Site, *, problem: Told | None = None, status: int = 200) -> Response:
    with where.workspace.reading() as connection:
        found = methods(connection, actor.hospital, where.now())
        places = hospitals_by_number(connection)
    return page(
        request,
        "cases/methods.html.jinja",
        actor=actor,
        status=status,
        methods=found,
        hospitals=places,
        method_words=METHOD_WORDS,
        Kind=MethodKind,
        problem=problem,
    )


def _page(
    request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None, status: int = 200
) -> Response:
    known = _seen(request, actor, where, number)
    own = _is_own(known, actor)
    with where.workspace.reading() as connection:
        given = grants(connection, Given.METHOD, number) if own else ()
        names, places = people_by_number(connection), hospitals_by_number(connection)
        teams = {one.number: one.name for one in groups(connection)}
    return page(
        request,
        "cases/method.html.jinja",
        actor=actor,
        status=status,
        method=known,
        own=own,
        evidence=json.dumps(json.loads(known.evidence), indent=1, ensure_ascii=False) if known.evidence else "",
        grants=given,
        now=where.now(),
        today=where.now().date(),
        names=names,
        hospitals=places,
        teams=teams,
        method_words=METHOD_WORDS,
        audience_words=AUDIENCE_WORDS,
        Audience=Audience,
        problem=problem,
    )
