"""What programs can ask for beside DICOMweb: who they are, and the audit trail."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from bingcheng.archive.audit.export import as_json_lines
from bingcheng.archive.audit.trail import events_in_pieces
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.scope import SCOPE_ACTIONS
from bingcheng.server.pages.audit import Wanted, asked_for
from bingcheng.server.pages.page import zone_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(prefix="/api", tags=["server"])

EVERY_SCOPE = tuple(sorted({action for actions in SCOPE_ACTIONS.values() for action in actions}))
"""Whoever has any right that a token can carry may ask who it is."""


class Refusal(BaseModel):
    """How an error is answered."""

    code: str
    says: str
    remedy: str


class Me(BaseModel):
    """Who asks."""

    login: str
    name: str
    hospital: int | None
    roles: list[str]
    scopes: list[str] | None


ANSWERS: dict[int | str, dict[str, Any]] = {status: {"model": Refusal} for status in (401, 403, 422)}


@router.get("/me", responses=ANSWERS)
def me(actor: Annotated[Actor, allowed(Action.OWN_ACCOUNT, *EVERY_SCOPE)]) -> Me:
    """Who asks, and what the token may be used for (null in a browser)."""
    return Me(
        login=actor.login,
        name=actor.name,
        hospital=actor.hospital,
        roles=sorted(actor.roles),
        scopes=None if actor.scopes is None else sorted(actor.scopes),
    )


@router.get(
    "/audit",
    responses={**ANSWERS, 200: {"content": {"application/x-ndjson": {}}, "description": "one event a line"}},
    response_class=Response,
)
def audit(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_AUDIT)],
    where: Annotated[Site, Depends(site)],
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Response:
    """The audit trail, the latest event first, as JSON lines; `before` goes on from an earlier answer."""
    request.app.state.recorder.flush()
    trace = traced(request)
    trace.subject, trace.each = "audit/export", True
    asked = asked_for(actor, wanted, zone_of(where.settings))
    found = events_in_pieces(where.workspace, asked, limit=limit, before=before)
    return StreamingResponse(as_json_lines(found), media_type="application/x-ndjson")
