"""The page behind the link of an invitation: it makes the account, or sets the password anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.people.hospital import hospital
from bingcheng.archive.people.invitation import accept, invitation
from bingcheng.archive.people.passwords import check_password
from bingcheng.archive.people.person import login_name, person
from bingcheng.archive.people.session import begin_session
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.server.pages.login import begin
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.pages.told import field_of, told
from bingcheng.server.security.cookies import set_session
from bingcheng.server.security.recorder import client_address
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import public
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Where = Annotated[Site, Depends(site)]
WHY = "who is invited has no account yet; the secret of the link opens it"


@router.get("/invitation/{secret}", dependencies=[public(why=WHY)])
def form(request: Request, secret: str, where: Where) -> Response:
    """The form; a spent link says that it is spent."""
    return _form(request, secret, where)


@router.post("/invitation/{secret}", dependencies=[public(why=WHY)])
def enter(
    request: Request,
    secret: str,
    where: Where,
    login: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Make the account or set the password, and sign in."""
    try:
        with where.workspace.reading() as connection:
            asked = invitation(connection, secret, where.now())
            signs_in_as = login_name(login) if asked.person is None else person(connection, asked.person).login
        check_password(password, signs_in_as)
        hashed = where.passwords.hashed(password)
        with where.workspace.writing() as connection:
            number = accept(
                connection,
                secret,
                login=login,
                name=name,
                password_hash=hashed,
                now=where.now(),
                language=language_of(request).code,
            )
            session = begin_session(
                connection,
                number,
                now=where.now(),
                address=client_address(request),
                program=request.headers.get("user-agent", ""),
            )
            begin(request, person(connection, number))
    except InputError as error:
        return _form(request, secret, where, login=login, name=name, error=error)
    response = RedirectResponse("/", 303)
    set_session(request, response, session)
    return response


def _form(
    request: Request,
    secret: str,
    where: Site,
    *,
    login: str = "",
    name: str = "",
    error: InputError | None = None,
) -> Response:
    try:
        with where.workspace.reading() as connection:
            asked = invitation(connection, secret, where.now())
            place = None if asked.hospital is None else hospital(connection, asked.hospital)
            whose = None if asked.person is None else person(connection, asked.person)
    except BingchengError as spent:
        return page(request, "spent.html.jinja", status=404, problem=told(spent))
    return page(
        request,
        "invitation.html.jinja",
        status=200 if error is None else status_of(error),
        invitation=asked,
        hospital=place,
        whose=whose,
        login=login,
        name=name,
        problem=None if error is None else told(error),
        wrong="login" if error is None else field_of(error),
    )
