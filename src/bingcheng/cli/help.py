"""``--help`` in the reader's language: typer knows English headings only, and cuts off lines that hold no space."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from typer.core import TyperCommand, TyperGroup

from bingcheng.cli.usage import too_much, unknown_command
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language


def unvalued(*names: str, says: str) -> typer.models.OptionInfo:
    """An option that takes no value, so that no type stands behind it in the help."""
    found: typer.models.OptionInfo = typer.Option(*names, metavar="", help=says)
    return found


def commands_in(language: Language) -> tuple[type[TyperCommand], type[TyperGroup]]:
    """The classes of a command and of the group of all commands whose help and errors speak `language`."""

    class Command(TyperCommand):
        allow_extra_args = True  # so that it is said here, and not by typer, which speaks English

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            rest: list[str] = super().parse_args(ctx, args)
            if rest:
                raise too_much(rest, ctx)
            return rest

        def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - what typer calls
            print_help(self, ctx, language)

    class Group(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
                raise unknown_command(args[0], self.list_commands(ctx), ctx)
            return super().resolve_command(ctx, args)

        def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - what typer calls
            print_help(self, ctx, language)

    return Command, Group


def print_help(command: Any, ctx: Any, language: Language) -> None:
    """Print what a command does and what may stand behind it."""
    say = language.say
    console = Console(highlight=False)
    pieces = " ".join(command.collect_usage_pieces(ctx))
    console.print(f"[bold]{say(text('Usage'))}:[/] {escape(f'{ctx.command_path} {pieces}')}\n")
    console.print(escape(command.help or ""))
    parameters = command.get_params(ctx)
    arguments = [(str(one.metavar or one.name), "", one) for one in parameters if one.param_type_name == "argument"]
    options = [
        (", ".join(sorted(one.opts, key=len)), _value(one), one)
        for one in parameters
        if one.param_type_name == "option"
    ]
    for heading, rows in ((text("Arguments"), arguments), (text("Options"), options)):
        _print_table(console, say(heading), [(name, value, _explained(one, language)) for name, value, one in rows])
    if isinstance(command, TyperGroup):
        inner = [command.get_command(ctx, name) for name in command.list_commands(ctx)]
        rows = [(str(one.name), "", one.help or "") for one in inner if one is not None]
        _print_table(console, say(text("Commands")), rows)
    if command.epilog:
        console.print()
        console.print(escape(command.epilog))


def _value(option: Any) -> str:
    return "" if option.is_flag else str(option.metavar or "")


def _explained(parameter: Any, language: Language) -> str:
    if "--help" in parameter.opts:
        return language.say(text("Show this message and exit."))
    words = [str(parameter.help or "")]
    if parameter.envvar:
        words.append(f"[{parameter.envvar}]")
    if parameter.default not in (None, False, "") and parameter.show_default:
        words.append(f"[{language.say(text('otherwise {default}', default=str(parameter.default)))}]")
    return " ".join(words)


def _print_table(console: Console, heading: str, rows: list[tuple[str, str, str]]) -> None:
    if not rows:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value, words in rows:
        table.add_row(f"[bold cyan]{escape(name)}[/]", f"[dim]{escape(value)}[/]", escape(words))
    console.print(f"\n[bold]{escape(heading)}[/]")
    console.print(Padding(table, (0, 0, 0, 2)))
