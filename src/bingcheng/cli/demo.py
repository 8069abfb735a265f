"""``bingcheng demo``: the main job on a generated study of three hospitals, with known truth beside it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.prompt import Confirm

from bingcheng.archive.workspace import Workspace
from bingcheng.cli.assess import Request, run_assess
from bingcheng.cli.exits import OK
from bingcheng.cli.progress import progress_bars
from bingcheng.core.wording import text
from bingcheng.engine.demo.accounts import ACCOUNT_FILE, make_accounts, write_accounts
from bingcheng.engine.demo.study import write_demo
from bingcheng.outputs.language import Language

EXAMS = "exams"
WORKSPACE = "workspace"


def run_demo(folder: Path, workers: int, language: Language) -> int:
    """Generate the study in ``exams``, assess it into ``workspace``, offer to open it; returns the exit code."""
    generating = text("Generating the study")
    with progress_bars(language, shown=True) as told:
        write_demo(folder / EXAMS, progress=lambda done, total: told(generating, done, total), workers=workers)
    code = run_assess(Request(paths=(folder / EXAMS,), workspace=folder / WORKSPACE, workers=workers), language)
    return code if code != OK else _offer(folder, language)


def _offer(folder: Path, language: Language) -> int:
    """Say how to open the platform on the study and who may sign in; open it if somebody sits there and wants it."""
    workspace = Workspace.open(folder / WORKSPACE)
    try:
        accounts = make_accounts(workspace, datetime.now(UTC).replace(tzinfo=None))
    finally:
        workspace.close()
    if accounts:
        write_accounts(accounts, folder)
    console = Console()
    command = f"bingcheng serve --workspace {folder / WORKSPACE}"
    console.print()
    console.print(language.say(text("The same study as the hospitals' platform, in a browser:")))
    console.print(f"  {command}", soft_wrap=True, highlight=False, markup=False)
    if (folder / ACCOUNT_FILE).is_file():
        sign_in = text("Sign in as one of its invented people: {file}", file=str(folder / ACCOUNT_FILE))
        console.print(language.say(sign_in), soft_wrap=True, highlight=False, markup=False)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return OK
    if not Confirm.ask(language.say(text("Open it now?")), console=console, default=True):
        return OK
    from bingcheng.cli.serve import Request as Serving  # noqa: PLC0415 - the web is not needed otherwise
    from bingcheng.cli.serve import run_serve  # noqa: PLC0415

    return run_serve(Serving(workspace=folder / WORKSPACE), os.environ, language)
