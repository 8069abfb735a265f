"""WADO-RS: pictures, documents and thumbnails for people (PS3.18 10.4.1.1.3 and 10.4.1.1.4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, repeat

from fastapi import Response

from bingcheng.archive.dicomweb import documents
from bingcheng.archive.dicomweb.frames import frame_numbers
from bingcheng.archive.dicomweb.media_types import MULTIPART, Offer, chosen
from bingcheng.archive.dicomweb.multipart import Part, content_type_of, new_boundary, written
from bingcheng.archive.dicomweb.pictures import (
    GIF,
    JPEG,
    KINDS,
    PNG,
    Shown,
    header_of,
    left_out,
    picture,
    representative,
    shown_of,
)
from bingcheng.archive.dicomweb.problems import NO_PICTURE
from bingcheng.archive.dicomweb.xml import native_model
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.problems import NO_PIXELS
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.server.dicomweb import bodies
from bingcheng.server.dicomweb.bodies import by_conditions, etag, part_of, validated, warned
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import Reader, Reading
from bingcheng.server.dicomweb.retrieve import first_instance, with_addresses
from bingcheng.server.dicomweb.routes import router

_INSTANCE = "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
_TEXTS = (documents.HTML, documents.PLAIN, documents.XML)
_ANSWERS = documented(*KINDS, f'{MULTIPART}; type="{JPEG}"')
_SINGLE = documented(JPEG, PNG, GIF)
_ANY = documented(*KINDS, *_TEXTS, documents.PDF)
_MANY = documented(f'{MULTIPART}; type="{JPEG}"', status_206="Pictures of some; the others have none.")
_UNBOUND = "default-src 'none'; style-src 'none'"
"""What a document may do that somebody opens by itself: nothing."""


@router.get("/studies/{study_uid}/rendered", responses=_MANY)
def rendered_study(reader: Reading, study_uid: str) -> Response:
    """A picture of each image of a study."""
    return _many(reader, reader.instances(study_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/rendered", responses=_MANY)
def rendered_series(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """A picture of each image of a series."""
    return _many(reader, reader.instances(study_uid, series_uid))


@router.get(_INSTANCE + "/rendered", responses=_ANY)
def rendered_instance(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """One frame of an image as a picture; a document as text."""
    instance = reader.instance(study_uid, series_uid, sop_uid)
    if instance.rows:
        return _pictures(reader, instance, None, thumbnail=False)
    return _document(reader, instance)


@router.get(_INSTANCE + "/frames/{frames}/rendered", responses=_ANSWERS)
def rendered_frames(reader: Reading, study_uid: str, series_uid: str, sop_uid: str, frames: str) -> Response:
    """Frames as pictures."""
    return _frames(reader, reader.instance(study_uid, series_uid, sop_uid), frames, thumbnail=False)


@router.get("/studies/{study_uid}/thumbnail", responses=_SINGLE)
def study_thumbnail(reader: Reading, study_uid: str) -> Response:
    """A small picture of a study."""
    return _pictures(reader, first_instance(reader.instances(study_uid)), None, thumbnail=True)


@router.get("/studies/{study_uid}/series/{series_uid}/thumbnail", responses=_SINGLE)
def series_thumbnail(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """A small picture of a series."""
    return _pictures(reader, first_instance(reader.instances(study_uid, series_uid)), None, thumbnail=True)


@router.get(_INSTANCE + "/thumbnail", responses=_SINGLE)
def instance_thumbnail(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """A small picture of an object."""
    return _pictures(reader, reader.instance(study_uid, series_uid, sop_uid), None, thumbnail=True)


@router.get(_INSTANCE + "/frames/{frames}/thumbnail", responses=_SINGLE)
def frames_thumbnail(reader: Reading, study_uid: str, series_uid: str, sop_uid: str, frames: str) -> Response:
    """A small picture of frames: one, of the middle one of them (10.4.1.1.4)."""
    return _frames(reader, reader.instance(study_uid, series_uid, sop_uid), frames, thumbnail=True)


def _frames(reader: Reader, instance: Instance, frames: str, *, thumbnail: bool) -> Response:
    numbers = frame_numbers(frames, reader.pixels(instance).frame_count)
    if thumbnail:
        numbers = (numbers[len(numbers) // 2],)
    return _pictures(reader, instance, numbers, thumbnail=thumbnail)


def _pictures(reader: Reader, instance: Instance, numbers: Sequence[int] | None, *, thumbnail: bool) -> Response:
    parameters = reader.request.query_params
    shown = shown_of(parameters, thumbnail=thumbnail)
    several = numbers is not None and len(numbers) > 1
    offer = chosen(reader.accepted, [Offer(kind=kind, multipart=several) for kind in KINDS])
    tag = etag("picture", instance.sha256, numbers, _told(shown), offer, weak=several)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    headers = validated(tag, **warned(reader.root, left_out(parameters, thumbnail=thumbnail)))
    made = _made(reader, instance, numbers, shown, offer.kind)
    first = next(made)
    if several:
        assert numbers is not None
        place = reader.url(instance.study_uid, instance.series_uid, instance.sop_uid)
        places = (f"{place}/frames/{number + 1}/rendered" for number in numbers)
        parts = map(part_of, chain((first,), made), repeat(offer.kind), places)
        boundary = new_boundary()
        return bodies.body(written(parts, boundary), content_type_of(offer.kind, boundary), headers=headers)
    return Response(first, headers={**headers, "Content-Type": offer.kind})


def _told(shown: Shown) -> str:
    """The wish as words that are the same for the same wish; the order of a set is not."""
    return f"{shown.size}{shown.region}{shown.window}{shown.quality}{sorted(shown.words)}{shown.thumbnail}"


def _made(
    reader: Reader, instance: Instance, numbers: Sequence[int] | None, shown: Shown, kind: str
) -> Iterator[bytes]:
    """A picture of each frame, drawn when it is asked for."""
    pixels = reader.pixels(instance)
    with reader.objects.open_bytes(instance) as stream:
        header = header_of(stream)
        wanted = [representative(header, pixels.frame_count)] if numbers is None else numbers
        draw = partial(picture, stream, pixels, header, shown=shown, kind=kind)
        for number in wanted:
            yield draw(frame=number)


def _many(reader: Reader, instances: Sequence[Instance]) -> Response:
    """A part for each image, made when it is sent; 206 where objects are left out that have no picture."""
    parameters = reader.request.query_params
    shown = shown_of(parameters)
    drawn = [one for one in instances if one.rows]
    if not drawn:
        raise InputError(NO_PIXELS)
    offer = chosen(reader.accepted, [Offer(kind=kind, multipart=True) for kind in KINDS])
    tag = etag("pictures", *(one.sha256 for one in instances), _told(shown), offer, reader.root, weak=True)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    skipped: list[Instance] = []
    parts = _each(reader, drawn, shown, offer.kind, skipped)
    first = next(parts, None)
    if first is None:
        raise InputError(NO_PICTURE, why="damaged")
    boundary = new_boundary()
    headers = validated(tag, **warned(reader.root, left_out(parameters)))
    pieces = written(chain((first,), parts), boundary)
    answer = bodies.body(pieces, content_type_of(offer.kind, boundary), headers=headers)
    if len(drawn) < len(instances) or skipped:
        answer.status_code = 206
    return answer


def _each(
    reader: Reader, instances: Sequence[Instance], shown: Shown, kind: str, skipped: list[Instance]
) -> Iterator[Part]:
    for one in instances:
        try:
            (made,) = _made(reader, one, None, shown, kind)
        except BingchengError:
            skipped.append(one)  # one damaged image does not keep the others out
            continue
        yield part_of(made, kind, f"{reader.url(one.study_uid, one.series_uid, one.sop_uid)}/rendered")


def _document(reader: Reader, instance: Instance) -> Response:
    """A structured report as text, an encapsulated PDF as itself."""
    (told,) = reader.objects.metadata([instance])
    enclosed = documents.encapsulated_pdf(told)
    value = None if enclosed is None else reader.objects.bulk(instance, enclosed)
    if value is not None:
        offer = chosen(reader.accepted, [Offer(kind=documents.PDF)])
        tag = etag("document", instance.sha256, offer, reader.root)
        headers = validated(tag, **{"Content-Security-Policy": _UNBOUND})
        unchanged = by_conditions(reader.request, tag)
        pieces = value.pieces(0, value.length)
        return unchanged or bodies.body(pieces, offer.kind, length=value.length, headers=headers)
    with reader.objects.open_bytes(instance) as stream:
        header = header_of(stream)
    if not documents.is_document(header):
        raise InputError(NO_PIXELS)
    offer = chosen(reader.accepted, [Offer(kind=kind) for kind in _TEXTS])
    made = _text(reader, instance, offer.kind)
    tag = etag("document", instance.sha256, offer, reader.root)
    headers = validated(tag, **{"Content-Type": f"{offer.kind}; charset=utf-8", "Content-Security-Policy": _UNBOUND})
    return by_conditions(reader.request, tag) or Response(made, headers=headers)


def _text(reader: Reader, instance: Instance, kind: str) -> bytes:
    if kind == documents.XML:
        (told,) = with_addresses(reader, [instance])
        return native_model(json.loads(told))
    with reader.objects.open_bytes(instance) as stream:
        header = header_of(stream)
    say = documents.html if kind == documents.HTML else documents.plain
    return say(header).encode("utf-8", "replace")
