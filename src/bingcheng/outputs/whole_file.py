"""A file that is replaced whole: readers and other runs see the old content or the new, never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ANYBODY = 0o666
"""Who may read and write the folder may the file."""


@contextmanager
def whole_file(path: Path, *, most: int = ANYBODY) -> Iterator[Path]:
    """An empty file to write into, which takes the place of `path` if all goes well, else it is cleared away.

    Its name is its own, since two runs may write the same file at the same time. The folder is made if absent.

    Parameters
    ----------
    most : the permissions that it may have at most, of those that its folder gives.

    Raises
    ------
    OSError
        if it can't be written; the caller knows what to say about its own file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.chmod(path.parent.stat().st_mode & most)  # a temporary file is its owner's only
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
