"""Which objects of a study were sent, and which this program made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, Select, or_, select

from bingcheng.archive.objects.received import DERIVED, DRAWN
from bingcheng.archive.objects.tables import stored_instance, stored_series, stored_study
from bingcheng.dicom.grouping.sop_classes import MASK_CLASSES

__all__ = ["DERIVED", "DRAWN", "assessed", "derived", "digest_of", "sent"]


def derived(connection: Connection, space: str, study_uid: str) -> dict[str, str]:
    """Of the objects that this program made of a study: the digest of each one's bytes, by its SOP Instance UID."""
    query = _of_study(space, study_uid).where(stored_instance.c.origin_kind == DERIVED)
    return {row.sop_uid: row.sha256 for row in connection.execute(query)}


def sent(connection: Connection, space: str, study_uid: str) -> dict[str, str]:
    """Of the objects of a study that came from outside: the digest of each one's bytes, by its SOP Instance UID."""
    query = _of_study(space, study_uid).where(stored_instance.c.origin_kind != DERIVED)
    return {row.sop_uid: row.sha256 for row in connection.execute(query)}


def assessed(connection: Connection, space: str, study_uid: str) -> dict[str, str]:
    """Of the objects that came from outside, those that an assessment is made of, as `sent` tells them.

    What people measured in the viewer and saved as a report is told beside the results and changes none of them; what
    they outlined there is measured like any outline.
    """
    taken = or_(stored_instance.c.origin_kind != DRAWN, stored_instance.c.sop_class_uid.in_(sorted(MASK_CLASSES)))
    query = _of_study(space, study_uid).where(stored_instance.c.origin_kind != DERIVED, taken)
    return {row.sop_uid: row.sha256 for row in connection.execute(query)}


def digest_of(objects: Iterable[tuple[str, str]]) -> str:
    """One digest of objects by their UIDs and digests, whatever their order."""
    return hashlib.sha256("\n".join(f"{uid} {digest}" for uid, digest in sorted(objects)).encode()).hexdigest()


def _of_study(space: str, study_uid: str) -> Select[tuple[str, str]]:
    return (
        select(stored_instance.c.sop_uid, stored_instance.c.sha256)
        .join(stored_series, stored_series.c.id == stored_instance.c.series_id)
        .join(stored_study, stored_study.c.id == stored_series.c.study_id)
        .where(stored_study.c.space == space, stored_study.c.study_uid == study_uid)
    )
