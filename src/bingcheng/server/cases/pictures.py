"""The pictures of a case that wait for a person: shown before and after, and what the person decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import Case
from bingcheng.archive.cases.pictures import (
    PictureDecision,
    PictureQuestion,
    WaitingPicture,
    decide_picture,
    pictures,
    waiting,
)
from bingcheng.archive.cases.problems import (
    NOT_ANSWERED,
    OUTSIDE_PICTURE,
    PICTURE_DECIDED_MEANWHILE,
    WRONG_REGIONS,
)
from bingcheng.archive.cases.selection import Chosen, originals
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.archive.jobs.queue import OPEN
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.making import ask_to_prepare, case_job, wake
from bingcheng.server.cases.origin import check_own
from bingcheng.server.cases.seen import case_to, person_number
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Publisher = Annotated[Actor, allowed(Action.PUBLISH_CASE)]
Where = Annotated[Site, Depends(site)]
_REGION = re.compile(r"[\s,\uff0c]*".join(("", *[r"(?<!\d)(\d{1,6})(?!\d)"] * 4, "")))
_FRAME = re.compile(r"[1-9]\d{0,5}")
ALL_FRAMES, DARKEST = "all", "darkest"
"""All frames together: the brightest that each place has in any, and the darkest."""
ONLY_FACE = frozenset((PictureQuestion.FACE,))
_SHOWN_AGAIN = frozenset(
    one.code for one in (PIXELS_NOT_BLANKED, NOT_ANSWERED, OUTSIDE_PICTURE, PICTURE_DECIDED_MEANWHILE, WRONG_REGIONS)
)
"""What is refused without losing what the person marked."""


@router.get("/cases/{case_number}/pictures")
def pictures_page(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """The pictures that wait for a person, before and after."""
    return _page(request, actor, where, case_number)


@router.get("/cases/{case_number}/pictures/{sop_uid}.png")
def one_picture(request: Request, case_number: int, sop_uid: str, actor: Publisher, where: Where) -> Response:
    """One picture, as it is with what would be blanked outlined, and as it would be; of the original."""
    found, data = _original(request, actor, where, case_number, sop_uid)
    from bingcheng.archive.deidentify.pictures import before_and_after  # noqa: PLC0415 - loads an imaging library

    return Response(before_and_after(data, found.regions), media_type="image/png")


@router.get("/cases/{case_number}/pictures/{sop_uid}/frames/{frames}")
def frame_of_picture(
    request: Request, case_number: int, sop_uid: str, frames: str, actor: Publisher, where: Where
) -> Response:
    """One frame of the original, or the brightest or darkest of all at each place: what regions are drawn on."""
    together = frames in (ALL_FRAMES, DARKEST)
    if not together and _FRAME.fullmatch(frames) is None:
        raise InputError(NO_SUCH_THING)
    _, data = _original(request, actor, where, case_number, sop_uid)
    from bingcheng.archive.deidentify.pictures import (  # noqa: PLC0415 - loads an imaging library
        of_all_frames,
        one_frame,
    )

    png = of_all_frames(data, darkest=frames == DARKEST) if together else one_frame(data, int(frames) - 1)
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
    seen: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Keep what the person decided; when nothing waits any more, the images are made anew by it."""
    now = where.now()
    chosen = {one.value: one for one in (PictureDecision.SHOW, PictureDecision.LEAVE_OUT)}.get(decision)
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, now)
        check_own(connection, case_number)
        found = pictures(connection, case_number)
    if chosen is None:
        raise InputError(NO_SUCH_THING)
    held = _held(where, known, found)
    try:
        marked = _regions(regions) if chosen is PictureDecision.SHOW else ()
        _check_inside(held.get(sop_uid), marked)
        if chosen is PictureDecision.SHOW:
            _check_seen(where, held.get(sop_uid), found)
        with where.workspace.writing() as connection:
            decide_picture(
                connection,
                case_number,
                sop_uid,
                chosen,
                allowed=[one for one in PictureQuestion if one.value in (answered or ())],
                regions=marked,
                whole_series=whole_series,
                alike=_as_large(held, sop_uid) if marked else None,
                seen=seen,
                by=person_number(actor),
                now=now,
            )
            left = pictures(connection, case_number)
            if not waiting(connection, case_number):
                ask_to_prepare(connection, case_number, where)
    except InputError as error:
        if error.code not in _SHOWN_AGAIN:
            raise
        return _page(request, actor, where, case_number, refused=error, sent=(sop_uid, regions))
    wake(request)
    return RedirectResponse(f"/cases/{case_number}/pictures{_next(left, sop_uid)}", 303)


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    refused: InputError | None = None,
    sent: tuple[str, str] = ("", ""),
) -> Response:
    """The page; of what was refused, `sent` is which picture it was, and the regions as they were written."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.PUBLISH_CASE, where.now())
        found = pictures(connection, number)
        job = case_job(connection, number)
    return page(
        request,
        "cases/pictures.html.jinja",
        actor=actor,
        status=200 if refused is None else status_of(refused),
        case=known,
        pictures=_to_look_at(found),
        held=_held(where, known, found),
        job=job,
        busy=job is not None and job.state in OPEN,
        Decision=PictureDecision,
        Question=PictureQuestion,
        lines=_lines,
        sent=sent,
        problem=None if refused is None else told(refused),
    )


def _original(request: Request, actor: Actor, where: Site, number: int, sop_uid: str) -> tuple[WaitingPicture, bytes]:
    """A picture that waits or waited, and the file as its hospital has it."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.PUBLISH_CASE, where.now())
        found = next((one for one in pictures(connection, number) if one.sop_uid == sop_uid), None)
    if found is None:
        raise InputError(NO_SUCH_THING)
    chosen = Chosen(study_uid=found.study_uid, series_uid=found.series_uid, sop_uid=sop_uid)
    stored = originals(where.objects, known.hospital, [chosen])
    if not stored:
        raise InputError(NO_SUCH_THING)
    with where.objects.open_bytes(stored[0]) as stream:
        return found, stream.read()


