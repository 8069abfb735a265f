"""The first run: the operator's account, the hospitals found in the workspace, their administrators, the next steps."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.hospital import hospital as one_hospital
from bingcheng.archive.people.hospital import hospitals, make_hospital, unclaimed_sites
from bingcheng.archive.people.invitation import invitations, invite
from bingcheng.archive.people.passwords import check_password
from bingcheng.archive.people.person import anybody, login_name, make_person, person, persons
from bingcheng.archive.people.problems import WRONG_SETUP_CODE
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.people.throttle import check_throttle, failed
from bingcheng.core.errors import BingchengError, InputError, RefusedError
from bingcheng.server.pages.address import public_address
from bingcheng.server.pages.login import begin
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, field_of, told
from bingcheng.server.security.cookies import set_session
from bingcheng.server.security.recorder import client_address
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed, public
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

SETUP = "first run"
"""Under this name wrong codes are counted; no login may hold a space."""


@router.get("/welcome", dependencies=[public(why="the first account is made here; later it leads away")])
def welcome(request: Request, where: Annotated[Site, Depends(site)]) -> Response:
    """The form for the first account; there is none once anybody has one."""
    with where.workspace.reading() as connection:
        if anybody(connection):
            return RedirectResponse("/", 303)
    return page(request, "welcome.html.jinja", code="", login="", name="", problem=None, wrong="code")


@router.post("/welcome", dependencies=[public(why="the first account is made here, with the code of the terminal")])
def make_operator(
    request: Request,
    where: Annotated[Site, Depends(site)],
    code: Annotated[str, Form(max_length=64)] = "",
    login: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Make the operator's account for who can read the terminal. Who comes second is led on, as by the form's page."""
    with where.workspace.reading() as connection:
        if anybody(connection):
            return RedirectResponse("/", 303)
    try:
        number = _operator(request, where, code=code, login=login, name=name, password=password)
    except BingchengError as error:
        right = "" if error.problem is WRONG_SETUP_CODE else code
        return page(
            request,
            "welcome.html.jinja",
            status=status_of(error),
            code=right,
            login=login,
            name=name,
            problem=told(error),
            wrong=field_of(error),
        )
    where.setup_code = None
    with where.workspace.writing() as connection:
        secret = begin_session(
            connection,
            number,
            now=where.now(),
            address=client_address(request),
            program=request.headers.get("user-agent", ""),
        )
        begin(request, person(connection, number))
    response = RedirectResponse("/welcome/next", 303)
    set_session(request, response, secret)
    return response


def _operator(request: Request, where: Site, *, code: str, login: str, name: str, password: str) -> int:
    address = client_address(request)
    with where.workspace.reading() as connection:
        check_throttle(connection, SETUP, address, where.now())
    shown = code.strip().upper().encode("utf-8", "replace")
    if where.setup_code is None or not hmac.compare_digest(shown, where.setup_code.encode()):
        with where.workspace.writing() as connection:
            failed(connection, SETUP, address, where.now())
        raise RefusedError(WRONG_SETUP_CODE)
    check_password(password, login_name(login))
    hashed = where.passwords.hashed(password)
    with where.workspace.writing() as connection:
        if anybody(connection):
            raise RefusedError(WRONG_SETUP_CODE)
        return make_person(
            connection,
            login=login,
            name=name,
            hospital=None,
            roles=[Role.OPERATOR],
            now=where.now(),
            password_hash=hashed,
        )


@router.get("/welcome/next", dependencies=[allowed(Action.MANAGE_HOSPITALS)])
def next_steps(request: Request, where: Annotated[Site, Depends(site)]) -> Response:
    """What is done and what comes next."""
    return _steps(request, where)


@router.post("/welcome/hospitals")
def make_hospitals(
    request: Request,
    _: Annotated[object, allowed(Action.MANAGE_HOSPITALS)],
    where: Annotated[Site, Depends(site)],
    name: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=32)] = "",
    site_name: Annotated[list[str] | None, Form()] = None,
    issuer: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Make one hospital of the names that scanners write for it."""
    try:
        with where.workspace.writing() as connection:
            spellings = site_name or ()
            make_hospital(connection, name=name, code=code, now=where.now(), spellings=spellings, issuer=issuer)
    except InputError as error:
        written = {"name": name, "code": code, "issuer": issuer, "site_name": site_name or ()}
        return _steps(request, where, problem=told(error), written=written, wrong=field_of(error))
    return RedirectResponse("/welcome/next", 303)


@router.post("/welcome/administrator")
def invite_administrator(
    request: Request,
    actor: Annotated[object, allowed(Action.MANAGE_HOSPITALS)],
    where: Annotated[Site, Depends(site)],
    hospital: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Make the link by which a hospital's first administrator makes the account."""
    try:
        with where.workspace.writing() as connection:
            secret = invite(
                connection,
                hospital=one_hospital(connection, hospital).number,
                roles=[Role.SITE_ADMIN],
                by=getattr(actor, "person", None),
                now=where.now(),
                note=note,
            )
    except InputError as error:
        return _steps(request, where, problem=told(error))
    return _steps(request, where, link=f"{public_address(request)}/invitation/{secret}")


def _steps(
    request: Request,
    where: Site,
    *,
    problem: Told | None = None,
    link: str | None = None,
    written: Mapping[str, object] | None = None,
    wrong: str = "",
) -> Response:
    with where.workspace.reading() as connection:
        found = hospitals(connection)
        administrators = {one.hospital for one in persons(connection) if Role.SITE_ADMIN in one.roles}
        invited = {
            one.number: bool(invitations(connection, one.number, where.now()))
            for one in found
            if one.number not in administrators
        }
        unclaimed = unclaimed_sites(connection)
    first = unclaimed[:1]
    proposed = {"name": "".join(first), "code": suggested_code(first[0]) if first else ""}
    return page(
        request,
        "welcome_next.html.jinja",
        status=200 if problem is None else 400,
        hospitals=found,
        administrators=administrators,
        invited=invited,
        unclaimed=unclaimed,
        form={"issuer": "", "site_name": first, **(proposed if written is None else written)},
        problem=problem,
        wrong=wrong,
        link=link,
        address=public_address(request),
    )


def suggested_code(site_name: str) -> str:
    """A short name for a hospital: the first letters of its words."""
    letters = "".join(word[0] for word in site_name.split() if word[0].isalnum())
    return letters.upper()[:8] if len(letters) > 1 else "".join(filter(str.isalnum, site_name))[:8]
