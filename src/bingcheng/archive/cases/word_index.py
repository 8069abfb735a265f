"""Which cases hold some words: for SQLite an index of letters and pairs of neighbouring letters, once cases are many.

Chinese has no spaces, and most of its words have two letters: an index of words or of triples would not find them.
What the index finds is still compared with what is written. What was written since it was indexed, by whatever program,
is noted by triggers, and looked through without the index: so nothing is missed, and indexing may wait.
"""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, and_, column, or_, select, table

from bingcheng.archive.cases.tables import shared_case

WORTH_IT = 1000
"""Cases; fewer are looked through letter by letter in some milliseconds."""
AT_ONCE = 50
"""Cases that are indexed with one change: those of an earlier release are, a part with each."""
_stale = table("case_grams_stale", column("id"))
_grams = table("case_grams", column("rowid"), column("case_grams"))
_MAKE = (
    # Of each gram only which cases hold it: neither where (detail), nor how long they are (columnsize), nor themselves.
    "CREATE VIRTUAL TABLE case_grams USING fts5(grams, content='', columnsize=0, detail=none, tokenize='ascii')",
    "CREATE TABLE case_grams_stale (id INTEGER PRIMARY KEY, before TEXT)",
    "INSERT INTO case_grams_stale (id) SELECT id FROM shared_case",
    """
    CREATE TRIGGER case_grams_new AFTER INSERT ON shared_case
    BEGIN INSERT OR IGNORE INTO case_grams_stale (id) VALUES (NEW.id); END
    """,
    """
    CREATE TRIGGER case_grams_changed AFTER UPDATE OF words ON shared_case WHEN OLD.words <> NEW.words
    BEGIN INSERT OR IGNORE INTO case_grams_stale (id, before) VALUES (OLD.id, OLD.words); END
    """,
    """
    CREATE TRIGGER case_grams_gone AFTER DELETE ON shared_case
    BEGIN INSERT OR IGNORE INTO case_grams_stale (id, before) VALUES (OLD.id, OLD.words); END
    """,
)
_WAITING = """
    SELECT waiting.id, waiting.before, known.words
    FROM case_grams_stale AS waiting LEFT JOIN shared_case AS known ON known.id = waiting.id
    LIMIT ?
"""
_TAKE_OUT = "INSERT INTO case_grams (case_grams, rowid, grams) VALUES ('delete', ?, ?)"
_PUT_IN = "INSERT INTO case_grams (rowid, grams) VALUES (?, ?)"
_DONE = "DELETE FROM case_grams_stale WHERE id = ?"


def keep_up(connection: Connection, number: int) -> None:
    """Index what was written; the index is made when the case of this number is the first of many.

    On a database server nothing is done: it looks through the words itself.
    """
    if connection.dialect.name != "sqlite":
        return
    if not connection.dialect.has_table(connection, _stale.name):
        if number < WORTH_IT:
            return
        for statement in _MAKE:
            connection.exec_driver_sql(statement)
    for case, before, words in connection.exec_driver_sql(_WAITING, (AT_ONCE,)).all():
        if before is not None:
            connection.exec_driver_sql(_TAKE_OUT, (case, " ".join(sorted(_of(before)))))
        if words is not None:
            connection.exec_driver_sql(_PUT_IN, (case, " ".join(sorted(_of(words)))))
        connection.exec_driver_sql(_DONE, (case,))


def holding(connection: Connection, words: str) -> ColumnElement[bool]:
    """The condition on `shared_case` that holds for cases in which these words, without case, stand somewhere."""
    written = shared_case.c.words.contains(words, autoescape=True)
    if not words or connection.dialect.name != "sqlite" or not connection.dialect.has_table(connection, _stale.name):
        return written
    asked = " AND ".join(f'"{one}"' for one in sorted(_pairs(words) or _letters(words)))
    found = select(_grams.c.rowid).where(_grams.c.case_grams.op("MATCH", is_comparison=True)(asked))
    number = shared_case.c.id
    return and_(or_(number.in_(found), number.in_(select(_stale.c.id))), written)


def _of(words: str) -> set[str]:
    return _letters(words) | _pairs(words)


def _letters(words: str) -> set[str]:
    return {f"{ord(one):x}" for one in words}


def _pairs(words: str) -> set[str]:
    # As numbers: whatever a letter is, the index takes it for one.
    return {f"{ord(one):x}g{ord(other):x}" for one, other in pairwise(words)}
