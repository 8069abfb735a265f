"""Stored instances read and removed by their UIDs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select

from bingcheng.archive import prepared
from bingcheng.archive.objects import index
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.location import series_folder
from bingcheng.archive.objects.query import Condition
from bingcheng.archive.objects.rows import Statistics
from bingcheng.archive.objects.storage import Storage
from bingcheng.archive.objects.tables import (
    stored_conflict,
    stored_instance,
    stored_removal,
    stored_series,
    stored_study,
)
from bingcheng.archive.problems import plain
from bingcheng.archive.workspace import Workspace

Uids = tuple[str, str, str | None, str | None]
"""Space, study, series, instance."""
_study, _series, _instance = stored_study.c, stored_series.c, stored_instance.c
_JOINED = stored_instance.join(stored_series, _series.id == _instance.series_id).join(
    stored_study, _study.id == _series.study_id
)
COLUMNS = (
    _study.space,
    _study.study_uid,
    _series.series_uid,
    _instance.sop_uid,
    _instance.sop_class_uid,
    _instance.transfer_syntax_uid,
    _instance.series_id,
    _series.series_revision.label("revision"),
    _instance.instance_number.label("number"),
    _instance.rows,
    _instance.columns,
    _instance.frames,
    _instance.bits_allocated,
    _instance.samples,
    _instance.size,
    _instance.sha256,
    _instance.instance_received_at.label("received_at"),
    _instance.pixel_offset,
    _instance.pixel_length,
    _instance.file,
    _instance.id,
    _series.study_id,
)
"""The fields of an instance in their order, but for the last, of which the file's name is a part; then row numbers."""


def instances(
    connection: Connection, spaces: Sequence[str], study_uid: str | None, series_uid: str | None, sop_uid: str | None
) -> list[Instance]:
    """The instances under these UIDs in any of the spaces, in the order of series and instance number."""
    return [instance_of(row) for row in rows(connection, spaces, study_uid, series_uid, sop_uid)]


def instance(workspace: Workspace, space: str, study_uid: str, series_uid: str, sop_uid: str) -> Instance | None:
    """One instance of a space, outside of any transaction: what a viewer asks for hundreds of times."""
    asked = {"of_space": space, "of_study": study_uid, "of_series": series_uid, "of_sop": sop_uid}
    found = prepared.looked_up(workspace, _ONE, asked)
    if found is None:
        return None
    return instance_of(found)


_ONE = (
    select(*COLUMNS)
    .select_from(_JOINED)
    .where(
        _instance.instance_space == bindparam("of_space"),
        _instance.sop_uid == bindparam("of_sop"),
        _study.study_uid == bindparam("of_study"),
        _series.series_uid == bindparam("of_series"),
    )
)


def rows(
    connection: Connection, spaces: Sequence[str], study_uid: str | None, series_uid: str | None, sop_uid: str | None
) -> Sequence[Row[Any]]:
    """Rows of `COLUMNS` under these UIDs."""
    asked: list[Condition] = []
    if sop_uid is not None:
        asked += [_instance.instance_space.in_(list(spaces)), _instance.sop_uid == sop_uid]
    else:
        asked += [_study.space.in_(list(spaces))]
    asked += [_study.study_uid == study_uid] if study_uid is not None else []
    asked += [_series.series_uid == series_uid] if series_uid is not None else []
    order = (_series.number, _series.id, _instance.instance_number, _instance.id)
    chosen: Select[Any] = select(*COLUMNS).select_from(_JOINED)
    return connection.execute(chosen.where(*asked).order_by(*order)).all()


def instance_of(row: Sequence[Any]) -> Instance:
    """What a row of `COLUMNS` says."""
    *own, file, _, _ = row
    return Instance._make((*own, f"{series_folder(*own[:3])}/{file}"))


def first_of_each(found: Iterable[Instance], spaces: Sequence[str]) -> list[Instance]:
    """Of instances that several spaces have, those of the space that is named first."""
    kept: dict[str, Instance] = {}
    for one in found:
        known = kept.get(one.sop_uid)
        if known is None or spaces.index(one.space) < spaces.index(known.space):
            kept[one.sop_uid] = one
    return list(kept.values())


def remove(workspace: Workspace, storage: Storage, uids: Uids, moment: datetime) -> int:
    """Delete rows, then files; what is removed stays removed whenever the process is killed."""
    space, *below = uids
    with workspace.writing() as connection:
        found = rows(connection, [space], *below)
        locations = [instance_of(row).location for row in found]
        if found:
            index.drop(connection, found, moment)
            connection.execute(insert(stored_removal), [{"location": location} for location in locations])
    if locations:
        finish(workspace, storage, locations)
    return len(locations)


def finish(workspace: Workspace, storage: Storage, locations: Sequence[str]) -> None:
    """Remove the files of rows that are gone, once it is sure that these stay gone."""
    settled(workspace)
    storage.remove(locations)
    with workspace.writing() as connection:
        for location in locations:
            connection.execute(delete(stored_removal).where(stored_removal.c.location == location))


def settled(workspace: Workspace) -> None:
    """Make all that was committed durable: SQLite in its mode NORMAL leaves the last commits to the system's caches.

    Raises
    ------
    InputError, RemoteError
        ``archive.disk-full``, ``archive.database-failed``.
    """
    if workspace.engine.dialect.name != "sqlite":
        return
    connection = workspace.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()
    except sqlite3.Error as error:
        raise plain(error) from error
    finally:
        connection.close()


def statistics(connection: Connection, spaces: Sequence[str]) -> list[Statistics]:
    """How much each space holds."""
    sums = (
        func.count(),
        func.coalesce(func.sum(_study.series_count), 0),
        func.coalesce(func.sum(_study.instance_count), 0),
        func.coalesce(func.sum(_study.byte_count), 0),
    )
    found = []
    for space in spaces:
        studies, series, held, size = connection.execute(select(*sums).where(_study.space == space)).one()
        conflicts = connection.scalar(
            select(func.count()).select_from(stored_conflict).where(stored_conflict.c.space == space)
        )
        found.append(
            Statistics(
                space=space,
                studies=int(studies),
                series=int(series),
                instances=int(held),
                size=int(size),
                conflicts=int(conflicts or 0),
            )
        )
    return found