def _held(where: Site, known: Case, found: Sequence[WaitingPicture]) -> Mapping[str, Instance]:
    """The originals by their UIDs: how large they are, and of how many frames."""
    series = dict.fromkeys((one.study_uid, one.series_uid) for one in found)
    chosen = [Chosen(study_uid=study, series_uid=uid) for study, uid in series]
    return {one.sop_uid: one for one in originals(where.objects, known.hospital, chosen)}


def _check_inside(held: Instance | None, regions: Sequence[Region]) -> None:
    """Raise if a region blanks nothing, though somebody relies on it."""
    if held is None or not held.rows or not held.columns:
        return
    if any(one.x >= held.columns or one.y >= held.rows for one in regions):
        raise InputError(OUTSIDE_PICTURE, columns=held.columns, rows=held.rows)


def _check_seen(where: Site, held: Instance | None, found: Sequence[WaitingPicture]) -> None:
    """Raise if nobody can have looked for text in a picture, since it can't be shown."""
    asked = any(held is not None and one.sop_uid == held.sop_uid and PictureQuestion.TEXT in one.asks for one in found)
    if held is None or not asked:
        return
    from bingcheng.archive.deidentify.pictures import one_frame  # noqa: PLC0415 - loads an imaging library

    with where.objects.open_bytes(held) as stream:
        one_frame(stream.read(), 0)


def _as_large(held: Mapping[str, Instance], sop_uid: str) -> frozenset[str]:
    """The pictures as large as one: of others the same numbers are another place, and the text would stay."""
    first = held.get(sop_uid)
    if first is None or not first.rows:
        return frozenset()
    return frozenset(uid for uid, one in held.items() if (one.rows, one.columns) == (first.rows, first.columns))


def _next(found: Sequence[WaitingPicture], sop_uid: str) -> str:
    """Where on the page the person goes on: at the next picture that waits, whichever comes first."""
    shown = [one for one, _ in _to_look_at(found)]
    at = next((place for place, one in enumerate(shown) if one.sop_uid == sop_uid), 0)
    waits = [place for place, one in enumerate(shown, start=1) if one.decision is PictureDecision.WAITING]
    following = next((place for place in waits if place > at), waits[0] if waits else None)
    return "" if following is None else f"#p-{following}"


def _to_look_at(found: Sequence[WaitingPicture]) -> list[tuple[WaitingPicture, int]]:
    """What is shown, and for how many each stands: whether there is a face is asked once a series, at its middle."""
    series: dict[tuple[str, PictureDecision], list[WaitingPicture]] = {}
    for one in found:
        if one.asks == ONLY_FACE:
            series.setdefault((one.series_uid, one.decision), []).append(one)
    faces = [(some[len(some) // 2], len(some)) for some in series.values()]
    return [*faces, *((one, 1) for one in found if one.asks != ONLY_FACE)]


def _lines(regions: Sequence[Region]) -> str:
    return "\n".join(f"{one.x}, {one.y}, {one.width}, {one.height}" for one in regions)


def _regions(words: str) -> tuple[Region, ...]:
    found = []
    for line in words.replace(";", "\n").splitlines():
        if not line.strip():
            continue
        written = _REGION.fullmatch(line)
        x, y, width, height = (int(one) for one in written.groups()) if written else (0, 0, 0, 0)
        if not width or not height:
            raise InputError(WRONG_REGIONS)
        found.append(Region(x=x, y=y, width=width, height=height))
    return tuple(found)
