"""Rows of received objects: written with those above them, removed with what they empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Row,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bingcheng.archive import listing, prepared
from bingcheng.archive.exam_owner import HOSPITALS
from bingcheng.archive.objects.attributes import name_keys
from bingcheng.archive.objects.header import PATIENT_KEYS, Header, LevelFacts
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.objects.tables import stored_instance, stored_series, stored_study
from bingcheng.archive.workspace import Workspace

_study, _series, _instance = stored_study.c, stored_series.c, stored_instance.c
_ONE: ColumnElement[int] = literal_column("1")  # no parameter, of which `prepared` wants to be given each
_PATIENT = tuple(_study[name] for name in PATIENT_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An object whose bytes are on the disk and which is to be made visible."""

    space: str
    header: Header
    size: int
    sha256: str
    file: str
    origin: Origin
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored under a UID.

    Parameters
    ----------
    sha256 : of its bytes.
    file : the last part of its key.
    """

    sha256: str
    file: str
    transfer_syntax_uid: str

    @staticmethod
    def of(arrival: Arrival) -> Standing:
        """What stands there once the arrival does."""
        return Standing(arrival.sha256, arrival.file, arrival.header.transfer_syntax_uid)


def write(connection: Connection, arrivals: Sequence[Arrival]) -> list[Standing]:
    """Insert rows for the arrivals whose UID has none in its space; what is stored under each afterwards."""
    fresh: dict[tuple[str, str], Arrival] = {}
    found: dict[tuple[str, str], Standing] = {}
    for arrival in arrivals:
        key = (arrival.space, arrival.header.sop_uid)
        if key in found:
            continue
        before = standing(connection, *key)
        found[key] = before or Standing.of(arrival)
        if before is None:
            fresh[key] = arrival
    if fresh:
        _insert(connection, list(fresh.values()))
    return [found[arrival.space, arrival.header.sop_uid] for arrival in arrivals]


def write_new(connection: Connection, arrivals: Sequence[Arrival]) -> list[Standing]:
    """The same for arrivals of which none is likely to have a row: they were looked up a moment ago.

    Raises
    ------
    KnownError
        One of them has a row after all, and nothing may be committed.
    """
    if len({(arrival.space, arrival.header.sop_uid) for arrival in arrivals}) < len(arrivals):
        raise KnownError
    try:
        _insert(connection, arrivals)
    except IntegrityError:
        raise KnownError from None
    return [Standing.of(arrival) for arrival in arrivals]


class KnownError(Exception):
    """A UID that was taken to be new has a row."""


def standing(connection: Connection, space: str, sop_uid: str) -> Standing | None:
    """What is stored under a UID."""
    row = prepared.first(connection, _STANDING, {"of_space": space, "of_sop": sop_uid})
    return None if row is None else Standing(*row)


def standing_now(workspace: Workspace, space: str, sop_uid: str) -> Standing | None:
    """The same, outside of any transaction."""
    row = prepared.looked_up(workspace, _STANDING, {"of_space": space, "of_sop": sop_uid})
    return None if row is None else Standing(*row)


_STANDING = select(_instance.sha256, _instance.file, _instance.transfer_syntax_uid).where(
    _instance.instance_space == bindparam("of_space"), _instance.sop_uid == bindparam("of_sop")
)
_NEW_SERIES, _NEW_STUDY = insert(stored_series), insert(stored_study)
_NEW_INSTANCE = (
    insert(stored_instance)
    .values({column.name: bindparam(column.name, type_=column.type) for column in _instance if column.name != "id"})
    .inline()
)
_MORE_IN_STUDY = (
    update(stored_study)
    .where(_study.space == bindparam("of_space"), _study.study_uid == bindparam("of_study"))
    .values(
        instance_count=_study.instance_count + bindparam("more_instances"),
        byte_count=_study.byte_count + bindparam("more_bytes"),
        changed_at=bindparam("moment"),
        revision=_study.revision + _ONE,
    )
    .returning(_study.id, _study.modalities_key, _study.patient_differs, *_PATIENT)
)
_MORE_IN_SERIES = (
    update(stored_series)
    .where(_series.study_id == bindparam("of_study"), _series.series_uid == bindparam("of_series"))
    .values(
        series_instance_count=_series.series_instance_count + bindparam("more_instances"),
        series_byte_count=_series.series_byte_count + bindparam("more_bytes"),
        series_revision=_series.series_revision + _ONE,
    )
    .returning(_series.id)
)
_STUDY_CHANGED = (
    update(stored_study)
    .where(_study.id == bindparam("row"))
    .values(
        series_count=_study.series_count + bindparam("more_series"),
        modalities_key=bindparam("modalities"),
        patient_differs=bindparam("differs"),
    )
)
_FEWER_IN_SERIES = (
    update(stored_series)
    .where(_series.id == bindparam("row"))
    .values(
        series_instance_count=_series.series_instance_count - bindparam("fewer_instances"),
        series_byte_count=_series.series_byte_count - bindparam("fewer_bytes"),
        series_revision=_series.series_revision + _ONE,
    )
)


def _insert(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Insert arrivals of which none has a row: their studies and series are counted up, or made, each once."""
    studies: dict[tuple[str, str], list[Arrival]] = {}
    for arrival in arrivals:
        studies.setdefault((arrival.space, arrival.header.study_uid), []).append(arrival)
    moment = max(arrival.received_at for arrival in arrivals)
    rows = [row for members in studies.values() for row in _in_study(connection, members, moment)]
    prepared.each(connection, _NEW_INSTANCE, rows)


