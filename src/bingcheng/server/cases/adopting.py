"""``/shared/<number>/adopt``: what would change if a shared protocol were adopted here; adopting it, undoing that."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.cases.adoption import (
    Adoption,
    adopt,
    adoption_of,
    adoptions,
    ask_to_judge,
    in_force,
    shared_protocol,
    undo,
)
from bingcheng.archive.cases.methods import Method
from bingcheng.archive.cases.problems import WRONG_STEP
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.making import wake
from bingcheng.server.cases.seen import method_to, people_by_number, person_number
from bingcheng.server.cases.words import CHANGE_WORDS, PART_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Sharing = Annotated[Actor, allowed(Action.SHARE_PROTOCOL)]
INSTALLATION = Subject(kind=SubjectKind.INSTALLATION)
"""All hospitals of an installation are judged by the same protocols: no hospital's own people change them for all."""


def adopts(actor: Actor) -> bool:
    """Whether the actor may decide by which protocols the whole installation is judged."""
    return decide(actor, Action.SHARE_PROTOCOL, INSTALLATION).allowed


@router.get("/shared/{method_number}/adopt")
def shown(request: Request, method_number: int, actor: Sharing, where: Where) -> Response:
    """What would change, before anything does."""
    return _page(request, actor, where, method_number)


@router.post("/shared/{method_number}/adopt")
def change(
    request: Request,
    method_number: int,
    actor: Sharing,
    where: Where,
    step: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Adopt it, or undo that; then all exams are judged anew."""
    known = _deciding(request, actor, method_number, where)
    try:
        with where.workspace.writing() as connection:
            _change(connection, known, step, by=person_number(actor), now=where.now())
    except InputError as error:
        return _page(request, actor, where, method_number, problem=told(error), status=status_of(error))
    wake(request)
    return RedirectResponse(f"/shared/{method_number}/adopt", 303)


def _deciding(request: Request, actor: Actor, number: int, where: Site) -> Method:
    """The shared protocol, for those who decide about it; to all others this page is as if it weren't there."""
    known = method_to(request, actor, number, where)
    if not adopts(actor):
        raise InputError(NO_SUCH_THING)
    return known


def _change(connection: Connection, known: Method, step: str, *, by: int, now: datetime) -> None:
    if step == "adopt":
        adopt(connection, known, by=by, now=now)
    elif step == "undo":
        undo(connection, known.number, by=by, now=now)
    else:
        raise InputError(WRONG_STEP)
    ask_to_judge(connection, now)


def _page(
    request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None, status: int = 200
) -> Response:
    from bingcheng.protocol.authoring.diff import differences  # noqa: PLC0415 - loads what checks protocols

    known = _deciding(request, actor, number, where)
    wanted = shared_protocol(known)
    with where.workspace.reading() as connection:
        adopted = adoption_of(connection, number)
        current = in_force(connection, wanted.id)
        history = [one for one in adoptions(connection) if one.protocol == wanted.id]
        names = people_by_number(connection)
    return page(
        request,
        "cases/adopt.html.jinja",
        actor=actor,
        status=status,
        method=known,
        protocol=wanted,
        current=current,
        adopted=adopted,
        before_version=_version(adopted),
        differences=() if current is None else differences(current, wanted),
        history=history,
        names=names,
        change_words=CHANGE_WORDS,
        part_words=PART_WORDS,
        problem=problem,
    )


def _version(adopted: Adoption | None) -> str | None:
    """The version that comes back when an adoption is undone; None if none does."""
    if adopted is None or adopted.before is None:
        return None
    return str(json.loads(adopted.before)["version"])
