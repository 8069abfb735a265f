"""Wrong usage of the command, said in the reader's language: typer's own messages are English.

The kinds of error are told by the names and fields of typer's exceptions, since the classes themselves are not public.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from bingcheng.cli.nearest import nearest
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text

USAGE_ERROR: type[Exception] = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "UsageError")
HELP_WAS_ASKED_FOR = "NoArgsIsHelpError"

NO_SUCH_COMMAND = Problem(
    code="cli.no-such-command",
    says="there is no command '{command}'; perhaps you mean one of: {near}",
    remedy="`{help}` lists the commands.",
    owner=Owner.OPERATOR,
)
NO_SUCH_OPTION = Problem(
    code="cli.no-such-option",
    says="there is no option '{option}' here; perhaps you mean one of: {near}",
    remedy="`{help}` lists the options. A folder whose name begins with a hyphen is written ./-name.",
    owner=Owner.OPERATOR,
)
MISSING_ARGUMENT = Problem(
    code="cli.missing-argument",
    says="{what} is missing",
    remedy="Write it at the end of the command; `{help}` says what it is.",
    owner=Owner.OPERATOR,
)
TOO_MUCH = Problem(
    code="cli.too-much",
    says="nothing is known to do with: {rest}",
    remedy="Leave it out, or put a name that holds blanks in quotation marks; `{help}` says what may stand here.",
    owner=Owner.OPERATOR,
)
MISSING_VALUE = Problem(
    code="cli.missing-value",
    says="nothing stands behind the option '{option}', which needs a value",
    remedy="Write the value behind it; `{help}` says which.",
    owner=Owner.OPERATOR,
)
VALUE_OF_SWITCH = Problem(
    code="cli.value-of-switch",
    says="the option '{option}' takes no value",
    remedy="Write the option alone.",
    owner=Owner.OPERATOR,
)
UNFIT_VALUE = Problem(
    code="cli.unfit-value",
    says="what is given for '{option}' does not fit",
    remedy="Give {wanted}; `{help}` says more.",
    owner=Owner.OPERATOR,
)
NOT_UNDERSTOOD = Problem(
    code="cli.not-understood",
    says="the command can't be understood ({message})",
    remedy="`{help}` says what may be written.",
    owner=Owner.OPERATOR,
)


class WrongUsage(InputError):  # noqa: N818 - the word people use
    """The command was not written as it has to be."""


@contextmanager
def usage_errors(arguments: Sequence[str]) -> Iterator[None]:
    """Raise `WrongUsage` in place of what typer raises for a command that it does not understand.

    Parameters
    ----------
    arguments : what was written behind the command.

    Raises
    ------
    WrongUsage
        ``cli.no-such-command``, ``cli.no-such-option``, ``cli.missing-argument``, ``cli.too-much``,
        ``cli.missing-value``, ``cli.value-of-switch``, ``cli.unfit-value``, ``cli.not-understood``; without facts if
        the help was printed instead.
    """
    try:
        yield
    except USAGE_ERROR as error:
        raise _wrong_usage(error, arguments) from error


def unknown_command(written: str, commands: Sequence[str], context: Any) -> WrongUsage:
    """The error of a command that does not exist."""
    return WrongUsage(NO_SUCH_COMMAND, command=written, near=nearest(written, commands), help=_help(context))


def too_much(rest: Sequence[str], context: Any) -> WrongUsage:
    """The error of words for which the command has no place."""
    return WrongUsage(TOO_MUCH, rest=" ".join(rest), help=_help(context))


def is_help(error: BaseException) -> bool:
    """Whether typer printed the help, because nothing was asked for."""
    return type(error).__name__ == HELP_WAS_ASKED_FOR


def _wrong_usage(error: Any, arguments: Sequence[str]) -> WrongUsage:
    if is_help(error):
        raise error
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    wanted = {"help": _help(context, arguments)}
    kind = type(error).__name__
    if kind == "NoSuchOption":
        written = str(error.option_name)
        return WrongUsage(NO_SUCH_OPTION, option=written, near=nearest(written, _options(context)), **wanted)
    if kind == "BadOptionUsage":
        written = str(error.option_name)
        given = any(argument.startswith(f"{written}=") for argument in arguments)
        return WrongUsage(VALUE_OF_SWITCH if given else MISSING_VALUE, option=written, **wanted)
    if parameter is None:
        return WrongUsage(NOT_UNDERSTOOD, message=error.format_message(), **wanted)
    if kind == "MissingParameter":
        return WrongUsage(MISSING_ARGUMENT, what=_name(parameter), **wanted)
    return WrongUsage(UNFIT_VALUE, option=_name(parameter), wanted=_wanted(parameter), **wanted)


def _help(context: Any, arguments: Sequence[str] = ()) -> str:
    """What to write for help; where typer does not say which command it is, the first word names it."""
    if context is not None:
        return f"{context.command_path} --help"
    command = next((word for word in arguments if not word.startswith("-")), None)
    return " ".join(filter(None, ("bingcheng", command, "--help")))


def _options(context: Any) -> list[str]:
    parameters = context.command.get_params(context) if context is not None else ()
    return [name for one in parameters if one.param_type_name == "option" for name in one.opts if name.startswith("--")]


def _name(parameter: Any) -> str:
    """The parameter as the help writes it."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name)


def _wanted(parameter: Any) -> Text:
    """What belongs there, as far as the parameter says it."""
    least = getattr(parameter, "min", None)
    if least is not None:
        return text("a whole number of at least {least}", least=int(least))
    return text("what it is meant for: {what}", what=str(parameter.help or _name(parameter)))
