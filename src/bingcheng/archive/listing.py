"""The exams of every hospital ready to be listed, in a table of their own: whose, of when, and what they are found by.

Everything here follows from other tables. It is written again whenever one of them changes what it says of an exam, so
that a list of a hundred thousand reads one index instead of joining five tables. It holds names: no query of results
touches it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from unicodedata import normalize

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from bingcheng.archive import schema
from bingcheng.archive.batches import batches
from bingcheng.archive.distinct import distinct
from bingcheng.archive.exam_owner import HOSPITALS, exam_owner
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.people.spelling import folded
from bingcheng.archive.people.tables import hospital_spelling
from bingcheng.archive.site_counts import outcome_of
from bingcheng.core.finding import Outcome

MET, OPEN, LEFT_OPEN, BROKEN = range(4)
"""How urgent an exam is: it met the protocols; none applies or it is not assessed; it left open, or broke, what is
required."""
NEW = datetime(9999, 12, 31)  # noqa: DTZ001 - as times stand in the database; only ever compared
"""Where what has no date stands among times: it is new."""
LONGEST_WORDS = 512
"""Characters that are kept to be searched: an index of PostgreSQL takes no row of more than some 2,700 bytes."""

listed = Table(
    "listed",
    schema.metadata,
    Column("space", String(64), primary_key=True, comment="of the hospital that lists it"),
    Column("uid", String(64), primary_key=True),
    Column("assessed", Boolean, nullable=False, comment="whether there are results that are this hospital's"),
    Column("at", DateTime, nullable=False, comment="when it was made; far ahead for what has no date"),
    Column("urgency", Integer, nullable=False),
    Column("modalities", Text, nullable=False, comment="each between backslashes"),
    Column("words", Text, nullable=False, comment="what people look for, without case"),
    # A list reads these alone, in its order, and stops when the page is full.
    Index("listed_by_time", "space", "at", "uid", "urgency", "assessed", "modalities", "words"),
    Index("listed_by_urgency", "space", "urgency", "at", "uid", "assessed", "modalities"),
    Index("listed_modalities", "space", "modalities"),
    # An exam is listed anew by its UID, wherever it is listed.
    Index("listed_uid", "uid"),
)


def urgency_of(outcome: Outcome | None) -> int:
    """How urgent an exam is by how it met the protocols."""
    match outcome:
        case Outcome.FAIL:
            return BROKEN
        case Outcome.UNKNOWN:
            return LEFT_OPEN
        case Outcome.PASS:
            return MET
        case _:
            return OPEN


def searched(words: str) -> str:
    """Words as they are compared: without case, and Latin letters of one width (Unicode NFKC)."""
    return normalize("NFKC", words).casefold()


def list_exams(connection: Connection, uids: Collection[str]) -> None:
    """Write anew how these exams are listed, by their Study Instance UIDs."""
    wanted = list(uids)
    for some in batches(wanted):
        connection.execute(delete(listed).where(listed.c.uid.in_(some)))
    _list(connection, wanted)


def list_sites(connection: Connection, spelling: str) -> None:
    """The same for the exams whose site is `spelling`, as spellings are compared."""
    exam = schema.exam.c
    sites = [one for one in distinct(connection, exam.site) if folded(one) == spelling]
    if sites:
        list_exams(connection, connection.scalars(select(exam.uid).where(exam.site.in_(sites))).all())


def list_all(connection: Connection) -> None:
    """The same for all exams."""
    connection.execute(delete(listed))
    held = select(stored_study.c.study_uid).where(stored_study.c.space.startswith(HOSPITALS, autoescape=True))
    _list(connection, sorted({*connection.scalars(select(schema.exam.c.uid)), *connection.scalars(held)}))


def _list(connection: Connection, wanted: Sequence[str]) -> None:
    """Write how these exams are listed, which are not listed yet."""
    hospitals = _hospitals(connection) if wanted else {}
    for some in batches(wanted):
        rows = list(_rows(connection, some, hospitals))
        if rows:
            connection.execute(insert(listed), rows)


def list_judged(connection: Connection, outcomes: Mapping[str, Outcome | None]) -> None:
    """Note how exams met the protocols, by their UIDs."""
    changed = update(listed).where(listed.c.uid == bindparam("of"), listed.c.assessed.is_(True))
    rows = [{"of": uid, "now": urgency_of(outcome)} for uid, outcome in outcomes.items()]
    if rows:
        connection.execute(changed.values(urgency=bindparam("now")), rows)


def _hospitals(connection: Connection) -> dict[str, str]:
    """The spaces of the hospitals by the spellings of their names."""
    known = hospital_spelling.c
    return {
        row.folded: f"{HOSPITALS}{row.hospital}" for row in connection.execute(select(known.folded, known.hospital))
    }


def _rows(connection: Connection, uids: Sequence[str], hospitals: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    held: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_held(uids)):
        held[row.study_uid].append(row)
    claimed = connection.execute(
        select(exam_owner.c.study_uid, exam_owner.c.space).where(exam_owner.c.study_uid.in_(uids))
    )
    owners = {row.study_uid: row.space for row in claimed}
    modalities = _modalities(connection, uids)
    owned: dict[str, str] = {}
    for exam in connection.execute(_assessed(uids)):
        space = owners.get(exam.uid) or hospitals.get(folded(exam.site))
        if space is None:
            continue
        owned[exam.uid] = space
        words = [exam.name, exam.patient_id, exam.patient, exam.description]
        words += [one.words_key for one in held[exam.uid] if one.space == space]
        yield {
            "space": space,
            "uid": exam.uid,
            "assessed": True,
            "at": exam.performed_at or NEW,
            "urgency": urgency_of(outcome_of(exam.failed, exam.unknown, exam.passed)),
            "modalities": "".join(("\\", *(f"{one}\\" for one in modalities[exam.uid]))),
            "words": _words(words),
        }
    for uid, copies in held.items():
        for one in copies:
            if owned.get(uid) != one.space:
                yield {
                    "space": one.space,
                    "uid": uid,
                    "assessed": False,
                    "at": NEW,
                    "urgency": OPEN,
                    "modalities": one.modalities_key,
                    "words": _words([one.words_key]),
                }


def _held(uids: Sequence[str]) -> Any:
    held = stored_study.c
    columns = (held.study_uid, held.space, held.words_key, held.modalities_key)
    return select(*columns).where(held.study_uid.in_(uids), held.space.startswith(HOSPITALS, autoescape=True))


def _assessed(uids: Sequence[str]) -> Any:
    exam, identity = schema.exam.c, schema.identity.c
    columns = (exam.uid, exam.site, exam.patient, exam.performed_at, exam.description, identity.name)
    counts = (exam.failed, exam.unknown, exam.passed)
    return (
        select(*columns, identity.patient_id, *counts)
        .join(schema.identity, identity.patient == exam.patient)
        .where(exam.uid.in_(uids))
    )


def _modalities(connection: Connection, uids: Sequence[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    series = schema.series.c
    pairs = select(series.exam_uid, series.modality).where(series.exam_uid.in_(uids)).distinct()
    for uid, modality in connection.execute(pairs.order_by(series.modality)):
        found[uid].append(modality)
    return found


def _words(pieces: Sequence[str | None]) -> str:
    return searched("|".join(piece for piece in pieces if piece))[:LONGEST_WORDS]
