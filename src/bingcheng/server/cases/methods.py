"""``/shared``: protocols and methods that hospitals share, with their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.adoption import adoption_of
from bingcheng.archive.cases.grants import Given
from bingcheng.archive.cases.methods import Method, MethodKind, methods, share_method, withdraw_method
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.adopting import adopts
from bingcheng.server.cases.evidence import labels_of, shown_evidence
from bingcheng.server.cases.giving import Asked, give_or_take_back, given_to
from bingcheng.server.cases.seen import hospitals_by_number, method_to, person_number
from bingcheng.server.cases.words import METHOD_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
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
        written = {"kind": kind, "title": title, "description": description, "content": content, "evidence": evidence}
        return _list(request, actor, where, written, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/shared/{number}", 303)


@router.get("/shared/{method_number}")
def shown(request: Request, method_number: int, actor: Reading, where: Where) -> Response:
    """One of them."""
    return _page(request, actor, where, method_number)


@router.get("/shared/{method_number}/file")
def file(request: Request, method_number: int, actor: Reading, where: Where) -> Response:
    """The file, to be taken away: ``bingcheng assess --protocol-file`` judges by it."""
    known = method_to(request, actor, method_number, where)
    return _saved(known.content, known.file_name)


@router.get("/shared/{method_number}/evidence")
def evidence_file(request: Request, method_number: int, actor: Reading, where: Where) -> Response:
    """The evidence, as a file."""
    known = method_to(request, actor, method_number, where)
    if not known.evidence:
        raise InputError(NO_SUCH_THING)
    return _saved(known.evidence, f"evidence-{known.number}.json")


@router.post("/shared/{method_number}")
def change(
    request: Request,
    method_number: int,
    actor: Sharing,
    where: Where,
    form: Asked,
    step: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Give it to others, take a grant back, or share it no longer."""
    if not _is_own(method_to(request, actor, method_number, where), actor):
        raise InputError(NO_SUCH_THING)
    now = where.now()
    try:
        with where.workspace.writing() as connection:
            if step == "remove":
                withdraw_method(connection, method_number, now)
            else:
                give_or_take_back(connection, where, form, Given.METHOD, method_number, actor)
    except InputError as error:
        if error.code == NO_SUCH_THING.code:
            raise
        return _page(request, actor, where, method_number, problem=told(error), status=status_of(error))
    return RedirectResponse("/shared" if step == "remove" else f"/shared/{method_number}", 303)


def _is_own(known: Method, actor: Actor) -> bool:
    return known.hospital == actor.hospital


def _saved(content: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


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
        written=written or {},
        problem=problem,
    )


def _page(
    request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None, status: int = 200
) -> Response:
    known = method_to(request, actor, number, where)
    own = _is_own(known, actor)
    with where.workspace.reading() as connection:
        given = given_to(connection, where, Given.METHOD, number, own=own)
        adopted = adoption_of(connection, number)
        labels = labels_of(connection, known)
    return page(
        request,
        "cases/method.html.jinja",
        actor=actor,
        status=status,
        method=known,
        own=own,
        **shown_evidence(known, labels),
        method_words=METHOD_WORDS,
        adopted=adopted,
        adopts=adopts(actor) and known.kind is MethodKind.PROTOCOL,
        problem=problem,
        **given,
    )
