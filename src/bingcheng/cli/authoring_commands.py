"""``bingcheng protocol check | diff | learn | what-if | export | judge``: making protocols.

As in `bingcheng.cli.main`, each command imports what it runs when it runs, and annotations are evaluated on purpose.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bingcheng.cli.options import DEFAULT_WORKSPACE, Shared

SHARE_PERCENT = 80.0
LEAST = 3


def add_authoring_commands(group: typer.Typer, shared: Shared) -> None:
    """Add the commands that make protocols to the group ``protocol``."""
    _add_reading(group, shared)
    _add_from_exams(group, shared)
    _add_export(group, shared)


def _add_reading(group: typer.Typer, shared: Shared) -> None:
    _ = shared.language.say
    language, as_json = shared.language, shared.as_json
    either = _("Identifier of a protocol, or a protocol file.")

    @shared.describe(
        group,
        "check",
        _("Check protocol files: every mistake with its line; exit code 1 if there is any."),
    )
    def check(
        protocol_files: Annotated[list[Path], typer.Argument(metavar=_("FILE"), help=_("Protocol files."))],
    ) -> None:
        from bingcheng.cli.authoring import run_check  # noqa: PLC0415

        shared.end(lambda: run_check(tuple(protocol_files), language))

    @shared.describe(group, "diff", _("Say what two protocols ask differently; exit code 1 if they differ."))
    def diff(
        first: Annotated[str, typer.Argument(metavar=_("PROTOCOL"), help=either)],
        second: Annotated[str, typer.Argument(metavar=_("PROTOCOL"), help=either)],
        json: Annotated[bool, as_json] = False,
    ) -> None:
        from bingcheng.cli.authoring import run_diff  # noqa: PLC0415

        shared.end(lambda: run_diff(first, second, language, json=json))


def _add_from_exams(group: typer.Typer, shared: Shared) -> None:
    _ = shared.language.say
    language, workspace, database, as_json = shared.language, shared.workspace, shared.database, shared.as_json

    @shared.describe(
        group,
        "learn",
        _("Draft a protocol from good exams: what their series have in common, with the spread on each scanner."),
        epilog=_(
            "What the exams do not agree on is listed in the draft as comments. Its criteria are recommended and "
            "unverified, so that they stop no exam before somebody has agreed on them."
        ),
    )
    def learn(
        exams: Annotated[
            list[str] | None,
            typer.Argument(
                metavar=_("EXAM"),
                help=_(
                    "Folders of exams, or labels (E01) or Study Instance UIDs of the workspace; without any, all exams "
                    "of the workspace."
                ),
            ),
        ] = None,
        modality: Annotated[
            str | None, typer.Option("--modality", metavar="CT|MR|PT", help=_("Learn from series of this modality."))
        ] = None,
        device: Annotated[
            str | None,
            typer.Option("--device", metavar=_("TEXT"), help=_("Only from scanners with this in vendor or model.")),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", metavar=_("FILE"), help=_("Write the draft here instead of printing it.")),
        ] = None,
        identifier: Annotated[
            str | None, typer.Option("--id", metavar=_("IDENTIFIER"), help=_("Identifier of the new protocol."))
        ] = None,
        title: Annotated[str | None, typer.Option("--title", metavar=_("TEXT"), help=_("Its title."))] = None,
        least: Annotated[
            int,
            typer.Option(
                "--least", min=2, metavar=_("NUMBER"), help=_("In how many exams a series or a value must be known.")
            ),
        ] = LEAST,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.learning import Lesson, run_learn  # noqa: PLC0415

        lesson = Lesson(
            exams=tuple(exams or ()),
            modality=modality,
            device=device,
            output=output,
            identifier=identifier,
            title=title,
            least=least,
            workspace=workspace,
            database=database,
        )
        shared.end(lambda: run_learn(lesson, language))

    @shared.describe(
        group,
        "what-if",
        _("Say how many exams and hospitals meet each criterion, and which limit a wanted share of them would meet."),
    )
    def what_if(
        protocol: Annotated[
            str, typer.Argument(metavar=_("PROTOCOL"), help=_("Identifier of a protocol, or a protocol file."))
        ],
        share: Annotated[
            float,
            typer.Option(
                "--share", min=1.0, max=100.0, metavar=_("PER CENT"), help=_("The share that should meet the limit.")
            ),
        ] = SHARE_PERCENT,
        json: Annotated[bool, as_json] = False,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.what_if import run_what_if  # noqa: PLC0415

        shared.end(lambda: run_what_if(protocol, share, workspace, database, language, json=json))


def _add_export(group: typer.Typer, shared: Shared) -> None:
    _ = shared.language.say
    language, as_json = shared.language, shared.as_json

    @shared.describe(
        group,
        "export",
        _("Write a protocol as a sheet to print for the console, as DICOM for a CT console, or as a protocol file."),
    )
    def export(
        protocol: Annotated[
            str, typer.Argument(metavar=_("PROTOCOL"), help=_("Identifier of a protocol, or a protocol file."))
        ],
        sheet: Annotated[
            Path | None,
            typer.Option(
                "--sheet",
                metavar=_("FILE"),
                help=_("A sheet for the console, A4: a PDF if the name ends in .pdf, else a page for the browser."),
            ),
        ] = None,
        format: Annotated[  # noqa: A002 - the name of the option
            Literal["pdf", "html"] | None,
            typer.Option(
                "--format", metavar="pdf|html", help=_("Write the sheet as pdf or html, whatever its name ends in.")
            ),
        ] = None,
        dicom: Annotated[
            Path | None,
            typer.Option("--dicom", metavar=_("FILE"), help=_("A CT Defined Procedure Protocol (PS3.3 A.82.2).")),
        ] = None,
        toml: Annotated[
            Path | None,
            typer.Option("--toml", metavar=_("FILE"), help=_("A protocol file, to make your own of.")),
        ] = None,
        vendor: Annotated[
            str | None,
            typer.Option("--vendor", metavar=_("NAME"), help=_("With --dicom: the scanner's vendor, e.g. SIEMENS.")),
        ] = None,
        model: Annotated[
            str | None, typer.Option("--model", metavar=_("NAME"), help=_("With --dicom: the scanner's model."))
        ] = None,
        by: Annotated[
            str,
            typer.Option(
                "--by", envvar="BINGCHENG_BY", metavar=_("NAME"), help=_("With --dicom: who made the protocol.")
            ),
        ] = "Bingcheng",
    ) -> None:
        from bingcheng.cli.authoring import Export, run_export  # noqa: PLC0415
        from bingcheng.outputs.protocol_sheet.sheet import SheetFormat  # noqa: PLC0415

        wanted = Export(
            sheet=sheet,
            form=None if format is None else SheetFormat(format),
            dicom=dicom,
            toml=toml,
            vendor=vendor,
            model=model,
            by=by,
        )
        shared.end(lambda: run_export(protocol, wanted, language))

    @shared.describe(
        group,
        "judge",
        _("Judge what a CT console was set to (a CT Performed Procedure Protocol) against a protocol."),
        epilog=_("Exit code 1 if a required criterion is not known to be met."),
    )
    def judge(
        performed: Annotated[
            Path, typer.Argument(metavar=_("FILE"), help=_("The DICOM object that the scanner stored."))
        ],
        protocol: Annotated[
            str,
            typer.Option(
                "--protocol",
                metavar=_("PROTOCOL"),
                help=_("Identifier of a protocol, a protocol file, or a CT Defined Procedure Protocol."),
            ),
        ],
        json: Annotated[bool, as_json] = False,
    ) -> None:
        from bingcheng.cli.performed import run_judge  # noqa: PLC0415

        shared.end(lambda: run_judge(performed, protocol, language, json=json))
