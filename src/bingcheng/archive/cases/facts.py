"""The numbers that go with a case: measurements, changes, what protocols said; without dates, names or UIDs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive import schema
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.changes import carry_changes, same_lesions
from bingcheng.archive.codec import decoded
from bingcheng.archive.ownership import owner
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.finding import Outcome
from bingcheng.core.measurement import Measurement, Tells


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseExam:
    """One exam of a case.

    Parameters
    ----------
    number : in time, from 1.
    study_uid : the new one.
    day : days since the first exam; None where no date is known.
    """

    number: int
    study_uid: str
    day: int | None
    modalities: tuple[str, ...]
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseValue:
    """One carried value; `lesion` is a number within the case."""

    exam: int
    lesion: int | None
    modality: str
    key: str
    label: str
    value: float
    standard_uncertainty: float | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProtocol:
    """What one protocol said of one exam: conform, not conform, or not known, and of how many criteria."""

    exam: int
    protocol: str
    outcome: Outcome
    passed: int
    failed: int
    unknown: int


def carry(
    connection: Connection,
    number: int,
    exams: Mapping[str, int],
    series: Collection[str],
    followed: Sequence[LesionChange] = (),
) -> None:
    """Carry the numbers of exams (their case's numbers by original UID) into a case, of these series alone.

    Only of exams whose results are the hospital's own: another's don't become it by sending objects of the same study.

    Parameters
    ----------
    followed : what became of the patient's lesions over these exams: lesions that are one have one number in the case.
    """
    mine = connection.scalar(select(tables.shared_case.c.hospital).where(tables.shared_case.c.id == number))
    exams = {uid: place for uid, place in exams.items() if mine is not None and owner(connection, uid) == mine}
    for table in (tables.case_value, tables.case_protocol):
        connection.execute(delete(table).where(table.c.case_id == number))
    lesions = _lesions(connection, exams, series, same_lesions(followed))
    values, protocols = _values(connection, exams, series, lesions), _protocols(connection, exams)
    carry_changes(connection, number, followed, exams, lesions)
    if values:
        connection.execute(insert(tables.case_value), [{"case_id": number, **row} for row in values])
    if protocols:
        connection.execute(insert(tables.case_protocol), [{"case_id": number, **row} for row in protocols])


def case_exams(connection: Connection, number: int) -> tuple[CaseExam, ...]:
    """The exams of a case, in time."""
    table = tables.case_exam
    rows = connection.execute(select(table).where(table.c.case_id == number).order_by(table.c.number))
    return tuple(
        CaseExam(
            number=row.number,
            study_uid=row.study_uid,
            day=row.day,
            modalities=tuple(row.modalities.split()),
            instances=row.instances,
        )
        for row in rows
    )


def case_values(connection: Connection, number: int) -> tuple[CaseValue, ...]:
    """The carried values of a case's lesions and series."""
    table = tables.case_value
    query = select(table).where(table.c.case_id == number)
    rows = connection.execute(query.order_by(table.c.lesion, table.c.key, table.c.exam, table.c.id))
    return tuple(
        CaseValue(
            exam=row.exam,
            lesion=row.lesion,
            modality=row.modality,
            key=row.key,
            label=row.label,
            value=row.value,
            standard_uncertainty=row.standard_uncertainty,
            unit=row.unit,
        )
        for row in rows
    )


def case_protocols(connection: Connection, number: int) -> tuple[CaseProtocol, ...]:
    """What protocols said of a case's exams."""
    table = tables.case_protocol
    rows = connection.execute(select(table).where(table.c.case_id == number).order_by(table.c.exam, table.c.protocol))
    return tuple(
        CaseProtocol(
            exam=row.exam,
            protocol=row.protocol,
            outcome=Outcome(row.outcome),
            passed=row.passed,
            failed=row.failed,
            unknown=row.unknown,
        )
        for row in rows
    )


def _lesions(
    connection: Connection, exams: Mapping[str, int], series: Collection[str], same: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], int]:
    """The case's numbers of its lesions, in the order in which its exams show them, by exam and name there."""
    measured = schema.measurement.c
    query = select(measured.exam_uid, measured.series_uid, measured.lesion).where(measured.exam_uid.in_(exams))
    rows = connection.execute(query.order_by(measured.id)).all()
    numbers: dict[str, int] = {}
    found: dict[tuple[str, str], int] = {}
    for row in sorted(rows, key=lambda one: exams[one.exam_uid]):
        if row.lesion is not None and row.series_uid in series:
            here = (row.exam_uid, row.lesion)
            found[here] = numbers.setdefault(same.get(here, row.lesion), len(numbers) + 1)
    return found


def _values(
    connection: Connection,
    exams: Mapping[str, int],
    series: Collection[str],
    lesions: Mapping[tuple[str, str], int],
) -> list[dict[str, object]]:
    measured, seen = schema.measurement.c, schema.series.c
    modality = {
        (row.exam_uid, row.uid): row.modality
        for row in connection.execute(select(seen.exam_uid, seen.uid, seen.modality).where(seen.exam_uid.in_(exams)))
    }
    query = select(measured.exam_uid, measured.series_uid, measured.lesion, measured.record)
    rows = connection.execute(query.where(measured.exam_uid.in_(exams)).order_by(measured.id)).all()
    found = []
    for row in rows:
        one = decoded(Measurement, row.record)
        if one.value is None or row.series_uid not in series or (row.lesion is None and one.tells is Tells.EVIDENCE):
            continue
        found.append(
            {
                "exam": exams[row.exam_uid],
                "lesion": None if row.lesion is None else lesions[row.exam_uid, row.lesion],
                "modality": modality.get((row.exam_uid, row.series_uid), ""),
                "key": one.key,
                "label": one.label,
                "value": one.value,
                "standard_uncertainty": one.standard_uncertainty,
                "unit": one.unit,
            }
        )
    return found


def _protocols(connection: Connection, exams: Mapping[str, int]) -> list[dict[str, object]]:
    table = schema.finding.c
    query = select(table.exam_uid, table.protocol, table.outcome, table.gates).where(table.exam_uid.in_(exams))
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    gating: dict[tuple[str, str], set[str]] = defaultdict(set)
    for uid, protocol, outcome, gates in connection.execute(query):
        counts[uid, protocol][outcome] += 1
        if gates:
            gating[uid, protocol].add(outcome)
    return [
        {
            "exam": exams[uid],
            "protocol": protocol,
            "outcome": _outcome(gating[uid, protocol], found).value,
            "passed": found[Outcome.PASS.value],
            "failed": found[Outcome.FAIL.value],
            "unknown": found[Outcome.UNKNOWN.value],
        }
        for (uid, protocol), found in sorted(counts.items())
        if set(found) - {Outcome.NOT_APPLICABLE.value}
    ]


def _outcome(gating: set[str], found: Counter[str]) -> Outcome:
    """Of a whole protocol: one required criterion broken breaks it; nothing met is not known, never conform."""
    if Outcome.FAIL.value in gating:
        return Outcome.FAIL
    if Outcome.UNKNOWN.value in gating or not found[Outcome.PASS.value]:
        return Outcome.UNKNOWN
    return Outcome.PASS
