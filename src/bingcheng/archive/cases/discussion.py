"""What is said about a case: threads at the case, at a place of an image or at a lesion; edited, hidden, deleted.

Every earlier wording is kept for the moderators; what was deleted or hidden keeps its place in the thread.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.attached.kept import Attachment, attachments
from bingcheng.archive.cases.problems import NO_WORDS, WRONG_STEP
from bingcheng.archive.codec import decoded, encoded, storable
from bingcheng.archive.people.person import Person
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError

LONGEST = 10_000
_AT = re.compile(r"(?<![\w@])@(?=\S)")
_LATIN_GOES_ON = re.compile(r"[^\W\u3400-\u9fff]")
_NAME = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Where a thread hangs: a place of an image (its new UID, frame from 1, pixel), a lesion, or the whole case."""

    sop_uid: str = ""
    frame: int = 1
    x: float | None = None
    y: float | None = None
    lesion: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment; deleted and hidden ones keep their words for moderators only. `told` are those whom it names."""

    number: int
    case: int
    answers: int | None
    person: int
    at: datetime
    words: str
    anchor: Anchor
    told: tuple[int, ...]
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_at: datetime | None
    hidden_because: str | None
    attachments: tuple[Attachment, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether readers see its words."""
        return self.deleted_at is None and self.hidden_at is None


def comment(
    connection: Connection,
    case: int,
    *,
    person: int,
    words: str,
    now: datetime,
    anchor: Anchor | None = None,
    answers: int | None = None,
) -> int:
    """Say something about a case; returns the comment's number. A reply hangs where its thread does.

    Raises
    ------
    InputError
        ``archive.no-words``, ``archive.not-found``.
    """
    place = anchor or Anchor()
    if answers is not None:
        answered = comment_of(connection, case, answers)
        # Threads are one level deep: an answer to an answer belongs to the same thread.
        answers, place = answered.answers or answered.number, answered.anchor
    row = {
        "case_id": case,
        "answers": answers,
        "person": person,
        "at": now,
        "words": said_words(words),
        "anchor": encoded(place),
    }
    table = tables.case_comment
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def comments(connection: Connection, case: int) -> tuple[Comment, ...]:
    """All comments of a case, in time."""
    table = tables.case_comment
    rows = connection.execute(select(table).where(table.c.case_id == case).order_by(table.c.id)).all()
    hanging = attachments(connection, [row.id for row in rows])
    return tuple(
        Comment(
            number=row.id,
            case=row.case_id,
            answers=row.answers,
            person=row.person,
            at=row.at,
            words=row.words,
            anchor=decoded(Anchor, row.anchor),
            told=decoded(tuple[int, ...], row.told) if row.told else (),
            edited_at=row.edited_at,
            deleted_at=row.deleted_at,
            hidden_at=row.hidden_at,
            hidden_because=row.hidden_because,
            attachments=tuple(hanging.get(row.id, ())),
        )
        for row in rows
    )


