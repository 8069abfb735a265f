"""What to say of folders in which no exam is: what is there instead, so that the person sees what was given."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text
from bingcheng.engine.problems import NOTHING_FOUND

MOST_KINDS = 4
ENDING = re.compile(r"\.[a-z0-9]{1,8}$")
"""An ending that names a format; whatever else follows a point may be part of a person's name."""


def nothing_found(paths: Iterable[Path], *, refused: bool) -> InputError:
    """The error that says that no exam is in `paths`, and what is.

    Parameters
    ----------
    paths : what was given.
    refused : whether something there was meant to be DICOM; the refusals say why it is of no use.
    """
    kinds = Counter(_ending(name) for path in paths for name in _names(path))
    count = kinds.total()
    if not count:
        found = text("there is no file in it")
    elif refused:
        found = text("none of the files there could be used ({kinds})", kinds=_listed(kinds))
    elif count == 1:
        found = text("the one file there is not DICOM ({kinds})", kinds=_listed(kinds))
    else:
        found = text("none of the {count} files there is DICOM ({kinds})", count=count, kinds=_listed(kinds))
    return InputError(NOTHING_FOUND, found=found)


def _names(path: Path) -> Iterator[str]:
    """The names of all files, in zip archives too, without hidden ones."""
    if path.is_dir():
        for _, inside, names in os.walk(path):
            inside[:] = [name for name in inside if not name.startswith(".")]
            yield from (name for name in names if not name.startswith("."))
    elif path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (entry.filename.rpartition("/")[2] for entry in archive.infolist() if not entry.is_dir())
    elif path.exists():
        yield path.name


def _ending(name: str) -> str:
    """The ending that tells a format; empty if there is none."""
    lowered = name.lower()
    if lowered.endswith(".nii.gz"):
        return ".nii.gz"
    found = ENDING.search(lowered)
    return found.group() if found is not None and found.start() > 0 else ""


def _listed(kinds: Counter[str]) -> Text:
    ordered = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    parts = [
        text("{count} × {ending}", count=count, ending=ending)
        if ending
        else text("{count} without an ending", count=count)
        for ending, count in ordered[:MOST_KINDS]
    ]
    others = sum(count for _, count in ordered[MOST_KINDS:])
    if others:
        parts.append(text("{count} others", count=others))
    listed = parts[0]
    for part in parts[1:]:
        listed = text("{first}, {next}", first=listed, next=part)
    return listed
