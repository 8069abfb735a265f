"""Administration: the way to people, hospitals and the audit trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.server.security.required import allowed

router = APIRouter(include_in_schema=False)


@router.get("/admin")
def admin(
    actor: Annotated[Actor, allowed(Action.MANAGE_PEOPLE, Action.MANAGE_HOSPITAL, Action.READ_AUDIT)],
) -> Response:
    """To the first of its pages that the person may see."""
    return RedirectResponse("/admin/people" if decide(actor, Action.MANAGE_PEOPLE).allowed else "/admin/audit", 303)
