"""``bingcheng protocol``: stating what no header says, and what need not be met.

As in `bingcheng.cli.main`, each command imports what it runs when it runs, and annotations are evaluated on purpose.
"""

from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.authoring_commands import add_authoring_commands
from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.interchange_commands import add_interchange_commands
from bingcheng.cli.options import DEFAULT_WORKSPACE, Shared


def add_protocol_commands(application: typer.Typer, shared: Shared) -> typer.Typer:
    """Add the group ``protocol`` to the command line; returns the group."""
    _ = shared.language.say
    group = typer.Typer(
        name="protocol",
        cls=shared.group,
        help=_(
            "Work with protocols: say what no header says, which series is which, what need not be met. "
            "What is said is kept with name and date, and the report is written anew."
        ),
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.add_typer(group)
    language, workspace, database = shared.language, shared.workspace, shared.database
    by = typer.Option(
        "--by",
        envvar="BINGCHENG_BY",
        metavar=_("NAME"),
        help=_("Your name or role; it stands beside what you say. Never write anything about a patient."),
    )
    of_exam = typer.Option(
        "--exam", metavar=_("EXAM"), help=_("Only for this exam: label (E01) or Study Instance UID.")
    )
    of_site = typer.Option(
        "--site", metavar=_("HOSPITAL"), help=_("Only for this hospital, by the name in the report.")
    )
    of_protocol = typer.Option(
        "--protocol", metavar=_("IDENTIFIER"), help=_("Identifier of the protocol (see `bingcheng protocols`).")
    )

    @shared.describe(
        group,
        "waive",
        _("State that a criterion need not be met, why and until when; it is then shown as waived and stops nothing."),
    )
    def waive(
        criterion: Annotated[
            str,
            typer.Argument(
                metavar=_("CRITERION"), help=_("Identifier of the criterion; of a role: role. and its name.")
            ),
        ],
        protocol: Annotated[str, of_protocol],
        because: Annotated[
            str, typer.Option("--because", metavar=_("REASON"), help=_("Why, in a few words; never about a patient."))
        ],
        until: Annotated[
            str, typer.Option("--until", metavar=_("DAY"), help=_("Last day on which it holds, e.g. 2027-03-31."))
        ],
        by: Annotated[str, by],
        exam: Annotated[str | None, of_exam] = None,
        site: Annotated[str | None, of_site] = None,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.statements import Place, run_waive  # noqa: PLC0415

        place = Place(workspace=workspace, database=database, by=by, exam=exam, site=site)
        shared.end(lambda: run_waive(place, protocol, criterion, because, until, language))

    @shared.describe(
        group,
        "answer",
        _("Answer what no header says, e.g. clinical.tumour=HCC; `bingcheng protocol questions EXAM` lists the names."),
        epilog=_(
            "Days since something (a phantom scan) are counted on from the day of the answer. "
            "Without --exam and --site an answer holds for all exams."
        ),
    )
    def answer(
        answers: Annotated[
            list[str],
            typer.Argument(metavar=_("NAME=VALUE"), help=_("One or more answers, in the unit that is shown.")),
        ],
        by: Annotated[str, by],
        exam: Annotated[str | None, of_exam] = None,
        series: Annotated[
            str | None,
            typer.Option(
                "--series",
                metavar=_("SERIES"),
                help=_("Only for this series of the exam: its number, or its Series Instance UID."),
            ),
        ] = None,
        site: Annotated[str | None, of_site] = None,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.statements import Place, run_answer  # noqa: PLC0415

        place = Place(workspace=workspace, database=database, by=by, exam=exam, site=site, series=series)
        shared.end(lambda: run_answer(place, tuple(answers), language))

    @shared.describe(
        group,
        "correct",
        _("Say which series fills a role of a protocol, or does not; remembered for the next exams of that scanner."),
    )
    def correct(
        exam: Annotated[str, typer.Argument(metavar=_("EXAM"), help=_("Label (E01) or Study Instance UID."))],
        series: Annotated[
            str, typer.Argument(metavar=_("SERIES"), help=_("Number of the series, or its Series Instance UID."))
        ],
        role: Annotated[str, typer.Argument(metavar=_("ROLE"), help=_("Identifier of the role in the protocol."))],
        protocol: Annotated[str, of_protocol],
        by: Annotated[str, by],
        is_not: Annotated[bool, flag("--is-not", says=_("Say that it is not this series."))] = False,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.statements import Place, run_correct  # noqa: PLC0415

        place = Place(workspace=workspace, database=database, by=by, exam=exam)
        shared.end(lambda: run_correct(place, series, protocol, role, language, fills=not is_not))

    @shared.describe(group, "questions", _("List what you could answer about an exam, and by which name."))
    def questions(
        exam: Annotated[str, typer.Argument(metavar=_("EXAM"), help=_("Label (E01) or Study Instance UID."))],
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.statements import run_questions  # noqa: PLC0415

        shared.end(lambda: run_questions(exam, workspace, database, language))

    @shared.describe(group, "statements", _("List what was said in a workspace: waivers, corrections, answers."))
    def statements(
        withdrawn: Annotated[bool, flag("--all", says=_("Also what was withdrawn or replaced."))] = False,
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.statements import run_statements  # noqa: PLC0415

        shared.end(lambda: run_statements(workspace, database, language, withdrawn=withdrawn))

    @shared.describe(group, "withdraw", _("Take back something that was said, by its number in the list."))
    def withdraw(
        number: Annotated[int, typer.Argument(metavar=_("NUMBER"), help=_("Number of the statement."))],
        workspace: Annotated[Path, workspace] = DEFAULT_WORKSPACE,
        database: Annotated[str | None, database] = None,
    ) -> None:
        from bingcheng.cli.statements import Place, run_withdraw  # noqa: PLC0415

        shared.end(lambda: run_withdraw(Place(workspace=workspace, database=database, by=""), number, language))

    add_authoring_commands(group, shared)
    add_interchange_commands(group, shared)
    return group
