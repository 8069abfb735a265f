"""``bingcheng verify``: every reference recomputed here, printed as a table with what was met and what was not."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from bingcheng.cli.exits import GATE, OK, print_json
from bingcheng.core.units import unit
from bingcheng.core.wording import text
from bingcheng.engine.methods import installed
from bingcheng.engine.verify import Verified, verified
from bingcheng.outputs.language import Language


def run_verify(*, json: bool, language: Language) -> int:
    """Recompute and print; returns the exit code: 1 if a reference is not met."""
    methods = installed()
    count = sum(max(1, len(measure.references)) for measure in methods.measures)
    console = Console(stderr=True)
    told = language.say(text("Recomputing the references"))
    results = list(track(verified(methods), told, total=count, console=console, disable=json))
    if json:
        print_json([_plain(one) for one in results])
    else:
        _print(Console(), results, language)
    return OK if all(one.met for one in results) else GATE


def _plain(one: Verified) -> dict[str, object]:
    reference = one.reference
    return {
        "measure": one.key,
        "reference": None if reference is None else reference.name,
        "expect": None if reference is None else reference.expect,
        "atol": None if reference is None else reference.atol,
        "rtol": None if reference is None else reference.rtol,
        "unit": one.unit,
        "value": one.value,
        "reason": None if one.reason is None else str(one.reason),
        "met": one.met,
        "kind": None if reference is None else reference.kind.value,
        "source": None if reference is None else reference.source,
    }


def _print(console: Console, results: list[Verified], language: Language) -> None:
    say = language.say
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Measure"), text("Reference"), text("Expected"), text("Found"), text("Result")):
        table.add_column(say(column), overflow="fold")
    for one in results:
        symbol = unit(one.unit).symbol
        found = f"{one.value:.6g} {symbol}" if one.value is not None else say(one.reason or text("no value"))
        result = f"[green]{escape(say(text('met')))}[/]" if one.met else f"[bold red]{escape(say(text('not met')))}[/]"
        expected = "" if one.reference is None else f"{one.reference.expect:.6g} {symbol}"
        name = "" if one.reference is None else escape(one.reference.name)
        table.add_row(one.key, name, expected, escape(found), result)
    console.print(table)
    met = sum(one.met for one in results)
    console.print(say(text("{met} of {count} references are met.", met=met, count=len(results))))