def _in_study(connection: Connection, members: Sequence[Arrival], moment: datetime) -> list[dict[str, Any]]:
    """The rows of arrivals of one study, after it and its series have counted them."""
    study = _counted_study(connection, members, moment)
    modalities, more_series = study.modalities, 0
    by_series: dict[str, list[Arrival]] = {}
    for member in members:
        by_series.setdefault(member.header.series_uid, []).append(member)
    rows = []
    for uid, inside in by_series.items():
        counts = {"more_instances": len(inside), "more_bytes": sum(one.size for one in inside)}
        asked = {"of_study": study.id, "of_series": uid, **counts}
        counted = prepared.first(connection, _MORE_IN_SERIES, asked)
        if counted is not None:
            series = int(counted[0])
        else:
            series = _new_series(connection, study.id, inside)
            more_series += 1
            modality = inside[0].header.modality
            if modality and f"\\{modality}\\" not in modalities:
                modalities += f"{modality}\\"
        rows += [_instance_row(one, series) for one in inside]
    differs = study.differs or any(member.header.patient != study.patient for member in members)
    if more_series or differs != study.differs:
        changed = {"more_series": more_series, "modalities": modalities, "differs": differs}
        connection.execute(_STUDY_CHANGED, {"row": study.id, **changed})
    if study.new or modalities != study.modalities:
        _list(connection, members[0].space, members[0].header.study_uid)
    return rows


def _list(connection: Connection, space: str, study_uid: str) -> None:
    """Let a hospital's list of exams say what the study holds."""
    if space.startswith(HOSPITALS):
        listing.list_exams(connection, [study_uid])


@dataclass(frozen=True, slots=True)
class _Study:
    """What a study's row said before its new instances."""

    id: int
    modalities: str
    patient: tuple[object, ...]
    differs: bool
    new: bool = False


def _counted_study(connection: Connection, members: Sequence[Arrival], moment: datetime) -> _Study:
    first = members[0]
    more_instances, more_bytes = len(members), sum(member.size for member in members)
    asked = {"of_space": first.space, "of_study": first.header.study_uid, "moment": moment}
    asked |= {"more_instances": more_instances, "more_bytes": more_bytes}
    row = prepared.first(connection, _MORE_IN_STUDY, asked)
    if row is not None:
        number, modalities, differs, *patient = row
        return _Study(number, modalities, tuple(patient), bool(differs))
    values = {
        **study_values(first.header.study, first.space, first.header.study_uid, first.received_at),
        "instance_count": more_instances,
        "byte_count": more_bytes,
        "changed_at": moment,
        "revision": 1,
    }
    return _Study(_number(connection, _NEW_STUDY, values), "\\", first.header.patient, differs=False, new=True)


