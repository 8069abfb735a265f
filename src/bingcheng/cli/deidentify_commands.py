"""The command ``bingcheng deidentify``: what its options mean. What it runs is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.options import Shared
from bingcheng.core.wording import text


def add_deidentify_command(application: typer.Typer, common: Shared) -> None:
    """Add the command to the application, its help in the reader's language."""
    language = common.language
    _ = language.say

    @common.describe(
        application,
        "deidentify",
        _("Take patients' identities out of DICOM files, and prove that they are gone."),
        epilog="\n".join(
            (
                _("Examples:"),
                f"  bingcheng deidentify CT/ out/ --profile teaching --key my.key  ({_('a key is made if absent')})",
                f"  bingcheng deidentify CT/ --profile teaching --key my.key --preview  ({_('nothing is written')})",
                f"  bingcheng deidentify CT/ out/ --key my.key --pictures look/  ({_('what a person must see')})",
                f"  bingcheng deidentify CT/ out/ --key my.key --approve seen.toml  ({_('what a person decided')})",
                f"  bingcheng deidentify --key my.key --table my.sqlite --original P-ABCDEFGHIJ  ({_('who it was')})",
                f"  bingcheng deidentify --list  ({_('profiles')})",
                "",
                _(
                    text(
                        "Exit codes: 0 all done; 1 some wait for a person or were refused; 2 wrong usage; 3 no files "
                        "found; 4 profile, key or folder can't be used; 70 a fault of the program; 130 stopped."
                    )
                ),
            )
        ),
    )
    def deidentify(
        source: Annotated[
            Path | None,
            typer.Argument(metavar=_("IN"), help=_("DICOM file, zip archive, or folder with all below it.")),
        ] = None,
        target: Annotated[
            Path | None, typer.Argument(metavar=_("OUT"), help=_("Folder for the cleaned files; outside the first."))
        ] = None,
        profile: Annotated[
            str, typer.Option("--profile", metavar=_("PROFILE"), help=_("Name of a profile, or a file of your own."))
        ] = "basic",
        key: Annotated[
            Path | None,
            typer.Option("--key", metavar=_("FILE"), help=_("Key file of the project; made if it does not exist.")),
        ] = None,
        table: Annotated[
            Path | None,
            typer.Option("--table", metavar=_("FILE"), help=_("Keep who is who in this file, encrypted with the key.")),
        ] = None,
        original: Annotated[
            str | None,
            typer.Option(
                "--original",
                metavar=_("PSEUDONYM"),
                help=_("Tell whom a pseudonym or new UID in the table stands for."),
            ),
        ] = None,
        site: Annotated[
            str,
            typer.Option(
                "--site", metavar=_("NAME"), help=_("Hospital; the same patient number is the same person within it.")
            ),
        ] = "",
        issuer: Annotated[
            str,
            typer.Option(
                "--issuer", metavar=_("NAME"), help=_("Who gave the patient numbers that stand without an issuer.")
            ),
        ] = "",
        preview: Annotated[
            bool,
            flag("--preview", says=_("Show each attribute before and after; write nothing. It shows the patient.")),
        ] = False,
        approve: Annotated[
            Path | None,
            typer.Option("--approve", metavar=_("FILE"), help=_("What a person decided about pictures and faces.")),
        ] = None,
        devices: Annotated[
            Path | None,
            typer.Option("--devices", metavar=_("FILE"), help=_("Your own rules where devices burn text in.")),
        ] = None,
        pictures: Annotated[
            Path | None,
            typer.Option(
                "--pictures", metavar=_("FOLDER"), help=_("Write pictures that a person must look at. They show text.")
            ),
        ] = None,
        read_text: Annotated[
            bool, flag("--read-text", says=_("Let a program propose where text is, for the pictures (extra ocr)."))
        ] = False,
        list_: Annotated[bool, flag("--list", says=_("List the profiles."))] = False,
        json: Annotated[bool, common.as_json] = False,
    ) -> None:
        from bingcheng.cli.deidentify import Request, run_deidentify  # noqa: PLC0415 - heavy, not needed for --help

        request = Request(
            source=source,
            target=target,
            profile=profile,
            key=key,
            table=table,
            original=original,
            site=site,
            issuer=issuer,
            preview=preview,
            approve=approve,
            devices=devices,
            pictures=pictures,
            read_text=read_text,
            list=list_,
            json=json,
        )
        common.end(lambda: run_deidentify(request, language))
