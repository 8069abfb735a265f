"""Which exam a person may see, and all of its patient's that may be seen with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fastapi import Request
from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import assumed_issuer
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.ownership import HOSPITALS, owned_by, owner
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.site_counts import outcome_of
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Outcome
from bingcheng.server.security.traced import traced

UID = re.compile(r"[0-9.]{1,64}")


def check_exam(request: Request, connection: Connection, actor: Actor, uid: str, action: Action) -> int | None:
    """The number of the hospital whose exam it is, if `actor` may do `action` to it; noted for the audit trail.

    None for an exam that was received by the actor's hospital and has no results here.

    Raises
    ------
    InputError
        ``archive.not-found``: the same for an exam that does not exist and for one of another hospital.
    """
    if not UID.fullmatch(uid):
        raise InputError(NO_SUCH_THING)
    whose = owner(connection, uid)
    subject = Subject(kind=SubjectKind.EXAM, hospital=whose, study_uid=uid)
    assessed = connection.scalar(select(schema.exam.c.patient).where(schema.exam.c.uid == uid))
    trace = traced(request)
    if whose is not None and assessed is not None and decide(actor, action, subject).allowed:
        trace.hospital, trace.patient = whose, assessed
        return whose
    here = Subject(kind=SubjectKind.EXAM, hospital=actor.hospital, study_uid=uid)
    if received_here(connection, actor, uid) and decide(actor, action, here).allowed:
        return None
    raise InputError(NO_SUCH_THING)


def received_here(connection: Connection, actor: Actor, uid: str) -> bool:
    """Whether the actor's hospital has objects of a study."""
    if actor.hospital is None:
        return False
    held, space = stored_study.c, f"{HOSPITALS}{actor.hospital}"
    return connection.scalar(select(held.id).where(held.space == space, held.study_uid == uid)) is not None


def of_patient(connection: Connection, hospital: int, patient: str) -> Sequence[str]:
    """The UIDs of a patient's exams that belong to a hospital, in time; `patient` is the pseudonym."""
    exam = schema.exam.c
    query = select(exam.uid).where(exam.patient == patient, owned_by(connection, hospital))
    return connection.scalars(query.order_by(exam.performed_at, exam.uid)).all()


def now_called(connection: Connection, hospital: int, patient: str) -> str | None:
    """Under which pseudonym a hospital's patient stands who had another before numbers were read as of an issuer."""
    exam, assumed = schema.exam.c, assumed_issuer.c
    query = select(exam.patient).join(assumed_issuer, assumed.exam_uid == exam.uid)
    return connection.scalar(query.where(assumed.former == patient, owned_by(connection, hospital)).limit(1))


def births_differ(connection: Connection, uids: Sequence[str]) -> bool:
    """Whether exams that were put to a patient by an assumed issuer state another date of birth than the patient's."""
    exam, who, assumed = schema.exam.c, schema.identity.c, assumed_issuer.c
    query = (
        select(exam.uid)
        .join(assumed_issuer, assumed.exam_uid == exam.uid)
        .join(schema.identity, who.patient == exam.patient)
        .where(exam.uid.in_(uids), assumed.birth_date != who.birth_date, assumed.birth_date != "")
    )
    return connection.scalar(query.limit(1)) is not None


def met(connection: Connection, uids: Sequence[str]) -> Mapping[str, Outcome | None]:
    """How exams met the protocols, by their UIDs; None for one that was not judged by any."""
    exam = schema.exam.c
    rows = connection.execute(select(exam.uid, exam.failed, exam.unknown, exam.passed).where(exam.uid.in_(uids)))
    return {row.uid: outcome_of(row.failed, row.unknown, row.passed) for row in rows}


def with_others(connection: Connection, actor: Actor, hospital: int, uid: str) -> Sequence[str]:
    """The exam and those of its patient that `actor` may see, in time; one opened in an emergency stays alone."""
    if (
        actor.hospital != hospital
        or not decide(actor, Action.READ_EXAM, Subject(kind=SubjectKind.EXAM, hospital=hospital)).allowed
    ):
        return [uid]
    patient = connection.scalar(select(schema.exam.c.patient).where(schema.exam.c.uid == uid))
    return of_patient(connection, hospital, patient) if patient is not None else [uid]
