"""The files that ``bingcheng deidentify`` is given: each of them, or why it can't be had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bingcheng.core.errors import InputError, Owner, Problem

CANT_READ = Problem(
    code="cli.deidentify-cant-read",
    says="the file can't be read from the disk",
    remedy="Look whether you may read it, and whether its disk is sound.",
    owner=Owner.OPERATOR,
)
CANT_ENTER = Problem(
    code="cli.deidentify-cant-enter",
    says="the folder can't be looked into, so what is in it was left out",
    remedy="Look whether you may open it, and whether its disk is sound.",
    owner=Owner.OPERATOR,
)
LINK = Problem(
    code="cli.deidentify-link",
    says="a link leads to another folder, and what is there was left out",
    remedy="Clean that folder by itself, with the same key.",
    owner=Owner.OPERATOR,
)


def given_files(source: Path) -> Iterator[tuple[Path, bytes | InputError]]:
    """What each file holds, in the order of their names, or why it can't be had: none is left out in silence.

    Links to folders aren't followed: they lead in circles, into the results, or to what nobody meant.
    """
    if not source.is_dir():
        if source.exists():
            yield from _content(source)
        return
    closed: list[Path] = []
    for folder, inside, names in os.walk(source, onerror=lambda error: closed.append(Path(error.filename))):
        for path in sorted(Path(folder, name) for name in inside):
            if os.path.islink(path):  # noqa: PTH114 - says no where pathlib raises; the walk tells of those
                yield path, InputError(LINK)
        inside.sort()
        for path in sorted(Path(folder, name) for name in names):
            yield from _content(path)
    yield from ((path, InputError(CANT_ENTER)) for path in closed)


def _content(path: Path) -> Iterator[tuple[Path, bytes | InputError]]:
    try:
        if path.is_file():
            yield path, path.read_bytes()
        elif path.is_symlink():  # that leads nowhere; pipes and sockets, on which a reader would wait, are no files
            yield path, InputError(CANT_READ)
    except OSError:  # one that can't be read keeps none of the others
        yield path, InputError(CANT_READ)
