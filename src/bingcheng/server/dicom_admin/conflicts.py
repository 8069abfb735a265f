"""``/admin/conflicts``: objects that came with a UID under which other bytes are stored, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from pydicom.uid import UID
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.objects.received import Conflict
from bingcheng.archive.objects.tables import stored_instance
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.server.dicom_admin.differences import MOST, Difference, differences
from bingcheng.server.dicom_admin.managed import own_space
from bingcheng.server.dicom_admin.problems import NOT_SURE
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Judge = Annotated[Actor, allowed(Action.SETTLE_CONFLICTS)]
Where = Annotated[Site, Depends(site)]
AT_ONCE = 100


@router.get("/admin/conflicts")
def waiting(request: Request, actor: Judge, where: Where) -> Response:
    """What waits for a decision, the longest wait first."""
    found = _all(actor, where)
    saw_studies(request, [one.study_uid for one in found[:AT_ONCE]])
    return page(
        request,
        "dicom/conflicts.html.jinja",
        actor=actor,
        conflicts=found[:AT_ONCE],
        count=len(found),
        kind_of=_kind_of,
    )


@router.get("/admin/conflicts/{conflict}")
def compared(request: Request, conflict: int, actor: Judge, where: Where) -> Response:
    """One of them beside what is stored."""
    return _compared(request, conflict, actor, where)


@router.post("/admin/conflicts/{conflict}")
def settle(
    request: Request,
    conflict: int,
    actor: Judge,
    where: Where,
    keep: Annotated[Literal["stored", "received"], Form()] = "stored",
    sure: Annotated[bool, Form()] = False,
    series: Annotated[bool, Form()] = False,
) -> Response:
    """Decide it, or all of its series alike."""
    found = _all(actor, where)
    chosen = _one(found, conflict)
    if not sure:
        return _compared(request, conflict, actor, where, problem=told(InputError(NOT_SURE)))
    alike = [one for one in found if one.series_uid == chosen.series_uid] if series else [chosen]
    trace = traced(request)
    trace.event_action, trace.subject = EventAction.UPDATE, f"conflict/{conflict}/{keep}"
    saw_studies(request, [chosen.study_uid])
    trace.count = 0
    for one in alike:
        where.objects.settle_conflict(one.space, one.id, keep=keep)
        trace.count += 1
    return RedirectResponse("/admin/conflicts", 303)


def _all(actor: Actor, where: Site) -> list[Conflict]:
    return where.objects.conflicts([own_space(actor)])


def _one(found: list[Conflict], number: int) -> Conflict:
    chosen = next((one for one in found if one.id == number), None)
    if chosen is None:
        raise InputError(NO_SUCH_THING)
    return chosen


def _compared(request: Request, number: int, actor: Actor, where: Site, *, problem: Told | None = None) -> Response:
    found = _all(actor, where)
    chosen = _one(found, number)
    saw_studies(request, [chosen.study_uid])
    exam = Subject(kind=SubjectKind.EXAM, hospital=actor.hospital, study_uid=chosen.study_uid)
    stored = where.objects.instance([chosen.space], None, None, chosen.sop_uid)
    unlike: list[Difference] | None = None
    if stored is not None:
        try:
            with where.objects.open_bytes(stored) as before, where.objects.open_conflict(chosen) as after:
                unlike = differences(before, after)
        except BingchengError as error:
            problem = problem or told(error)
    with where.workspace.reading() as connection:
        came_from = connection.scalar(
            select(stored_instance.c.origin_peer).where(
                stored_instance.c.instance_space == chosen.space, stored_instance.c.sop_uid == chosen.sop_uid
            )
        )
    return page(
        request,
        "dicom/conflict.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        conflict=chosen,
        stored=stored,
        came_from=came_from,
        unlike=unlike,
        most=MOST,
        values=decide(actor, Action.READ_EXAM, exam).allowed,
        alike=sum(one.series_uid == chosen.series_uid for one in found),
        kind_of=_kind_of,
        problem=problem,
    )


def _kind_of(sop_class_uid: str) -> str:
    """What the standard calls a class of objects."""
    return str(UID(sop_class_uid).name)
