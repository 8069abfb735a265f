"""STOW-RS: receiving objects part by part (PS3.18 10.5)."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import NOT_ALLOWED
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dicomweb.incoming import IncomingPart, Intake, Limits
from bingcheng.archive.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    MULTIPART,
    MediaType,
    accepted,
    media_type,
)
from bingcheng.archive.dicomweb.multipart import boundary_of
from bingcheng.archive.dicomweb.problems import BAD_MULTIPART, SLOW_BODY, UNSUPPORTED_BODY
from bingcheng.archive.dicomweb.store_answer import Refused, StoreAnswer
from bingcheng.archive.dicomweb.storing import Storing, holds_metadata
from bingcheng.archive.objects.received import Origin, ReceivedStatus
from bingcheng.core.errors import BingchengError, InputError, RefusedError
from bingcheng.server.dicomweb.bodies import dataset
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import check_uids, root_of
from bingcheng.server.dicomweb.routes import router
from bingcheng.server.security.joined import Joined
from bingcheng.server.security.recorder import Recorder
from bingcheng.server.security.required import allowed
from bingcheng.server.security.size import GIGABYTE, allow_silence
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

AT_ONCE = 4
"""Objects of one body that are being stored while the next are read."""
INFLATED = 1 << 20
"""Bytes that are made at once of a compressed body: what it grows to is counted before more of it is."""
_ENCODINGS = frozenset(("gzip", "x-gzip", "deflate"))
Sender = Annotated[Actor, allowed(Action.SEND_OBJECTS, uploads=True)]
Here = Annotated[Site, Depends(site)]
_ANSWERS = documented(
    DICOM_JSON,
    DICOM_XML,
    status_202="Some were stored, some were not.",
    status_409="None was stored.",
    status_413="More than this installation takes.",
    status_415="A body of another kind.",
)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            f'{MULTIPART}; type="{DICOM}"': {"schema": {"type": "string", "format": "binary"}},
            DICOM: {"schema": {"type": "string", "format": "binary"}},
            f'{MULTIPART}; type="{DICOM_JSON}"': {"schema": {"type": "string", "format": "binary"}},
            f'{MULTIPART}; type="{DICOM_XML}"': {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


async def limits(site: Here) -> Limits:
    """What a body may be."""
    return Limits(body=int(site.settings.largest_upload_gb * GIGABYTE), part=site.objects.largest_bytes)


Bounds = Annotated[Limits, Depends(limits)]


@router.post("/studies", responses=_ANSWERS, openapi_extra=_BODY)
async def store(request: Request, actor: Sender, site: Here, bounds: Bounds) -> Response:
    """Store objects of any study."""
    return await _stored(request, actor, site, bounds, None)


@router.post("/studies/{study_uid}", responses=_ANSWERS, openapi_extra=_BODY)
async def store_in_study(request: Request, actor: Sender, site: Here, bounds: Bounds, study_uid: str) -> Response:
    """Store objects of one study; those of others are refused."""
    check_uids(request)
    return await _stored(request, actor, site, bounds, study_uid)


async def _stored(request: Request, actor: Actor, site: Site, bounds: Limits, study_uid: str | None) -> Response:
    if actor.hospital is None:
        raise RefusedError(NOT_ALLOWED)
    intake, metadata = intake_of(request, bounds)
    root = root_of(request)
    answer = StoreAnswer(study_url=lambda uid: f"{root}/studies/{uid}")
    storing = Storing(
        objects=site.objects,
        space=hospital_space(actor.hospital),
        origin=Origin(kind="stow", peer=peer_of(request, actor), person=actor.person),
        answer=answer,
        study_uid=study_uid,
        metadata=metadata,
    )
    left = await _take_all(request, intake, storing, bounds)
    await _finished(request, storing, left)
    ranges = accepted(request.headers.get("accept"), request.query_params.get("accept"))
    made = dataset(ranges, answer.as_json(), answer.status)
    if (place := answer.place) is not None:
        # Table 10.5.3-2: where what was made can be retrieved; that of a study where they are of one.
        made.headers["Location"] = made.headers["Content-Location"] = place
    return made


def intake_of(request: Request, bounds: Limits) -> tuple[Intake, bool]:
    """How the body is to be read, and whether it is metadata; what can be refused by its header fields is.

    Raises
    ------
    InputError
        ``archive.body-too-large``, ``archive.unsupported-body``, ``archive.bad-multipart``.
    """
    length = request.headers.get("content-length", "")
    bounds.check_announced(int(length) if length.isdecimal() else None)
    if _encoding(request) not in (None, *_ENCODINGS):
        raise InputError(UNSUPPORTED_BODY)
    try:
        kind = media_type(request.headers.get("content-type", ""))
    except InputError:
        raise InputError(UNSUPPORTED_BODY) from None
    if kind.kind == DICOM:
        return Intake(limits=bounds, boundary=None, kind=kind), False
    if kind.kind != MULTIPART:
        raise InputError(UNSUPPORTED_BODY)
    return Intake(limits=bounds, boundary=boundary_of(kind), kind=kind), _holds_metadata(kind)


def _holds_metadata(kind: MediaType) -> bool:
    if kind.inner in (DICOM, "*/*"):
        return False
    if holds_metadata(kind.inner):
        return True
    raise InputError(UNSUPPORTED_BODY)


def _encoding(request: Request) -> str | None:
    written = request.headers.get("content-encoding", "").strip().lower()
    return None if written in ("", "identity") else written


def peer_of(request: Request, actor: Actor) -> str:
    """Who sends, and from where, as it is kept with what was sent."""
    return f"{actor.login}@{request.client.host if request.client else ''}"


async def _finished(request: Request, storing: Storing, left: IncomingPart | None) -> None:
    """Store what is left and record what became of all; in one thread, as to call another takes as long as either."""

    def ended() -> None:
        recorder: Recorder = request.app.state.recorder
        if left is not None and _stored_alone(request, storing, left, recorder):
            return
        answer = storing.answer
        saw_studies(request, (one.study_instance_uid for one in answer.stored))
        traced(request).count = len(answer.stored)
        recorder.record(request, answer.status)

    await run_in_threadpool(ended)


def _stored_alone(request: Request, storing: Storing, left: IncomingPart, recorder: Recorder) -> bool:
    """Store what is left; whether it is all that there was, new, and recorded with it."""
    answer = storing.answer
    if answer.stored or answer.refused or recorder.waits():
        storing.take(left)
        return False
    joined = Joined(recorder, request, 200)
    storing.take(left, joined)
    if not any(one.status is ReceivedStatus.STORED for one in answer.stored):
        return False
    joined.committed()
    return True


async def _take_all(request: Request, intake: Intake, storing: Storing, bounds: Limits) -> IncomingPart | None:
    """Read the body to its end, or as far as it can be read; what came whole until then is stored and answered.

    The last object is left to be stored, and returned, if no other is on its way meanwhile.
    """
    underway, length = _Underway(storing), request.headers.get("content-length")
    try:
        async for piece in pieces(request, bounds.silence_s):
            for part in intake.feed(piece):
                await underway.take(part, last=length == str(intake.received))
        for part in intake.finish():
            await underway.take(part, last=True)
        if storing.metadata:  # of which objects can be made now
            await underway.all_done()
            await run_in_threadpool(storing.finish)
        await underway.begun_done()
    except BingchengError as error:
        await underway.all_done()
        # With something stored, who sent must be told what; with nothing, what was wrong with the body.
        if not storing.answer.stored:
            raise
        storing.answer.add(Refused.by(error))
    finally:
        await underway.begun_done()
        intake.close()
        storing.abandon()
    return underway.left


class _Underway:
    """Objects of one body that are being stored, each in a thread, while the next are read.

    The last is left to whoever has more to do in a thread when the body has ended, unless others are being stored: to
    call a thread and to be called back takes a tenth of the time in which one is received.
    """

    def __init__(self, storing: Storing) -> None:
        self.left: IncomingPart | None = None
        self._storing = storing
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, part: IncomingPart, *, last: bool) -> None:
        """Begin to store an object, when one of those before it is done if there are many."""
        await self._begin_left()
        if last and not self._tasks:
            self.left = part
        else:
            await self._begin(part)

    async def all_done(self) -> None:
        """Wait until all are stored, the one that was left too."""
        await self._begin_left()
        await self.begun_done()

    async def begun_done(self) -> None:
        """Wait until those are stored that were begun."""
        tasks = list(self._tasks)
        self._tasks.clear()
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            task.result()

    async def _begin_left(self) -> None:
        part, self.left = self.left, None
        if part is not None:
            await self._begin(part)

    async def _begin(self, part: IncomingPart) -> None:
        self._tasks.add(asyncio.create_task(run_in_threadpool(self._storing.take, part)))
        if len(self._tasks) < AT_ONCE:
            return
        done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def pieces(request: Request, silence_s: float) -> AsyncIterator[bytes]:
    """The body as it comes, its content encoding undone; a sender that says nothing for too long is given up.

    Raises
    ------
    InputError
        ``archive.slow-body``, ``archive.bad-multipart``.
    """
    coming = _coming(request, silence_s)
    if _encoding(request) is None:
        async for piece in coming:
            yield piece
        return
    inflater = _inflater()
    async for piece in coming:
        left = piece
        while left:
            if inflater.eof:
                inflater = _inflater()  # one member of a gzip file follows another (RFC 1952 2.2)
            try:
                made = inflater.decompress(left, INFLATED)
            except zlib.error:
                raise InputError(BAD_MULTIPART, what="content encoding") from None
            left = inflater.unconsumed_tail or inflater.unused_data
            yield made
            await asyncio.sleep(0)  # a small body can grow a thousandfold: others are served in between
    if not inflater.eof:
        raise InputError(BAD_MULTIPART, what="cut off")


def _inflater() -> zlib._Decompress:
    return zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its head says


async def _coming(request: Request, silence_s: float) -> AsyncIterator[bytes]:
    allow_silence(request, silence_s)
    more = True
    while more:
        try:
            message = await request.receive()
        except HTTPException as error:
            if error.status_code != 408:
                raise
            raise InputError(SLOW_BODY, seconds=silence_s) from None
        if message["type"] == "http.disconnect":
            raise InputError(BAD_MULTIPART, what="cut off")
        more = message.get("more_body", False)
        if body := message.get("body", b""):
            yield body
