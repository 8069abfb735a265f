"""``bingcheng lesions``: which lesion of one exam is which of the next, listed and decided.

As in `bingcheng.cli.main`, each command imports what it runs when it runs, and annotations are evaluated on purpose.
"""

from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.options import DEFAULT_WORKSPACE, Shared


def add_lesion_commands(application: typer.Typer, shared: Shared) -> typer.Typer:
    """Add the group ``lesions`` to the command line; returns the group."""
    _ = shared.language.say
    group = typer.Typer(
        name="lesions",
        cls=shared.group,
        help=_(
            "List lesions over the exams of a patient, and say which lesion is which. What is said is kept with name, "
            "date and reason, holds when exams are assessed again, and the report is written anew."
        ),
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.add_typer(group)
    language, workspace, database = shared.language, shared.workspace, shared.database
    who = typer.Option(
        "--who",
        envvar="BINGCHENG_BY",
        metavar=_("NAME"),
        help=_("Your name or role; it stands beside what you say. Never write anything about a patient."),
    )
    why = typer.Option("--why", metavar=_("REASON"), help=_("Why, in a few words; never about a patient."))
    lesions = typer.Argument(
        metavar=_("LESION"), help=_("Lesions of two exams of a patient, as E01:nodule; several of one exam are pieces.")
    )
    lesion = typer.Argument(metavar=_("LESION"), help=_("Exam and lesion, as E01:nodule."))

    @group.callback()
    def listed(
        context: typer.Context,
        exam: Annotated[
            str | None,
            typer.Option("--exam", metavar=_("EXAM"), help=_("Only of this exam's patient: label (E01) or UID.")),
        ] = None,
        json: Annotated[bool, shared.as_json] = False,
        history: Annotated[bool, flag("--history", says=_("List what people decided, too."))] = False,
        response: Annotated[
            bool,
            flag("--response", says=_("Calculate RECIST 1.1 from what was drawn and matched, for a reader to check.")),
        ] = False,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        if context.invoked_subcommand is not None:
            return
        from bingcheng.cli.lesions import run_list  # noqa: PLC0415

        shared.end(
            lambda: run_list(workspace, database, language, exam=exam, json=json, history=history, response=response)
        )

    def on_two_exams(name: str, says: str) -> None:
        @shared.describe(group, name, says)
        def command(
            names: Annotated[list[str], lesions],
            who: Annotated[str, who],
            why: Annotated[str, why],
            workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
            database: Annotated[str | None, database] = None,
        ) -> None:
            from bingcheng.cli.lesions import run_decision  # noqa: PLC0415

            shared.end(lambda: run_decision(name, tuple(names), who, why, workspace, database, language))

    def on_one_lesion(name: str, says: str) -> None:
        @shared.describe(group, name, says)
        def command(
            named: Annotated[str, lesion],
            who: Annotated[str, who],
            why: Annotated[str, why],
            workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
            database: Annotated[str | None, database] = None,
        ) -> None:
            from bingcheng.cli.lesions import run_decision  # noqa: PLC0415

            shared.end(lambda: run_decision(name, (named,), who, why, workspace, database, language))

    on_two_exams("link", _("Say that lesions of two exams are one; of a split or a merger name all pieces."))
    on_two_exams("unlink", _("Say that lesions of two exams are not one."))
    on_one_lesion("new", _("Say that a lesion was not there before."))
    on_one_lesion("vanished", _("Say that a lesion is not there any more."))

    @shared.describe(group, "undo", _("Take the last decision back."))
    def undo(
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.lesions import run_undo  # noqa: PLC0415

        shared.end(lambda: run_undo(workspace, database, language))

    return group
