"""Workspaces of earlier releases brought up to the tables of this one, in one transaction, keeping what they hold.

First come the steps between two versions, which know what changed and why; then whatever else is missing is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from sqlalchemy import Connection, select, update

from bingcheng.archive import rooms, schema
from bingcheng.archive.cases.attached.kept import clean_kept
from bingcheng.archive.cases.case import part_hidden
from bingcheng.archive.cases.earlier_comments import search_earlier_comments
from bingcheng.archive.cases.reading_list import open_from_trail
from bingcheng.archive.cases.tables import case_comment_found, case_reading, case_unlocked
from bingcheng.archive.cases.unlocking import unlock_answered
from bingcheng.archive.listing import list_all, listed
from bingcheng.archive.workspace_tables import complete, lacks


def version_of(connection: Connection) -> int | None:
    """The version that the tables of a workspace are of; None if it does not say, and is no workspace of ours."""
    about = schema.about
    found = connection.scalar(select(about.c.value).where(about.c.key == "version"))
    return int(found) if found is not None and found.isdecimal() else None


def outdated(connection: Connection) -> bool:
    """Whether `upgrade` has anything to do; a workspace of a later release is left alone."""
    version = version_of(connection)
    if version is None or version > schema.VERSION:
        return False
    return version < schema.VERSION or bool(lacks(connection))


def upgrade(connection: Connection) -> None:
    """Apply every step between the version of the workspace and this release's, and add what is missing after that.

    Raises
    ------
    InputError
        ``archive.cannot-complete``; the transaction must be undone then.
    """
    found = version_of(connection)
    if found is None:
        return
    about = schema.about
    unlisted = not connection.dialect.has_table(connection, listed.name)
    # Came in the same release as what its presence tells.
    read, parted, unsearched = (
        not connection.dialect.has_table(connection, one.name)
        for one in (case_reading, case_unlocked, case_comment_found)
    )
    for version in range(found, schema.VERSION):
        STEPS[version](connection)
        connection.execute(update(about).where(about.c.key == "version").values(value=str(version + 1)))
    complete(connection)
    clean_kept(connection)
    if unlisted:
        list_all(connection)
    if read:
        open_from_trail(connection)
    if parted:
        part_hidden(connection)
        unlock_answered(connection)
    if unsearched:
        search_earlier_comments(connection, datetime.now(UTC).replace(tzinfo=None))


def _statements_and_summaries(connection: Connection) -> None:
    """1 to 2: statements of people, doses, numbers of findings in columns.

    Exams are judged anew, which fills the numbers, and those that a run finds again are assessed anew, which reads
    their doses.
    """
    schema.statement.create(connection, checkfirst=True)
    schema.dose.create(connection, checkfirst=True)
    # Findings are made anew from the facts: the table is made anew too, since a column that must be filled can't be
    # added to one that has rows.
    schema.finding.drop(connection, checkfirst=True)
    schema.finding.create(connection)
    connection.execute(update(schema.exam).values(judged=None, fingerprint=""))


def _radiomics_and_follow_up(connection: Connection) -> None:
    """2 to 3: radiomics features, which no exam has until somebody asks for them; lesions matched between exams."""
    for table in (schema.radiomics, schema.matching, schema.lesion_edit):
        table.create(connection, checkfirst=True)


def _exchange(connection: Connection) -> None:
    """3 to 4: objects received, people, cases and all that hospitals exchange; none has any rows yet.

    Exams are judged anew, which counts their findings.
    """
    for column in (schema.exam.c.failed, schema.exam.c.unknown, schema.exam.c.passed):
        connection.exec_driver_sql(f"ALTER TABLE exam ADD COLUMN {column.name} INTEGER NOT NULL DEFAULT 0")
    connection.execute(update(schema.exam).values(judged=None))
    rooms.metadata.create_all(connection)


STEPS: Mapping[int, Callable[[Connection], None]] = MappingProxyType(
    {1: _statements_and_summaries, 2: _radiomics_and_follow_up, 3: _exchange}
)
"""What brings a workspace of the version that is the key to the next one."""
