"""The command ``bingcheng``: which commands there are and what their options mean.

Only this module is imported for ``--help``; each command imports what it runs when it runs. Annotations are evaluated
here on purpose (no postponed evaluation): the help of each option is in the reader's language.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.deidentify_commands import add_deidentify_command
from bingcheng.cli.exits import OK, USAGE, plainly, settle_streams, tell
from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.lesion_commands import add_lesion_commands
from bingcheng.cli.options import DEFAULT_WORKSPACE, shared
from bingcheng.cli.protocol_commands import add_protocol_commands
from bingcheng.cli.radiomics_commands import add_radiomics_command
from bingcheng.cli.segment_commands import add_segment_command
from bingcheng.cli.serve_commands import add_serve_command
from bingcheng.cli.usage import usage_errors
from bingcheng.cli.viewer_commands import add_viewer_commands
from bingcheng.core.collector import collecting_later
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language

LANGUAGES = ("en", "zh")


def main() -> None:
    """Run the command line."""
    settle_streams()
    asked, arguments = _language_asked_for(sys.argv[1:])
    language = Language.of(asked or _language_of_terminal())
    if asked is not None and asked.replace("-", "_").split("_")[0].lower() not in LANGUAGES:
        tell(
            language,
            text("'{language}' is not a language that this program speaks.", language=asked),
            text("Write --lang en or --lang zh."),
            "cli.unknown-language",
        )
        sys.exit(USAGE)
    with collecting_later(), plainly(language), usage_errors(arguments):
        # Not in typer's standalone mode, which prints errors itself, in English.
        sys.exit(application(language)(arguments, prog_name="bingcheng", standalone_mode=False))


def _language_asked_for(arguments: list[str]) -> tuple[str | None, list[str]]:
    """What ``--lang`` says, and the arguments without it: the help's own words depend on it, wherever it stands."""
    rest = list(arguments)
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--lang" and position + 1 < len(arguments):
            del rest[position : position + 2]
            return arguments[position + 1], rest
        if argument.startswith("--lang="):
            del rest[position]
            return argument.removeprefix("--lang="), rest
    return None, rest


