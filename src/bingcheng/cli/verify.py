"""``bingcheng verify``: every reference recomputed here, printed as a table with what was met and what was not."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from bingcheng.cli.exits import GATE, OK, print_json
from bingcheng.cli.progress import progress_bars
from bingcheng.core.units import unit
from bingcheng.core.wording import text
from bingcheng.engine.ibsi import RESPONSE_MAP, recomputed, summaries
from bingcheng.engine.methods import installed
from bingcheng.engine.verify import Verified, verified
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.radiomics import FAMILIES
from bingcheng.quantify.radiomics.conformance import ConformanceRow
from bingcheng.quantify.radiomics.feature import IBSI_1

IBSI_2 = "IBSI reference manual 2, arXiv:2006.05470; Whybra et al., Radiology 2024;310:e231319"


def run_verify(*, json: bool, language: Language, reference_data: Path | None = None) -> int:
    """Recompute and print; returns the exit code: 1 if a reference is not met.

    Parameters
    ----------
    reference_data : folder of public reference data, for those values of the IBSI that need it.

    Raises
    ------
    InputError
        as `bingcheng.engine.ibsi.recomputed`.
    """
    methods = installed()
    count = sum(max(1, len(measure.references)) for measure in methods.measures)
    console = Console(stderr=True)
    told = language.say(text("Recomputing the references"))
    results = list(track(verified(methods), told, total=count, console=console, disable=json))
    with progress_bars(language, shown=not json) as step:
        values = list(recomputed(reference_data, step))
    if json:
        judged = [row for row in values if row.reached is not None]
        print_json([*(_plain(one) for one in results), *(_plain_value(row) for row in judged)])
    else:
        _print(Console(), results, language)
        _print_values(Console(), values, language, all_given=reference_data is not None)
    met = all(one.met for one in results) and all(row.reached is not False for row in values)
    return OK if met else GATE


def _plain_value(row: ConformanceRow) -> dict[str, object]:
    """A value of the IBSI as the measures' references are."""
    return {
        "measure": f"radiomics.{row.tag}",
        "reference": f"IBSI {row.case}" if row.family != RESPONSE_MAP else f"IBSI 2 {RESPONSE_MAP} {row.tag}",
        "expect": row.expect,
        "atol": row.tolerance,
        "rtol": 0.0,
        "unit": None,
        "value": row.ours,
        "reason": None if row.why is None else str(row.why),
        "met": row.reached,
        "kind": "consensus",
        "source": IBSI_2 if row.family == RESPONSE_MAP else IBSI_1,
    }


def _print_values(console: Console, rows: list[ConformanceRow], language: Language, *, all_given: bool) -> None:
    say = language.say
    console.print()
    console.print(f"[bold]{escape(say(text('Values of the Image Biomarker Standardisation Initiative (IBSI)')))}[/]")
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for column in (text("Case"), text("Family"), text("Reached"), text("Not reached"), text("No consensus")):
        table.add_column(say(column), overflow="fold")
    for one in summaries(rows):
        case = say(one.case) if len(one.case) > 1 else say(text("CT phantom {letter}", letter=one.case))
        family = say(FAMILIES.get(one.family, text(one.family)))
        missed = f"[bold red]{one.missed}[/]" if one.missed else "0"
        table.add_row(escape(case), escape(family), str(one.reached), missed, str(one.without_consensus))
    console.print(table)
    for row in (row for row in rows if row.reached is False):
        found = say(text("none")) if row.ours is None else f"{row.ours:.6g}"
        why = "" if row.why is None else say(row.why)
        line = f"  {row.case} {row.tag}: {found} ({row.expect:.6g} ± {row.tolerance:.6g}) {why}"
        console.print(f"[bold red]{escape(line)}[/]", highlight=False)
    reached, judged = sum(row.reached is True for row in rows), sum(row.reached is not None for row in rows)
    told = text("{reached} of {count} values with a consensus are reached.", reached=reached, count=judged)
    console.print(say(told))
    if not all_given:
        console.print(escape(say(text("--reference-data FOLDER adds the CT phantom and the filters' response maps."))))


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
