"""``/cases/<number>/installations``: to which paired installations a case is given."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import CaseStatus
from bingcheng.archive.pairing import bundles, peers
from bingcheng.archive.pairing.problems import NO_CASES, WITHDRAWN
from bingcheng.core.errors import BingchengError, InputError, RefusedError
from bingcheng.server.cases.seen import case_to
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.pairing.case_room import room_of
from bingcheng.server.pairing.offer_case import offer_case
from bingcheng.server.pairing.pages import BUNDLE_WORDS, wake
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Granter = Annotated[Actor, allowed(Action.GRANT_CASE)]
Where = Annotated[Site, Depends(site)]


@router.get("/cases/{case_number}/installations")
def shown(request: Request, case_number: int, actor: Granter, where: Where) -> Response:
    """Who has it, and who may be given it."""
    return _page(request, actor, where, case_number)


@router.post("/cases/{case_number}/installations")
def give(
    request: Request,
    case_number: int,
    actor: Granter,
    where: Where,
    to: Annotated[list[int] | None, Form()] = None,
    push: Annotated[bool, Form()] = False,
) -> Response:
    """Give it to the chosen ones."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.GRANT_CASE, where.now())
    room = room_of(request.app)
    if room is None:
        raise RefusedError(NO_CASES)
    try:
        if known.status is not CaseStatus.PUBLISHED:
            raise InputError(WITHDRAWN)
        offer_case(where, room, case_number, dict.fromkeys(to or ()), push=push)
    except BingchengError as error:
        return _page(request, actor, where, case_number, problem=told(error))
    wake(request)
    return RedirectResponse(f"/cases/{case_number}/installations", 303)


def _page(request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None) -> Response:
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.GRANT_CASE, where.now())
        found = [one for one in peers.peers(connection) if one.active]
        given = {one.peer: one for one in bundles.given_of_case(connection, number)}
        foreign = bundles.origin_of(connection, number) is not None
    return page(
        request,
        "pairing/case.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        case=known,
        peers=found,
        given=given,
        foreign=foreign,
        published=known.status is CaseStatus.PUBLISHED,
        words=BUNDLE_WORDS,
        offer_days=where.settings.pairing_offer_days,
        problem=problem,
    )
