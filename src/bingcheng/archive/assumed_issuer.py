"""Who issued the patient numbers of exams whose headers don't say: the default issuer of their hospital.

DICOM leaves it to the scanner to name the issuer of a Patient ID (PS3.3 C.7.1.1: Type 3), and scanners of one hospital
differ in that: the same person would stand in the workspace twice. An exam without an issuer is read as of its
hospital's default one; what its own header said is kept beside it, so that it is read as before when the default goes.
Everything else in the workspace is kept by the exams' UIDs, which don't change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from bingcheng.archive import schema
from bingcheng.archive.about import held
from bingcheng.archive.batches import batches
from bingcheng.archive.codec import storable
from bingcheng.archive.exam_owner import HOSPITALS, exam_owner
from bingcheng.archive.listing import list_exams
from bingcheng.archive.people.spelling import folded
from bingcheng.archive.people.tables import hospital, hospital_spelling
from bingcheng.archive.pseudonym import pseudonym
from bingcheng.dicom.exam import Patient

assumed_issuer = Table(
    "assumed_issuer",
    schema.metadata,
    Column("exam_uid", ForeignKey("exam.uid", ondelete="CASCADE"), primary_key=True),
    Column("issuer", Text, nullable=False, comment="as of whom the patient's number is read"),
    Column("former", String(32), nullable=False, index=True, comment="the patient's pseudonym without it"),
    # As the exam itself says, by which it is read again without an issuer; the patient's row may say otherwise.
    Column("name", Text),
    Column("birth_date", String(16)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouped:
    """What came of reading exams as of another issuer.

    Parameters
    ----------
    moved : UIDs of the exams that are another patient's now.
    joined : how many patients have exams now that stood under several pseudonyms before.
    differing : of those, how many whose exams don't agree on the date of birth.
    parted : how many decisions of people about lesions of two exams speak of exams of two patients now; they are kept,
        and hold again if the patients are one again.
    """

    moved: tuple[str, ...] = ()
    joined: int = 0
    differing: int = 0
    parted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    uid: str
    before: str
    after: str
    own: Patient
    read: Patient
    former: str


def read_as(connection: Connection, patient: Patient, exam_uid: str, site: str) -> Patient:
    """The patient of an exam, with the default issuer of its hospital where the header names none.

    Parameters
    ----------
    patient : as the header says.
    """
    if patient.issuer:
        return patient
    known = _Hospitals.of(connection)
    space = connection.scalar(select(exam_owner.c.space).where(exam_owner.c.study_uid == exam_uid))
    return _with_issuer(patient, known.issuer(space, site))


def note_assumed(connection: Connection, exam_uid: str, own: Patient, read: Patient, former: str) -> None:
    """Keep what a stored exam's header said of its patient, if it is read otherwise.

    Parameters
    ----------
    own, read : as the header says, and as `read_as` gives it.
    former : the pseudonym of the former.
    """
    if read.issuer and not own.issuer:
        connection.execute(insert(assumed_issuer), _row(exam_uid, own, read, former))


def regroup(connection: Connection, uids: Collection[str] | None = None) -> Regrouped:
    """Read the exams that name no issuer as of whom their hospitals say now, and put them to their patients.

    Parameters
    ----------
    uids : only these exams; None for all.
    """
    known = _Hospitals.of(connection)
    if not known.issuers and connection.scalar(select(assumed_issuer.c.exam_uid).limit(1)) is None:
        return Regrouped()
    secret = bytes.fromhex(held(connection, "secret") or "")
    moves = [move for row in _without_issuer(connection, uids) if (move := _move(row, known, secret)) is not None]
    if not moves:
        return Regrouped()
    there, parted = _identities(connection, {move.after for move in moves}), _parted(connection)
    _let_be_known(connection, moves, there)
    _put(connection, moves)
    _forget(connection, {move.before for move in moves})
    list_exams(connection, [move.uid for move in moves])
    return replace(_told(moves, there), parted=max(0, _parted(connection) - parted))


def regroup_site(connection: Connection, sites: Collection[str]) -> Regrouped:
    """The same for the exams of these sites, as they are written there."""
    exam = schema.exam.c
    return regroup(connection, connection.scalars(select(exam.uid).where(exam.site.in_(sites))).all())


def default_issuer(connection: Connection, space: str) -> str:
    """The default issuer of the hospital of a space; empty without one, and for what is no hospital's."""
    return _Hospitals.of(connection).issuers.get(space, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hospitals:
    """The default issuers by the spaces of the hospitals that have one, and all spaces by spellings of their names."""

    issuers: Mapping[str, str]
    spaces: Mapping[str, str]

    @staticmethod
    def of(connection: Connection) -> _Hospitals:
        named, spelt = hospital.c, hospital_spelling.c
        issuers = connection.execute(select(named.id, named.issuer).where(func.coalesce(named.issuer, "") != ""))
        found = {f"{HOSPITALS}{row.id}": row.issuer for row in issuers}
        spellings = connection.execute(select(spelt.folded, spelt.hospital)) if found else ()
        return _Hospitals(issuers=found, spaces={row.folded: f"{HOSPITALS}{row.hospital}" for row in spellings})

    def issuer(self, claimed: str | None, site: str) -> str:
        """As whose number an exam's is read that names none; `claimed` is the space that its results belong to."""
        return self.issuers.get(claimed or self.spaces.get(folded(site), ""), "") if self.issuers else ""


def _with_issuer(patient: Patient, issuer: str) -> Patient:
    # Who is known by nothing is a person of the one exam, whoever numbers people.
    known = patient.patient_id.strip() or (patient.name and patient.birth_date)
    return replace(patient, issuer=issuer or None) if known else patient


def _without_issuer(connection: Connection, uids: Collection[str] | None) -> Iterator[Row[Any]]:
    exam, who, assumed = schema.exam.c, schema.identity.c, assumed_issuer.c
    query = (
        select(exam.uid, exam.patient, exam.site, exam_owner.c.space, who.patient_id, who.name, who.birth_date)
        .add_columns(assumed.issuer.label("assumed"), assumed.former)
        .add_columns(assumed.name.label("own_name"), assumed.birth_date.label("own_birth_date"))
        .join_from(schema.exam, schema.identity, who.patient == exam.patient)
        .outerjoin(assumed_issuer, assumed.exam_uid == exam.uid)
        .outerjoin(exam_owner, exam_owner.c.study_uid == exam.uid)
        .where(or_(assumed.exam_uid.is_not(None), func.coalesce(who.issuer, "") == ""))
        .order_by(exam.performed_at, exam.uid)
    )
    if uids is None:
        yield from connection.execute(query)
        return
    for some in batches(uids):
        yield from connection.execute(query.where(exam.uid.in_(some))).all()


def _move(row: Row[Any], known: _Hospitals, secret: bytes) -> _Move | None:
    read_before = row.assumed is not None
    own = Patient(
        patient_id=row.patient_id,
        name=row.own_name if read_before else row.name,
        birth_date=row.own_birth_date if read_before else row.birth_date,
    )
    read = _with_issuer(own, known.issuer(row.space, row.site))
    if (read.issuer or None) == row.assumed:
        return None
    former = row.former or row.patient
    after = pseudonym(secret, read, row.site, row.uid) if read.issuer else former
    return _Move(uid=row.uid, before=row.patient, after=after, own=own, read=read, former=former)


def _identities(connection: Connection, patients: Collection[str]) -> dict[str, str | None]:
    """The dates of birth of those of the patients that are known, by pseudonym."""
    who = schema.identity.c
    found: dict[str, str | None] = {}
    for some in batches(patients):
        rows = connection.execute(select(who.patient, who.birth_date).where(who.patient.in_(some)))
        found |= {row.patient: row.birth_date for row in rows}
    return found


def _let_be_known(connection: Connection, moves: Sequence[_Move], there: Mapping[str, str | None]) -> None:
    """Write who the patients are that nothing was known of before; what is known of the others stays."""
    new = {
        move.after: {
            "patient": move.after,
            "patient_id": move.read.patient_id,
            "issuer": None if move.read.issuer is None else storable(move.read.issuer),
            "name": move.read.name,
            "birth_date": move.read.birth_date,
        }
        for move in moves
        if move.after not in there
    }
    if new:
        connection.execute(insert(schema.identity), list(new.values()))


def _put(connection: Connection, moves: Sequence[_Move]) -> None:
    exam = schema.exam
    moved = update(exam).where(exam.c.uid == bindparam("of")).values(patient=bindparam("now"))
    connection.execute(moved, [{"of": move.uid, "now": move.after} for move in moves])
    for some in batches(moves):
        connection.execute(delete(assumed_issuer).where(assumed_issuer.c.exam_uid.in_([move.uid for move in some])))
    rows = [_row(move.uid, move.own, move.read, move.former) for move in moves if move.read.issuer]
    if rows:
        connection.execute(insert(assumed_issuer), rows)


def _forget(connection: Connection, patients: Collection[str]) -> None:
    """Of whom there is no exam any more nothing is kept."""
    who, exam = schema.identity.c, schema.exam.c
    for some in batches(patients):
        connection.execute(
            delete(schema.identity).where(who.patient.in_(some), ~exists().where(exam.patient == who.patient))
        )


def _parted(connection: Connection) -> int:
    """How many decisions that hold are about exams of two patients."""
    edit, earlier, later = schema.lesion_edit.c, schema.exam.alias("earlier"), schema.exam.alias("later")
    query = (
        select(func.count())
        .join_from(schema.lesion_edit, earlier, earlier.c.uid == edit.earlier_uid)
        .join(later, later.c.uid == edit.later_uid)
        .where(edit.undone_at.is_(None), earlier.c.patient != later.c.patient)
    )
    return int(connection.scalar(query) or 0)


def _told(moves: Sequence[_Move], there: Mapping[str, str | None]) -> Regrouped:
    before: dict[str, set[str]] = defaultdict(set)
    born: dict[str, set[str]] = defaultdict(set)
    for move in moves:
        before[move.after].add(move.before)
        born[move.after].update(filter(None, (move.own.birth_date, there.get(move.after))))
    joined = {after for after, several in before.items() if len(several | ({after} & there.keys())) > 1}
    return Regrouped(
        moved=tuple(move.uid for move in moves),
        joined=len(joined),
        differing=sum(len(born[after]) > 1 for after in joined),
    )


def _row(exam_uid: str, own: Patient, read: Patient, former: str) -> dict[str, str | None]:
    return {
        "exam_uid": exam_uid,
        "issuer": storable(read.issuer or ""),
        "former": former,
        "name": None if own.name is None else storable(own.name),
        "birth_date": None if own.birth_date is None else storable(own.birth_date),
    }
