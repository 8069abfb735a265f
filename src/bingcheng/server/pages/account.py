"""One's own account: name, language, theme, password, sessions, notices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.people.api_token import tokens
from bingcheng.archive.people.hospital import hospital
from bingcheng.archive.people.notice import notices, open_notice, read_notices, unread
from bingcheng.archive.people.passwords import check_password
from bingcheng.archive.people.person import password_hash, person, set_password, set_preferences
from bingcheng.archive.people.problems import WRONG_LOGIN
from bingcheng.archive.people.secret import digest_of
from bingcheng.archive.people.session import begin_session, end_session, end_sessions, sessions
from bingcheng.archive.people.throttle import check_throttle, failed
from bingcheng.core.errors import BingchengError, InputError, RefusedError
from bingcheng.server.cases.noticed import what_about
from bingcheng.server.pages.login import SIGNED_OUT
from bingcheng.server.pages.next_page import own_path
from bingcheng.server.pages.page import page
from bingcheng.server.pages.scopes import scopes_for
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.cookies import clear_session, csrf_token, session_secret, set_session
from bingcheng.server.security.recorder import client_address
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Own = Annotated[Actor, allowed(Action.OWN_ACCOUNT)]
Where = Annotated[Site, Depends(site)]


@router.get("/account")
def account(request: Request, actor: Own, where: Where) -> Response:
    """The account."""
    return account_page(request, actor, where)


@router.post("/account/profile")
def profile(
    request: Request,
    actor: Own,
    where: Where,
    name: Annotated[str, Form(max_length=200)] = "",
    language: Annotated[str, Form(max_length=8)] = "",
    theme: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Change name, language and theme."""
    try:
        with where.workspace.writing() as connection:
            set_preferences(connection, _number(actor), name=name, language=language, theme=theme)
    except InputError as error:
        return account_page(request, actor, where, problem=told(error), status=400)
    return RedirectResponse("/account", 303)


@router.post("/account/password")
def password(
    request: Request,
    actor: Own,
    where: Where,
    current: Annotated[str, Form(max_length=2000)] = "",
    new: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Change the password; all sessions end, and this browser gets a new one."""
    number, address = _number(actor), client_address(request)
    try:
        with where.workspace.reading() as connection:
            check_throttle(connection, actor.login, address, where.now())
            stored = password_hash(connection, number)
        if not where.passwords.matches(stored, current):
            with where.workspace.writing() as connection:
                failed(connection, actor.login, address, where.now())
            raise RefusedError(WRONG_LOGIN)
        check_password(new, actor.login)
    except BingchengError as error:
        return account_page(request, actor, where, problem=told(error), status=status_of(error))
    hashed = where.passwords.hashed(new)
    with where.workspace.writing() as connection:
        set_password(connection, number, hashed)
        secret = begin_session(
            connection, number, now=where.now(), address=address, program=request.headers.get("user-agent", "")
        )
    response = RedirectResponse("/account", 303)
    set_session(request, response, secret)
    return response


@router.post("/account/sessions/end")
def end_one(actor: Own, where: Where, session: Annotated[str, Form(max_length=64)] = "") -> Response:
    """End one session."""
    with where.workspace.writing() as connection:
        end_session(connection, session, _number(actor))
    return RedirectResponse("/account", 303)


@router.post("/account/sessions/end-all")
def end_all(request: Request, actor: Own, where: Where) -> Response:
    """Sign out everywhere, here too."""
    with where.workspace.writing() as connection:
        end_sessions(connection, _number(actor))
    response = RedirectResponse(SIGNED_OUT, 303)
    clear_session(request, response)
    return response


@router.get("/account/notices")
def notice_list(request: Request, actor: Own, where: Where) -> Response:
    """The notices."""
    with where.workspace.reading() as connection:
        found = notices(connection, _number(actor))
        about = what_about(connection, actor, [one.link for one in found], where.now())
    return page(request, "notices.html.jinja", actor=actor, notices=found, about=about)


@router.get("/account/standing")
def standing(request: Request, actor: Own, where: Where) -> Response:
    """Who is signed in, the token of forms, and how many notices are unread: for a page that stays open."""
    traced(request).silent = True
    with where.workspace.reading() as connection:
        count = unread(connection, _number(actor))
    return JSONResponse({"person": actor.person, "csrf": csrf_token(request), "unread": count})


@router.get("/account/notices/{notice_number}")
def follow(notice_number: int, actor: Own, where: Where) -> Response:
    """Go to where a notice leads; it counts as read."""
    with where.workspace.writing() as connection:
        link = open_notice(connection, _number(actor), notice_number, where.now())
    return RedirectResponse(own_path(link, "/account/notices"), 303)


@router.post("/account/notices/read")
def read_all(actor: Own, where: Where) -> Response:
    """Keep that all notices were read."""
    with where.workspace.writing() as connection:
        read_notices(connection, _number(actor), where.now())
    return RedirectResponse("/account/notices", 303)


def account_page(
    request: Request,
    actor: Actor,
    where: Site,
    *,
    problem: Told | None = None,
    secret: str | None = None,
    status: int = 200,
) -> Response:
    """The page of the account; `secret` is a new token, shown this once."""
    number, own = _number(actor), session_secret(request)
    with where.workspace.reading() as connection:
        known = person(connection, number)
        place = None if known.hospital is None else hospital(connection, known.hospital)
        open_sessions = sessions(connection, number, where.now())
        held = tokens(connection, number, where.now())
    return page(
        request,
        "account.html.jinja",
        actor=actor,
        status=status,
        known=known,
        hospital=place,
        sessions=open_sessions,
        this_session=digest_of(own) if own else "",
        tokens=held,
        scopes=scopes_for(actor),
        problem=problem,
        secret=secret,
    )


def _number(actor: Actor) -> int:
    assert actor.person is not None, "the guard lets nobody in who has no account"
    return actor.person
