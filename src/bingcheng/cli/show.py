"""``bingcheng show``: one exam of a workspace in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bingcheng.archive.workspace import Workspace
from bingcheng.cli.exits import OK
from bingcheng.cli.terminal import exam_table, print_exam
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.engine.problems import NO_SUCH_EXAM, NO_SUCH_PATH
from bingcheng.engine.view import assessment
from bingcheng.outputs.language import Language


def run_show(exam: str | None, folder: Path, database: str | None, *, identified: bool, language: Language) -> int:
    """Print the exam with that label or UID, or the list of exams; returns the exit code.

    Raises
    ------
    InputError
        ``engine.no-such-path`` if there is no workspace, ``engine.no-such-exam``.
    """
    if database is None and not folder.is_dir():
        raise InputError(NO_SUCH_PATH, path=str(folder))
    workspace = Workspace.open(folder, database)
    try:
        seen = assessment(workspace, identified=identified)
    finally:
        workspace.close()
    console = Console()
    if exam is None:
        console.print(exam_table(language, seen.exams) if seen.exams else language.say(text("No exam is stored yet.")))
        return OK
    found = [one for one in seen.exams if exam.upper() == one.label or exam == one.uid]
    if not found:
        raise InputError(NO_SUCH_EXAM, exam=exam)
    print_exam(console, language, found[0])
    return OK
