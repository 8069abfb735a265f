"""``bingcheng protocols`` and ``bingcheng measures``: what this installation knows, with sources."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bingcheng.cli.exits import OK
from bingcheng.cli.nearest import nearest
from bingcheng.core.case import GIVENS, Methods
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.measure import Measure
from bingcheng.core.units import unit
from bingcheng.core.wording import text
from bingcheng.engine.methods import installed
from bingcheng.outputs.language import Language
from bingcheng.protocol.library import protocol as of_library
from bingcheng.protocol.library import protocols
from bingcheng.protocol.model import Protocol

NO_SUCH_MEASURE = Problem(
    code="cli.no-such-measure",
    says="there is no measure '{key}'; the nearest are {near}",
    remedy="Use a key from the list that `bingcheng measures` prints.",
    owner=Owner.OPERATOR,
)
DESCRIBED = re.compile(r"[\w, ]+ : ")
"""A parameter at the start of a line, with what it means."""


def run_protocols(key: str | None, language: Language) -> int:
    """Print the list of protocols, or one protocol whole; returns the exit code."""
    console = Console()
    if key is not None:
        _print_protocol(console, of_library(key), language)
        return OK
    say = language.say
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Identifier"), text("Modality"), text("Criteria"), text("Title")):
        table.add_column(say(column), no_wrap=not table.columns)
    for one in protocols():
        table.add_row(one.id, one.modality, str(len(one.criteria)), escape(say(one.title)))
    console.print(table)
    return OK


def _print_protocol(console: Console, one: Protocol, language: Language) -> None:
    say = language.say
    console.print(f"[bold]{escape(say(one.title))}[/]  [dim]{one.id}[/]")
    for criterion in one.criteria:
        console.print(
            f"  [bold]{criterion.id}[/] [dim]{criterion.level.value}, {criterion.trust.value}[/] "
            f"{escape(say(criterion.title))}",
            highlight=False,
        )
        if criterion.remedy:
            console.print(Padding(f"→ {escape(say(criterion.remedy))}", (0, 0, 0, 6)), highlight=False)
    console.print(f"\n{say(text('Sources'))}")
    for name, source in one.sources.items():
        console.print(f"  {name}: {escape(source.citation)}", highlight=False)


def run_measures(key: str | None, *, inputs: bool, language: Language) -> int:
    """Print the list of measures, one measure whole, or the inputs that measures may ask for; returns the exit code.

    Raises
    ------
    InputError
        ``cli.no-such-measure``.
    """
    methods = installed()
    console = Console()
    if inputs:
        _print_inputs(console, methods)
    elif key is None:
        _print_measures(console, methods, language)
    else:
        name = key.split(".")[0]  # a value of a family: "hu_distribution.skewness"
        if name not in methods.measures:
            raise InputError(NO_SUCH_MEASURE, key=key, near=nearest(name, methods.measures.keys()))
        _print_measure(console, methods.measures[name], language)
    return OK


def _print_measures(console: Console, methods: Methods, language: Language) -> None:
    say = language.say
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Key"), text("Of"), text("Modalities"), text("Unit"), text("Measure")):
        table.add_column(say(column), no_wrap=not table.columns)
    for measure in methods.measures:
        of = text("lesion") if methods.per_lesion(measure) else text("series")
        table.add_row(
            measure.key,
            say(of),
            " ".join(sorted(measure.modalities)),
            unit(measure.unit).symbol or "1",
            escape(say(measure.label)),
        )
    console.print(table)


def _print_measure(console: Console, measure: Measure, language: Language) -> None:
    say = language.say
    symbol = unit(measure.unit).symbol or "1"
    console.print(f"[bold]{escape(say(measure.label))}[/]  [dim]{measure.key}, {escape(symbol)}[/]", highlight=False)
    for indent, words in paragraphs(inspect.getdoc(measure.function) or ""):
        console.print(Padding(escape(words), (0, 0, 0, indent)), highlight=False)
    console.print(f"\n{say(text('Source'))}: {escape(measure.source)}", highlight=False)
    console.print(f"{say(text('References'))}:")
    for reference in measure.references:
        tolerance = reference.atol + reference.rtol * abs(reference.expect)
        console.print(
            f"  {escape(reference.name)}: {reference.expect:g} ± {tolerance:g} "
            f"[dim]({reference.kind.value}; {escape(reference.source)})[/]",
            highlight=False,
        )


def paragraphs(docstring: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of a docstring, each in one line with its indent, so that the terminal breaks them where it ends.

    A line that an underline follows is a heading, and a description stands indented below its name (numpydoc).
    """
    lines = docstring.splitlines()
    indent, words = 0, ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        depth = len(line) - len(line.lstrip())
        alone = not line or set(line) == {"-"} or set(following) == {"-"} or DESCRIBED.match(line) is not None
        if words and (alone or depth != indent):
            yield indent, words
            words = ""
        if not line or set(line) == {"-"}:
            yield 0, line
        else:
            indent, words = depth, f"{words} {line.strip()}".strip()
            if set(following) == {"-"}:
                yield 0, words
                words = ""
    if words:
        yield indent, words


def _print_inputs(console: Console, methods: Methods) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, meaning in GIVENS.items():
        table.add_row(f"[bold]{name}[/]", escape(meaning))
    for one in methods.derived:
        about = (inspect.getdoc(one.function) or "").split("\n")[0]
        table.add_row(f"[bold]{one.key}[/]", escape(f"{about} (from {', '.join(one.inputs)})"))
    console.print(table)
