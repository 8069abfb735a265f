"""``/``: the way in. A new installation is set up, who is unknown signs in, everybody else gets to work."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import func, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.cases.grants import readable
from bingcheng.archive.cases.tables import shared_case
from bingcheng.archive.exam_owner import HOSPITALS
from bingcheng.archive.listing import listed
from bingcheng.archive.people.hospital import hospital
from bingcheng.archive.people.person import anybody
from bingcheng.server.pages.page import page
from bingcheng.server.security.required import public
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(
    request: Request,
    actor: Annotated[Actor, public(why="leads to signing in")],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """To the wizard, to signing in, to the exams, or to a page that says what comes next."""
    with where.workspace.reading() as connection:
        if not anybody(connection):
            return RedirectResponse("/welcome", 303)
        if actor.person is None:
            return RedirectResponse("/login", 303)
        if decide(actor, Action.READ_EXAM).allowed and "/worklist" in request.app.state.paths:
            return RedirectResponse("/worklist", 303)
        own = None if actor.hospital is None else hospital(connection, actor.hospital)
        if not _counts_exams(actor):
            open_cases = select(func.count()).select_from(shared_case).where(readable(actor.hospital, where.now()))
            cases = int(connection.scalar(open_cases) or 0)
            return page(request, "start.html.jinja", actor=actor, exam_count=None, case_count=cases, hospital=own)
        counted = select(func.count()).select_from(listed if own else schema.exam)
        if own is not None:
            counted = counted.where(listed.c.space == f"{HOSPITALS}{own.number}", listed.c.assessed.is_(True))
        count = int(connection.scalar(counted) or 0)
    return page(request, "start.html.jinja", actor=actor, exam_count=count, hospital=own)


def _counts_exams(actor: Actor) -> bool:
    """Whether it is anything to somebody how many exams there are; a guest reads cases only."""
    return any(decide(actor, one).allowed for one in (Action.READ_NUMBERS, Action.MANAGE_HOSPITALS))
