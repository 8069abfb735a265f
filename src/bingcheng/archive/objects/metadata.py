"""DICOM JSON of whole series: made when somebody first asks, then kept until the series changes."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise

from sqlalchemy import delete, exists, insert, select

from bingcheng.archive.objects import retrieval
from bingcheng.archive.objects.dicom_json import bulk, dicom_json
from bingcheng.archive.objects.element_walk import Bytes, Walk
from bingcheng.archive.objects.file_bytes import FileBytes
from bingcheng.archive.objects.header import dataset
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.problems import DAMAGED_FILE, NO_FILE, damaged, storage_failed
from bingcheng.archive.objects.storage import Storage, pieces_between
from bingcheng.archive.objects.tables import stored_metadata, stored_series
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError

FAST = 1
"""Level of compression: repeated headers shrink twentyfold even so."""
PIECE = 1 << 14
"""Compressed bytes that are inflated at once, to some twenty times as many."""
FEW = 16
"""A series that is that many times as long as what is wanted of it is not read for it."""
HELD = 4 << 20
"""Bytes of a header, and of a value, that are held in memory as a whole."""
NOWHERE = -1


def of(workspace: Workspace, storage: Storage, instances: Sequence[Instance]) -> Iterator[bytes]:
    """The JSON object of each instance, in the order given; of a long series a part at a time is held in memory."""
    for (series_id, revision), members in groupby(instances, lambda one: (one.series_id, one.revision)):
        known = _known(workspace, series_id, revision)
        wanted = list(members)
        if known is None and _few(workspace, series_id, len(wanted)):
            yield from (line_of(storage, one) for one in wanted)
            continue
        if known is None or not known.places.keys() >= {one.sop_uid for one in wanted}:
            known = _made_if_whole(workspace, storage, wanted[0])
        if known is None:
            yield from (line_of(storage, one) for one in wanted)
            continue
        for one, line in known.of([one.sop_uid for one in wanted]):
            # An instance that was replaced since the caller asked for it is told as it was asked for.
            yield line if line is not None else line_of(storage, wanted[one])


class _Packed:
    """The JSON objects of a series, compressed one behind the other.

    Parameters
    ----------
    places : which line is whose, by SOP instance UID.
    """

    def __init__(self, uids: Sequence[str], lines: bytes) -> None:
        self.places = {uid: place for place, uid in enumerate(uids)}
        self._lines = lines

    def of(self, uids: Sequence[str]) -> Iterator[tuple[int, bytes | None]]:
        """The line of each of `uids`, numbered from 0 in their order; None for those that it does not hold."""
        places = [self.places.get(uid, NOWHERE) for uid in uids]
        held = [place for place in places if place != NOWHERE]
        if all(place < after for place, after in pairwise(held)):
            coming = self._some(frozenset(held))
            for number, place in enumerate(places):
                yield number, None if place == NOWHERE else next(coming)
            return
        found = dict(zip(sorted(set(held)), self._some(frozenset(held)), strict=True))
        for number, place in enumerate(places):
            yield number, found.get(place)

    def _some(self, places: Collection[int]) -> Iterator[bytes]:
        """The lines at these places, in their order; nothing is inflated beyond the last of them."""
        last = max(places, default=NOWHERE)
        for place, line in zip(range(last + 1), self._all(), strict=False):
            if place in places:
                yield line

    def _all(self) -> Iterator[bytes]:
        inflater, begun = zlib.decompressobj(), []
        for at in range(0, len(self._lines), PIECE):
            head, *after = inflater.decompress(self._lines[at : at + PIECE]).split(b"\n")
            begun.append(head)
            if after:
                yield b"".join(begun)
                *whole, last = after
                yield from whole
                begun = [last]
        yield b"".join(begun)


def line_of(storage: Storage, instance: Instance) -> bytes:
    """The JSON object of one instance, read from its file."""
    with _walked(storage, instance, whole=False) as walk:
        return dicom_json(walk)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Value:
    """A value that metadata only refer to; it may have gigabytes.

    Parameters
    ----------
    length : its bytes.
    pieces : gives those from one place to another, little endian, read while they are taken.
    """

    length: int
    pieces: Callable[[int, int], Iterator[bytes]]

    @staticmethod
    def held(value: bytes) -> Value:
        """One that is in memory already."""
        return Value(length=len(value), pieces=lambda start, stop: iter((value[start:stop],)))

    def whole(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces(0, self.length))


def value_of(storage: Storage, instance: Instance, path: str) -> Value | None:
    """The value under a relative BulkDataURI, little endian; None if there is none."""
    with _walked(storage, instance, whole=True) as walk:
        found = bulk(walk, path)
        if found is None:
            return None
        if not isinstance(walk.data, FileBytes) or not found.as_told or found.element.length <= HELD:
            return Value.held(found.value())
        at, end = found.element.at, min(found.element.at + found.element.length, len(walk.data))

        def pieces(start: int, stop: int) -> Iterator[bytes]:
            with storage.open(instance.location) as stream:
                yield from pieces_between(stream, at + start, at + stop)

        return Value(length=end - at, pieces=pieces)


@contextmanager
def _walked(storage: Storage, instance: Instance, *, whole: bool) -> Iterator[Walk]:
    """The elements of an object, while its file is open."""
    with storage.open(instance.location) as stream:
        if os.fstat(stream.fileno()).st_size != instance.size:
            raise damaged()
        # A header ends where the pixels begin, and their own tag and length stand right before them.
        header = instance.size if instance.pixel_offset is None else instance.pixel_offset
        if whole or header > HELD:
            read: Bytes = FileBytes(stream, instance.size if whole else header)
        else:
            try:
                read = stream.read(header)
            except OSError as error:
                raise storage_failed(error) from error
        data, at, coding = dataset(read)
        yield Walk(data, at, len(data), coding)


def _known(workspace: Workspace, series_id: int, revision: int) -> _Packed | None:
    columns = stored_metadata.c
    with workspace.reading() as connection:
        row = connection.execute(
            select(columns.uids, columns.lines).where(columns.series_id == series_id, columns.revision == revision)
        ).first()
    return None if row is None else _Packed(row.uids.split("\n"), row.lines)


def _few(workspace: Workspace, series_id: int, wanted: int) -> bool:
    """Whether so small a part of a series is wanted that its files alone are sooner read than those of all."""
    series = stored_series.c
    with workspace.reading() as connection:
        held = connection.scalar(select(series.series_instance_count).where(series.id == series_id))
    return held is not None and wanted * FEW < held


def _made_if_whole(workspace: Workspace, storage: Storage, member: Instance) -> _Packed | None:
    """What `_made` makes; None if the file of one of them is lost: the others are told without it."""
    try:
        return _made(workspace, storage, member)
    except RemoteError as error:
        if error.problem in (NO_FILE, DAMAGED_FILE):
            return None
        raise


def _made(workspace: Workspace, storage: Storage, member: Instance) -> _Packed:
    """The JSON of all instances of a series, kept if the series is still as it was read."""
    with workspace.reading() as connection:
        members = retrieval.instances(connection, [member.space], member.study_uid, member.series_uid, None)
    uids = [one.sop_uid for one in members]
    lines = b"".join(_compressed(line_of(storage, one) for one in members))
    if not members:
        return _Packed(uids, lines)
    series_id, revision = members[0].series_id, members[0].revision
    series, columns = stored_series.c, stored_metadata.c
    with workspace.writing() as connection:
        same = select(exists().where(series.id == series_id, series.series_revision == revision))
        if connection.scalar(same):
            connection.execute(delete(stored_metadata).where(columns.series_id == series_id))
            row = {"series_id": series_id, "revision": revision, "uids": "\n".join(uids), "lines": lines}
            connection.execute(insert(stored_metadata), row)
    return _Packed(uids, lines)


def _compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """What `lines` are compressed to, while they come."""
    squeezer = zlib.compressobj(FAST)
    for number, line in enumerate(lines):
        yield squeezer.compress(b"\n" + line if number else line)
    yield squeezer.flush()
