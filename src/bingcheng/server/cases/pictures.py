"""The pictures of a case that wait for a person: shown before and after, and what the person decides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.pictures import (
    PictureDecision,
    PictureQuestion,
    WaitingPicture,
    decide_picture,
    pictures,
    waiting,
)
from bingcheng.archive.cases.problems import WRONG_REGIONS
from bingcheng.archive.cases.selection import Chosen, originals
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.jobs.queue import OPEN
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.making import ask_to_prepare, case_job, wake
from bingcheng.server.cases.origin import check_own
from bingcheng.server.cases.seen import case_to, person_number
from bingcheng.server.pages.page import page
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Publisher = Annotated[Actor, allowed(Action.PUBLISH_CASE)]
Where = Annotated[Site, Depends(site)]
_NUMBERS = re.compile(r"\d{1,6}")
ONLY_FACE = frozenset((PictureQuestion.FACE,))


@router.get("/cases/{case_number}/pictures")
def pictures_page(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """The pictures that wait for a person, before and after."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
        found = pictures(connection, case_number)
        job = case_job(connection, case_number)
    return page(
        request,
        "cases/pictures.html.jinja",
        actor=actor,
        case=known,
        pictures=_to_look_at(found),
        job=job,
        busy=job is not None and job.state in OPEN,
        Decision=PictureDecision,
        Question=PictureQuestion,
        lines=lambda regions: "\n".join(f"{one.x}, {one.y}, {one.width}, {one.height}" for one in regions),
        problem=None,
    )


@router.get("/cases/{case_number}/pictures/{sop_uid}.png")
def one_picture(
    request: Request, case_number: int, sop_uid: str, actor: Publisher, where: Where, regions: str = ""
) -> Response:
    """One picture, as it is with what would be blanked outlined, and as it would be; of the original."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
        found = next((one for one in pictures(connection, case_number) if one.sop_uid == sop_uid), None)
    if found is None:
        raise InputError(NO_SUCH_THING)
    chosen = Chosen(study_uid=found.study_uid, series_uid=found.series_uid, sop_uid=sop_uid)
    stored = originals(where.objects, known.hospital, [chosen])
    if not stored:
        raise InputError(NO_SUCH_THING)
    from bingcheng.archive.deidentify.pictures import before_and_after  # noqa: PLC0415 - loads an imaging library

    shown = _regions(regions) if regions.strip() else found.regions
    with where.objects.open_bytes(stored[0]) as stream:
        png = before_and_after(stream.read(), shown)
    return Response(png, media_type="image/png")


@router.post("/cases/{case_number}/pictures")
def decide_pictures(
    request: Request,
    case_number: int,
    actor: Publisher,
    where: Where,
    sop_uid: Annotated[str, Form(max_length=64)] = "",
    decision: Annotated[str, Form(max_length=16)] = "",
    regions: Annotated[str, Form(max_length=2000)] = "",
    whole_series: Annotated[bool, Form()] = False,
    answered: Annotated[list[str] | None, Form(alias="allowed")] = None,
) -> Response:
    """Keep what the person decided; when nothing waits any more, the images are made anew by it."""
    now = where.now()
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, now)
        check_own(connection, case_number)
        chosen = {one.value: one for one in (PictureDecision.SHOW, PictureDecision.LEAVE_OUT)}.get(decision)
        if chosen is None:
            raise InputError(NO_SUCH_THING)
        decide_picture(
            connection,
            case_number,
            sop_uid,
            chosen,
            allowed=[one for one in PictureQuestion if one.value in (answered or ())],
            regions=_regions(regions),
            whole_series=whole_series,
            by=person_number(actor),
            now=now,
        )
        if not waiting(connection, case_number):
            ask_to_prepare(connection, case_number, where)
    wake(request)
    return RedirectResponse(f"/cases/{case_number}/pictures", 303)


def _to_look_at(found: Sequence[WaitingPicture]) -> list[tuple[WaitingPicture, int]]:
    """What is shown, and for how many each stands: whether there is a face is asked once a series, at its middle."""
    series: dict[tuple[str, PictureDecision], list[WaitingPicture]] = {}
    for one in found:
        if one.asks == ONLY_FACE:
            series.setdefault((one.series_uid, one.decision), []).append(one)
    faces = [(some[len(some) // 2], len(some)) for some in series.values()]
    return [*faces, *((one, 1) for one in found if one.asks != ONLY_FACE)]


def _regions(words: str) -> tuple[Region, ...]:
    found = []
    for line in words.replace(";", "\n").splitlines():
        numbers = [int(one) for one in _NUMBERS.findall(line)]
        if not line.strip():
            continue
        if len(numbers) != 4 or not numbers[2] or not numbers[3]:
            raise InputError(WRONG_REGIONS)
        found.append(Region(x=numbers[0], y=numbers[1], width=numbers[2], height=numbers[3]))
    return tuple(found)