def comment_of(connection: Connection, case: int, number: int) -> Comment:
    """One comment of a case.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    for one in comments(connection, case):
        if one.number == number:
            return one
    raise InputError(NO_SUCH_THING)


def threads(said: Sequence[Comment]) -> tuple[tuple[Comment, tuple[Comment, ...]], ...]:
    """Each comment that begins a thread, with its answers, in time."""
    answers: dict[int, list[Comment]] = defaultdict(list)
    for one in said:
        if one.answers is not None:
            answers[one.answers].append(one)
    return tuple((one, tuple(answers[one.number])) for one in said if one.answers is None)


def edit_comment(connection: Connection, case: int, number: int, words: str, *, person: int, now: datetime) -> None:
    """Change one's own comment; what it said before is kept.

    Raises
    ------
    InputError
        ``archive.no-words``, ``archive.not-found``, ``archive.case-wrong-step``.
    """
    known = _own(connection, case, number, person)
    said = said_words(words)
    row = {"comment": number, "at": now, "words": known.words}
    connection.execute(insert(tables.case_comment_version), row)
    table = tables.case_comment
    connection.execute(update(table).where(table.c.id == number).values(words=said, edited_at=now))


def delete_comment(connection: Connection, case: int, number: int, *, person: int, now: datetime) -> None:
    """Take one's own comment back; its place stays.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.case-wrong-step``.
    """
    _own(connection, case, number, person)
    table = tables.case_comment
    connection.execute(update(table).where(table.c.id == number).values(deleted_at=now))


def put_back_comment(connection: Connection, case: int, number: int, *, person: int) -> None:
    """Put a comment back that its author took back.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.case-wrong-step``.
    """
    known = comment_of(connection, case, number)
    if known.person != person:
        raise InputError(NO_SUCH_THING)
    if known.deleted_at is None:
        raise InputError(WRONG_STEP)
    table = tables.case_comment
    connection.execute(update(table).where(table.c.id == number).values(deleted_at=None))


def tell_of(connection: Connection, number: int, people: Sequence[int]) -> None:
    """Keep whom a comment names."""
    table = tables.case_comment
    connection.execute(update(table).where(table.c.id == number).values(told=encoded(tuple(people))))


def hide_comment(connection: Connection, case: int, number: int, *, by: int, because: str, now: datetime) -> None:
    """Hide a comment from readers, for a reason that they see.

    Raises
    ------
    InputError
        ``archive.no-words``, ``archive.not-found``, ``archive.case-wrong-step``.
    """
    if not comment_of(connection, case, number).shown:
        raise InputError(WRONG_STEP)
    values = {"hidden_at": now, "hidden_by": by, "hidden_because": said_words(because)}
    table = tables.case_comment
    connection.execute(update(table).where(table.c.id == number).values(values))


def show_comment(connection: Connection, case: int, number: int) -> None:
    """Let readers see a comment again that a moderator hid.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.case-wrong-step``.
    """
    if comment_of(connection, case, number).hidden_at is None:
        raise InputError(WRONG_STEP)
    values = {"hidden_at": None, "hidden_by": None, "hidden_because": None}
    table = tables.case_comment
    connection.execute(update(table).where(table.c.id == number).values(values))


def earlier_words(connection: Connection, number: int) -> tuple[tuple[datetime, str], ...]:
    """What a comment said before, and until when; the latest first."""
    table = tables.case_comment_version.c
    query = select(table.at, table.words).where(table.comment == number).order_by(table.id.desc())
    return tuple((row.at, row.words) for row in connection.execute(query))


def mentioned(words: str, people: Iterable[Person]) -> tuple[int, ...]:
    """The numbers of those among `people` whom a text names: ``@`` and the name, or the name to sign in with.

    The longest name that stands there is meant, and all who bear it. In Chinese no space need follow.
    """
    return tuple(dict.fromkeys(number for _, meant in _named(words, people) for number in meant))


def unmet(words: str, people: Iterable[Person]) -> tuple[str, ...]:
    """What stands after an ``@`` and names nobody among `people`, up to the next space."""
    found = (_NAME.match(rest) for rest, meant in _named(words, people) if not meant)
    return tuple(dict.fromkeys(one[0] for one in found if one))


def _named(words: str, people: Iterable[Person]) -> Iterator[tuple[str, Sequence[int]]]:
    """What follows each ``@``, and whom it names."""
    called: dict[str, list[int]] = defaultdict(list)
    for one in people:
        for name in {one.name.casefold(), one.login.casefold()} - {""}:
            called[name].append(one.number)
    for at in _AT.finditer(words):
        rest = words[at.end() :].casefold()
        fitting = (name for name in called if rest.startswith(name) and _ends(name, rest[len(name) :]))
        longest = max(fitting, key=len, default=None)
        yield words[at.end() :], called[longest] if longest else ()


def _ends(name: str, rest: str) -> bool:
    """Whether a name ends where other words follow: a letter after a Latin name makes it another."""
    return not (_LATIN_GOES_ON.match(name[-1]) and _LATIN_GOES_ON.match(rest[:1]))


def _own(connection: Connection, case: int, number: int, person: int) -> Comment:
    known = comment_of(connection, case, number)
    if known.person != person:
        raise InputError(NO_SUCH_THING)
    if not known.shown:
        raise InputError(WRONG_STEP)
    return known


def said_words(words: str) -> str:
    """What somebody writes, as it is stored.

    Raises
    ------
    InputError
        ``archive.no-words``: it is empty or too long.
    """
    said = storable(words).replace("\r\n", "\n").strip()
    if not said or len(said) > LONGEST:
        raise InputError(NO_WORDS, count=LONGEST)
    return said
