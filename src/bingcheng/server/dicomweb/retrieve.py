"""WADO-RS: whole objects and their metadata (PS3.18 10.4)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from io import RawIOBase
from itertools import groupby
from typing import IO, cast

from fastapi import Response

from bingcheng.archive.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    JSON,
    MULTIPART,
    ZIP,
    Offer,
    chosen,
)
from bingcheng.archive.dicomweb.multipart import Part, content_type_of, new_boundary, written
from bingcheng.archive.dicomweb.pixel_map import EXPLICIT_LITTLE
from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.archive.dicomweb.transcoding import can_transcode, transcoded
from bingcheng.archive.dicomweb.xml import native_model
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.storage import pieces_between
from bingcheng.core.errors import InputError
from bingcheng.server.dicomweb import bodies
from bingcheng.server.dicomweb.bodies import DATASETS, by_conditions, etag, multipart, part_of, validated
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import Reader, Reading
from bingcheng.server.dicomweb.routes import router

_STORED = "*"
"""In an offer: the transfer syntax that each object is stored in."""
_OBJECTS = documented(f'{MULTIPART}; type="{DICOM}"', DICOM, ZIP)
_METADATA = documented(DICOM_JSON, JSON, f'{MULTIPART}; type="{DICOM_XML}"')


@router.get("/studies/{study_uid}", responses=_OBJECTS)
def retrieve_study(reader: Reading, study_uid: str) -> Response:
    """All objects of a study."""
    return _objects(reader, reader.instances(study_uid))


@router.get("/studies/{study_uid}/series/{series_uid}", responses=_OBJECTS)
def retrieve_series(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """All objects of a series."""
    return _objects(reader, reader.instances(study_uid, series_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}", responses=_OBJECTS)
def retrieve_instance(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """One object."""
    return _objects(reader, reader.instances(study_uid, series_uid, sop_uid))


@router.get("/studies/{study_uid}/metadata", responses=_METADATA)
def study_metadata(reader: Reading, study_uid: str) -> Response:
    """The attributes of all objects of a study, without bulk data."""
    return _metadata(reader, reader.instances(study_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/metadata", responses=_METADATA)
def series_metadata(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """The attributes of all objects of a series."""
    return _metadata(reader, reader.instances(study_uid, series_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/metadata", responses=_METADATA)
def instance_metadata(reader: Reading, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """The attributes of one object."""
    return _metadata(reader, reader.instances(study_uid, series_uid, sop_uid))


def _metadata(reader: Reader, instances: Sequence[Instance]) -> Response:
    offer = chosen(reader.accepted, DATASETS)
    # Addresses stand in the text, so that of the service is part of what is validated.
    tag = etag("metadata", offer, reader.root, *(one.sha256 for one in instances), weak=True)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    texts = with_addresses(reader, instances)
    if offer.multipart:
        places = (f"{reader.url(one.study_uid, one.series_uid, one.sop_uid)}/metadata" for one in instances)
        found = zip(texts, places, strict=True)
        parts = [part_of(native_model(json.loads(text)), DICOM_XML, place) for text, place in found]
        return multipart(DICOM_XML, parts, headers=validated(tag))
    squeezed = bodies.takes_gzip(reader.request)
    made = bodies.body(_json_array(texts), offer.kind, headers=validated(tag), squeezed=squeezed)
    return bodies.gzipped(reader.request, made)


def with_addresses(reader: Reader, instances: Sequence[Instance]) -> Iterator[bytes]:
    """The JSON text of each object, its bulk data addressed from the root.

    Between quotes of JSON no quote stands bare: what is replaced is never part of a value.
    """
    found = zip(instances, reader.objects.metadata(instances), strict=True)
    for (study_uid, series_uid), members in groupby(found, lambda pair: (pair[0].study_uid, pair[0].series_uid)):
        series = f'"BulkDataURI":"{reader.url(study_uid, series_uid)}/instances/'.encode()
        for one, text in members:
            yield text.replace(b'"BulkDataURI":"', b"%b%b/" % (series, one.sop_uid.encode()))


def _json_array(texts: Iterator[bytes]) -> Iterator[bytes]:
    yield b"["
    for number, text in enumerate(texts):
        yield b"," + text if number else text
    yield b"]"


def _objects(reader: Reader, instances: Sequence[Instance]) -> Response:
    offer = chosen(reader.accepted, _offers(reader, instances))
    tag = etag("objects", offer, *(one.sha256 for one in instances), weak=offer.multipart)
    unchanged = by_conditions(reader.request, tag)
    if unchanged is not None:
        return unchanged
    headers = validated(tag)
    _check_there(reader, instances[0])
    if offer.kind == ZIP:
        headers["Content-Disposition"] = 'attachment; filename="objects.zip"'
        return bodies.body(_zip(reader, instances), ZIP, headers=headers)
    as_stored = offer.syntax != EXPLICIT_LITTLE
    if not offer.multipart:
        alone = _part(reader, instances[0], as_stored=as_stored)
        return bodies.body(alone.pieces, alone.content_type, length=alone.length, headers=headers)
    if all(_untouched(one, as_stored=as_stored) for one in instances):
        return multipart(DICOM, [_part(reader, one, as_stored=True) for one in instances], headers=headers)
    # What has to be made anew knows its length only then: part by part, while they are sent.
    boundary = new_boundary()
    coming = written((_part(reader, one, as_stored=as_stored) for one in instances), boundary)
    return bodies.body(coming, content_type_of(DICOM, boundary), headers=headers)


def _offers(reader: Reader, instances: Sequence[Instance]) -> list[Offer]:
    """How the objects can be given: as they are stored, or all in explicit VR little endian (PS3.18 8.7.3.5.2)."""
    syntaxes = {one.transfer_syntax_uid for one in instances}
    only = next(iter(syntaxes)) if len(syntaxes) == 1 else _STORED
    made: list[Offer] = []
    for wrapped in (True, False) if len(instances) == 1 else (True,):
        if only != EXPLICIT_LITTLE:
            made.append(
                Offer(kind=DICOM, multipart=wrapped, syntax=only, implied=not _all_transcode(reader, instances))
            )
        if only == EXPLICIT_LITTLE or _all_transcode(reader, instances):
            made.append(Offer(kind=DICOM, multipart=wrapped, syntax=EXPLICIT_LITTLE))
    return [*made, Offer(kind=ZIP)]


def _all_transcode(reader: Reader, instances: Sequence[Instance]) -> bool:
    """Whether all can be given uncompressed. Of each transfer syntax and kind of object one is looked at."""
    kinds: dict[tuple[str, str, int | None], Instance] = {}
    for one in instances:
        if one.encapsulated:
            kinds.setdefault((one.transfer_syntax_uid, one.sop_class_uid, one.samples), one)
    for one in kinds.values():
        with reader.objects.open_bytes(one) as stream:
            if not can_transcode(stream):
                return False
    return True


def _untouched(one: Instance, *, as_stored: bool) -> bool:
    return as_stored or one.transfer_syntax_uid == EXPLICIT_LITTLE


def _part(reader: Reader, one: Instance, *, as_stored: bool) -> Part:
    place = reader.url(one.study_uid, one.series_uid, one.sop_uid)
    if not _untouched(one, as_stored=as_stored):
        with reader.objects.open_bytes(one) as stream:
            return part_of(transcoded(stream), f"{DICOM}; transfer-syntax={EXPLICIT_LITTLE}", place)
    return Part(
        content_type=f"{DICOM}; transfer-syntax={one.transfer_syntax_uid}",
        pieces=_stored(reader, one),
        length=one.size,
        location=place,
    )


def _stored(reader: Reader, one: Instance) -> Iterator[bytes]:
    with reader.objects.open_bytes(one) as stream:
        yield from pieces_between(stream, 0, one.size)


def _check_there(reader: Reader, one: Instance) -> None:
    """Say that an object was lost before the answer has begun."""
    reader.objects.open_bytes(one).close()


class _Sink(RawIOBase):
    """What a ZIP archive is written into: it can't seek, and hands on what has come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Whether it takes bytes."""
        return True

    def write(self, data: object) -> int:
        """Take bytes."""
        taken = bytes(cast("bytes", data))
        self._pieces.append(taken)
        return len(taken)

    def taken(self) -> bytes:
        """What has come since the last time."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


def _zip(reader: Reader, instances: Sequence[Instance]) -> Iterator[bytes]:
    """A ZIP archive of the objects as they are stored; numbered, for a name must say nothing of a patient."""
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_STORED) as archive:
        for number, one in enumerate(instances, start=1):
            entry = zipfile.ZipInfo(f"{number:06d}.dcm")
            with archive.open(entry, "w", force_zip64=one.size >= 1 << 31) as member:
                for piece in _stored(reader, one):
                    member.write(piece)
                    yield sink.taken()
    yield sink.taken()


def first_instance(instances: Sequence[Instance]) -> Instance:
    """The instance that stands for many: the middle one of those with a picture.

    Raises
    ------
    InputError
        ``archive.not-here``.
    """
    shown = [one for one in instances if one.rows]
    if not shown:
        raise InputError(NOT_HERE)
    return shown[len(shown) // 2]
