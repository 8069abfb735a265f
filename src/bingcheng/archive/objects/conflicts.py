"""Objects that came with a UID under which other bytes are stored: kept aside until a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select

from bingcheng.archive.objects import index, retrieval
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.index import Arrival
from bingcheng.archive.objects.location import conflict_location, file_name, series_folder
from bingcheng.archive.objects.problems import NO_SUCH_CONFLICT
from bingcheng.archive.objects.received import Conflict, Origin
from bingcheng.archive.objects.storage import Storage
from bingcheng.archive.objects.tables import stored_conflict, stored_removal
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError

_columns = stored_conflict.c


def waiting(connection: Connection, spaces: Sequence[str]) -> list[Conflict]:
    """What waits in these spaces, the longest wait first."""
    asked = select(stored_conflict).where(_columns.space.in_(list(spaces))).order_by(_columns.id)
    return [_conflict(row) for row in connection.execute(asked)]


def keep_aside(workspace: Workspace, storage: Storage, arrival: Arrival, data: memoryview) -> None:
    """Keep the bytes durably, once however often they come."""
    location = conflict_location(arrival.space, arrival.file)
    with workspace.reading() as connection:
        if _known(connection, arrival) is not None:
            return
    storage.put(location, data)
    try:
        noted = note(workspace, arrival)
    except BingchengError:
        storage.remove([location])
        raise
    if not noted:
        storage.remove([location])


def note(workspace: Workspace, arrival: Arrival) -> bool:
    """Write the row of what was kept aside; False if the same bytes have one that names another file."""
    location = conflict_location(arrival.space, arrival.file)
    with workspace.writing() as connection:
        known = _known(connection, arrival)
        if known is None:
            connection.execute(insert(stored_conflict), _values(arrival, location))
    return known in (None, location)


def settle(
    workspace: Workspace,
    storage: Storage,
    which: tuple[str, int],
    keep: Literal["stored", "received"],
    moment: datetime,
) -> None:
    """Decide a conflict; what is given up is removed after its row, as `retrieval.remove` does."""
    space, number = which
    with workspace.reading() as connection:
        conflict = _conflict(_row(connection, space, number))
    location = _moved(storage, conflict) if keep == "received" else None
    gone = [conflict.location]
    with workspace.writing() as connection:
        _row(connection, space, number)  # somebody else may have decided in the meantime
        if location is not None:
            gone += _replace(connection, storage, conflict, location, moment)
        connection.execute(delete(stored_conflict).where(_columns.id == number))
        connection.execute(insert(stored_removal), [{"location": one} for one in gone])
    retrieval.finish(workspace, storage, gone)


def _moved(storage: Storage, conflict: Conflict) -> str:
    """A copy where instances lie, under a key of its own."""
    folder = series_folder(conflict.space, conflict.study_uid, conflict.series_uid)
    location = f"{folder}/{file_name(conflict.sha256, conflict.origin)}"
    with storage.open(conflict.location) as stream:
        storage.put(location, memoryview(stream.read()))
    return location


def _replace(
    connection: Connection, storage: Storage, conflict: Conflict, location: str, moment: datetime
) -> list[str]:
    """Put the later object's row in the place of the stored one's; the locations that this leaves without a row."""
    with storage.open(location) as stream:
        head = header(memoryview(stream.read()))
    rows = retrieval.rows(connection, [conflict.space], None, None, conflict.sop_uid)
    if rows:
        index.drop(connection, rows, moment)
    arrival = Arrival(
        space=conflict.space,
        header=head,
        size=conflict.size,
        sha256=conflict.sha256,
        file=location.rsplit("/", 1)[-1],
        origin=conflict.origin,
        received_at=moment,
    )
    index.write(connection, [arrival])
    return [retrieval.instance_of(row).location for row in rows]


def _known(connection: Connection, arrival: Arrival) -> str | None:
    """Where the same bytes are kept aside already."""
    asked = select(_columns.location).where(
        _columns.space == arrival.space,
        _columns.sop_uid == arrival.header.sop_uid,
        _columns.sha256 == arrival.sha256,
    )
    found: str | None = connection.scalar(asked)
    return found


def _row(connection: Connection, space: str, number: int) -> Row[Any]:
    row = connection.execute(select(stored_conflict).where(_columns.id == number, _columns.space == space)).first()
    if row is None:
        raise InputError(NO_SUCH_CONFLICT)
    return row


def _values(arrival: Arrival, location: str) -> dict[str, Any]:
    head = arrival.header
    return {
        "space": arrival.space,
        "study_uid": head.study_uid,
        "series_uid": head.series_uid,
        "sop_uid": head.sop_uid,
        "sop_class_uid": head.sop_class_uid,
        "size": arrival.size,
        "sha256": arrival.sha256,
        "location": location,
        "received_at": arrival.received_at,
        "origin_kind": arrival.origin.kind,
        "origin_peer": arrival.origin.peer,
        "origin_person": arrival.origin.person,
    }


def _conflict(row: Row[Any]) -> Conflict:
    return Conflict(
        id=row.id,
        space=row.space,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        sop_uid=row.sop_uid,
        sop_class_uid=row.sop_class_uid,
        size=row.size,
        sha256=row.sha256,
        location=row.location,
        received_at=row.received_at,
        origin=Origin(kind=row.origin_kind, peer=row.origin_peer, person=row.origin_person),
    )
