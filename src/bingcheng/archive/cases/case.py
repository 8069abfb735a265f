"""A case: what is written about it, its versions, and how far it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, insert, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.problems import MANY_KEY_IMAGES, NO_TITLE, WRONG_QUIZ, WRONG_STEP
from bingcheng.archive.cases.word_index import keep_up
from bingcheng.archive.codec import decoded, encoded, storable
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError

LONGEST_TITLE, LONGEST_TEXT, LONGEST_TAG, MOST_TAGS = 200, 20_000, 64, 30
MOST_QUESTIONS, FEWEST_CHOICES, MOST_CHOICES = 20, 2, 8
MOST_KEY_IMAGES = 40
SITTING = timedelta(minutes=15)
"""Key images that are marked within this time of each other are of one version."""


class CaseStatus(StrEnum):
    """How far a case is."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a quiz; `right` counts the choices from 0."""

    question: str
    choices: tuple[str, ...]
    right: int
    explanation: str = ""

    @property
    def name(self) -> str:
        """By what answers know their question: a digest of what was asked."""
        return hashlib.sha256("\x1f".join((self.question, *self.choices)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImage:
    """An image that shows what matters: its new UID, frame from 1, the pixel (column, row) it points at, and a note."""

    sop_uid: str
    frame: int = 1
    x: float | None = None
    y: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What its author writes about a case.

    Parameters
    ----------
    diagnosis_code : a term's code, e.g. ICD-O; empty without one.
    hidden : diagnosis, teaching points, key images and the quiz's answers are shown only when the reader asks for them.
    key_images : in the order in which they are shown.
    show_hospital : readers elsewhere see which hospital published it.
    language : of the text: ``en`` or ``zh``.
    licence : what readers may do with it.
    """

    title: str
    context: str = ""
    diagnosis: str = ""
    diagnosis_code: str = ""
    teaching: str = ""
    body_part: str = ""
    modality: str = ""
    tags: tuple[str, ...] = ()
    hidden: bool = False
    questions: tuple[Question, ...] = ()
    key_images: tuple[KeyImage, ...] = ()
    show_hospital: bool = False
    language: str = "zh"
    licence: str = ""

    def texts(self) -> dict[str, str]:
        """All free text by the name of its field, to be searched for what tells who the patient is."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.type == "str"}
        found["tags"] = " ".join(self.tags)
        for number, one in enumerate(self.questions, start=1):
            found[f"question {number}"] = "\n".join((one.question, *one.choices, one.explanation))
        for number, image in enumerate(self.key_images, start=1):
            found[f"key image {number}"] = image.note
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as it stands now."""

    number: int
    hospital: int
    author: int
    status: CaseStatus
    profile: str
    version: int
    made_at: datetime
    changed_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    written: Written = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What was written about a case before, or is now."""

    version: int
    person: int
    at: datetime
    written: Written


def make_case(
    connection: Connection, *, hospital: int, author: int, profile: str, written: Written, now: datetime
) -> int:
    """Make a draft; returns its number.

    Raises
    ------
    InputError
        ``archive.case-no-title``, ``archive.wrong-quiz``.
    """
    said = checked(written)
    row = {
        "hospital": hospital,
        "author": author,
        "status": CaseStatus.DRAFT.value,
        "profile": profile,
        "made_at": now,
        "changed_at": now,
        "version": 1,
        **_columns(said),
    }
    table = tables.shared_case
    number = int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())
    _keep(connection, number, 1, author, said, now)
    keep_up(connection, number)
    return number


def change_case(connection: Connection, number: int, written: Written, *, person: int, now: datetime) -> int:
    """Write the next version of a case; returns its number. The same text again is no version.

    Key images that one person marks in a draft, one soon after the other, are of one version.

    Raises
    ------
    InputError
        ``archive.case-no-title``, ``archive.wrong-quiz``, ``archive.not-found``.
    """
    said, known = checked(written), case(connection, number)
    if said == known.written:
        return known.version
    gathered = _of_one_sitting(connection, known, said, person, now)
    version = known.version if gathered else known.version + 1
    table, past = tables.shared_case, tables.case_version.c
    if gathered:
        connection.execute(delete(tables.case_version).where(past.case_id == number, past.version == version))
    connection.execute(
        update(table).where(table.c.id == number).values(version=version, changed_at=now, **_columns(said))
    )
    _keep(connection, number, version, person, said, now)
    keep_up(connection, number)
    return version


def _of_one_sitting(connection: Connection, known: Case, said: Written, person: int, now: datetime) -> bool:
    """Whether only key images changed, now and in the version that stands, by the same person just before.

    In a draft alone: what was published may have been read, or sent to another installation, as it stands.
    """
    table = tables.case_version
    query = select(table).where(table.c.case_id == known.number).order_by(table.c.version.desc()).limit(2)
    last = connection.execute(query).all()
    if known.status is not CaseStatus.DRAFT or len(last) < 2:
        return False
    now_stands, before = (decoded(Written, row.record) for row in last)
    rest = {replace(one, key_images=()) for one in (said, now_stands, before)}
    return len(rest) == 1 and last[0].person == person and now - last[0].at <= SITTING


def part_hidden(connection: Connection) -> None:
    """Let searches find the answer of cases that hide it for those alone who know it.

    Earlier releases searched those answers for everybody, or for nobody.
    """
    table = tables.shared_case
    for row in connection.execute(select(table.c.id, table.c.record)).all():
        written = decoded(Written, row.record)
        if written.hidden:
            connection.execute(update(table).where(table.c.id == row.id).values(_columns(written)))


def versions(connection: Connection, number: int) -> tuple[Version, ...]:
    """All versions, the latest first."""
    table = tables.case_version
    rows = connection.execute(select(table).where(table.c.case_id == number).order_by(table.c.version.desc()))
    return tuple(
        Version(version=row.version, person=row.person, at=row.at, written=decoded(Written, row.record)) for row in rows
    )


def set_status(connection: Connection, number: int, status: CaseStatus, now: datetime) -> None:
    """Publish a draft (or a withdrawn case again), or withdraw a published case.

    Raises
    ------
    InputError
        ``archive.case-wrong-step``.
    """
    known = case(connection, number)
    allowed = {
        CaseStatus.PUBLISHED: (CaseStatus.DRAFT, CaseStatus.WITHDRAWN),
        CaseStatus.WITHDRAWN: (CaseStatus.PUBLISHED,),
    }
    if known.status not in allowed.get(status, ()):
        raise InputError(WRONG_STEP)
    values: dict[str, object] = {"status": status.value, "changed_at": now}
    values |= {"published_at": now} if status is CaseStatus.PUBLISHED else {"withdrawn_at": now}
    table = tables.shared_case
    connection.execute(update(table).where(table.c.id == number).values(values))


def case(connection: Connection, number: int) -> Case:
    """The case of a number.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    found = cases(connection, [number])
    if not found:
        raise InputError(NO_SUCH_THING)
    return found[0]


def cases(connection: Connection, numbers: Sequence[int]) -> tuple[Case, ...]:
    """The cases of these numbers, in this order; those that don't exist are left out."""
    table = tables.shared_case
    rows = {row.id: case_of(row) for row in connection.execute(select(table).where(table.c.id.in_(numbers)))}
    return tuple(rows[number] for number in numbers if number in rows)


def case_of(row: Row[tuple[object, ...]]) -> Case:
    """The case in a row of the table."""
    return Case(
        number=row.id,
        hospital=row.hospital,
        author=row.author,
        status=CaseStatus(row.status),
        profile=row.profile,
        version=row.version,
        made_at=row.made_at,
        changed_at=row.changed_at,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
        written=decoded(Written, row.record),
    )


def checked(written: Written) -> Written:
    """What is written, as it is stored: without double spaces in what is one line, tags once each.

    Raises
    ------
    InputError
        ``archive.case-no-title``, ``archive.wrong-quiz``, ``archive.case-many-key-images``.
    """
    lines = {name: _line(getattr(written, name)) for name in _LINES}
    blocks = {name: storable(getattr(written, name)).replace("\r\n", "\n").strip() for name in ("context", "teaching")}
    tags = tuple(dict.fromkeys(tag for one in written.tags if (tag := _line(one))))
    too_long = any(len(one) > LONGEST_TITLE for one in lines.values())
    too_long = too_long or any(len(one) > LONGEST_TEXT for one in blocks.values())
    too_long = too_long or len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags)
    if not lines["title"] or too_long:
        raise InputError(NO_TITLE, count=LONGEST_TITLE)
    for one in written.questions:
        _check_question(one)
    if len(written.questions) > MOST_QUESTIONS:
        raise InputError(WRONG_QUIZ)
    images = _checked_images(written.key_images)
    return replace(written, tags=tags, key_images=images, **cast("dict[str, Any]", lines | blocks))


