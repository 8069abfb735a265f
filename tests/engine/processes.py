"""The command as a process of its own, and the workspace's database seen from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

BINGCHENG = Path(sys.executable).parent / "bingcheng"


def environment(**changed: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BINGCHENG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C.UTF-8", **changed}


def start(*arguments: object, **changed: str) -> subprocess.Popen[str]:
    """The command in a session of its own, so that `finished` can end all of it."""
    return subprocess.Popen(
        [BINGCHENG, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**changed),
        encoding="utf-8",
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str], within_s: float = 120.0) -> tuple[int, str, str]:
    """Exit code, output and errors of a process that leads a session; whatever is not over in time is killed.

    Raises
    ------
    subprocess.TimeoutExpired
        with what it said until then.
    """
    try:
        out, err = process.communicate(timeout=within_s)
    except BaseException:
        # What it started too: workers that are left would hold its pipes open, and a processor.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, err


def dump(workspace: Path) -> list[str]:
    """Every row of the database, as SQL."""
    connection = sqlite3.connect(workspace / "bingcheng.sqlite")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def stored_exams(workspace: Path) -> int:
    file = workspace / "bingcheng.sqlite"
    if not file.exists():
        return 0
    connection = sqlite3.connect(file)
    try:
        return int(connection.execute("SELECT count(*) FROM exam").fetchone()[0])
    except sqlite3.OperationalError:  # the tables are not made yet
        return 0
    finally:
        connection.close()


def objects(workspace: Path) -> dict[str, bytes]:
    """The DICOM objects that were written, hidden leftovers included."""
    folder = workspace / "dicom"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
