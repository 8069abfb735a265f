"""What people drew on an exam in the viewer, for the exam's page: who, when, and what was measured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bingcheng.archive.dicomweb.drawn import REPORTS, Drawn, drawn_in
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import DERIVED, DRAWN
from bingcheng.archive.objects.tables import stored_instance, stored_series, stored_study
from bingcheng.archive.people.tables import person
from bingcheng.server.viewer.links import study_link


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One object that somebody saved.

    Parameters
    ----------
    author : the person's name; empty where the account is gone.
    saved_at : UTC.
    modality, description : of its series.
    measured : what is in it; nothing of what can't be read.
    link : opens the viewer on the first image that it lies on.
    """

    sop_uid: str
    author: str
    saved_at: datetime
    modality: str
    description: str
    measured: tuple[Drawn, ...]
    link: str


def drawings(objects: Objects, space: str, study_uid: str) -> tuple[Drawing, ...]:
    """What people drew on a study of a space and saved, the newest first."""
    rows_of = (
        select(
            stored_instance.c.sop_uid,
            stored_instance.c.sop_class_uid,
            stored_instance.c.origin_kind,
            stored_instance.c.instance_received_at,
            stored_series.c.modality_key,
            stored_series.c.series_description_key,
            person.c.name,
        )
        .join(stored_series, stored_series.c.id == stored_instance.c.series_id)
        .join(stored_study, stored_study.c.id == stored_series.c.study_id)
        .outerjoin(person, person.c.id == stored_instance.c.origin_person)
        .where(
            stored_study.c.space == space,
            stored_study.c.study_uid == study_uid,
            stored_instance.c.origin_kind.in_((DRAWN, DERIVED)),
        )
        .order_by(stored_instance.c.instance_received_at.desc(), stored_instance.c.id.desc())
    )
    with objects.workspace.reading() as connection:
        rows = connection.execute(rows_of).all()
    drawn = [row for row in rows if row.origin_kind != DERIVED]
    if not drawn:
        return ()
    reports = [row.sop_uid for row in rows if row.origin_kind == DERIVED and row.sop_class_uid.startswith(REPORTS)]
    said = drawn_in(objects, space, [*reports, *(row.sop_uid for row in drawn)])
    # The viewer draws our own lines too, and saves all that is on the images: those are nobody's.
    ours = {_told(one) for uid in reports for one in said.get(uid, ())}
    measured = {row.sop_uid: tuple(one for one in said.get(row.sop_uid, ()) if _told(one) not in ours) for row in drawn}
    images = {uid: next((one.image for one in some if one.image), "") for uid, some in measured.items()}
    with objects.workspace.reading() as connection:
        series = _series_of(connection, space, set(images.values()) - {""})
    return tuple(
        Drawing(
            sop_uid=row.sop_uid,
            author=row.name or "",
            saved_at=row.instance_received_at,
            modality=row.modality_key,
            description=row.series_description_key,
            measured=measured[row.sop_uid],
            link=_link(study_uid, images[row.sop_uid], series),
        )
        for row in drawn
    )


def _told(one: Drawn) -> tuple[object, ...]:
    """What is said of a line: its name, its image, its lengths to a tenth, in whichever order and by whatever names."""
    return one.label, one.image, *sorted(round(number.value, 1) for number in one.numbers)


def _series_of(connection: Connection, space: str, images: Collection[str]) -> dict[str, str]:
    held = stored_instance.c
    query = select(held.sop_uid, stored_series.c.series_uid).join(stored_series, stored_series.c.id == held.series_id)
    some = query.where(held.instance_space == space, held.sop_uid.in_(sorted(images)))
    return {row.sop_uid: row.series_uid for row in connection.execute(some)}


def _link(study_uid: str, image: str, series: dict[str, str]) -> str:
    held = series.get(image)
    return study_link([study_uid], series=held, instance=None if held is None else image)