_LINES = ("title", "diagnosis", "diagnosis_code", "body_part", "modality", "licence", "language")


def _checked_images(images: tuple[KeyImage, ...]) -> tuple[KeyImage, ...]:
    """Each place once, with the note that was written last."""
    places = {(one.sop_uid, one.frame, one.x, one.y): replace(one, note=_line(one.note)) for one in images}
    if len(places) > MOST_KEY_IMAGES or any(len(one.note) > LONGEST_TITLE for one in places.values()):
        raise InputError(MANY_KEY_IMAGES, count=MOST_KEY_IMAGES, length=LONGEST_TITLE)
    return tuple(places.values())


def _line(words: str) -> str:
    return " ".join(storable(words).split())


def _check_question(one: Question) -> None:
    whole = sum(map(len, (one.question, one.explanation, *one.choices)))
    distinct = len(set(one.choices)) == len(one.choices) and all(choice.strip() for choice in one.choices)
    right = FEWEST_CHOICES <= len(one.choices) <= MOST_CHOICES and 0 <= one.right < len(one.choices)
    if not one.question.strip() or not distinct or not right or whole > LONGEST_TEXT:
        raise InputError(WRONG_QUIZ)


def _columns(said: Written) -> dict[str, object]:
    # What waits until the reader asks for it is searched for those alone who know it: else a search would tell it.
    answer = replace(said, diagnosis="", diagnosis_code="", teaching="", key_images=()) if said.hidden else said
    return {
        "record": encoded(said),
        "title": said.title,
        "words": _searched(answer),
        "body_part": said.body_part.casefold(),
        "modality": said.modality,
        "diagnosis": answer.diagnosis.casefold(),
        "diagnosis_code": answer.diagnosis_code[:32],
        "show_hospital": said.show_hospital,
        "answer_words": _searched(said) if said.hidden else None,
        "answer_diagnosis": said.diagnosis.casefold() if said.hidden else None,
        "answer_code": said.diagnosis_code[:32] if said.hidden else None,
    }


def _searched(said: Written) -> str:
    words = (said.title, said.context, said.diagnosis, said.diagnosis_code, said.teaching, said.body_part)
    return "\n".join((*words, said.modality, *said.tags, *(one.note for one in said.key_images))).casefold()


def _keep(connection: Connection, number: int, version: int, person: int, said: Written, now: datetime) -> None:
    row = {"case_id": number, "version": version, "person": person, "at": now, "record": encoded(said)}
    connection.execute(insert(tables.case_version), row)
    connection.execute(delete(tables.case_tag).where(tables.case_tag.c.case_id == number))
    tags = [{"case_id": number, "tag": tag} for tag in dict.fromkeys(one.casefold() for one in said.tags)]
    if tags:
        connection.execute(insert(tables.case_tag), tags)
