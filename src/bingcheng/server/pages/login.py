"""Signing in and out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.people.person import Person
from bingcheng.archive.people.secret import digest_of
from bingcheng.archive.people.session import end_session
from bingcheng.archive.people.sign_in import sign_in
from bingcheng.core.errors import RefusedError
from bingcheng.core.wording import Text
from bingcheng.server.pages.next_page import own_path
from bingcheng.server.pages.page import page
from bingcheng.server.security.cookies import clear_session, session_secret, set_session
from bingcheng.server.security.recorder import client_address
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed, public
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
SIGNED_OUT = "/login?left=1"
"""Where who signs out is led."""


@router.get("/login")
def form(
    request: Request,
    actor: Annotated[Actor, public(why="signing in")],
    next: str = "/",  # noqa: A002 - the name in the address
    left: str = "",
) -> Response:
    """The form; who is signed in is sent on. `left` says that somebody just signed out."""
    if actor.person is not None:
        return RedirectResponse(own_path(next), 303)
    return page(request, "login.html.jinja", to=own_path(next), login="", left=bool(left), problem=None)


@router.post("/login", dependencies=[public(why="signing in")])
def enter(
    request: Request,
    where: Annotated[Site, Depends(site)],
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    to: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Begin a session with a new secret, whatever the browser had before."""
    trace = traced(request)
    trace.code, trace.type_code, trace.event_action = (
        EventCode.USER_AUTHENTICATION,
        EventType.LOGIN,
        EventAction.EXECUTE,
    )
    try:
        person, secret = sign_in(
            where.workspace,
            where.passwords,
            login=login,
            password=password,
            address=client_address(request),
            program=request.headers.get("user-agent", ""),
            now=where.now(),
        )
    except RefusedError as error:
        remedy = Text(error.problem.remedy)
        return page(
            request,
            "login.html.jinja",
            status=status_of(error),
            to=own_path(to),
            login=login,
            left=False,
            problem=(error.reason, remedy),
        )
    begin(request, person)
    response = RedirectResponse(own_path(to), 303)
    set_session(request, response, secret)
    return response


def begin(request: Request, person: Person) -> None:
    """Let the audit trail say that this person signed in."""
    trace = traced(request)
    trace.code, trace.type_code, trace.event_action = (
        EventCode.USER_AUTHENTICATION,
        EventType.LOGIN,
        EventAction.EXECUTE,
    )
    trace.action = Action.OWN_ACCOUNT
    trace.actor = replace(
        trace.actor,
        person=person.number,
        login=person.login,
        name=person.name,
        hospital=person.hospital,
        roles=person.roles,
    )
    trace.subject = f"person/{person.number}"


@router.post("/logout")
def leave(
    request: Request,
    actor: Annotated[Actor, allowed(Action.OWN_ACCOUNT)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """End this session."""
    trace = traced(request)
    trace.code, trace.type_code = EventCode.USER_AUTHENTICATION, EventType.LOGOUT
    secret = session_secret(request)
    if secret:
        with where.workspace.writing() as connection:
            end_session(connection, digest_of(secret), actor.person)
    response = RedirectResponse(SIGNED_OUT, 303)
    clear_session(request, response)
    return response
