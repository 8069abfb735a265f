"""Tokens for programs: made, shown once, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.people.api_token import make_token, revoke_token
from bingcheng.core.errors import InputError
from bingcheng.server.pages.account import account_page
from bingcheng.server.pages.scopes import scopes_for
from bingcheng.server.pages.told import told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Own = Annotated[Actor, allowed(Action.OWN_ACCOUNT)]
Where = Annotated[Site, Depends(site)]


@router.post("/account/tokens")
def make(
    request: Request,
    actor: Own,
    where: Where,
    label: Annotated[str, Form(max_length=200)] = "",
    scope: Annotated[list[str] | None, Form()] = None,
    days: Annotated[int, Form()] = 90,
) -> Response:
    """Make a token and show it once."""
    assert actor.person is not None, "the guard lets nobody in who has no account"
    wanted = [one for one in scopes_for(actor) if one in (scope or ())]
    try:
        with where.workspace.writing() as connection:
            secret = make_token(connection, actor.person, label=label, scopes=wanted, days=days, now=where.now())
    except InputError as error:
        return account_page(request, actor, where, problem=told(error), status=400)
    traced(request).subject = "token"
    return account_page(request, actor, where, secret=secret)


@router.post("/account/tokens/{token}/revoke")
def revoke(token: int, actor: Own, where: Where) -> Response:
    """Let a token hold no more; one of somebody else's is left alone, without a word."""
    assert actor.person is not None, "the guard lets nobody in who has no account"
    with where.workspace.writing() as connection:
        revoke_token(connection, actor.person, token, where.now())
    return RedirectResponse("/account", 303)
