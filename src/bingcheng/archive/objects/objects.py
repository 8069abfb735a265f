"""The store of received DICOM objects: kept byte for byte, durable and visible before it says so."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO, Literal

from sqlalchemy import Connection, update

from bingcheng.archive.codec import storable
from bingcheng.archive.objects import conflicts, duplicates, index, metadata, recovery, retrieval, search
from bingcheng.archive.objects.attributes import Level
from bingcheng.archive.objects.header import MIB, Header, header
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.location import file_name, series_folder, space_folder, study_folder
from bingcheng.archive.objects.metadata import Value
from bingcheng.archive.objects.place import storage_of
from bingcheng.archive.objects.problems import NOT_DICOM, TOO_LARGE, damaged, refused
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Conflict, Origin, Received, ReceivedStatus
from bingcheng.archive.objects.rows import InstanceRow, SeriesRow, Statistics, StudyRow
from bingcheng.archive.objects.storage import Storage
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.objects.writer import Beside, Writer
from bingcheng.archive.problems import DATABASE_FAILED
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError

LARGEST_BYTES = 4096 * MIB
READERS = 4
"""Connections that this store uses at once to look up what it has; the rest wait a millisecond."""
MOST_FRESH = 1000
"""Series of which it is remembered that their objects are new."""


class Objects:
    """Received objects of all spaces; safe to use from many threads, and by several processes at once.

    Parameters
    ----------
    largest_bytes : objects larger than this are refused.
    recovered : what had to be put right when the store was opened.
    """

    def __init__(self, workspace: Workspace, storage: Storage, largest_bytes: int) -> None:
        self.workspace = workspace
        self.storage = storage
        self.largest_bytes = largest_bytes
        self.recovered = recovery.NOTHING
        self._writer = Writer(workspace)
        self._readers = threading.BoundedSemaphore(READERS)
        # Series whose last object was new: the next is likely to be, and is not looked for before its row is written.
        self._fresh: set[tuple[str, str]] = set()

    @staticmethod
    def open(workspace: Workspace, storage: Storage | None = None, *, largest_bytes: int = LARGEST_BYTES) -> Objects:
        """The store of a workspace; if a process was killed while it wrote, what it left is put right first.

        Parameters
        ----------
        storage : where the bytes lie; None for where the workspace says (`storage_of`). The store closes it.
        """
        opened = Objects(workspace, storage or storage_of(workspace), largest_bytes)
        opened.recovered = recovery.after_crash(workspace, opened.storage)
        return opened

    def close(self) -> None:
        """Give back what is held. The workspace stays open."""
        self._writer.close()
        self.storage.close()

    def receive(
        self, data: bytes | bytearray | memoryview, *, space: str, origin: Origin, beside: Beside | None = None
    ) -> Received:
        """Keep a whole DICOM file, with or without preamble; when this returns it is durable and can be found.

        Parameters
        ----------
        beside : writes what belongs to it, if it is new: with its row, or neither is written.

        Raises
        ------
        InputError
            ``archive.not-dicom``, ``archive.truncated-object``, ``archive.missing-uid``, ``archive.wrong-uid``,
            ``archive.uids-disagree``, ``archive.too-large``.
        RemoteError
            ``archive.disk-full``, ``archive.storage-failed``, ``archive.database-failed``: nothing of it was kept.
        """
        view = memoryview(data).cast("B")
        if len(view) > self.largest_bytes:
            raise InputError(TOO_LARGE, limit_mib=self.largest_bytes // MIB)
        if not len(view):
            raise InputError(NOT_DICOM)
        head = header(view)
        series = (space, head.series_uid)
        fresh = series in self._fresh
        known = None if fresh else self._standing(space, head.sop_uid)
        arriving = cache(partial(_arrival, space, head, view, origin))
        if known is None:
            try:
                known = self._store(arriving, view, beside)
            except BingchengError:
                self._fresh.discard(series)
                known = self._standing(space, head.sop_uid) if fresh else None
                if known is None:
                    raise  # what is stored already needs no room on a full disk
        arrival = arriving()
        if known.file == arrival.file:
            status = ReceivedStatus.STORED
        elif duplicates.is_held(self.storage, known, arrival, view):
            status = ReceivedStatus.ALREADY
            if duplicates.restored(self.storage, known, arrival, view) and known != self._standing(space, head.sop_uid):
                self.storage.remove([duplicates.key_of(known, arrival)])  # it was no loss, but a removal
                return self.receive(data, space=space, origin=origin, beside=beside)
        else:
            self._keep_aside(arrival, view)
            status = ReceivedStatus.CONFLICT
        self._note(series, status)
        return Received(
            status=status,
            space=space,
            sop_class_uid=head.sop_class_uid,
            sop_instance_uid=head.sop_uid,
            study_instance_uid=head.study_uid,
            series_instance_uid=head.series_uid,
        )

    def holds(self, data: bytes | bytearray | memoryview, *, space: str) -> bool:
        """Whether a space has this very object, whoever wrote the meta header before it; nothing is kept.

        Raises
        ------
        InputError
            What `receive` raises for what is no object.
        RemoteError
            ``archive.storage-failed``, ``archive.database-failed``.
        """
        view = memoryview(data).cast("B")
        if not len(view):
            raise InputError(NOT_DICOM)
        head = header(view)
        known = self._standing(space, head.sop_uid)
        if known is None:
            return False
        arrival = _arrival(space, head, view, Origin(kind="import", peer=""))
        return duplicates.is_held(self.storage, known, arrival, view)

    def _standing(self, space: str, sop_uid: str) -> index.Standing | None:
        with self._readers:
            return index.standing_now(self.workspace, space, sop_uid)

    def _store(self, arriving: Callable[[], index.Arrival], view: memoryview, beside: Beside | None) -> index.Standing:
        self.storage.put(lambda: _key(arriving()), view)
        arrival = arriving()
        key = _key(arrival)
        try:
            standing = self._writer.add(arrival, beside)
        except BingchengError as error:
            # Of a database that went away nobody knows whether it wrote the row: the next check of the store does.
            if error.problem is not DATABASE_FAILED:
                self.storage.remove([key])
            raise refused(error) from error
        if standing.file != arrival.file:
            self.storage.remove([key])  # another thread was quicker with the same UID
        return standing

    def _note(self, series: tuple[str, str], status: ReceivedStatus) -> None:
        if status is not ReceivedStatus.STORED:
            self._fresh.discard(series)
            return
        if len(self._fresh) > MOST_FRESH:
            self._fresh.clear()
        self._fresh.add(series)

    def _keep_aside(self, arrival: index.Arrival, view: memoryview) -> None:
        try:
            conflicts.keep_aside(self.workspace, self.storage, arrival, view)
        except BingchengError as error:
            raise refused(error) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._readers, self.workspace.reading() as connection:
            yield connection

    def studies(self, query: Query, spaces: Sequence[str]) -> list[StudyRow]:
        """The studies that match, newest first; ``archive.cannot-match`` if asked by what can't be searched by."""
        with self._reading() as connection:
            return search.studies(connection, query, spaces)

    def series(self, query: Query, spaces: Sequence[str]) -> list[SeriesRow]:
        """The series that match; attributes of the study may be asked for too."""
        with self._reading() as connection:
            return search.series(connection, query, spaces)

    def instances(self, query: Query, spaces: Sequence[str]) -> list[InstanceRow]:
        """The instances that match; attributes of study and series may be asked for too."""
        with self._reading() as connection:
            return search.instances(connection, query, spaces)

    def count(self, level: Level, query: Query, spaces: Sequence[str]) -> int:
        """How many rows such a search finds, whatever its limit and offset."""
        with self._reading() as connection:
            return search.count(connection, level, query, spaces)

    def instance(
        self, spaces: Sequence[str], study_uid: str | None, series_uid: str | None, sop_uid: str
    ) -> Instance | None:
        """One instance, from the first of the spaces that has it; None if none has it, under these UIDs."""
        first, rest = spaces[:1], spaces[1:]
        if first and study_uid is not None and series_uid is not None:
            # Nearly always it is the reader's own hospital that has it.
            with self._readers:
                one = retrieval.instance(self.workspace, first[0], study_uid, series_uid, sop_uid)
            if one is not None or not rest:
                return one
        with self._reading() as connection:
            found = retrieval.instances(connection, spaces, study_uid, series_uid, sop_uid)
        return min(found, key=lambda one: spaces.index(one.space), default=None)

    def instances_of(self, spaces: Sequence[str], study_uid: str, series_uid: str | None = None) -> list[Instance]:
        """The instances of a study or series, in the order of series and instance number.

        Of an instance that several of the spaces have, the one of the first.
        """
        with self._reading() as connection:
            found = retrieval.instances(connection, spaces, study_uid, series_uid, None)
        return found if len(spaces) == 1 else retrieval.first_of_each(found, spaces)

    def open_bytes(self, instance: Instance) -> BinaryIO:
        """The bytes as they were received, as a stream that can seek.

        Raises
        ------
        RemoteError
            ``archive.object-lost`` if they are gone, ``archive.object-damaged`` if there are less or more.
        """
        stream = self.storage.open(instance.location)
        if os.fstat(stream.fileno()).st_size == instance.size:
            return stream
        stream.close()
        raise damaged()

    def path(self, instance: Instance) -> Path:
        """A local file with the bytes as they were received; not to be changed."""
        return self.storage.path(instance.location)

    def metadata(self, instances: Sequence[Instance]) -> Iterator[bytes]:
        """The DICOM JSON object of each instance, without its bulk data, in the order given.

        A BulkDataURI is relative: ``bulk/<tags and item numbers>`` below the instance.
        """
        return metadata.of(self.workspace, self.storage, instances)

    def bulk(self, instance: Instance, path: str) -> Value | None:
        """The value that a relative BulkDataURI of `metadata` names, in little endian order; None if there is none."""
        return metadata.value_of(self.storage, instance, path)

    def prepare(self, space: str, study_uid: str) -> None:
        """Make what `metadata` needs of a study, so that who asks first need not wait."""
        for _ in self.metadata(self.instances_of([space], study_uid)):
            pass

    def remove(self, space: str, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None) -> int:
        """Forget a study, a series or an instance, for good; how many instances there were."""
        return retrieval.remove(self.workspace, self.storage, (space, study_uid, series_uid, sop_uid), now())

    def conflicts(self, spaces: Sequence[str]) -> list[Conflict]:
        """What waits for a person's decision, the longest wait first."""
        with self._reading() as connection:
            return conflicts.waiting(connection, spaces)

    def open_conflict(self, conflict: Conflict) -> BinaryIO:
        """The bytes that were kept aside."""
        return self.storage.open(conflict.location)

    def settle_conflict(self, space: str, conflict: int, *, keep: Literal["stored", "received"]) -> None:
        """Keep what is stored, or put in its place what was received later; the other is gone for good.

        Raises
        ------
        InputError
            ``archive.no-such-conflict``.
        """
        conflicts.settle(self.workspace, self.storage, (space, conflict), keep, now())

    def exam_folder(self, space: str, study_uid: str) -> Path:
        """A folder that holds the files of a study; not to be changed. ``archive.object-lost`` if there is none."""
        return self.storage.folder(study_folder(space, study_uid))

    def changed_since(self, *, quiet_s: float, limit: int = 100) -> list[StudyRow]:
        """Studies of all spaces that changed since they were last `worked`, and have been quiet for so long."""
        until = now() - timedelta(seconds=quiet_s)
        columns = stored_study.c
        found = (
            search.study_columns()
            .where(columns.changed_at <= until, columns.revision > columns.worked_revision)
            .order_by(columns.changed_at)
            .limit(limit)
        )
        with self._reading() as connection:
            return [search.study_row(row) for row in connection.execute(found)]

    def worked(self, study: StudyRow) -> None:
        """Note that the background has seen the study as this row tells it."""
        columns = stored_study.c
        mine = (columns.space == study.space, columns.study_uid == study.study_uid)
        with self.workspace.writing() as connection:
            connection.execute(update(stored_study).where(*mine).values(worked_revision=study.revision))

    def statistics(self, spaces: Sequence[str]) -> list[Statistics]:
        """How much each space holds; spaces that hold nothing too."""
        with self._reading() as connection:
            return retrieval.statistics(connection, spaces)

    def check(self) -> recovery.Recovery:
        """Compare all files with all rows, and put right what can be; takes minutes for a million."""
        return recovery.check(self.workspace, self.storage)


def now() -> datetime:
    """The present, as the columns hold it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _key(arrival: index.Arrival) -> str:
    head = arrival.header
    return f"{series_folder(arrival.space, head.study_uid, head.series_uid)}/{arrival.file}"


def _arrival(space: str, head: Header, view: memoryview, origin: Origin) -> index.Arrival:
    space_folder(space)
    sha256 = hashlib.sha256(view).hexdigest()
    peer = storable(origin.peer)
    return index.Arrival(
        space=space,
        header=head,
        size=len(view),
        sha256=sha256,
        file=file_name(sha256, origin),
        origin=Origin(kind=origin.kind, peer=peer, person=origin.person),
        received_at=now(),
    )
