"""The routes below ``/quicklook``: a page for each exam, and the pictures on it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.case import Case, case
from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.core.errors import InputError
from bingcheng.outputs.quicklook.picture import LARGEST_SIDE, Kind
from bingcheng.outputs.quicklook.window import CT_WINDOWS, OWN
from bingcheng.server.dicomweb.problem_answers import DicomWebRoute
from bingcheng.server.dicomweb.reading import Reader, Reading
from bingcheng.server.pages.page import page
from bingcheng.server.quicklook import drawing
from bingcheng.server.quicklook.lesions import Segmentations, Segmented, lesions
from bingcheng.server.quicklook.stack import Stack, Stacks
from bingcheng.server.quicklook.studies import Studies, Study

FRONT = "front"
_NAME = re.compile(r"(?P<what>[0-9]{1,6}|front)\.(?P<kind>webp|png)")
_WINDOW = re.compile(r"(-?[0-9]{1,6}(?:\.[0-9]{1,3})?),([0-9]{1,6}(?:\.[0-9]{1,3})?)")
MIDDLE_SIDE = 640

router = APIRouter(include_in_schema=False, route_class=DicomWebRoute)


@dataclass(slots=True, eq=False)
class Held:
    """What the quick look of an application keeps, so that leafing through is quick."""

    studies: Studies = field(default_factory=Studies)
    stacks: Stacks = field(default_factory=Stacks)
    segmentations: Segmentations = field(default_factory=Segmentations)
    fronts: drawing.Fronts = field(default_factory=drawing.Fronts)


def held(request: Request) -> Held:
    """The one of the application."""
    state = request.app.state
    if not hasattr(state, "quicklook"):
        state.quicklook = Held()
    found: Held = state.quicklook
    return found


Keeping = Annotated[Held, Depends(held)]


@router.get("/quicklook/{study_uid}")
def exam(request: Request, reader: Reading, kept: Keeping, study_uid: str, series: str = "") -> Response:
    """The page: the series of an exam, one of them to leaf through, the lesions to go to."""
    looked_at = kept.studies.of(reader, study_uid)
    stacks = kept.stacks.by_series(reader.objects, looked_at.instances)
    if not stacks:
        raise InputError(NOT_HERE)
    segmented = kept.segmentations.of(reader.objects, reader.maps, looked_at.segmentations)
    found = [one for one in lesions(segmented) if one.series_uid in stacks]
    begin = series if series in stacks else _first(stacks, [one.series_uid for one in found])
    at = {one.number: stacks[one.series_uid].index_of(one.best) for one in found}
    return page(
        request,
        "quicklook.html.jinja",
        study=study_uid,
        case=_case(reader, looked_at.instances[0].space),
        stacks=stacks,
        begin=begin,
        lesions=[one for one in found if at[one.number] is not None],
        at=at,
        windows=CT_WINDOWS,
        own=OWN,
    )


@router.get("/quicklook/{study_uid}/{series_uid}/{name}")
def shown(
    request: Request,
    reader: Reading,
    kept: Keeping,
    study_uid: str,
    series_uid: str,
    name: str,
    window: str = "",
    side: Annotated[int, Query(ge=16, le=LARGEST_SIDE)] = MIDDLE_SIDE,
    outline: bool = True,
    marks: bool = True,
) -> Response:
    """A picture: ``12.webp`` is the thirteenth image of the series, ``front.webp`` its projection."""
    asked = _NAME.fullmatch(name)
    if asked is None:
        raise InputError(NOT_HERE)
    looked_at = kept.studies.of(reader, study_uid)
    if series_uid not in looked_at.series:
        raise InputError(NOT_HERE)
    stack = kept.stacks.of(reader.objects, looked_at.series[series_uid])
    segmented = _over(reader, kept, looked_at, series_uid) if outline else ()
    wish = drawing.Wish(
        window=_window(window, stack.modality),
        side=side,
        outlined=bool(segmented),
        kind=Kind(asked["kind"]),
        marked=marks,
    )
    tag = _tag(looked_at.digest(series_uid), segmented, wish, asked["what"])
    # A copy stays with who asked, and is shown only after asking again whether it still may be seen.
    headers = {"cache-control": "private, no-cache", "etag": tag, "vary": "authorization, cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    made = _made(reader, kept, stack, segmented, wish, asked["what"])
    return Response(made, media_type=f"image/{wish.kind}", headers=headers)


def _made(
    reader: Reader, kept: Held, stack: Stack, segmented: tuple[Segmented, ...], wish: drawing.Wish, what: str
) -> bytes:
    objects, maps = reader.objects, reader.maps
    if what == FRONT:
        if stack.modality != drawing.PET or not stack.leaves:
            raise InputError(NOT_HERE)
        return drawing.front(objects, maps, kept.fronts, stack, wish)
    index = int(what)
    if index >= len(stack.leaves):
        raise InputError(NOT_HERE)
    top = drawing.pet_top(kept.fronts.of(objects, maps, stack)) if stack.modality == drawing.PET else 1.0
    return drawing.image(objects, maps, stack, index, segmented, wish, top)


def _case(reader: Reader, space: str) -> Case | None:
    """The case that a space holds the images of; None of a hospital's own."""
    kind, _, number = space.partition("/")
    if case_space(0) != f"{kind}/0":
        return None
    with reader.site.workspace.reading() as connection:
        return case(connection, int(number))


def _first(stacks: dict[str, Stack], with_lesions: list[str]) -> str:
    """The series to begin with: one with lesions, else that with the most images."""
    return next(iter(with_lesions), max(stacks, key=lambda uid: len(stacks[uid].leaves)))


def _over(reader: Reader, kept: Held, looked_at: Study, series_uid: str) -> tuple[Segmented, ...]:
    some = kept.segmentations.of(reader.objects, reader.maps, looked_at.segmentations)
    return some if any(one.series_uid == series_uid for one in some) else ()


def _window(written: str, modality: str) -> str | tuple[float, float]:
    parsed = _WINDOW.fullmatch(written)
    if parsed is not None and float(parsed[2]) > 0:
        return float(parsed[1]), float(parsed[2])
    if written in CT_WINDOWS or written == OWN:
        return written
    return "soft" if modality == drawing.CT else OWN


def _tag(series: str, segmented: tuple[Segmented, ...], wish: drawing.Wish, what: str) -> str:
    facts = (series, [one.instance.sha256 for one in segmented], wish, what)
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'