def _language_of_terminal() -> str:
    names = ("BINGCHENG_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    return next((os.environ[name] for name in names if os.environ.get(name)), "en")


def application(language: Language) -> typer.Typer:
    """The command line application, its help in `language`."""
    _ = language.say
    common = shared(language)
    workspace, database, identified = common.workspace, common.database, common.identified
    as_json, workers, default_workers = common.as_json, common.workers, common.default_workers
    application = typer.Typer(
        name="bingcheng",
        cls=common.group,
        help=_(
            "Tumour imaging made comparable between hospitals. Start with: bingcheng assess FOLDER. "
            "Research software, not a medical device."
        ),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )

    def describe(name: str, says: str, *, epilog: str | None = None) -> Callable[..., Callable[..., None]]:
        return common.describe(application, name, says, epilog=epilog)

    @application.callback()
    def root(
        _lang: Annotated[
            str,
            typer.Option(
                "--lang",
                envvar="BINGCHENG_LANG",
                metavar="en|zh",
                help=_("Language of terminal and report: en or zh; may stand anywhere. 中文：--lang zh"),
                show_default=False,
            ),
        ] = "",
        _version: Annotated[
            bool,
            typer.Option(
                "--version",
                metavar="",
                help=_("Print the version and stop."),
                callback=_print_version,
                is_eager=True,
            ),
        ] = False,
    ) -> None:
        """Options that hold for all commands."""

    @describe(
        "assess",
        _("Assess exams: protocol, quality, tumours, changes, comparison of hospitals, report."),
        epilog=_(
            "Exit codes: 0 done; 1 with --strict: an exam broke a required criterion, left it open, or could not be "
            "assessed; 2 wrong usage; 3 no exam found; 4 workspace or outputs can't be used; 70 a fault of the "
            "program; 130 stopped. Running it again on the same exams changes nothing; a run that was cut off goes "
            "on where it stopped."
        ),
    )
    def assess(
        paths: Annotated[
            list[Path],
            typer.Argument(
                metavar=_("PATH"),
                help=_("Folders, files, zip archives or DICOMDIRs; searched with all below."),
            ),
        ],
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        strict: Annotated[
            bool, flag("--strict", says=_("Exit with 1 if an exam given here fails or may fail a required criterion."))
        ] = False,
        json: Annotated[bool, as_json] = False,
        identified: Annotated[bool, identified] = False,
        again: Annotated[bool, flag("--again", says=_("Assess exams anew that nothing has changed in."))] = False,
        protocol: Annotated[
            list[str] | None,
            typer.Option(
                "--protocol",
                metavar=_("IDENTIFIER"),
                help=_("Judge by this protocol too (see `bingcheng protocols`); repeatable."),
            ),
        ] = None,
        own_protocol: Annotated[
            list[Path] | None,
            typer.Option(
                "--own-protocol",
                metavar=_("FILE"),
                help=_("Judge by a protocol file of your hospital; repeatable."),
            ),
        ] = None,
        radiomics: Annotated[
            bool,
            flag(
                "--radiomics",
                says=_(
                    "Extract IBSI features of each lesion, with uncertainty and robustness; later runs do so too, "
                    "until one says --no-radiomics."
                ),
            ),
        ] = False,
        radiomics_settings: Annotated[
            Path | None,
            typer.Option(
                "--radiomics-settings",
                metavar=_("FILE"),
                help=_("Settings of the features (see `bingcheng radiomics --write-settings`); implies --radiomics."),
            ),
        ] = None,
        no_radiomics: Annotated[bool, flag("--no-radiomics", says=_("Extract no features from now on."))] = False,
        workers: Annotated[int, workers] = default_workers,
        scheduler: Annotated[
            str | None,
            typer.Option(
                "--scheduler",
                envvar="BINGCHENG_SCHEDULER",
                metavar=_("ADDRESS"),
                help=_("Address of a Dask scheduler to use."),
            ),
        ] = None,
        database: Annotated[str | None, database] = None,
        quiet: Annotated[bool, flag("--quiet", "-q", says=_("Print nothing but errors."))] = False,
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
            radiomics=radiomics,
            radiomics_settings=radiomics_settings,
            no_radiomics=no_radiomics,
            workers=workers,
            scheduler=scheduler,
            quiet=quiet,
        )
        common.end(lambda: run_assess(request, language))

    @describe("demo", _("Make a study of three invented hospitals with known truth, and assess it."))
    def demo(
        folder: Annotated[
            Path,
            typer.Argument(
                metavar=_("FOLDER"),
                help=_("Where to put the study and its workspace."),
            ),
        ] = Path("demo-study"),
        workers: Annotated[int, workers] = default_workers,
    ) -> None:
        from bingcheng.cli.demo import run_demo  # noqa: PLC0415

        common.end(lambda: run_demo(folder, workers, language))

    @describe("show", _("Print one exam: findings and what to do, quality, lesions; without a name, a list."))
    def show(
        exam: Annotated[
            str | None,
            typer.Argument(metavar=_("EXAM"), help=_("Label (E01) or Study Instance UID.")),
        ] = None,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
        identified: Annotated[bool, identified] = False,
        radiomics: Annotated[bool, flag("--radiomics", says=_("List every radiomics feature of its lesions."))] = False,
    ) -> None:
        from bingcheng.cli.show import run_show  # noqa: PLC0415

        common.end(
            lambda: run_show(exam, workspace, database, identified=identified, features=radiomics, language=language)
        )

    @describe("protocols", _("List the agreed protocols, or print one with its criteria and their sources."))
    def protocols(
        protocol: Annotated[
            str | None,
            typer.Argument(metavar=_("IDENTIFIER"), help=_("Identifier of a protocol.")),
        ] = None,
    ) -> None:
        from bingcheng.cli.listings import run_protocols  # noqa: PLC0415

        common.end(lambda: run_protocols(protocol, language))

    @describe("measures", _("List the measures, or print one with its definition, source and references."))
    def measures(
        measure: Annotated[
            str | None,
            typer.Argument(metavar=_("KEY"), help=_("Key of a measure.")),
        ] = None,
        inputs: Annotated[
            bool, flag("--inputs", says=_("List what a measure may ask for by name, for authors of measures."))
        ] = False,
    ) -> None:
        from bingcheng.cli.listings import run_measures  # noqa: PLC0415

        common.end(lambda: run_measures(measure, inputs=inputs, language=language))

    @describe("verify", _("Recompute every reference on this machine: the acceptance test of an installation."))
    def verify(
        json: Annotated[bool, as_json] = False,
        reference_data: Annotated[
            Path | None,
            typer.Option(
                "--reference-data",
                metavar=_("FOLDER"),
                help=_("Public reference data, for the IBSI's CT phantom and filter phantoms too."),
            ),
        ] = None,
    ) -> None:
        from bingcheng.cli.verify import run_verify  # noqa: PLC0415

        common.end(lambda: run_verify(json=json, language=language, reference_data=reference_data))

    add_lesion_commands(application, common)
    add_protocol_commands(application, common)
    add_radiomics_command(application, common)
    add_segment_command(application, common)
    add_serve_command(application, common)
    add_deidentify_command(application, common)
    add_viewer_commands(application, common)
    return application


def _print_version(wanted: bool) -> None:
    if wanted:
        from bingcheng import __version__  # noqa: PLC0415

        typer.echo(f"bingcheng {__version__}")
        raise typer.Exit(OK)
