"""Cases that somebody may read, found by words, by facets and by what was measured."""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import Case, CaseStatus, cases
from bingcheng.archive.cases.grants import readable
from bingcheng.archive.cases.problems import QUERY
from bingcheng.archive.cases.query import All, Any, Condition, FieldIs, MeasureIs, Not, ProtocolIs, Words, parsed
from bingcheng.archive.cases.terms import same
from bingcheng.archive.cases.unlocking import known_answers
from bingcheng.archive.cases.word_index import holding
from bingcheng.archive.codec import storable
from bingcheng.archive.distinct import distinct
from bingcheng.archive.people.tables import hospital
from bingcheng.core.errors import InputError
from bingcheng.core.units import UNITS, convert
from bingcheng.core.wording import text
from bingcheng.protocol.library import protocols

MOST = 50
TOLERANCE = 1e-9
"""Relative; what was converted is equal to what was written."""
MADE = frozenset({"SEG", "SR", "PR", "KO", "RTSTRUCT", "REG"})
"""What is made of images is carried with them, and nobody looks for cases by it."""
_MARKS = " -_."
"""In the names of protocols, of no account."""
_PAGE, _TOTAL, _BODY_PART, _TAG, _MODALITY, _HOSPITAL = "page", "total", "body part", "tag", "modality", "hospital"
_CASE = tables.shared_case.c
Filter = ColumnElement[bool]
_COMPARE: Mapping[str, Callable[..., Filter]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked for; everything empty asks for all.

    Parameters
    ----------
    words : each must stand somewhere in what is written.
    query : in the language of `bingcheng.archive.cases.query`.
    hospital : number of the hospital that published it, where that may be seen.
    """

    words: str = ""
    query: str = ""
    body_part: str = ""
    modality: str = ""
    tag: str = ""
    hospital: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who searches.

    Parameters
    ----------
    hospital : None for the people of the province.
    publishes : sees the drafts and withdrawn cases of the own hospital too.
    person : finds cases by the answers that he or she knows already; None: by no hidden answer.
    """

    hospital: int | None
    publishes: bool = False
    person: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of cases, how many there are, and what the readable ones can be narrowed to, with counts."""

    cases: tuple[Case, ...]
    total: int
    body_parts: tuple[tuple[str, int], ...]
    modalities: tuple[tuple[str, int], ...]
    tags: tuple[tuple[str, int], ...]
    hospitals: tuple[tuple[int, str, int], ...]


def search(connection: Connection, reader: Reader, asked: Search, now: datetime, *, offset: int = 0) -> Found:
    """The cases that are asked for among those that the reader may see, the latest first.

    Raises
    ------
    InputError
        ``archive.wrong-query``.
    """
    seen = visible(reader, now)
    conditions = _conditions(connection, reader, asked, seen)
    said = _counted(connection, reader, seen, conditions, offset)
    numbers = sorted(map(int, said[_PAGE]), reverse=True)
    shown = {int(number): count for number, count in said[_HOSPITAL].items()}
    names = select(hospital.c.id, hospital.c.name).where(hospital.c.id.in_(shown)).order_by(hospital.c.name)
    return Found(
        cases=cases(connection, numbers),
        total=said[_TOTAL][""],
        body_parts=_most_first(said[_BODY_PART]),
        modalities=_most_first(Counter({one: count for one, count in said[_MODALITY].items() if one not in MADE})),
        tags=_most_first(said[_TAG])[:MOST],
        hospitals=tuple((number, name, shown[number]) for number, name in connection.execute(names)),
    )


def _counted(
    connection: Connection, reader: Reader, seen: Filter, conditions: Sequence[Filter], offset: int
) -> Mapping[str, Counter[str]]:
    """The numbers of a page's cases, how many there are, and what all can be narrowed to.

    In one statement, so that who may see what is looked up once, and of what is written only what is searched is read.
    """
    allowed = select(_CASE.id, _CASE.hospital, _CASE.show_hospital, _CASE.body_part).where(seen).cte("seen")
    own, tag, exam = allowed.c, tables.case_tag.c, tables.case_exam.c
    meant = select(own.id)
    if conditions:
        meant = meant.where(own.id.in_(select(_CASE.id).where(*conditions)))
    matching = meant.cte("matching")
    listed = select(matching.c.id).order_by(matching.c.id.desc()).limit(MOST).offset(offset).subquery()
    carried = select(func.aggregate_strings(exam.modalities, " ")).where(exam.case_id == own.id).correlate(allowed)
    lists = select(carried.scalar_subquery().label("modalities")).select_from(allowed).cte("carried")
    # Kept, or SQLite gathers each case's list anew wherever it is named below.
    each = lists.prefix_with("MATERIALIZED").c.modalities
    place = cast(own.hospital, String)
    statement = union_all(
        select(literal(_PAGE), cast(listed.c.id, String), literal(1)),
        select(literal(_TOTAL), literal(""), func.count()).select_from(matching),
        select(literal(_BODY_PART), own.body_part, func.count()).where(own.body_part != "").group_by(own.body_part),
        select(literal(_TAG), tag.tag, func.count()).where(own.id == tag.case_id).group_by(tag.tag),
        select(literal(_MODALITY), each, func.count()).group_by(each),
        select(literal(_HOSPITAL), place, func.count())
        .where(_names_hospital(reader, own.hospital, own.show_hospital))
        .group_by(own.hospital),
    )
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for what, name, count in connection.execute(statement):
        # Several exams of a case may say the same modality; the case counts once.
        for one in set((name or "").split()) if what == _MODALITY else (name,):
            found[what][one] += count
    return found


def visible(reader: Reader, now: datetime) -> Filter:
    """The condition on `shared_case` that holds for what the reader may see."""
    seen = readable(reader.hospital, now)
    if reader.publishes and reader.hospital is not None:
        return or_(seen, and_(_CASE.hospital == reader.hospital, _CASE.status != CaseStatus.PUBLISHED.value))
    return seen


def _conditions(connection: Connection, reader: Reader, asked: Search, seen: Filter) -> list[Filter]:
    known = known_answers(connection, reader.person)
    found = [_written(connection, known, word) for word in storable(asked.words).casefold().split()]
    if asked.body_part:
        found.append(_CASE.body_part == storable(asked.body_part).casefold())
    if asked.modality:
        found.append(_has_modality(asked.modality))
    if asked.tag:
        found.append(_tagged(storable(asked.tag).casefold(), exact=True))
    if asked.hospital is not None:
        found.append(and_(_CASE.hospital == asked.hospital, _names_hospital(reader)))
    condition = parsed(storable(asked.query))
    if condition is not None:
        found.append(_Translation(connection, reader, seen, known).of(condition))
    return found


class _Translation:
    """From conditions to SQL."""

    def __init__(self, connection: Connection, reader: Reader, seen: Filter, known: frozenset[int]) -> None:
        self._connection, self._reader, self._seen, self._known = connection, reader, seen, known

    def of(self, one: Condition) -> Filter:  # noqa: PLR0911 - one kind of condition after the other
        match one:
            case All(parts):
                return and_(*(self.of(part) for part in parts))
            case Any(parts):
                return or_(*(self.of(part) for part in parts))
            case Not(other):
                return not_(self.of(other))
            case Words(words):
                return _written(self._connection, self._known, words.casefold())
            case FieldIs():
                return self._field(one)
            case ProtocolIs():
                return _protocol(self._connection, one)
            case MeasureIs():
                return self._measure(one)

    def _field(self, one: FieldIs) -> Filter:
        value, exact = one.value.casefold(), one.compare != "~"
        match one.field:
            case "organ":
                found = or_(*(_equal(_CASE.body_part, name, exact=exact) for name in sorted(same("organ", value))))
            case "diagnosis":
                shown = _diagnosed(value, _CASE.diagnosis, _CASE.diagnosis_code, exact=exact)
                answer = _diagnosed(value, _CASE.answer_diagnosis, _CASE.answer_code, exact=exact)
                found = _also_by_answer(self._known, shown, answer)
            case "modality":
                found = _has_modality(one.value)
            case "tag":
                found = _tagged(value, exact=exact)
            case "hospital":
                found = self._hospital(value, exact=exact)
            case _:
                found = _equal(func.lower(_CASE.title), value, exact=exact)
        return not_(found) if one.compare == "!=" else found

    def _hospital(self, value: str, *, exact: bool) -> Filter:
        named = _equal(func.lower(hospital.c.name), value, exact=exact) | (func.lower(hospital.c.code) == value)
        return and_(_CASE.hospital.in_(select(hospital.c.id).where(named)), _names_hospital(self._reader))

    def _measure(self, one: MeasureIs) -> Filter:
        table = tables.case_value.c
        # Each key with its unit as it is stored: so the index of the values is used.
        compared = [
            and_(
                table.key == key,
                table.unit == unit,
                _compared(table.value, one.compare, _in_unit(one.value, one.unit, unit)),
            )
            for key, unit in self._measured(one)
        ]
        lesion = table.lesion.is_not(None) if one.of_lesion else table.lesion.is_(None)
        return _CASE.id.in_(select(table.case_id).where(lesion, or_(*compared)))

    def _measured(self, one: MeasureIs) -> Sequence[tuple[str, str]]:
        """The keys and units in which values of the measure are stored and that can be compared with what was written.

        Of cases that the reader may see; whether there is any such value is told by the first that is found.
        """
        table = tables.case_value.c
        # One look into the index for each key and unit that there is, not for each value.
        named = (key for key in distinct(self._connection, table.key) if _is_named(key, one.key))
        known = [(key, unit) for key in named for unit in distinct(self._connection, table.unit, table.key == key)]
        held = select(literal(1)).join_from(tables.case_value, tables.shared_case, _CASE.id == table.case_id)
        held = held.where(self._seen).limit(1)
        stored = [
            (key, unit)
            for key, unit in sorted(known)
            if self._connection.scalar(held.where(table.key == key, table.unit == unit)) is not None
        ]
        wanted = UNITS[one.unit].quantity if one.unit is not None else "number"
        fitting = [(key, unit) for key, unit in stored if unit in UNITS and UNITS[unit].quantity == wanted]
        if stored and not fitting:
            fault = text("'{key}' is measured in {unit}", key=one.key, unit=min(unit for _, unit in stored))
            raise InputError(QUERY, position=one.position, fault=fault)
        if not stored:
            raise InputError(QUERY, position=one.position, fault=text("no case has a value of '{key}'", key=one.key))
        return fitting


def known_measures(connection: Connection, reader: Reader, now: datetime) -> tuple[tuple[str, str, str], ...]:
    """What can be searched by in the cases that the reader may see: ``lesion.key``, label and unit of each."""
    table = tables.case_value.c
    query = (
        select(table.lesion.is_not(None).label("of_lesion"), table.key, table.label, table.unit)
        .join(tables.shared_case, _CASE.id == table.case_id)
        .where(visible(reader, now))
        .distinct()
    )
    rows = sorted((not row.of_lesion, row.key, row.label, row.unit) for row in connection.execute(query))
    return tuple((f"{'series' if of_series else 'lesion'}.{key}", label, unit) for of_series, key, label, unit in rows)


def known_protocols(connection: Connection, reader: Reader, now: datetime) -> tuple[str, ...]:
    """The identifiers of the protocols that said something of a case that the reader may see."""
    table = tables.case_protocol.c
    query = select(table.protocol).join(tables.shared_case, _CASE.id == table.case_id).where(visible(reader, now))
    return tuple(sorted(connection.scalars(query.distinct())))


def _written(connection: Connection, known: frozenset[int], word: str) -> Filter:
    """Whether a word, without case, stands in what is written, or in an answer that is known."""
    hidden = _CASE.answer_words.contains(word, autoescape=True)
    return _also_by_answer(known, holding(connection, word), hidden)


def _also_by_answer(known: frozenset[int], shown: Filter, answer: Filter) -> Filter:
    return or_(shown, and_(_CASE.id.in_(sorted(known)), answer)) if known else shown


def _diagnosed(value: str, name: ColumnElement[str], code: ColumnElement[str], *, exact: bool) -> Filter:
    names = sorted(same("diagnosis", value))
    return or_(func.lower(code) == value, *(_equal(name, one, exact=exact) for one in names))


def _is_named(key: str, asked: str) -> bool:
    """Whether a measure, or a part of it, is meant."""
    return f"{key.lower()}.".startswith(f"{asked}.")


def _in_unit(value: float, unit: str | None, stored: str) -> float:
    return convert(value, unit or "1", stored)


def _compared(column: ColumnElement[float], compare: str, value: float) -> Filter:
    if compare in _COMPARE:
        return _COMPARE[compare](column, value)
    margin = abs(value) * TOLERANCE
    equal = and_(column >= value - margin, column <= value + margin)
    return not_(equal) if compare == "!=" else equal


def _protocol(connection: Connection, one: ProtocolIs) -> Filter:
    table, wanted = tables.case_protocol.c, _letters(one.protocol)
    titles = {known.id: known.title for known in protocols()}
    # In what is said of cases there are few identifiers; an index tells them.
    named = [
        identifier
        for identifier in distinct(connection, table.protocol)
        if wanted in _letters(identifier) or wanted in _letters(titles.get(identifier, ""))
    ]
    said = table.outcome == one.outcome
    return exists().where(table.case_id == _CASE.id, table.protocol.in_(named), not_(said) if one.negated else said)


def _letters(name: str) -> str:
    """A name as it is compared: people write PI-RADS, identifiers pirads."""
    return "".join(one for one in name.casefold() if one not in _MARKS)


def _equal(column: ColumnElement[str], value: str, *, exact: bool) -> Filter:
    return column == value if exact else column.contains(value, autoescape=True)


def _tagged(value: str, *, exact: bool) -> Filter:
    table = tables.case_tag.c
    return exists().where(table.case_id == _CASE.id, _equal(table.tag, value, exact=exact))


def _has_modality(wanted: str) -> Filter:
    low, table = storable(wanted).strip().upper(), tables.case_exam.c
    carried = exists().where(
        table.case_id == _CASE.id, (" " + table.modalities + " ").contains(f" {low} ", autoescape=True)
    )
    return or_(func.upper(_CASE.modality) == low, carried)


def _names_hospital(
    reader: Reader,
    hospital: ColumnElement[int] = _CASE.hospital,
    named: ColumnElement[bool] = _CASE.show_hospital,
) -> Filter:
    own = hospital == reader.hospital if reader.hospital is not None else false()
    return or_(named, own)


def _most_first(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
