"""What is put right after a process was killed: files without a row get theirs, half removals are finished."""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import select

from bingcheng.archive.objects import conflicts, duplicates, index, retrieval
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.location import CONFLICTS, space_of, study_folder, told_digest, told_origin
from bingcheng.archive.objects.storage import Storage
from bingcheng.archive.objects.tables import stored_conflict, stored_removal, stored_study
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError

_PEER = "recovery"
"""Stands for the peer of what is found again: which one it was, no file tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found.

    Parameters
    ----------
    indexed : objects that were whole on the disk without a row, and have theirs now.
    removed : files that nothing refers to: written by half, or removed by half.
    lost : keys of files that should be there and are not; their objects can't be served until they are restored.
    """

    indexed: int = 0
    removed: int = 0
    lost: tuple[str, ...] = ()


NOTHING = Recovery()


def after_crash(workspace: Workspace, storage: Storage) -> Recovery:
    """Check the store if a process that used it was killed; nothing is read otherwise."""
    left = storage.left()
    if not left:
        return NOTHING
    found = check(workspace, storage)
    for folder in left:  # only now: if this process is killed too, the next one does it all again
        shutil.rmtree(folder, ignore_errors=True)
    return found


def check(workspace: Workspace, storage: Storage) -> Recovery:
    """Compare the files with the rows, study by study."""
    unfinished = _unfinished(workspace)
    if unfinished:
        retrieval.finish(workspace, storage, unfinished)
    known = _studies(workspace)
    indexed, removed, lost = 0, len(unfinished), []
    for folder, keys in groupby(storage.keys(), lambda key: "/".join(key.split("/")[:2])):
        present = set(keys)
        if folder.startswith(f"{CONFLICTS}/"):
            removed += _conflict_files(workspace, storage, present)
            continue
        expected = _expected(workspace, known.pop(folder, None))
        lost += sorted(expected - present)
        for key in sorted(present - expected):
            kept = _adopt(workspace, storage, key)
            indexed, removed = indexed + kept, removed + (not kept)
    for uids in known.values():
        lost += sorted(_expected(workspace, uids))
    return Recovery(indexed=indexed, removed=removed, lost=tuple(_still(workspace, storage, lost)))


def _unfinished(workspace: Workspace) -> list[str]:
    with workspace.reading() as connection:
        return list(connection.scalars(select(stored_removal.c.location)))


def _studies(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """Space and UID of each study that has rows, by its folder."""
    columns = stored_study.c
    with workspace.reading() as connection:
        rows = connection.execute(select(columns.space, columns.study_uid)).all()
    return {study_folder(row.space, row.study_uid): (row.space, row.study_uid) for row in rows}


def _expected(workspace: Workspace, study: tuple[str, str] | None) -> set[str]:
    if study is None:
        return set()
    with workspace.reading() as connection:
        found = retrieval.instances(connection, [study[0]], study[1], None, None)
    return {instance.location for instance in found}


def _adopt(workspace: Workspace, storage: Storage, key: str) -> bool:
    """Give a file its row, if it is whole and its UID has none; else it is removed, or kept aside if it differs."""
    with storage.open(key) as stream:
        data = stream.read()
    arrival = _arrival(key, data, key.split("/", maxsplit=1)[0])
    if arrival is None:
        storage.remove([key])  # never whole, so nobody was told that it is stored
        return False
    with workspace.writing() as connection:
        (standing,) = index.write(connection, [arrival])
    if standing.file == arrival.file:
        return True
    view = memoryview(data)
    if not duplicates.is_held(storage, standing, arrival, view):
        conflicts.keep_aside(workspace, storage, arrival, view)
    storage.remove([key])
    return False


def _arrival(key: str, data: bytes, folder: str) -> index.Arrival | None:
    """The object that a file holds; None if it is not all that its name promises."""
    sha256 = hashlib.sha256(data).hexdigest()
    if not sha256.startswith(told_digest(key)):
        return None
    try:
        head = header(memoryview(data))
    except InputError:
        return None
    return index.Arrival(
        space=space_of(folder),
        header=head,
        size=len(data),
        sha256=sha256,
        file=key.rsplit("/", 1)[-1],
        origin=told_origin(key, _PEER),
        received_at=datetime.now(UTC).replace(tzinfo=None),
    )


def _conflict_files(workspace: Workspace, storage: Storage, present: set[str]) -> int:
    """Give each file that was kept aside its row; how many were not whole, or there twice, and are removed."""
    with workspace.reading() as connection:
        known = set(connection.scalars(select(stored_conflict.c.location)))
    removed = 0
    for key in sorted(present - known):
        with storage.open(key) as stream:
            data = stream.read()
        arrival = _arrival(key, data, key.split("/")[1])
        if arrival is None or not conflicts.note(workspace, arrival):
            storage.remove([key])
            removed += 1
    return removed


def _still(workspace: Workspace, storage: Storage, lost: Iterable[str]) -> Iterator[str]:
    """Those whose row is still there: another process may have removed the object while we looked."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for key in lost:
        by_folder["/".join(key.split("/")[:2])].append(key)
    known = _studies(workspace) if by_folder else {}
    for folder, keys in by_folder.items():
        expected = _expected(workspace, known.get(folder))
        yield from (key for key in keys if key in expected and not _there(storage, key))


def _there(storage: Storage, key: str) -> bool:
    try:
        storage.open(key).close()
    except BingchengError:
        return False
    return True
