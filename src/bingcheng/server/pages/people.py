"""People of a hospital: inviting them, their roles, their passwords."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event_code import EventType
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import NOT_ALLOWED, decide, may_give
from bingcheng.archive.authorisation.role import OF_NO_HOSPITAL, Role
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.people.hospital import Hospital, hospitals
from bingcheng.archive.people.invitation import Invitation, invitations, invite, let_reset, withdraw_invitation
from bingcheng.archive.people.person import Person, person, persons, set_rights
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.people.session import end_sessions
from bingcheng.core.errors import BingchengError, InputError, RefusedError
from bingcheng.core.wording import text
from bingcheng.server.pages.address import public_address
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.pages.undo import Undo
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Manager = Annotated[Actor, allowed(Action.MANAGE_PEOPLE)]
Where = Annotated[Site, Depends(site)]


@router.get("/admin/people")
def people(request: Request, actor: Manager, where: Where) -> Response:
    """The people whom the actor manages, and open invitations."""
    return _list(request, actor, where)


@router.post("/admin/people/invite")
def invite_person(
    request: Request,
    actor: Manager,
    where: Where,
    role: Annotated[list[str] | None, Form()] = None,
    hospital: Annotated[str, Form(max_length=16)] = "",
    note: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Make a link that makes an account; it is shown once."""
    try:
        roles = _given(actor, role or ())
        with where.workspace.writing() as connection:
            place = _place(connection, actor, roles, hospital)
            secret = invite(connection, hospital=place, roles=roles, by=actor.person, now=where.now(), note=note)
    except BingchengError as error:
        return _list(request, actor, where, problem=told(error), status=status_of(error))
    traced(request).hospital = place
    return _list(request, actor, where, link=f"{public_address(request)}/invitation/{secret}")


