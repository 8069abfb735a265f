"""Which lesion of one exam is which of the next: what was proposed, and what people decided.

Proposals are made anew when an exam changes. Decisions are kept apart from them and never deleted; one that is taken
back says when.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive import schema
from bingcheng.archive.codec import decoded, encoded
from bingcheng.core.refusal import Refusal
from bingcheng.quantify.lesion.matching import Edit, Matching


@dataclass(frozen=True, slots=True, kw_only=True)
class PairKey:
    """Two exams of a patient, in time, and the modality in which their lesions are matched."""

    earlier_uid: str
    later_uid: str
    modality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What came of matching: the links as proposed, or why there are none.

    Parameters
    ----------
    pair : of which exams.
    digest : of everything that it was made from.
    matching : without anybody's edits; where `refusal` is given, what names alone say, or None.
    """

    pair: PairKey
    digest: str
    matching: Matching | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about lesions of two exams; the edit's keys are the lesions' names in them.

    Parameters
    ----------
    number : by which it is known; 0 before it is kept.
    undone_at, undone_by : when (UTC) and by whom it was taken back, if it was; nobody need have said who.
    """

    earlier_uid: str
    later_uid: str
    edit: Edit
    number: int = 0
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLesion:
    """One lesion as it was stored, in one series of an exam."""

    series_uid: str
    modality: str
    lesion: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnExam:
    """An exam with its lesions.

    Parameters
    ----------
    patient : pseudonym.
    """

    uid: str
    patient: str
    performed_at: datetime | None
    fingerprint: str
    lesions: tuple[DrawnLesion, ...]


def drawn_exams(connection: Connection, among: Collection[str] | None = None) -> tuple[DrawnExam, ...]:
    """Every stored exam with its lesions, in the order of patients, times and UIDs; undated ones last.

    Parameters
    ----------
    among : only these exams; None for all.
    """
    series, lesion, exam = schema.series.c, schema.lesion.c, schema.exam.c
    found: dict[str, list[DrawnLesion]] = {}
    query = (
        select(lesion.exam_uid, lesion.series_uid, series.modality, lesion.lesion, lesion.label)
        .join(schema.series, (series.exam_uid == lesion.exam_uid) & (series.uid == lesion.series_uid))
        .order_by(lesion.id)
    )
    those = select(exam.uid, exam.patient, exam.performed_at, exam.fingerprint)
    if among is not None:
        query, those = query.where(lesion.exam_uid.in_(among)), those.where(exam.uid.in_(among))
    for exam_uid, series_uid, modality, name, label in connection.execute(query):
        one = DrawnLesion(series_uid=series_uid, modality=modality, lesion=name, label=label)
        found.setdefault(exam_uid, []).append(one)
    heads = connection.execute(those).all()
    ordered = sorted(
        heads,
        key=lambda head: (head.patient, head.performed_at or datetime.max, head.uid),  # noqa: DTZ901 - a key only
    )
    return tuple(
        DrawnExam(
            uid=head.uid,
            patient=head.patient,
            performed_at=head.performed_at,
            fingerprint=head.fingerprint,
            lesions=tuple(found.get(head.uid, ())),
        )
        for head in ordered
    )


def proposals(connection: Connection, among: Collection[str] | None = None) -> tuple[Proposal, ...]:
    """All stored proposals, or those for two exams of `among`, in the order in which they were stored."""
    table = schema.matching.c
    query = select(table.record).order_by(table.id)
    if among is not None:
        query = query.where(table.earlier_uid.in_(among), table.later_uid.in_(among))
    return tuple(decoded(Proposal, record) for record in connection.scalars(query))


def save_proposal(connection: Connection, proposal: Proposal) -> None:
    """Store a proposal; the earlier one of the same exams and modality goes."""
    pair = proposal.pair
    forget_proposals(connection, (pair,))
    row = {
        "earlier_uid": pair.earlier_uid,
        "later_uid": pair.later_uid,
        "modality": pair.modality,
        "digest": proposal.digest,
        "record": encoded(proposal),
    }
    connection.execute(insert(schema.matching), row)


def forget_proposals(connection: Connection, pairs: Iterable[PairKey]) -> None:
    """Delete what was proposed for these exams."""
    table = schema.matching
    for pair in pairs:
        connection.execute(
            delete(table).where(
                table.c.earlier_uid == pair.earlier_uid,
                table.c.later_uid == pair.later_uid,
                table.c.modality == pair.modality,
            )
        )


def decisions(
    connection: Connection, among: Collection[str] | None = None, *, undone: bool = False
) -> tuple[Decision, ...]:
    """The decisions that hold, in the order in which they were made; with `undone` also those that did.

    Parameters
    ----------
    among : only decisions about two of these exams.
    """
    table = schema.lesion_edit
    query = select(table).order_by(table.c.id)
    if not undone:
        query = query.where(table.c.undone_at.is_(None))
    if among is not None:
        query = query.where(table.c.earlier_uid.in_(among), table.c.later_uid.in_(among))
    return tuple(
        Decision(
            earlier_uid=row.earlier_uid,
            later_uid=row.later_uid,
            edit=decoded(Edit, row.record),
            number=row.id,
            undone_at=row.undone_at,
            undone_by=row.undone_by or "",
        )
        for row in connection.execute(query)
    )


def save_decisions(connection: Connection, made: Sequence[Decision]) -> tuple[int, ...]:
    """Keep decisions; returns their numbers."""
    rows = [
        {
            "earlier_uid": one.earlier_uid,
            "later_uid": one.later_uid,
            "made_at": one.edit.at.replace(tzinfo=None),
            "record": encoded(one.edit),
        }
        for one in made
    ]
    table = schema.lesion_edit
    return tuple(int(connection.execute(insert(table).returning(table.c.id), row).scalar_one()) for row in rows)


def undo_decision(connection: Connection, number: int, at: datetime, by: str = "") -> None:
    """Take a decision back at that time (UTC); `by` is who does, empty where nobody says."""
    table = schema.lesion_edit
    connection.execute(update(table).where(table.c.id == number).values(undone_at=at, undone_by=by or None))
