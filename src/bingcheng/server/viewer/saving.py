"""The routes by which the viewer keeps what a person drew: with the exam it was drawn on, in that person's name.

Drawings do not come by STOW-RS, which takes any study of the sender's hospital: here the exam must be one that is
stored for the person's own hospital, and what is sent must be about its images. A case of another hospital is read in
the same viewer; nothing that is drawn on it may become a study of the reader's.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dicomweb.drawn import drawn_in
from bingcheng.archive.dicomweb.incoming import IncomingPart, Intake
from bingcheng.archive.dicomweb.problems import UNSUPPORTED_BODY
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.origins import DRAWN
from bingcheng.archive.objects.received import Origin, ReceivedStatus
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.server.dicomweb.problem_answers import DicomWebRoute
from bingcheng.server.dicomweb.reading import check_uids
from bingcheng.server.dicomweb.store import Bounds, intake_of, peer_of, pieces
from bingcheng.server.exams.seen import check_exam, received_here
from bingcheng.server.security.cookies import csrf_token
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

SEGMENTATIONS = frozenset(("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"))
REPORTS = frozenset(f"1.2.840.10008.5.1.4.1.1.88.{end}" for end in ("22", "33", "34"))
"""Enhanced, Comprehensive and Comprehensive 3D SR (PS3.4 table B.5-1)."""
OUTLINES = frozenset(("1.2.840.10008.5.1.4.1.1.481.3",))
DRAWN_CLASSES = SEGMENTATIONS | REPORTS | OUTLINES
"""What can be drawn: measurements, segmentations, contours."""
_STORED = "1.2.840.10008.5.1.4.1.1."
"""How the UID of each storage class begins; those of studies and procedures, which are referred to as well, don't."""

ELSEWHERE = Problem(
    code="server.drawing-elsewhere",
    says="what is drawn is kept only with exams of your own hospital that are stored here",
    remedy="Say what you see in the discussion of the case.",
    owner=Owner.RADIOLOGIST,
)
NO_DRAWING = Problem(
    code="server.no-drawing",
    says="only measurements and outlines on this exam's own images can be saved",
    remedy="Open the exam by itself, draw on its images, and save again.",
    owner=Owner.RADIOLOGIST,
)
KNOWN = Problem(
    code="server.drawing-known",
    says="another drawing was saved under the same number before",
    remedy="Save it as a new series.",
    owner=Owner.RADIOLOGIST,
)

router = APIRouter(include_in_schema=False, route_class=DicomWebRoute)
Drawer = Annotated[Actor, allowed(Action.JUDGE_EXAM)]
Sender = Annotated[Actor, allowed(Action.JUDGE_EXAM, uploads=True)]
Here = Annotated[Site, Depends(site)]
_PATH = "/viewer/exams/{study_uid}/drawn"


@router.get(_PATH)
def may_be_kept(request: Request, study_uid: str, actor: Drawer, where: Here) -> Response:
    """The token that goes with what is sent, if what is drawn on this exam is kept."""
    _check_place(request, actor, where, study_uid)
    traced(request).silent = True
    return JSONResponse({"token": csrf_token(request)})


@router.post(_PATH)
async def keep(request: Request, study_uid: str, actor: Sender, where: Here, bounds: Bounds) -> Response:
    """Keep what was drawn: a message as for STOW-RS, of one object or several."""
    traced(request).event_action = EventAction.CREATE
    await run_in_threadpool(_check_place, request, actor, where, study_uid)
    intake, described = intake_of(request, bounds)
    if described:
        raise InputError(UNSUPPORTED_BODY)
    drawing = Drawing(site=where, actor=actor, study_uid=study_uid, peer=peer_of(request, actor))
    count = 0
    try:
        async for part in _parts(request, intake, bounds.silence_s):
            await run_in_threadpool(drawing.keep, part)
            count += 1
    finally:
        intake.close()
    if not count:
        raise InputError(NO_DRAWING)
    traced(request).count = count
    return JSONResponse({"kept": count})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Drawing:
    """What somebody drew on an exam, on its way into the archive."""

    site: Site
    actor: Actor
    study_uid: str
    peer: str

    def keep(self, part: IncomingPart) -> None:
        """Keep one object.

        Raises
        ------
        InputError
            ``server.no-drawing``, ``server.drawing-known``, and what `Objects.receive` raises.
        """
        try:
            with part.content() as data:
                self._keep(data)
        finally:
            part.close()

    def _keep(self, data: memoryview) -> None:
        head = header(data)
        if head.study_uid != self.study_uid or head.sop_class_uid not in DRAWN_CLASSES:
            raise InputError(NO_DRAWING)
        assert self.actor.hospital is not None, "checked before"
        space = hospital_space(self.actor.hospital)
        objects = self.site.objects
        known = {one.sop_uid for one in objects.instances_of([space], self.study_uid)}
        drawn_on = images_of(data)
        if not drawn_on or not drawn_on <= known:
            raise InputError(NO_DRAWING)
        origin = Origin(kind=DRAWN, peer=self.peer, person=self.actor.person)
        if objects.receive(data, space=space, origin=origin).status is ReceivedStatus.CONFLICT:
            raise InputError(KNOWN)
        drawn_in(objects, space, [head.sop_uid])  # now that it is on its way, so that no page need open it


def images_of(data: memoryview) -> set[str]:
    """SOP instance UIDs of all images that a report, a segmentation or a set of contours refers to.

    Other reports and segmentations are not among them: what was drawn may name the one that it takes the place of.

    Raises
    ------
    InputError
        ``server.no-drawing``: it can't be read.
    """
    from pydicom import dcmread  # noqa: PLC0415 - only where somebody saves a drawing

    found: set[str] = set()

    def look(dataset: Dataset, element: DataElement) -> None:
        kind = str(dataset.get("ReferencedSOPClassUID") or "")
        if element.keyword == "ReferencedSOPInstanceUID" and kind.startswith(_STORED) and kind not in DRAWN_CLASSES:
            found.add(str(element.value))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the viewer breaks small rules, such as how long a code may be
            dcmread(BytesIO(data), stop_before_pixels=True, force=True).walk(look)
    except Exception as error:
        # What stands in a header can make the reader raise anything.
        raise InputError(NO_DRAWING) from error
    return found


async def _parts(request: Request, intake: Intake, silence_s: float) -> AsyncIterator[IncomingPart]:
    async for piece in pieces(request, silence_s):
        for part in intake.feed(piece):
            yield part
    for part in intake.finish():
        yield part


def _check_place(request: Request, actor: Actor, where: Site, study_uid: str) -> None:
    check_uids(request)
    with where.workspace.reading() as connection:
        try:
            check_exam(request, connection, actor, study_uid, Action.JUDGE_EXAM)
        except InputError as error:
            raise InputError(ELSEWHERE) from error
        if not received_here(connection, actor, study_uid):
            raise InputError(ELSEWHERE)