def _new_series(connection: Connection, study: int, members: Sequence[Arrival]) -> int:
    first = members[0]
    values = {
        **first.header.series.keys,
        "study_id": study,
        "series_uid": first.header.series_uid,
        "series_received_at": first.received_at,
        "series_attributes": first.header.series.attributes,
        "series_instance_count": len(members),
        "series_byte_count": sum(member.size for member in members),
        "series_revision": 1,
    }
    return _number(connection, _NEW_SERIES, values)


def _number(connection: Connection, statement: Insert, values: Mapping[str, Any]) -> int:
    (row,) = connection.execute(statement, values).inserted_primary_key or (0,)
    return int(row)


def study_values(facts: LevelFacts, space: str, study_uid: str, moment: datetime) -> dict[str, Any]:
    """The columns of a new study."""
    keys = facts.keys
    looked_for = (
        *(keys[name] for name in ("name_alphabetic_key", "name_ideographic_key", "name_phonetic_key")),
        *(name_keys(str(keys[name]))[0] for name in ("patient_id_key", "accession_key", "description_key")),
    )
    return {
        **keys,
        "words_key": "|".join(str(word) for word in looked_for if word),
        "space": space,
        "study_uid": study_uid,
        "received_at": moment,
        "changed_at": moment,
        "patient_differs": False,
        "attributes": facts.attributes,
    }


def _instance_row(arrival: Arrival, series_id: int) -> dict[str, Any]:
    header, origin = arrival.header, arrival.origin
    return {
        **header.instance.keys,
        "series_id": series_id,
        "instance_space": arrival.space,
        "sop_uid": header.sop_uid,
        "sop_class_uid": header.sop_class_uid,
        "transfer_syntax_uid": header.transfer_syntax_uid,
        "size": arrival.size,
        "sha256": arrival.sha256,
        "file": arrival.file,
        "pixel_offset": header.pixel_offset,
        "pixel_length": header.pixel_length,
        "instance_received_at": arrival.received_at,
        "origin_kind": origin.kind,
        "origin_peer": origin.peer,
        "origin_person": origin.person,
        "instance_attributes": header.instance.attributes,
    }


def drop(connection: Connection, rows: Iterable[Row[Any]], moment: datetime) -> None:
    """Delete instances, and every series and study that they leave empty.

    Parameters
    ----------
    rows : with id, series_id, study_id and size of each.
    """
    series: dict[int, list[Row[Any]]] = {}
    for row in rows:
        series.setdefault(row.series_id, []).append(row)
    studies = {row.study_id for members in series.values() for row in members}
    connection.execute(
        delete(stored_instance).where(_instance.id == bindparam("row")),
        [{"row": row.id} for members in series.values() for row in members],
    )
    connection.execute(
        _FEWER_IN_SERIES,
        [
            {"row": one, "fewer_instances": len(members), "fewer_bytes": sum(row.size for row in members)}
            for one, members in series.items()
        ],
    )
    connection.execute(
        delete(stored_series).where(and_(_series.id.in_(list(series)), _series.series_instance_count == 0))
    )
    for study in studies:
        _count_again(connection, study, moment)


def _count_again(connection: Connection, study_id: int, moment: datetime) -> None:
    left = connection.execute(
        select(_series.modality_key, _series.series_instance_count, _series.series_byte_count)
        .where(_series.study_id == study_id)
        .order_by(_series.id)
    ).all()
    (space, uid) = connection.execute(select(_study.space, _study.study_uid).where(_study.id == study_id)).one()
    if not left:
        connection.execute(delete(stored_study).where(_study.id == study_id))
        _list(connection, space, uid)
        return
    modalities = dict.fromkeys(row.modality_key for row in left if row.modality_key)
    connection.execute(
        update(stored_study)
        .where(_study.id == study_id)
        .values(
            series_count=len(left),
            instance_count=sum(row.series_instance_count for row in left),
            byte_count=sum(row.series_byte_count for row in left),
            modalities_key="\\" + "".join(f"{modality}\\" for modality in modalities),
            changed_at=moment,
            revision=_study.revision + _ONE,
        )
    )
    _list(connection, space, uid)
