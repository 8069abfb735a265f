"""DICOM JSON of whole series: made when somebody first asks, then kept until the series changes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import delete, exists, insert, select

from bingcheng.archive.objects import retrieval
from bingcheng.archive.objects.dicom_json import bulk, dicom_json
from bingcheng.archive.objects.element_walk import Walk
from bingcheng.archive.objects.header import dataset
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.storage import Storage
from bingcheng.archive.objects.tables import stored_metadata, stored_series
from bingcheng.archive.workspace import Workspace

FAST = 1
"""Level of compression: repeated headers shrink twentyfold even so."""


def of(workspace: Workspace, storage: Storage, instances: Sequence[Instance]) -> Iterator[bytes]:
    """The JSON object of each instance, in the order given."""
    for (series_id, revision), members in groupby(instances, lambda one: (one.series_id, one.revision)):
        known = _known(workspace, series_id, revision)
        wanted = list(members)
        if known is None or any(one.sop_uid not in known for one in wanted):
            known = _made(workspace, storage, wanted[0])
        for one in wanted:
            line = known.get(one.sop_uid)
            # An instance that was replaced since the caller asked for it is told as it was asked for.
            yield line if line is not None else line_of(storage, one)


def line_of(storage: Storage, instance: Instance) -> bytes:
    """The JSON object of one instance, read from its file."""
    return dicom_json(_walk(storage, instance, whole=False))


def bulk_of(storage: Storage, instance: Instance, path: str) -> bytes | None:
    """The value under a relative BulkDataURI, little endian; None if there is none."""
    return bulk(_walk(storage, instance, whole=True), path)


def _walk(storage: Storage, instance: Instance, *, whole: bool) -> Walk:
    # A header ends where the pixels begin, and their own tag and length stand right before them.
    to_read = -1 if whole or instance.pixel_offset is None else instance.pixel_offset
    with storage.open(instance.location) as stream:
        read = stream.read(to_read)
    data, at, coding = dataset(read)
    return Walk(data, at, len(data), coding)


def _known(workspace: Workspace, series_id: int, revision: int) -> dict[str, bytes] | None:
    columns = stored_metadata.c
    with workspace.reading() as connection:
        row = connection.execute(
            select(columns.uids, columns.lines).where(columns.series_id == series_id, columns.revision == revision)
        ).first()
    if row is None:
        return None
    return dict(zip(row.uids.split("\n"), zlib.decompress(row.lines).split(b"\n"), strict=True))


def _made(workspace: Workspace, storage: Storage, member: Instance) -> dict[str, bytes]:
    """The JSON of all instances of a series, kept if the series is still as it was read."""
    with workspace.reading() as connection:
        members = retrieval.instances(connection, [member.space], member.study_uid, member.series_uid, None)
    made = {one.sop_uid: line_of(storage, one) for one in members}
    if not members:
        return made
    series_id, revision = members[0].series_id, members[0].revision
    lines = zlib.compress(b"\n".join(made.values()), FAST)
    series, columns = stored_series.c, stored_metadata.c
    with workspace.writing() as connection:
        same = select(exists().where(series.id == series_id, series.series_revision == revision))
        if connection.scalar(same):
            connection.execute(delete(stored_metadata).where(columns.series_id == series_id))
            row = {"series_id": series_id, "revision": revision, "uids": "\n".join(made), "lines": lines}
            connection.execute(insert(stored_metadata), row)
    return made
