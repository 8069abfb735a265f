"""The commands ``bingcheng viewer …``: what their options mean. What they run is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.options import Shared


def add_viewer_commands(application: typer.Typer, common: Shared) -> None:
    """Add the group of commands to the application, its help in the reader's language."""
    language = common.language
    _ = language.say
    group = typer.Typer(cls=common.group, no_args_is_help=True)
    application.add_typer(
        group, name="viewer", help=_("Bring the OHIF viewer, which shows images on the pages of `bingcheng serve`.")
    )

    @common.describe(
        group,
        "install",
        _("Bring the viewer and make it ready; nothing is done if it is there."),
        epilog="\n".join(
            (
                _("Examples:"),
                f"  bingcheng viewer install  ({_('with access to the npm registry')})",
                f"  bingcheng viewer install --from ohif-app.tgz  ({_('the file that npm pack made elsewhere')})",
                "",
                _("OHIF is free software of the Open Health Imaging Foundation (MIT licence), no part of Bingcheng."),
            )
        ),
    )
    def install(
        file: Annotated[
            Path | None,
            typer.Option("--from", metavar=_("FILE"), help=_("The package's .tgz file, brought from elsewhere.")),
        ] = None,
        into: Annotated[
            Path | None,
            typer.Option("--into", metavar=_("FOLDER"), help=_("Where to install it; else among your data.")),
        ] = None,
        json: Annotated[bool, common.as_json] = False,
    ) -> None:
        from bingcheng.cli.viewer import run_install  # noqa: PLC0415 - not needed for --help

        common.end(lambda: run_install(file, into, language, as_json=json))

    @common.describe(group, "show", _("Say which viewer is installed, and where."))
    def show(json: Annotated[bool, common.as_json] = False) -> None:
        from bingcheng.cli.viewer import run_show  # noqa: PLC0415 - not needed for --help

        common.end(lambda: run_show(language, as_json=json))
