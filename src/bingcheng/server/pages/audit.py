"""The audit trail: filtered by time, person and exam, verified, and exported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from bingcheng.archive.audit.event_code import MEANINGS
from bingcheng.archive.audit.export import as_json_lines, as_xml
from bingcheng.archive.audit.trail import Asked, events, events_in_pieces, head, verify
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import reaches_of
from bingcheng.archive.authorisation.rights import Reach
from bingcheng.archive.people.hospital import hospitals
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.server.pages.page import page, zone_of
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

AT_ONCE = 100

Where = Annotated[Site, Depends(site)]
Reader = Annotated[Actor, allowed(Action.READ_AUDIT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the person asks for, as it stands in the form."""

    since: str
    until: str
    login: str
    study_uid: str
    code: str
    failed: bool


def filters(
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    login: Annotated[str, Query(max_length=64)] = "",
    study_uid: Annotated[str, Query(max_length=64)] = "",
    code: Annotated[str, Query(max_length=16)] = "",
    failed: bool = False,
) -> Filters:
    """The filters of a request."""
    return Filters(
        since=since.strip(),
        until=until.strip(),
        login=login.strip().lower(),
        study_uid=study_uid.strip(),
        code=code,
        failed=failed,
    )


Wanted = Annotated[Filters, Depends(filters)]


def asked_for(actor: Actor, wanted: Filters, zone: tzinfo | None) -> Asked:
    """What the filters ask for, within what the actor may see: the own hospital's, or the installation's.

    Parameters
    ----------
    zone : whose days are meant: the one in which pages show times, None for the machine's own.
    """
    installation = Reach.INSTALLATION in reaches_of(actor, Action.READ_AUDIT)
    return Asked(
        # A hospital that does not exist has no events: whoever belongs to none and is no operator sees nothing.
        hospital=None if installation else actor.hospital or -1,
        of_installation=installation,
        since=_beginning(wanted.since, zone),
        until=_beginning(wanted.until, zone, days=1),
        login=wanted.login or None,
        study_uid=wanted.study_uid or None,
        code=wanted.code or None,
        failed=wanted.failed,
    )


@router.get("/admin/audit")
def trail(
    request: Request,
    actor: Reader,
    where: Where,
    wanted: Wanted,
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Response:
    """The latest events that were asked for."""
    request.app.state.recorder.flush()
    return _page(request, actor, where, wanted, before=before)


@router.get("/admin/audit/export.xml")
def export_xml(request: Request, actor: Reader, where: Where, wanted: Wanted) -> Response:
    """The events in the XML form of PS3.15 A.5."""
    return _export(request, actor, where, wanted, xml=True)


@router.get("/admin/audit/export.jsonl")
def export_json_lines(request: Request, actor: Reader, where: Where, wanted: Wanted) -> Response:
    """The events as JSON, one a line."""
    return _export(request, actor, where, wanted, xml=False)


@router.post("/admin/audit/verify")
def verify_trail(
    request: Request, actor: Annotated[Actor, allowed(Action.VERIFY_AUDIT)], where: Where, wanted: Wanted
) -> Response:
    """Check that no event was changed since it was recorded."""
    try:
        with where.workspace.reading() as connection:
            count = verify(connection)
            _, digest = head(connection)
    except InputError as error:
        return _page(request, actor, where, wanted, problem=told(error))
    intact = text(
        "All {count} events are as they were recorded; the seal of the last is {digest}.", count=count, digest=digest
    )
    return _page(request, actor, where, wanted, intact=intact)


def _export(request: Request, actor: Actor, where: Site, wanted: Filters, *, xml: bool) -> Response:
    request.app.state.recorder.flush()
    asked, source = asked_for(actor, wanted, zone_of(where.settings)), public_source(request)
    trace = traced(request)
    trace.subject, trace.each = "audit/export", True
    found = events_in_pieces(where.workspace, asked)
    written = as_xml(found, source=source) if xml else as_json_lines(found)
    kind, ending = ("application/xml", "xml") if xml else ("application/x-ndjson", "jsonl")
    name = f"audit-{where.now():%Y%m%d}.{ending}"
    return StreamingResponse(
        written, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def public_source(request: Request) -> str:
    """How this server calls itself in the trail (AuditSourceID)."""
    return f"bingcheng@{request.url.hostname or 'localhost'}"


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    wanted: Filters,
    *,
    before: int | None = None,
    problem: Told | None = None,
    intact: object = None,
) -> Response:
    with where.workspace.reading() as connection:
        found = list(
            events(connection, asked_for(actor, wanted, zone_of(where.settings)), limit=AT_ONCE + 1, before=before)
        )
        names = {one.number: one.code for one in hospitals(connection)}
    return page(
        request,
        "audit.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        events=found[:AT_ONCE],
        older=found[AT_ONCE - 1].number if len(found) > AT_ONCE else None,
        wanted=wanted,
        meanings={code.value: meaning for code, meaning in MEANINGS.items()},
        codes=[(code.value, meaning) for code, meaning in MEANINGS.items() if code.value <= "110114"],
        names=names,
        query=_query(wanted),
        problem=problem,
        intact=intact,
    )


def _query(wanted: Filters) -> dict[str, str]:
    values = {
        "since": wanted.since,
        "until": wanted.until,
        "login": wanted.login,
        "study_uid": wanted.study_uid,
        "code": wanted.code,
        "failed": "true" if wanted.failed else "",
    }
    return {name: value for name, value in values.items() if value}


def _beginning(words: str, zone: tzinfo | None, *, days: int = 0) -> datetime | None:
    """When a day begins in a zone, None for the machine's, or one some days later; as times stand in the database."""
    try:
        day = date.fromisoformat(words) + timedelta(days=days)
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):  # nonsense, or a day outside of what clocks know: it limits nothing
        return None
