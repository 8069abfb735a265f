"""WADO-RS: pictures and thumbnails (PS3.18 10.4.1.1.3 and 10.4.1.1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import Response

from bingcheng.archive.dicomweb.frames import frame_numbers
from bingcheng.archive.dicomweb.media_types import MULTIPART, Offer, chosen
from bingcheng.archive.dicomweb.multipart import Part
from bingcheng.archive.dicomweb.pictures import JPEG, PNG, Shown, header_of, picture, representative, shown_of
from bingcheng.archive.objects.instance import Instance
from bingcheng.server.dicomweb.bodies import etag, multipart, not_changed, validated
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import Reader, Reading
from bingcheng.server.dicomweb.retrieve import first_instance
from bingcheng.server.dicomweb.routes import router

_INSTANCE = "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
_ANSWERS = documented(JPEG, PNG, f'{MULTIPART}; type="{JPEG}"')
_SINGLE = documented(JPEG, PNG)


@router.get(_INSTANCE + "/rendered", responses=_SINGLE)
def rendered_instance(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """One frame of an object as a picture."""
    return _one(reader, reader.instance(study_uid, series_uid, sop_uid), thumbnail=False)


@router.get(_INSTANCE + "/frames/{frames}/rendered", responses=_ANSWERS)
def rendered_frames(reader: Reading, study_uid: str, series_uid: str, sop_uid: str, frames: str) -> Response:
    """Frames as pictures."""
    return _frames(reader, reader.instance(study_uid, series_uid, sop_uid), frames, thumbnail=False)


@router.get("/studies/{study_uid}/thumbnail", responses=_SINGLE)
def study_thumbnail(reader: Reading, study_uid: str) -> Response:
    """A small picture of a study."""
    return _one(reader, first_instance(reader.instances(study_uid)), thumbnail=True)


@router.get("/studies/{study_uid}/series/{series_uid}/thumbnail", responses=_SINGLE)
def series_thumbnail(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """A small picture of a series."""
    return _one(reader, first_instance(reader.instances(study_uid, series_uid)), thumbnail=True)


@router.get(_INSTANCE + "/thumbnail", responses=_SINGLE)
def instance_thumbnail(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """A small picture of an object."""
    return _one(reader, reader.instance(study_uid, series_uid, sop_uid), thumbnail=True)


@router.get(_INSTANCE + "/frames/{frames}/thumbnail", responses=_ANSWERS)
def frames_thumbnail(reader: Reading, study_uid: str, series_uid: str, sop_uid: str, frames: str) -> Response:
    """Small pictures of frames."""
    return _frames(reader, reader.instance(study_uid, series_uid, sop_uid), frames, thumbnail=True)


def _one(reader: Reader, instance: Instance, *, thumbnail: bool) -> Response:
    return _pictures(reader, instance, None, thumbnail=thumbnail)


def _frames(reader: Reader, instance: Instance, frames: str, *, thumbnail: bool) -> Response:
    numbers = frame_numbers(frames, reader.pixels(instance).frame_count)
    return _pictures(reader, instance, numbers, thumbnail=thumbnail)


def _pictures(reader: Reader, instance: Instance, numbers: Sequence[int] | None, *, thumbnail: bool) -> Response:
    parameters = reader.request.query_params
    shown = shown_of(parameters, thumbnail=thumbnail)
    several = numbers is not None and len(numbers) > 1
    offer = chosen(reader.accepted, [Offer(kind=kind, multipart=several) for kind in (JPEG, PNG)])
    tag = etag("picture", instance.sha256, numbers, shown, offer)
    unchanged = not_changed(reader.request, tag)
    if unchanged is not None:
        return unchanged
    headers = validated(tag)
    if "annotation" in parameters or parameters.get("iccprofile", "no") != "no":
        # PS3.18 8.3.5.1: what isn't supported is left out and said.
        headers["Warning"] = f'299 {reader.root} "The annotation and iccprofile parameters are not supported"'
    made = _made(reader, instance, numbers, shown, offer.kind)
    if several:
        parts = [Part(content_type=offer.kind, pieces=(one,), length=len(one)) for one in made]
        return multipart(offer.kind, parts, headers=headers)
    return Response(made[0], headers={**headers, "Content-Type": offer.kind})


def _made(reader: Reader, instance: Instance, numbers: Sequence[int] | None, shown: Shown, kind: str) -> list[bytes]:
    pixels = reader.pixels(instance)
    with reader.objects.open_bytes(instance) as stream:
        header = header_of(stream)
        wanted = [representative(header, pixels.frame_count)] if numbers is None else numbers
        draw = partial(picture, stream, pixels, header, shown=shown, kind=kind)
        return [draw(frame=number) for number in wanted]
