"""The files that ``bingcheng deidentify`` is given, in folders and archives: each of them, or why it can't be had."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.index.scan import BROKEN_ARCHIVE
from bingcheng.dicom.sources import UNREADABLE, member_content

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


SAME_NAME = Problem(
    code="cli.deidentify-same-name",
    says="the archive holds several files of this name, of which only one can be read",
    remedy="Unpack it with a program that asks about them, and clean the folder.",
    owner=Owner.OPERATOR,
)
_PREAMBLE = 132

Given = tuple[str, bytes | InputError]
"""What a file is called, and what is in it, or why it can't be had."""


def given_files(source: Path) -> Iterator[Given]:
    """What each file holds, in the order of their names, or why it can't be had: none is left out in silence.

    Archives (zip) are looked into, archives in them aren't. Links to folders aren't followed: they lead in circles,
    into the results, or to what nobody meant.
    """
    if not source.is_dir():
        if source.exists():
            yield from _content(source)
        return
    closed: list[Path] = []
    for folder, inside, names in os.walk(source, onerror=lambda error: closed.append(Path(error.filename))):
        for path in sorted(Path(folder, name) for name in inside):
            if os.path.islink(path):  # noqa: PTH114 - says no where pathlib raises; the walk tells of those
                yield str(path), InputError(LINK)
        inside.sort()
        for path in sorted(Path(folder, name) for name in names):
            yield from _content(path)
    yield from ((str(path), InputError(CANT_ENTER)) for path in closed)


def _content(path: Path) -> Iterator[Given]:
    try:
        if path.is_file():
            if _is_archive(path):
                yield from _members(path)
            else:
                yield str(path), path.read_bytes()
        elif path.is_symlink():  # that leads nowhere; pipes and sockets, on which a reader would wait, are no files
            yield str(path), InputError(CANT_READ)
    except OSError:  # one that can't be read keeps none of the others
        yield str(path), InputError(CANT_READ)


def _is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name and by its content: a DICOM file is cleaned whatever it is called."""
    if path.suffix.lower() != ".zip":
        return False
    with path.open("rb") as stream:
        head = stream.read(_PREAMBLE)
        return not head.endswith(b"DICM") and (head.startswith(b"PK") or zipfile.is_zipfile(stream))


def _members(path: Path) -> Iterator[Given]:
    """The files in an archive, in the order of their names."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = Counter(entry.filename for entry in archive.infolist() if not entry.is_dir())
            for name, count in sorted(names.items()):
                yield f"{path}!{name}", InputError(SAME_NAME) if count > 1 else _member(archive, name)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        yield str(path), InputError(BROKEN_ARCHIVE, error=type(error).__name__)


def _member(archive: zipfile.ZipFile, name: str) -> bytes | InputError:
    try:
        return member_content(archive, name)
    except InputError as error:
        return InputError(BROKEN_ARCHIVE, **error.reason.facts) if error.problem is UNREADABLE else error
