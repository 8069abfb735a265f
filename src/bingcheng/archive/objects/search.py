"""Searches in the index: which studies, series and instances there are in the spaces that somebody may read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Subquery, func, select, union_all

from bingcheng.archive.objects.attributes import Level
from bingcheng.archive.objects.query import Condition, Query, conditions, pieces, worded
from bingcheng.archive.objects.rows import InstanceRow, SeriesRow, StudyRow, Value
from bingcheng.archive.objects.tables import stored_instance, stored_series, stored_study

_study, _series, _instance = stored_study.c, stored_series.c, stored_instance.c
_STUDY_KEY = (_study.space, _study.study_uid)
_STUDY_TOLD = (_study.attributes, _study.modalities_key, _study.series_count, _study.instance_count)
"""What answers tell of a study; a row below it needs no more."""
_STUDY_COLUMNS = (
    *_STUDY_KEY,
    *_STUDY_TOLD,
    _study.byte_count,
    _study.received_at,
    _study.changed_at,
    _study.revision,
    _study.patient_differs,
)
_SERIES_TOLD = (_series.series_attributes, _series.series_instance_count)
_INSTANCE_COLUMNS = (_instance.sop_uid, _instance.sop_class_uid, _instance.instance_attributes)
_ORDERS = {
    Level.STUDY: (_study.study_date_key.desc(), _study.study_time_key.desc(), _study.id.desc()),
    Level.SERIES: (
        _study.study_date_key.desc(),
        _study.study_time_key.desc(),
        _study.id.desc(),
        _series.number,
        _series.id,
    ),
    Level.INSTANCE: (_study.id.desc(), _series.number, _series.id, _instance.instance_number, _instance.id),
}


def count(connection: Connection, level: Level, query: Query, spaces: Sequence[str]) -> int:
    """How many rows a search finds, whatever its limit and offset."""
    asked = _asked(connection, level, query, spaces)
    return int(connection.scalar(select(func.count()).select_from(_from(level)).where(*asked)) or 0)


def studies(connection: Connection, query: Query, spaces: Sequence[str]) -> list[StudyRow]:
    """The studies that match, newest first."""
    # The page is found in the narrow index first, which has the studies of each space in their order; only its rows
    # are then read whole.
    pages = [_first(connection, query, group) for group in _groups(spaces)]
    if not pages:
        return []
    rows = pages[0] if len(pages) == 1 else union_all(*(select(one) for one in pages)).subquery()
    order = (rows.c.study_date_key.desc(), rows.c.study_time_key.desc(), rows.c.id.desc())
    page = select(rows.c.id).order_by(*order).limit(query.limit).offset(query.offset or None).subquery()
    found = study_columns().join(page, page.c.id == _study.id).order_by(*_ORDERS[Level.STUDY])
    return [study_row(row) for row in connection.execute(found)]


def series(connection: Connection, query: Query, spaces: Sequence[str]) -> list[SeriesRow]:
    """The series that match."""
    columns = select(*_STUDY_KEY, _series.series_uid, _series.series_byte_count, *_STUDY_TOLD, *_SERIES_TOLD)
    columns = columns.select_from(_from(Level.SERIES))
    found = connection.execute(_page(columns, connection, Level.SERIES, query, spaces))
    return [
        SeriesRow(
            space=row.space,
            study_uid=row.study_uid,
            series_uid=row.series_uid,
            attributes=_series_attributes(row),
            size=row.series_byte_count,
        )
        for row in found
    ]


def instances(connection: Connection, query: Query, spaces: Sequence[str]) -> list[InstanceRow]:
    """The instances that match."""
    columns = select(*_STUDY_KEY, _series.series_uid, *_INSTANCE_COLUMNS, *_STUDY_TOLD, *_SERIES_TOLD)
    columns = columns.select_from(_from(Level.INSTANCE))
    found = connection.execute(_page(columns, connection, Level.INSTANCE, query, spaces))
    return list(_instance_rows(found))


def _groups(spaces: Sequence[str]) -> Iterator[Sequence[str]]:
    """Spaces that hold many studies one by one, and together those of cases, which hold one each."""
    cases = [space for space in spaces if space.startswith("case/")]
    yield from ([space] for space in spaces if not space.startswith("case/"))
    if cases:
        yield cases


def _first(connection: Connection, query: Query, spaces: Sequence[str]) -> Subquery:
    """The row numbers of as many studies of these spaces as may be on the page."""
    most = None if query.limit is None else query.limit + query.offset
    columns = (_study.id, _study.study_date_key, _study.study_time_key)
    asked = select(*columns).where(*conditions(query, Level.STUDY, connection.dialect.name))
    words = pieces(query) if connection.dialect.name == "sqlite" else []
    if not words:  # a database server finds pieces of words by an index of their own
        return asked.where(in_spaces(spaces)).order_by(*_ORDERS[Level.STUDY]).limit(most).subquery()
    # An index that holds the words alone is looked through first, in the order of the list; of the studies that it
    # names the rest is compared.
    named = stored_study.alias("named")
    own = named.c
    asked = asked.join_from(named, stored_study, _study.id == own.id)
    asked = asked.where(in_spaces(spaces, own.space), *worded(words, own.words_key, connection.dialect.name))
    order = (own.study_date_key.desc(), own.study_time_key.desc(), own.id.desc())
    return asked.order_by(*order).limit(most).subquery()


def study_row(row: Row[Any]) -> StudyRow:
    """What the columns of a study say."""
    return StudyRow(
        space=row.space,
        study_uid=row.study_uid,
        attributes=_study_attributes(row),
        size=row.byte_count,
        received_at=row.received_at,
        changed_at=row.changed_at,
        revision=row.revision,
        patient_differs=row.patient_differs,
    )


def study_columns() -> Select[Any]:
    """A selection of what `study_row` reads."""
    return select(*_STUDY_COLUMNS)


def _instance_rows(found: Any) -> Iterator[InstanceRow]:
    above: dict[tuple[str, str, str], dict[str, Value]] = {}
    for row in found:
        space, study_uid, series_uid, sop_uid, sop_class_uid, own, *_ = row  # by their names it takes twice as long
        # A series of a thousand instances says a thousand times the same of study and series.
        known = above.get((space, study_uid, series_uid))
        if known is None:
            known = above[space, study_uid, series_uid] = _series_attributes(row)
        yield InstanceRow(
            space=space,
            study_uid=study_uid,
            series_uid=series_uid,
            sop_uid=sop_uid,
            attributes={**known, "SOPInstanceUID": sop_uid, "SOPClassUID": sop_class_uid, **json.loads(own)},
        )


def _study_attributes(row: Row[Any]) -> dict[str, Value]:
    modalities = row.modalities_key.strip("\\")
    return {
        **json.loads(row.attributes),
        "StudyInstanceUID": row.study_uid,
        **({"ModalitiesInStudy": modalities} if modalities else {}),
        "NumberOfStudyRelatedSeries": row.series_count,
        "NumberOfStudyRelatedInstances": row.instance_count,
    }


def _series_attributes(row: Row[Any]) -> dict[str, Value]:
    return {
        **_study_attributes(row),
        **json.loads(row.series_attributes),
        "SeriesInstanceUID": row.series_uid,
        "NumberOfSeriesRelatedInstances": row.series_instance_count,
    }


def _from(level: Level) -> FromClause:
    if level is Level.STUDY:
        return stored_study
    joined = stored_study.join(stored_series, _series.study_id == _study.id)
    return joined if level is Level.SERIES else joined.join(stored_instance, _instance.series_id == _series.id)


def _asked(connection: Connection, level: Level, query: Query, spaces: Sequence[str]) -> list[Condition]:
    return [in_spaces(spaces), *conditions(query, level, connection.dialect.name)]


def in_spaces(spaces: Sequence[str], column: ColumnElement[str] = _study.space) -> Condition:
    """Of these spaces; of none, nothing."""
    return column == spaces[0] if len(spaces) == 1 else column.in_(list(spaces))


def _page(
    columns: Select[Any], connection: Connection, level: Level, query: Query, spaces: Sequence[str]
) -> Select[Any]:
    found = columns.where(*_asked(connection, level, query, spaces)).order_by(*_ORDERS[level])
    return found.limit(query.limit).offset(query.offset or None)
