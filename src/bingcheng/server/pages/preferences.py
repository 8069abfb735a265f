"""Language and theme: for the person who is signed in, else for this browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.people.person import LANGUAGES, THEMES, person, set_preferences
from bingcheng.server.pages.next_page import own_path
from bingcheng.server.security.cookies import LANGUAGE, THEME, set_preference
from bingcheng.server.security.required import public
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)


@router.post("/preferences")
def choose(
    request: Request,
    actor: Annotated[Actor, public(why="language and theme are chosen before signing in too")],
    where: Annotated[Site, Depends(site)],
    language: Annotated[str, Form(max_length=8)] = "",
    theme: Annotated[str, Form(max_length=8)] = "",
    to: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Keep the choice and go back to the page."""
    traced(request).silent = True
    response = RedirectResponse(own_path(to), 303)
    if actor.person is not None:
        with where.workspace.writing() as connection:
            known = person(connection, actor.person)
            wanted = language if language in LANGUAGES and language else known.language
            set_preferences(connection, actor.person, name=known.name, language=wanted, theme=theme or known.theme)
    if language in LANGUAGES and language:
        set_preference(request, response, LANGUAGE, language)
    if theme in THEMES:
        set_preference(request, response, THEME, theme)
    return response
