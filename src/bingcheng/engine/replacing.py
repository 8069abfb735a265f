"""A folder that is replaced whole: readers and other runs see the old content or the new, never a part."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from bingcheng.core.errors import InputError
from bingcheng.engine.problems import CANNOT_WRITE

ABANDONED_S = 86400.0
"""What a run that was killed left behind is cleared away after a day: no exam takes longer."""


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder to write into; it takes the place of `folder` if all goes well, else it is cleared away.

    If nothing was written, nothing stands in that place afterwards.

    Raises
    ------
    InputError
        ``engine.cannot-write``.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(folder)
        made = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        made.chmod(folder.parent.stat().st_mode & 0o777)  # a temporary folder is its owner's only
    except OSError as error:
        raise InputError(CANNOT_WRITE, what=folder.parent.name, error=type(error).__name__) from error
    try:
        yield made
        _put(made, folder)
    except OSError as error:
        raise InputError(CANNOT_WRITE, what=folder.parent.name, error=type(error).__name__) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put(made: Path, folder: Path) -> None:
    old = made.with_name(f"{made.name}_old")
    with suppress(FileNotFoundError):
        folder.rename(old)
    try:
        if any(made.iterdir()):
            made.rename(folder)
    except OSError:
        # Another run has assessed the same exam at the same time, and put its equal objects here just now.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _clear_abandoned(folder: Path) -> None:
    for left in folder.parent.glob(f".{folder.name}.*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)
