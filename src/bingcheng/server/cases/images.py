"""``/cases/<number>/images``: the images of a case to leaf through, to point at, to mark, to talk about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.case import Case, CaseStatus, KeyImage, case, change_case
from bingcheng.archive.cases.discussion import Comment, comments
from bingcheng.archive.cases.facts import case_values
from bingcheng.archive.cases.free_text import check_texts
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.outputs.quicklook.window import CT_WINDOWS, OWN
from bingcheng.server.cases.markdown import rendered
from bingcheng.server.cases.origin import check_own, origin
from bingcheng.server.cases.places import Shelf, Shelves, Spot, shelves, spot_at, spot_of
from bingcheng.server.cases.seen import case_to, may_to, people_by_number, person_number
from bingcheng.server.dicomweb.reading import maps_of
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.quicklook.lesions import Lesion, lesions
from bingcheng.server.quicklook.router import held
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE)]
Publisher = Annotated[Actor, allowed(Action.PUBLISH_CASE)]
Marked = tuple[KeyImage, Spot]


@router.get("/cases/{case_number}/images")
def shown(
    request: Request,
    case_number: int,
    actor: Reading,
    where: Where,
    series: str = "",
    image: str = "",
    x: str = "",
    y: str = "",
) -> Response:
    """The page; without a series, that with the first key image, else that with the most images."""
    return _page(request, actor, where, case_number, (series, image, x, y))


@router.post("/cases/{case_number}/key-images")
def mark(
    request: Request,
    case_number: int,
    actor: Publisher,
    where: Where,
    series: Annotated[str, Form(max_length=64)] = "",
    image: Annotated[str, Form(max_length=9)] = "",
    x: Annotated[str, Form(max_length=9)] = "",
    y: Annotated[str, Form(max_length=9)] = "",
    note: Annotated[str, Form(max_length=1000)] = "",
    taken: Annotated[str, Form(max_length=4)] = "",
) -> Response:
    """Mark an image as key image, at a place of it if one is said, or take such a mark away: the `taken`-th, from 1."""
    asked = (series, image, x, y)
    try:
        with where.workspace.reading() as connection:
            case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
            check_own(connection, case_number)
            # Before anything is written: reading headers for the first time writes what is kept of them.
            spot = None if taken else spot_at(shelves(request, connection, where, case_number), *asked)
        with where.workspace.writing() as connection:
            known = case(connection, case_number)
            images = list(known.written.key_images)
            if spot is None:
                del images[_index(taken, images)]
            else:
                images.append(KeyImage(sop_uid=spot.sop_uid, frame=spot.frame, x=spot.x, y=spot.y, note=note))
            if known.status is CaseStatus.PUBLISHED:
                check_texts(connection, case_number, known.hospital, {"note": note})
            written = replace(known.written, key_images=tuple(images))
            change_case(connection, case_number, written, person=person_number(actor), now=where.now())
    except InputError as error:
        if error.code == NO_SUCH_THING.code:
            raise
        return _page(request, actor, where, case_number, asked, problem=told(error), status=status_of(error))
    return RedirectResponse(f"/cases/{case_number}/images{'' if spot is None else f'?{spot.query}'}", 303)


def marked(known: Shelves, case: Case) -> list[Marked]:
    """The key images that the case still shows, each with its place."""
    found = ((one, spot_of(known, one.sop_uid, one.frame, one.x, one.y)) for one in case.written.key_images)
    return [(one, spot) for one, spot in found if spot is not None]


def anchored(known: Shelves, said: Sequence[Comment]) -> dict[int, Spot]:
    """The places of images at which comments hang, by the comments' numbers."""
    found: dict[int, Spot] = {}
    for one in said:
        anchor = one.anchor
        spot = spot_of(known, anchor.sop_uid, anchor.frame, anchor.x, anchor.y) if anchor.sop_uid else None
        if spot is not None:
            found[one.number] = spot
    return found


def _index(taken: str, images: Sequence[KeyImage]) -> int:
    number = int(taken) if taken.isdecimal() else 0
    if not 1 <= number <= len(images):
        raise InputError(NO_SUCH_THING)
    return number - 1


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    asked: tuple[str, str, str, str],
    *,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.READ_CASE, where.now())
        shelf = {} if known.status is CaseStatus.WITHDRAWN else shelves(request, connection, where, number)
        said = comments(connection, number)
        measured = sorted({one.lesion for one in case_values(connection, number) if one.lesion is not None})
        names = people_by_number(connection)
        writes = may_to(actor, Action.PUBLISH_CASE, known) and origin(connection, number) is None
    # Where the answer is hidden, so is where to look: the page of the case shows both when the reader asks.
    keys = marked(shelf, known) if writes or not known.written.hidden else []
    spot = _asked(shelf, keys, asked)
    values: dict[str, Any] = {}
    if spot is not None:
        hanging = anchored(shelf, said)
        values = {
            "said": [(one, hanging[one.number]) for one in said if one.shown and _in(hanging.get(one.number), spot)],
            "found": _lesions(request, where, number, spot.shelf),
        }
    return page(
        request,
        "cases/images.html.jinja",
        actor=actor,
        status=status,
        case=known,
        shelves=shelf,
        spot=spot,
        keys=keys,
        numbers=[known.written.key_images.index(one) + 1 for one, _ in keys],
        measured=measured,
        names=names,
        writes=writes,
        windows=CT_WINDOWS,
        own=OWN,
        rendered=rendered,
        problem=problem,
        **values,
    )


def _in(spot: Spot | None, here: Spot) -> bool:
    return spot is not None and spot.shelf.series_uid == here.shelf.series_uid


def _asked(known: Shelves, keys: Sequence[Marked], asked: tuple[str, str, str, str]) -> Spot | None:
    """What is to be shown: what was asked for, as far as there is such a thing."""
    series, image, x, y = asked
    if not known:
        return None
    if series in known:
        try:
            return spot_at(known, series, image, x, y)
        except InputError:
            return Spot(shelf=known[series], index=len(known[series].stack.leaves) // 2)
    if keys:
        return keys[0][1]
    most = max(known.values(), key=lambda one: len(one.stack.leaves))
    return Spot(shelf=most, index=len(most.stack.leaves) // 2)


def _lesions(request: Request, where: Site, number: int, shelf: Shelf) -> list[tuple[Lesion, int]]:
    """The lesions that are outlined on a series, each with the image that shows it best."""
    instances = where.objects.instances_of([case_space(number)], shelf.exam.study_uid)
    segmented = held(request).segmentations.of(where.objects, maps_of(request), instances)
    found = ((one, shelf.stack.index_of(one.best)) for one in lesions(segmented))
    return [(one, at) for one, at in found if at is not None and one.series_uid == shelf.series_uid]
