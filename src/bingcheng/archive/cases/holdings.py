"""The objects in the space of a case, made to be exactly those that belong to it as it is now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sqlalchemy import select

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin, Received, ReceivedStatus
from bingcheng.archive.objects.tables import stored_study


def put(objects: Objects, data: bytes | memoryview, *, space: str, origin: Origin) -> Received:
    """Keep an object, in the place of another one with its UID: what a case showed before is not what it shows now.

    An image is made anew with other regions blanked, and what stood there must not stay to be seen.

    Raises
    ------
    InputError, RemoteError
        As `Objects.receive`.
    """
    received = objects.receive(data, space=space, origin=origin)
    if received.status is ReceivedStatus.CONFLICT:
        digest = hashlib.sha256(data).hexdigest()
        for one in objects.conflicts([space]):
            if (one.sop_uid, one.sha256) == (received.sop_instance_uid, digest):
                objects.settle_conflict(space, one.id, keep="received")
    return received


def keep_only(objects: Objects, space: str, sop_uids: Collection[str]) -> None:
    """Remove all objects of a space but these."""
    with objects.workspace.reading() as connection:
        studies = connection.scalars(select(stored_study.c.study_uid).where(stored_study.c.space == space)).all()
    for study_uid in studies:
        for one in objects.instances_of([space], study_uid):
            if one.sop_uid not in sop_uids:
                objects.remove(space, study_uid, one.series_uid, one.sop_uid)
