"""Finding an exam in an emergency by what somebody at the bedside knows: the patient's number, birth, name.

Only what fits exactly is found. A star, a question mark, a per cent sign are characters like any other, so that nobody
can try through a hospital's patients.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from unicodedata import normalize

from sqlalchemy import Connection, select

from bingcheng.archive import schema
from bingcheng.archive.codec import storable
from bingcheng.archive.exam_owner import HOSPITALS
from bingcheng.archive.listing import listed
from bingcheng.archive.objects.attributes import date_key, name_keys
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.people.problems import NOT_ENOUGH_KNOWN
from bingcheng.core.errors import InputError

LONGEST_KNOWN = 200
"""Characters of each thing that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What somebody knows of a patient or of an exam; empty for what is not known. All that is known must fit.

    Parameters
    ----------
    number : the patient's, as the hospital that has the exam writes it.
    birth_date : as eight digits, with or without what parts them.
    name : in any script that the exam has it in; which part comes first does not matter.
    accession : the number of the order.
    """

    number: str = ""
    birth_date: str = ""
    name: str = ""
    accession: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """One exam that fits, by no more than is needed to choose among several.

    Parameters
    ----------
    hospital : number of the hospital that has it.
    at : day of the exam; None if it states none.
    """

    hospital: int
    study_uid: str
    at: date | None
    modalities: tuple[str, ...]
    description: str


def check_known(known: Known) -> Known:
    """What is known, without the blanks around it, if it names one patient or one order.

    Raises
    ------
    InputError
        ``archive.not-enough-known``.
    """
    clean = Known(
        number=storable(known.number).strip(),
        birth_date=date_key(normalize("NFKC", known.birth_date)),
        name=" ".join(storable(known.name).split()),
        accession=storable(known.accession).strip(),
    )
    patient = clean.number and (clean.birth_date or _spoken(clean.name))
    misread = known.birth_date.strip() and not clean.birth_date
    if misread or not (patient or clean.accession):
        raise InputError(NOT_ENOUGH_KNOWN)
    return clean


def fitting(connection: Connection, known: Known, hospitals: Collection[int]) -> tuple[Fitting, ...]:
    """The exams of these hospitals that fit what is known, the newest first; of none, none.

    Parameters
    ----------
    known : as `check_known` gives it.
    hospitals : whose exams may be told of. The others' are never read.
    """
    spaces = [f"{HOSPITALS}{number}" for number in hospitals]
    found = {(one.hospital, one.study_uid): one for one in _received(connection, known, spaces)}
    found |= {(one.hospital, one.study_uid): one for one in _assessed(connection, known, spaces)}
    return tuple(sorted(found.values(), key=lambda one: (one.at or date.max, one.study_uid), reverse=True))


def _assessed(connection: Connection, known: Known, spaces: Collection[str]) -> Iterator[Fitting]:
    """Those with results. No order's number stands with results: such exams are found by their objects."""
    if known.accession:
        return
    exam, who, shown = schema.exam.c, schema.identity.c, listed.c
    query = (
        select(shown.space, shown.uid, shown.modalities, exam.performed_at, exam.description, who.name, who.birth_date)
        .join(schema.exam, exam.uid == shown.uid)
        .join(schema.identity, who.patient == exam.patient)
        .where(shown.assessed.is_(True), shown.space.in_(spaces), who.patient_id.in_(_spellings(known.number)))
    )
    for row in connection.execute(query):
        if _is(known, row.name or "", row.birth_date or ""):
            performed: datetime | None = row.performed_at
            yield _fitting(row.space, row.uid, performed and performed.date(), row.modalities, row.description)


def _received(connection: Connection, known: Known, spaces: Collection[str]) -> Iterator[Fitting]:
    held = stored_study.c
    query = select(held.space, held.study_uid, held.modalities_key, held.attributes).where(held.space.in_(spaces))
    if known.number:
        query = query.where(held.patient_id_key.in_(_spellings(known.number)))
    if known.accession:
        query = query.where(held.accession_key.in_(_spellings(known.accession)))
    for row in connection.execute(query):
        written: dict[str, Any] = json.loads(row.attributes)
        if _is(known, str(written.get("PatientName", "")), str(written.get("PatientBirthDate", ""))):
            day, description = _day(written.get("StudyDate", "")), str(written.get("StudyDescription", ""))
            yield _fitting(row.space, row.study_uid, day, row.modalities_key, description)


def _fitting(space: str, uid: str, at: date | None, modalities: str, description: str) -> Fitting:
    return Fitting(
        hospital=int(space.removeprefix(HOSPITALS)),
        study_uid=uid,
        at=at,
        modalities=tuple(one for one in modalities.split("\\") if one),
        description=description,
    )


def _day(written: object) -> date | None:
    try:
        return datetime.strptime(date_key(str(written)), "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _spellings(number: str) -> list[str]:
    """A number as it was typed, and as it is with letters and digits of one width: an input method may widen them."""
    return sorted({number, normalize("NFKC", number)})


def _is(known: Known, name: str, birth_date: str) -> bool:
    """Whether a patient is the one who is known, by each thing that is known."""
    if known.birth_date and date_key(birth_date) != known.birth_date:
        return False
    return not known.name or not _spoken(known.name).isdisjoint(_called(name))


def _called(name: str) -> set[str | tuple[str, ...]]:
    """All that somebody of a name may be called: by each of its scripts, with and without titles and middle names."""
    groups = (group.split("^") for group in name.split("=", 2))
    return {one for parts in groups for some in (parts, parts[:2]) for one in _spoken(" ".join(some))}


def _spoken(words: str) -> set[str | tuple[str, ...]]:
    """What is compared of a name: its words in any order, and all of it as one word, as some scripts write it."""
    parts = " ".join(name_keys(words.replace("=", " "))).replace("^", " ").replace(",", " ").split()
    return {tuple(sorted(parts)), "".join(parts)} if parts else set()
