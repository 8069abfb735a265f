"""The command ``bingcheng``: which commands there are and what their options mean.

Only this module is imported for ``--help``; each command imports what it runs when it runs. Annotations are evaluated
here on purpose (no postponed evaluation): the help of each option is in the reader's language.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.exits import OK, plainly
from bingcheng.outputs.language import Language

DEFAULT_WORKSPACE = Path("bingcheng-workspace")


def main() -> None:
    """Run the command line."""
    code, arguments = _language_code(sys.argv[1:])
    language = Language.of(code)
    with plainly(language):
        application(language)(arguments, prog_name="bingcheng")


def _language_code(arguments: list[str]) -> tuple[str, list[str]]:
    """The language asked for, and the arguments without it: the help's own words depend on it, wherever it stands.

    ``--lang`` goes before BINGCHENG_LANG, that before the locale of the terminal.
    """
    rest = list(arguments)
    for position, argument in enumerate(arguments):
        if argument == "--lang" and position + 1 < len(arguments):
            del rest[position : position + 2]
            return arguments[position + 1], rest
        if argument.startswith("--lang="):
            del rest[position]
            return argument.removeprefix("--lang="), rest
    names = ("BINGCHENG_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    return next((os.environ[name] for name in names if os.environ.get(name)), "en"), rest


def application(language: Language) -> typer.Typer:
    """The command line application, its help in `language`."""
    _ = language.say

    workspace = typer.Option(
        "--workspace",
        "-w",
        envvar="BINGCHENG_WORKSPACE",
        help=_("Folder for the database and all outputs; made if it does not exist."),
        file_okay=False,
    )
    database = typer.Option(
        "--database",
        envvar="BINGCHENG_DATABASE",
        help=_("Address of a database server, e.g. postgresql+psycopg://user@host/name; else a file in the workspace."),
    )
    identified = typer.Option(
        "--identified", help=_("Show patients by name and number, exams by date. Only for those who may see them.")
    )
    as_json = typer.Option("--json", help=_("Print the result as one JSON object for other programs."))
    application = typer.Typer(
        name="bingcheng",
        help=_(
            "Tumour imaging made comparable between hospitals. Start with: bingcheng assess FOLDER. "
            "Research software, not a medical device."
        ),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )

    @application.callback()
    def root(
        _lang: Annotated[
            str,
            typer.Option(
                "--lang",
                envvar="BINGCHENG_LANG",
                help=_("Language of terminal and report: en or zh; may stand anywhere. 中文：--lang zh"),
                show_default=False,
            ),
        ] = "",
        _version: Annotated[
            bool,
            typer.Option("--version", help=_("Print the version and stop."), callback=_print_version, is_eager=True),
        ] = False,
    ) -> None:
        """Options that hold for all commands."""

    @application.command(
        "assess",
        help=_("Assess exams: protocol, quality, tumours, changes, comparison of hospitals, report."),
        epilog=_(
            "Exit codes: 0 done; 1 with --strict: an exam broke a required criterion, or could not be assessed; "
            "2 wrong usage; 3 no exam found; 4 workspace or outputs can't be used; 70 a fault of the program. "
            "Running it again on the same exams changes nothing; a run that was cut off goes on where it stopped."
        ),
    )
    def assess(
        paths: Annotated[
            list[Path], typer.Argument(help=_("Folders, files, zip archives or DICOMDIRs; searched with all below."))
        ],
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        strict: Annotated[
            bool, typer.Option("--strict", help=_("Exit with 1 if an exam fails or may fail a required criterion."))
        ] = False,
        json: Annotated[bool, as_json] = False,
        identified: Annotated[bool, identified] = False,
        again: Annotated[
            bool, typer.Option("--again", help=_("Assess exams anew that nothing has changed in."))
        ] = False,
        protocol: Annotated[
            list[str] | None,
            typer.Option("--protocol", help=_("Judge by this protocol too (see `bingcheng protocols`); repeatable.")),
        ] = None,
        own_protocol: Annotated[
            list[Path] | None,
            typer.Option("--own-protocol", help=_("A protocol file of your hospital; repeatable."), exists=True),
        ] = None,
        workers: Annotated[
            int, typer.Option("--workers", min=1, help=_("How many exams to assess at the same time."))
        ] = min(os.cpu_count() or 1, 8),
        scheduler: Annotated[
            str | None,
            typer.Option("--scheduler", envvar="BINGCHENG_SCHEDULER", help=_("Address of a Dask scheduler to use.")),
        ] = None,
        database: Annotated[str | None, database] = None,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help=_("Print nothing but errors."))] = False,
    ) -> None:
        from bingcheng.cli.assess import Request, run_assess  # noqa: PLC0415 - heavy, and not needed for --help

        request = Request(
            paths=tuple(paths),
            workspace=workspace,
            database=database,
            strict=strict,
            json=json,
            identified=identified,
            again=again,
            protocols=tuple(protocol or ()),
            own_protocols=tuple(own_protocol or ()),
            workers=workers,
            scheduler=scheduler,
            quiet=quiet,
        )
        raise typer.Exit(run_assess(request, language))

    @application.command(
        "demo",
        help=_("Make a study of three invented hospitals with known truth, and assess it."),
    )
    def demo(
        folder: Annotated[Path, typer.Argument(help=_("Where to put the study and its workspace."))] = Path(
            "demo-study"
        ),
        workers: Annotated[int, typer.Option("--workers", min=1, help=_("How many processes to use."))] = min(
            os.cpu_count() or 1, 8
        ),
    ) -> None:
        from bingcheng.cli.demo import run_demo  # noqa: PLC0415

        raise typer.Exit(run_demo(folder, workers, language))

    @application.command(
        "show", help=_("Print one exam: findings and what to do, quality, lesions; without a name, a list.")
    )
    def show(
        exam: Annotated[str | None, typer.Argument(help=_("Label (E01) or Study Instance UID."))] = None,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
        identified: Annotated[bool, identified] = False,
    ) -> None:
        from bingcheng.cli.show import run_show  # noqa: PLC0415

        raise typer.Exit(run_show(exam, workspace, database, identified=identified, language=language))

    @application.command(
        "protocols", help=_("List the agreed protocols, or print one with its criteria and their sources.")
    )
    def protocols(
        protocol: Annotated[str | None, typer.Argument(help=_("Identifier of a protocol."))] = None,
    ) -> None:
        from bingcheng.cli.listings import run_protocols  # noqa: PLC0415

        raise typer.Exit(run_protocols(protocol, language))

    @application.command(
        "measures", help=_("List the measures, or print one with its definition, source and references.")
    )
    def measures(
        measure: Annotated[str | None, typer.Argument(help=_("Key of a measure."))] = None,
        inputs: Annotated[
            bool, typer.Option("--inputs", help=_("List what a measure may ask for by name, for authors of measures."))
        ] = False,
    ) -> None:
        from bingcheng.cli.listings import run_measures  # noqa: PLC0415

        raise typer.Exit(run_measures(measure, inputs=inputs, language=language))

    @application.command(
        "verify", help=_("Recompute every reference on this machine: the acceptance test of an installation.")
    )
    def verify(
        json: Annotated[bool, as_json] = False,
    ) -> None:
        from bingcheng.cli.verify import run_verify  # noqa: PLC0415

        raise typer.Exit(run_verify(json=json, language=language))

    return application


def _print_version(wanted: bool) -> None:
    if wanted:
        from bingcheng import __version__  # noqa: PLC0415

        typer.echo(f"bingcheng {__version__}")
        raise typer.Exit(OK)
