"""WADO-RS: all bulk data of a study, a series or an instance at once, or all its pixels (PS3.18 table 10.3-2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from fastapi import Response

from bingcheng.archive.dicomweb import frames as pixels_of
from bingcheng.archive.dicomweb.media_types import MULTIPART, OCTETS, Offer, chosen
from bingcheng.archive.dicomweb.multipart import Part, content_type_of, new_boundary, written
from bingcheng.archive.dicomweb.pixel_map import EXPLICIT_LITTLE
from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.archive.objects.instance import Instance
from bingcheng.core.errors import InputError
from bingcheng.server.dicomweb import bodies
from bingcheng.server.dicomweb.bodies import by_conditions, etag, part_of, validated
from bingcheng.server.dicomweb.frames import stored_pieces
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import Reader, Reading
from bingcheng.server.dicomweb.routes import router

_SERIES = "/studies/{study_uid}/series/{series_uid}"
_INSTANCE = _SERIES + "/instances/{sop_uid}"
_ANSWERS = documented(f'{MULTIPART}; type="{OCTETS}"')
_STORED = "*"
"""In an offer: compressed pixels as they are stored."""
_OFFERS = (
    Offer(kind=OCTETS, multipart=True, syntax=_STORED, implied=False),
    Offer(kind=OCTETS, multipart=True, syntax=EXPLICIT_LITTLE),
)
_PLACE = re.compile(rb'"BulkDataURI":"(bulk/[0-9A-F/]+)"')
_PIXELS = frozenset(("bulk/7FE00010", "bulk/7FE00008", "bulk/7FE00009"))


@router.get("/studies/{study_uid}/bulkdata", responses=_ANSWERS)
def study_bulk(reader: Reading, study_uid: str) -> Response:
    """All bulk data of a study."""
    return _bulk(reader, reader.instances(study_uid), pixels_only=False)


@router.get(_SERIES + "/bulkdata", responses=_ANSWERS)
def series_bulk(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """All bulk data of a series."""
    return _bulk(reader, reader.instances(study_uid, series_uid), pixels_only=False)


@router.get(_INSTANCE + "/bulkdata", responses=_ANSWERS)
def instance_bulk(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """All bulk data of an instance."""
    return _bulk(reader, [reader.instance(study_uid, series_uid, sop_uid)], pixels_only=False)


@router.get("/studies/{study_uid}/pixeldata", responses=_ANSWERS)
def study_pixels(reader: Reading, study_uid: str) -> Response:
    """The pixels of all images of a study."""
    return _bulk(reader, reader.instances(study_uid), pixels_only=True)


@router.get(_SERIES + "/pixeldata", responses=_ANSWERS)
def series_pixels(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """The pixels of all images of a series."""
    return _bulk(reader, reader.instances(study_uid, series_uid), pixels_only=True)


@router.get(_INSTANCE + "/pixeldata", responses=_ANSWERS)
def instance_pixels(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """The pixels of an image."""
    return _bulk(reader, [reader.instance(study_uid, series_uid, sop_uid)], pixels_only=True)


def _bulk(reader: Reader, instances: Sequence[Instance], *, pixels_only: bool) -> Response:
    offer = chosen(reader.accepted, _OFFERS)
    tag = etag("all-bulk", offer, pixels_only, reader.root, *(one.sha256 for one in instances), weak=True)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    parts = _parts(reader, instances, pixels_only=pixels_only, as_stored=offer.syntax == _STORED)
    first = next(parts, None)
    if first is None:
        raise InputError(NOT_HERE)
    boundary = new_boundary()
    return bodies.body(
        written(chain((first,), parts), boundary), content_type_of(OCTETS, boundary), headers=validated(tag)
    )


def _parts(reader: Reader, instances: Sequence[Instance], *, pixels_only: bool, as_stored: bool) -> Iterator[Part]:
    for one, told in zip(instances, reader.objects.metadata(instances), strict=True):
        root = reader.url(one.study_uid, one.series_uid, one.sop_uid)
        for found in _PLACE.finditer(told):
            path = found[1].decode("ascii")
            if path in _PIXELS:
                yield from _pixels(reader, one, path, f"{root}/{path}", as_stored=as_stored)
            elif not pixels_only:
                yield from _value(reader, one, path, f"{root}/{path}")


def _value(reader: Reader, one: Instance, path: str, place: str) -> Iterator[Part]:
    value = reader.objects.bulk(one, path)
    if value is not None:
        kind, pieces = f"{OCTETS}; transfer-syntax={EXPLICIT_LITTLE}", value.pieces(0, value.length)
        yield Part(content_type=kind, pieces=pieces, length=value.length, location=place)


def _pixels(reader: Reader, one: Instance, path: str, place: str, *, as_stored: bool) -> Iterator[Part]:
    """Native pixels in one part; of compressed ones a part for each frame (8.7.3.3.2, note 4)."""
    pixels = reader.pixels(one)
    if pixels_of.lies_as_told(pixels):
        length = pixels.length or 0
        pieces = stored_pieces(reader, one, pixels, 0, length)
        kind = f"{OCTETS}; transfer-syntax={EXPLICIT_LITTLE}"
        yield Part(content_type=kind, pieces=pieces, length=length, location=place)
        return
    if not pixels.encapsulated:
        yield from _value(reader, one, path, place)
        return
    decoded = not as_stored and pixels_of.decodable(pixels)
    kind = OCTETS if decoded else pixels_of.STORED_AS.get(pixels.syntax, OCTETS)
    syntax = EXPLICIT_LITTLE if decoded else pixels.syntax
    read = pixels_of.uncompressed_frame if decoded else pixels_of.stored_frame
    with reader.objects.open_bytes(one) as stream:
        for number in range(pixels.frame_count):
            value = read(stream, pixels, number)
            yield part_of(value, f"{kind}; transfer-syntax={syntax}", f"{place}/frames/{number + 1}")
