"""WADO-RS: frames and other bulk data (PS3.18 10.4.1.1.2 and 10.4.1.1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import Request, Response

from bingcheng.archive.dicomweb import frames as pixels_of
from bingcheng.archive.dicomweb.media_types import MULTIPART, OCTETS, Offer, chosen
from bingcheng.archive.dicomweb.multipart import Part, content_type_of, new_boundary, written
from bingcheng.archive.dicomweb.pixel_map import EXPLICIT_LITTLE, PixelMap
from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.metadata import Value
from bingcheng.core.errors import InputError
from bingcheng.server.dicomweb import bodies
from bingcheng.server.dicomweb.bodies import by_conditions, etag, multipart, validated
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import Reader, Reading
from bingcheng.server.dicomweb.routes import router

_INSTANCE = "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
_PIXEL_DATA = "7FE00010"
_ANSWERS = documented(f'{MULTIPART}; type="{OCTETS}"', OCTETS, status_206="Part of it.", status_416="Not that long.")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@router.get(_INSTANCE + "/frames/{frames}", responses=_ANSWERS)
def retrieve_frames(reader: Reading, study_uid: str, series_uid: str, sop_uid: str, frames: str) -> Response:
    """Frames by number, from 1."""
    instance = reader.instance(study_uid, series_uid, sop_uid)
    pixels = reader.pixels(instance)
    numbers = pixels_of.frame_numbers(frames, pixels.frame_count)
    place = reader.url(study_uid, series_uid, sop_uid) + "/frames"
    return _pixels(reader, instance, pixels, numbers, place)


@router.get(_INSTANCE + "/bulk/{path:path}", responses=_ANSWERS)
def retrieve_bulk(reader: Reading, study_uid: str, series_uid: str, sop_uid: str, path: str) -> Response:
    """A value that the metadata only refer to."""
    instance = reader.instance(study_uid, series_uid, sop_uid)
    place = f"{reader.url(study_uid, series_uid, sop_uid)}/bulk/{path}"
    if path == _PIXEL_DATA:
        pixels = reader.pixels(instance)
        if pixels.encapsulated:
            return _pixels(reader, instance, pixels, range(pixels.frame_count), f"{place}/frames")
        if pixels_of.lies_as_told(pixels):
            pieces = partial(stored_pieces, reader, instance, pixels)
            return _value(reader, instance, Value(length=pixels.length or 0, pieces=pieces), path, place)
    value = reader.objects.bulk(instance, path)
    if value is None:
        raise InputError(NOT_HERE)
    return _value(reader, instance, value, path, place)


def stored_pieces(reader: Reader, instance: Instance, pixels: PixelMap, start: int, stop: int) -> Iterator[bytes]:
    """A range of native pixels, read while they are sent."""
    with reader.objects.open_bytes(instance) as stream:
        yield from pixels_of.native_pieces(stream, pixels, start, stop)


def _value(reader: Reader, instance: Instance, value: Value, path: str, place: str) -> Response:
    kinds = [Offer(kind=OCTETS, multipart=wrapped, syntax=EXPLICIT_LITTLE) for wrapped in (True, False)]
    offer = chosen(reader.accepted, kinds)
    tag = etag("bulk", instance.sha256, path, offer, weak=offer.multipart)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    if offer.multipart:
        pieces = value.pieces(0, value.length)
        part = Part(content_type=offer.content_type, pieces=pieces, length=value.length, location=place)
        return multipart(OCTETS, [part], headers=validated(tag))
    return _ranged(reader.request, value, offer.content_type, tag)


def _pixels(reader: Reader, instance: Instance, pixels: PixelMap, numbers: Sequence[int], place: str) -> Response:
    offer = chosen(reader.accepted, pixels_of.offers(pixels, single=len(numbers) == 1))
    tag = etag("frames", instance.sha256, *numbers, offer, place, weak=offer.multipart)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    as_stored = offer.syntax != EXPLICIT_LITTLE or not pixels.encapsulated
    pieces = _frames(reader, instance, pixels, numbers, as_stored=as_stored)
    if not offer.multipart:
        return _ranged(reader.request, Value.held(next(pieces)), offer.content_type, tag)
    parts = _Parts(pieces=pieces, numbers=numbers, content_type=offer.content_type, place=place)
    boundary = new_boundary()
    kind = content_type_of(offer.says or offer.kind, boundary)
    return bodies.body(written(parts, boundary), kind, headers=validated(tag))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A part for each frame, made when it is sent."""

    pieces: Iterator[bytes]
    numbers: Sequence[int]
    content_type: str
    place: str

    def __iter__(self) -> Iterator[Part]:
        for number, piece in zip(self.numbers, self.pieces, strict=True):
            where = f"{self.place}/{number + 1}"
            yield Part(content_type=self.content_type, pieces=(piece,), length=len(piece), location=where)


def _frames(
    reader: Reader, instance: Instance, pixels: PixelMap, numbers: Sequence[int], *, as_stored: bool
) -> Iterator[bytes]:
    read = pixels_of.stored_frame if as_stored else pixels_of.uncompressed_frame
    with reader.objects.open_bytes(instance) as stream:
        for number in numbers:
            yield read(stream, pixels, number)


def _ranged(request: Request, value: Value, content_type: str, tag: str) -> Response:
    """The bytes, or the one range of them that is asked for (RFC 9110 14)."""
    headers = validated(tag, **{"Accept-Ranges": "bytes"})
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range", tag)
    if asked is None or condition != tag or asked.groups() == ("", ""):
        return bodies.body(value.pieces(0, value.length), content_type, headers=headers, length=value.length)
    first, last = asked.groups()
    start = int(first) if first else max(0, value.length - int(last))
    stop = min(int(last) + 1, value.length) if first and last else value.length
    if start >= stop:
        headers |= {"Content-Type": content_type, "Content-Range": f"bytes */{value.length}"}
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{value.length}"
    made = bodies.body(value.pieces(start, stop), content_type, headers=headers, length=stop - start)
    made.status_code = 206
    return made
