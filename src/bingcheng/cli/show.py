"""``bingcheng show``: one exam of a workspace in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bingcheng.archive.workspace import Workspace
from bingcheng.cli.exam_names import exam_named
from bingcheng.cli.exits import OK
from bingcheng.cli.features import print_features
from bingcheng.cli.lesion_links import print_links
from bingcheng.cli.terminal import exam_table, print_exam
from bingcheng.core.wording import text
from bingcheng.engine.view import assessment
from bingcheng.outputs.language import Language


def run_show(
    exam: str | None,
    folder: Path,
    database: str | None,
    *,
    identified: bool,
    language: Language,
    features: bool = False,
) -> int:
    """Print the exam with that label or UID, or the list of exams; returns the exit code.

    Parameters
    ----------
    features : list every radiomics feature of its lesions, not only how many there are.

    Raises
    ------
    InputError
        ``archive.no-workspace``, ``engine.no-such-exam``.
    """
    workspace = Workspace.look_into(folder, database)
    try:
        seen = assessment(workspace, identified=identified, images=False)
    finally:
        workspace.close()
    console = Console()
    if exam is None:
        console.print(exam_table(language, seen.exams) if seen.exams else language.say(text("No exam is stored yet.")))
        return OK
    chosen = exam_named(seen.exams, exam)
    print_exam(console, language, chosen)
    matched = [one for one in seen.follow_up if chosen.uid in (one.earlier_uid, one.later_uid)]
    print_links(console, language, matched, seen.exams)
    print_features(console, language, chosen, seen.radiomics, every=features)
    return OK
