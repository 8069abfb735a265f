"""``/cases/<number>/installations``: to which paired installations a case is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.cases.case import Case, CaseStatus
from bingcheng.archive.pairing import bundles, peers, transfers
from bingcheng.archive.pairing.problems import NO_CASES, WITHDRAWN
from bingcheng.archive.pairing.transfers import Transfer
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem, RefusedError
from bingcheng.server.cases.seen import case_to, people_by_number
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.pages.undo import Undo
from bingcheng.server.pairing.case_room import room_of
from bingcheng.server.pairing.offer_case import offer_case
from bingcheng.server.pairing.pages import BUNDLE_WORDS, STATE_WORDS, STOPPED, Numbered, wake
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

NOT_YOURS_TO_STOP = Problem(
    code="server.transfer-of-another",
    says="this transfer was begun by somebody else",
    remedy="Ask the person who gave the case, or the administrator of your hospital.",
    owner=Owner.RADIOLOGIST,
)

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
        offer_case(where, room, case_number, dict.fromkeys(to or ()), push=push, by=actor.person)
    except BingchengError as error:
        return _page(request, actor, where, case_number, problem=told(error))
    wake(request)
    return RedirectResponse(f"/cases/{case_number}/installations", 303)


@router.post("/cases/{case_number}/installations/{transfer_number}")
def change_transfer(
    request: Request,
    case_number: int,
    transfer_number: Numbered,
    actor: Granter,
    where: Where,
    step: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Stop a transfer of the case, or let it go on: for who gave it, and for the hospital's administrators."""
    undo = None
    with where.workspace.writing() as connection:
        known = case_to(request, connection, actor, case_number, Action.GRANT_CASE, where.now())
        found = next((one for one in transfers.of_case(connection, case_number) if one.number == transfer_number), None)
        if found is None:
            raise InputError(NO_SUCH_THING)
        if not _may_change(actor, known, found):
            raise RefusedError(NOT_YOURS_TO_STOP)
        traced(request).subject = f"transfer/{transfer_number}"
        if step != "stop":
            transfers.retry(connection, transfer_number, where.now())
        elif transfers.stop(connection, transfer_number, where.now()):
            undo = Undo(says=STOPPED, action=f"/cases/{case_number}/installations/{transfer_number}")
    if undo is not None:
        return _page(request, actor, where, case_number, undo=undo)
    wake(request)
    return RedirectResponse(f"/cases/{case_number}/installations", 303)


def _may_change(actor: Actor, known: Case, found: Transfer) -> bool:
    """Whether it is the actor's own transfer, or one of a hospital that the actor administers."""
    of_hospital = Subject(kind=SubjectKind.HOSPITAL, hospital=known.hospital)
    mine = found.asked_by is not None and found.asked_by == actor.person
    return mine or decide(actor, Action.MANAGE_HOSPITAL, of_hospital).allowed


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    problem: Told | None = None,
    undo: Undo | None = None,
) -> Response:
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.GRANT_CASE, where.now())
        found = [one for one in peers.peers(connection) if one.active]
        given = {one.peer: one for one in bundles.given_of_case(connection, number)}
        foreign = bundles.origin_of(connection, number) is not None
        under_way = _latest(transfers.of_case(connection, number))
        names = people_by_number(connection)
        called = {one.number: one.name for one in peers.peers(connection)}
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
        transfers=[(one, _may_change(actor, known, one)) for one in under_way],
        names=names,
        called=called,
        active={one.number for one in found},
        states=STATE_WORDS,
        problem=problem,
        undo=undo,
    )


def _latest(found: Sequence[Transfer]) -> list[Transfer]:
    """The latest transfer to each installation of each version of the case."""
    return list({(one.peer, one.name): one for one in reversed(found)}.values())[::-1]
