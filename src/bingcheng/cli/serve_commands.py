"""The command ``bingcheng serve``: what its options mean. What it runs is imported when it runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.options import Shared


def add_serve_command(application: typer.Typer, common: Shared) -> None:
    """Add the command to the application, its help in the reader's language."""
    language = common.language
    _ = language.say

    @common.describe(
        application,
        "serve",
        _("Serve a workspace to browsers, viewers and DICOM devices: the platform that hospitals meet on."),
        epilog=_(
            "Exit codes: 0 stopped; 2 wrong usage; 4 workspace, settings, port or certificate can't be used; "
            "70 a fault of the program."
        ),
    )
    def serve(
        workspace: Annotated[Path | None, common.workspace] = None,
        database: Annotated[str | None, common.database] = None,
        host: Annotated[
            str | None,
            typer.Option(
                "--host",
                metavar=_("ADDRESS"),
                help=_("Address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for all of it."),
            ),
        ] = None,
        port: Annotated[
            int | None,
            typer.Option(
                "--port", min=0, max=65535, metavar=_("NUMBER"), help=_("Port for browsers; 0 for a free one.")
            ),
        ] = None,
        dicom_port: Annotated[
            int | None,
            typer.Option(
                "--dicom-port",
                min=0,
                max=65535,
                metavar=_("NUMBER"),
                help=_("Port of the DICOM service; without it none is started."),
            ),
        ] = None,
        settings: Annotated[
            Path | None,
            typer.Option(
                "--settings",
                envvar="BINGCHENG_SETTINGS",
                metavar=_("FILE"),
                help=_("TOML file with further settings: TLS, proxy, OpenID Connect."),
            ),
        ] = None,
        no_browser: Annotated[bool, flag("--no-browser", says=_("Don't open a browser."))] = False,
        new_password: Annotated[
            str | None,
            typer.Option(
                "--new-password",
                metavar=_("LOGIN"),
                help=_("Print a link with which this operator sets a new password, for one who has lost it."),
            ),
        ] = None,
        quiet: Annotated[bool, flag("--quiet", says=_("Write no line for each request."))] = False,
    ) -> None:
        from bingcheng.cli.serve import Request, run_serve  # noqa: PLC0415 - heavy, not needed for --help

        request = Request(
            workspace=workspace,
            database=database,
            host=host,
            port=port,
            dicom_port=dicom_port,
            settings=settings,
            browser=not no_browser,
            new_password=new_password,
            quiet=quiet,
        )
        common.end(lambda: run_serve(request, os.environ, language))
