"""What was drawn on images: the measurements of reports, the names of segments and outlines, as pages list them.

It is read once, when the object is stored, and kept in the database; of an object that the database does not know from
the inside yet (of a workspace of before, or stored while the program was killed) it is read when it is asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from bingcheng.archive.batches import batches
from bingcheng.archive.dicomweb.documents import ContentItem, content
from bingcheng.archive.dicomweb.pictures import header_of
from bingcheng.archive.dicomweb.tables import stored_content
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.tables import stored_instance
from bingcheng.core.errors import BingchengError

if TYPE_CHECKING:
    from pydicom import Dataset

REPORTS = "1.2.840.10008.5.1.4.1.1.88."
"""How the UID of each class of structured reports begins (PS3.4 table B.5-1)."""
REVISION = 1
"""Raised when another thing is read of the same object."""
GROUP, COMMENT, FINDING = "125007", "121106", "121071"
"""Measurement Group, Comment, Finding (PS3.16 TID 1500, 1501)."""
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


def drawn_in(objects: Objects, space: str, sop_uids: Collection[str]) -> dict[str, tuple[Drawn, ...]]:
    """What stands in objects of a space, by SOP instance UID; nothing of what can't be read or is not there.

    Raises
    ------
    RemoteError
        ``archive.database-failed``.
    """
    known, unknown = _known(objects, space, sop_uids)
    made: dict[int, tuple[Drawn, ...]] = {}
    for uid, number in unknown.items():
        found = objects.instance([space], None, None, uid)
        if found is None:
            continue  # removed meanwhile
        try:
            with objects.open_bytes(found) as stream:
                known[uid] = made[number] = _read(header_of(stream))
        except BingchengError:
            known[uid] = ()  # the file is lost, or its place does not answer: another time it may be read
        except Exception:  # noqa: BLE001 - whatever it is, the rest is shown
            # What a person's program wrote can make the reader raise anything; its bytes will never be others.
            known[uid] = made[number] = ()
    if made:
        with suppress(BingchengError):  # a full disk, say: it is read again the next time
            _keep(objects, made)
    return known


def _known(
    objects: Objects, space: str, sop_uids: Collection[str]
) -> tuple[dict[str, tuple[Drawn, ...]], dict[str, int]]:
    """What the database knows, and the row numbers of those objects of which it does not."""
    held, told = stored_instance.c, stored_content.c
    asked = sorted(sop_uids)
    query = select(held.id, held.sop_uid, told.content).outerjoin(
        stored_content, (told.instance_id == held.id) & (told.revision == REVISION)
    )
    known: dict[str, tuple[Drawn, ...]] = {}
    unknown: dict[str, int] = {}
    with objects.workspace.reading() as connection:
        for some in batches(asked):
            for row in connection.execute(query.where(held.instance_space == space, held.sop_uid.in_(some))):
                if row.content is None:
                    unknown[row.sop_uid] = row.id
                else:
                    known[row.sop_uid] = _of_text(row.content)
    return known, unknown


def _keep(objects: Objects, made: Mapping[int, tuple[Drawn, ...]]) -> None:
    with objects.workspace.writing() as connection:
        # Of what was removed meanwhile there is no row to refer to.
        there = connection.scalars(select(stored_instance.c.id).where(stored_instance.c.id.in_(list(made)))).all()
        connection.execute(delete(stored_content).where(stored_content.c.instance_id.in_(there)))
        rows = [{"instance_id": one, "revision": REVISION, "content": _text(made[one])} for one in there]
        if rows:
            connection.execute(insert(stored_content), rows)


def _text(found: Sequence[Drawn]) -> str:
    # Escaped to ASCII: a database may refuse what stands in a label.
    return json.dumps(
        [[one.label, one.image, [[number.name, number.value, number.unit] for number in one.numbers]] for one in found],
        separators=(",", ":"),
    )


def _of_text(text: str) -> tuple[Drawn, ...]:
    return tuple(
        Drawn(
            label=label,
            image=image,
            numbers=tuple(Number(name=name, value=value, unit=unit) for name, value, unit in numbers),
        )
        for label, image, numbers in json.loads(text)
    )


def _read(header: Dataset) -> tuple[Drawn, ...]:
    """The measurements of a report, the names of the segments of a segmentation, of the outlines of a structure set."""
    if "SegmentSequence" in header:
        return tuple(Drawn(label=str(one.get("SegmentLabel") or "")) for one in header.SegmentSequence)
    if "StructureSetROISequence" in header:
        return tuple(Drawn(label=str(one.get("ROIName") or "")) for one in header.StructureSetROISequence)
    return measurements(content(header))


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
