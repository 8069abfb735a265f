"""Options that several commands share, in the reader's language."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from bingcheng.cli.exits import plainly
from bingcheng.cli.help import commands_in
from bingcheng.cli.help import unvalued as flag
from bingcheng.core.collector import collect_from_now_on
from bingcheng.outputs.language import Language

DEFAULT_WORKSPACE = Path("bingcheng-workspace")
MOST_WORKERS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What commands are made with: their classes and the options that many of them have."""

    language: Language
    command: Any
    group: Any
    workspace: Any
    database: Any
    identified: Any
    as_json: Any
    workers: Any
    default_workers: int

    def describe(self, to: typer.Typer, name: str, says: str, *, epilog: str | None = None) -> Callable[..., Any]:
        """The decorator that makes a function the command `name` of the group `to`."""
        return to.command(name, cls=self.command, help=says, epilog=epilog)

    def end(self, run: Callable[[], int]) -> NoReturn:
        """Run a command, whose modules are imported, and end with its exit code."""
        collect_from_now_on()
        # Within the command: typer would turn an interruption into an exit of its own, without a word.
        with plainly(self.language):
            code = run()
        raise typer.Exit(code)


def shared(language: Language) -> Shared:
    """The shared options, their help in `language`."""
    _ = language.say
    command, group = commands_in(language)
    return Shared(
        language=language,
        command=command,
        group=group,
        workspace=typer.Option(
            "--workspace",
            "-w",
            envvar="BINGCHENG_WORKSPACE",
            metavar=_("FOLDER"),
            help=_("Folder for the database and all outputs; made if it does not exist."),
        ),
        database=typer.Option(
            "--database",
            envvar="BINGCHENG_DATABASE",
            metavar=_("ADDRESS"),
            help=_(
                "Address of a database server, e.g. postgresql+psycopg://user@host/name; else a file in the workspace."
            ),
        ),
        identified=flag(
            "--identified", says=_("Show patients by name and number, exams by date. Only for those who may see them.")
        ),
        as_json=flag("--json", says=_("Print the result as one JSON object for other programs.")),
        workers=typer.Option(
            "--workers",
            min=1,
            metavar=_("NUMBER"),
            help=_("How many exams to assess at the same time."),
        ),
        default_workers=min(os.cpu_count() or 1, MOST_WORKERS),
    )
