"""What people drew on an exam in the viewer, for the exam's page: who, when, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bingcheng.archive.dicomweb.documents import ContentItem, content
from bingcheng.archive.dicomweb.pictures import header_of
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import DERIVED
from bingcheng.archive.objects.tables import stored_instance, stored_series, stored_study
from bingcheng.archive.people.tables import person
from bingcheng.server.viewer.links import study_link

GROUP, COMMENT, FINDING, IDENTIFIER = "125007", "121106", "121071", "112039"
"""Measurement Group, Comment, Finding, Tracking Identifier (PS3.16 TID 1500, 1501)."""
REPORTS = "1.2.840.10008.5.1.4.1.1.88."
"""How the UID of each class of structured reports begins."""
FREE_TEXT = "CORNERSTONEFREETEXT"
"""Code under which the viewer keeps what somebody called a measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a measurement, named as its report names it; `unit` is a UCUM code."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One measurement or one set of outlines.

    Parameters
    ----------
    label : what its author called it; empty if nothing.
    numbers : none of outlines, which are measured with the exam.
    image : SOP instance UID of the image it lies on; empty where that is not one.
    """

    label: str
    numbers: tuple[Number, ...] = ()
    image: str = ""


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


def drawings(connection: Connection, objects: Objects, space: str, study_uid: str) -> tuple[Drawing, ...]:
    """What people drew on a study of a space and saved, the newest first."""
    rows = connection.execute(
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
            stored_instance.c.origin_kind.in_(("drawn", DERIVED)),
        )
        .order_by(stored_instance.c.instance_received_at.desc(), stored_instance.c.id.desc())
    ).all()
    drawn = [row for row in rows if row.origin_kind != DERIVED]
    if not drawn:
        return ()
    held = {one.sop_uid: one for one in objects.instances_of([space], study_uid)}
    reports = [row.sop_uid for row in rows if row.origin_kind == DERIVED and row.sop_class_uid.startswith(REPORTS)]
    # The viewer draws our own lines too, and saves all that is on the images: those are nobody's.
    ours = {_told(one) for uid in reports for one in _measured(objects, held.get(uid))}
    found = []
    for row in drawn:
        measured = tuple(one for one in _measured(objects, held.get(row.sop_uid)) if _told(one) not in ours)
        image = next((one.image for one in measured if one.image), None)
        series = held[image].series_uid if image in held else None
        found.append(
            Drawing(
                sop_uid=row.sop_uid,
                author=row.name or "",
                saved_at=row.instance_received_at,
                modality=row.modality_key,
                description=row.series_description_key,
                measured=measured,
                link=study_link([study_uid], series=series, instance=image if series else None),
            )
        )
    return tuple(found)


def _told(one: Drawn) -> tuple[object, ...]:
    """What is said of a line: its name, its image, its lengths to a tenth, in whichever order and by whatever names."""
    return one.label, one.image, *sorted(round(number.value, 1) for number in one.numbers)


def _measured(objects: Objects, instance: Instance | None) -> tuple[Drawn, ...]:
    """The measurements of a report, the names of the segments of a segmentation."""
    if instance is None:
        return ()
    try:
        with objects.open_bytes(instance) as stream:
            header = header_of(stream)
        if "SegmentSequence" in header:
            return tuple(Drawn(label=str(one.get("SegmentLabel") or "")) for one in header.SegmentSequence)
        if "StructureSetROISequence" in header:
            return tuple(Drawn(label=str(one.get("ROIName") or "")) for one in header.StructureSetROISequence)
        return measurements(content(header))
    except Exception:  # noqa: BLE001 - whatever it is, the rest is shown
        # What a person's program wrote can make the reader raise anything.
        return ()  # it stands in the list, and can be opened; what is in it can't be told


def measurements(document: ContentItem) -> tuple[Drawn, ...]:
    """The measurement groups of a report."""
    return tuple(_group(one) for one in document.below() if one.code == GROUP)


def _group(group: ContentItem) -> Drawn:
    inner = list(group.below())
    return Drawn(
        label=_label(group.items),
        numbers=tuple(number for one in inner if one.kind == "NUM" for number in _number(one)),
        image=next((one.refers_to for one in inner if one.kind == "IMAGE" and one.refers_to), ""),
    )


def _number(item: ContentItem) -> Iterator[Number]:
    try:
        value = float(item.value)
    except ValueError:
        return  # the reason why there is none
    if math.isfinite(value):
        yield Number(name=item.name, value=value, unit=item.unit)


def _label(items: Sequence[ContentItem]) -> str:
    said = {one.code: one.value for one in reversed(items) if one.value}
    written = next((one.value for one in items if one.value_code == FREE_TEXT), "")
    return written or said.get(COMMENT, "") or said.get(FINDING, "")
