"""Where the files of exams were when they were read, so that what needs pixels later can find them again.

A path may hold a patient's name: it is used to open files and shown to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, insert, select

from bingcheng.archive import schema
from bingcheng.archive.codec import storable
from bingcheng.archive.workspace import Workspace


def save_sources(workspace: Workspace, found: Mapping[str, Collection[Path]]) -> None:
    """Store, by the UID of an exam, the folders and archives that it was read from; exams that aren't stored are left.

    What was stored of the same exams before is replaced; a run that finds everything where it was writes nothing.
    """
    table = schema.exam_source
    with workspace.reading() as connection:
        stored = found.keys() & set(connection.scalars(select(schema.exam.c.uid)))
    wanted = {uid: {storable(str(path)) for path in found[uid]} for uid in stored}
    known = {uid: {str(path) for path in paths} for uid, paths in sources(workspace).items() if uid in stored}
    changed = {uid: paths for uid, paths in wanted.items() if paths != known.get(uid, set())}
    if not changed:
        return
    with workspace.writing() as connection:
        connection.execute(delete(table).where(table.c.exam_uid == bindparam("of")), [{"of": uid} for uid in changed])
        rows = [{"exam_uid": uid, "path": path} for uid, paths in changed.items() for path in sorted(paths)]
        if rows:
            connection.execute(insert(table), rows)


def sources_of(connection: Connection, exam_uid: str) -> tuple[Path, ...]:
    """The folders and archives that one exam was last read from."""
    table = schema.exam_source.c
    found = connection.scalars(select(table.path).where(table.exam_uid == exam_uid).order_by(table.id))
    return tuple(Path(path) for path in found)


def sources(workspace: Workspace) -> dict[str, tuple[Path, ...]]:
    """The folders and archives that each exam was last read from, by its UID, whether or not they are still there."""
    table = schema.exam_source.c
    found: dict[str, list[Path]] = defaultdict(list)
    with workspace.reading() as connection:
        for uid, path in connection.execute(select(table.exam_uid, table.path).order_by(table.id)):
            found[uid].append(Path(path))
    return {uid: tuple(paths) for uid, paths in found.items()}
