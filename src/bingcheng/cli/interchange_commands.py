"""``bingcheng protocol import | export-dicompare``: protocols of other programs, in and out.

As in `bingcheng.cli.main`, each command imports what it runs when it runs, and annotations are evaluated on purpose.
"""

from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.options import Shared


def add_interchange_commands(group: typer.Typer, shared: Shared) -> None:
    """Add the commands that carry protocols over to the group ``protocol``."""
    _ = shared.language.say
    language = shared.language

    @shared.describe(
        group,
        "import",
        _("Make a protocol file of a dicompare schema, and say what could not be carried over."),
        epilog=_(
            "Python code in a schema is never run: its rules are listed for you to write as criteria. Judge by the new "
            "file with `bingcheng assess FOLDER --own-protocol FILE`."
        ),
    )
    def import_schema(
        schema: Annotated[Path, typer.Argument(metavar=_("SCHEMA"), help=_("A dicompare schema (JSON)."))],
        output: Annotated[
            Path | None,
            typer.Option(
                "--output", "-o", metavar=_("FILE"), help=_("Write the protocol file here; else it is printed.")
            ),
        ] = None,
    ) -> None:
        from bingcheng.cli.interchange import run_import  # noqa: PLC0415

        shared.end(lambda: run_import(schema, output, language))

    @shared.describe(
        group,
        "export-dicompare",
        _("Write a protocol as a dicompare schema, and say what dicompare can't ask."),
    )
    def export_schema(
        protocol: Annotated[
            str, typer.Argument(metavar=_("PROTOCOL"), help=_("Identifier of a protocol, or a protocol file."))
        ],
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", metavar=_("FILE"), help=_("Write the schema here; else it is printed.")),
        ] = None,
    ) -> None:
        from bingcheng.cli.interchange import run_export_dicompare  # noqa: PLC0415

        shared.end(lambda: run_export_dicompare(protocol, output, language))