@router.post("/admin/people/withdraw")
def withdraw(
    actor: Manager,
    where: Where,
    invitation: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Let an invitation hold no more."""
    with where.workspace.writing() as connection:
        for place in _places(connection, actor):
            withdraw_invitation(connection, invitation, place)
    return RedirectResponse("/admin/people", 303)


@router.get("/admin/people/{person_number}")
def one_person(request: Request, person_number: int, actor: Manager, where: Where) -> Response:
    """One person."""
    with where.workspace.reading() as connection:
        known = _managed(connection, actor, person_number)
    return _person_page(request, actor, known)


@router.post("/admin/people/{person_number}")
def change_person(
    request: Request,
    person_number: int,
    actor: Manager,
    where: Where,
    role: Annotated[list[str] | None, Form()] = None,
    disabled: Annotated[bool, Form()] = False,
) -> Response:
    """Change the roles that the actor may give, or shut the account; the person's sessions end."""
    with where.workspace.reading() as connection:
        known = _managed(connection, actor, person_number)
    kept = frozenset(one for one in known.roles if not may_give(actor, one))
    try:
        roles = kept | (_given(actor, role) if role else frozenset())
        with where.workspace.writing() as connection:
            set_rights(connection, person_number, roles=roles, disabled_at=where.now() if disabled else None)
    except BingchengError as error:
        return _person_page(request, actor, known, problem=told(error), status=status_of(error))
    trace = traced(request)
    trace.type_code, trace.hospital = EventType.SECURITY_ROLES_CHANGED, known.hospital
    trace.subject = f"person/{person_number}"
    return _list(request, actor, where, undo=_undo(actor, known, roles, disabled=disabled))


@router.post("/admin/people/{person_number}/reset")
def reset(request: Request, person_number: int, actor: Manager, where: Where) -> Response:
    """Make a link that sets the person's password anew, once; it is shown once."""
    with where.workspace.writing() as connection:
        known = _managed(connection, actor, person_number)
        _check_all_given(actor, known)
        secret = let_reset(connection, person_number, by=actor.person, now=where.now())
    traced(request).subject = f"person/{person_number}/password"
    return _person_page(request, actor, known, link=f"{public_address(request)}/invitation/{secret}")


@router.post("/admin/people/{person_number}/sign-out")
def sign_out(request: Request, person_number: int, actor: Manager, where: Where) -> Response:
    """End all sessions of the person."""
    with where.workspace.writing() as connection:
        _managed(connection, actor, person_number)
        end_sessions(connection, person_number)
    traced(request).subject = f"person/{person_number}/sessions"
    return RedirectResponse(f"/admin/people/{person_number}", 303)


def _undo(actor: Actor, before: Person, roles: frozenset[Role], *, disabled: bool) -> Undo | None:
    """The way back to the roles before; none for an account that was shut, which lost its tokens for good."""
    if disabled or before.disabled or roles == before.roles:
        return None
    return Undo(
        says=text("The roles of {name} were changed.", name=before.name),
        action=f"/admin/people/{before.number}",
        values=tuple(("role", role.value) for role in sorted(before.roles) if may_give(actor, role)),
    )


def _managed(connection: Connection, actor: Actor, number: int) -> Person:
    """The person, if the actor manages people of that hospital.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    known = person(connection, number)
    subject = Subject(kind=SubjectKind.PERSON, hospital=known.hospital, person=number)
    if not decide(actor, Action.MANAGE_PEOPLE, subject).allowed:
        raise InputError(NO_SUCH_THING)
    return known


def _check_all_given(actor: Actor, known: Person) -> None:
    # Who sets a password can sign in as that person: nobody may so get roles that he could not give.
    if not all(may_give(actor, role) for role in known.roles):
        raise RefusedError(NOT_ALLOWED)


def _given(actor: Actor, wanted: list[str] | tuple[str, ...]) -> frozenset[Role]:
    known = {role.value: role for role in Role}
    roles = frozenset(known[word] for word in wanted if word in known)
    if not all(may_give(actor, role) for role in roles):
        raise RefusedError(NOT_ALLOWED)
    return roles


def _place(connection: Connection, actor: Actor, roles: frozenset[Role], wish: str) -> int | None:
    """The hospital of whom is invited: the actor's own; the operator says which."""
    if roles & OF_NO_HOSPITAL:
        return None
    if actor.hospital is not None:
        return actor.hospital
    numbers = {str(one.number): one.number for one in hospitals(connection)}
    if wish not in numbers:
        raise InputError(NO_SUCH_THING)
    return numbers[wish]


def _places(connection: Connection, actor: Actor) -> tuple[int | None, ...]:
    if actor.hospital is not None:
        return (actor.hospital,)
    return (None, *(one.number for one in hospitals(connection)))


def _list(
    request: Request,
    actor: Actor,
    where: Site,
    *,
    problem: Told | None = None,
    link: str | None = None,
    undo: Undo | None = None,
    status: int = 200,
) -> Response:
    with where.workspace.reading() as connection:
        found = persons(connection, actor.hospital)
        known: tuple[Hospital, ...] = hospitals(connection)
        open_ones: list[Invitation] = []
        for place in _places(connection, actor):
            open_ones.extend(invitations(connection, place, where.now()))
    return page(
        request,
        "people.html.jinja",
        actor=actor,
        status=status,
        people=found,
        hospitals={one.number: one for one in known},
        invitations=open_ones,
        roles=[role for role in Role if may_give(actor, role)],
        problem=problem,
        link=link,
        undo=undo,
    )


def _person_page(
    request: Request,
    actor: Actor,
    known: Person,
    *,
    problem: Told | None = None,
    link: str | None = None,
    status: int = 200,
) -> Response:
    return page(
        request,
        "person.html.jinja",
        actor=actor,
        status=status,
        known=known,
        roles=[role for role in Role if may_give(actor, role) and (role in OF_NO_HOSPITAL) == (known.hospital is None)],
        resettable=all(may_give(actor, role) for role in known.roles),
        problem=problem,
        link=link,
    )
