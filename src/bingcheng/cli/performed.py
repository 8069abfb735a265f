"""``bingcheng protocol judge``: what a CT console was set to, against an agreed protocol."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from bingcheng.cli.authoring import named
from bingcheng.cli.exits import GATE, OK, print_json
from bingcheng.cli.terminal import OUTCOMES
from bingcheng.core.finding import Finding, Outcome
from bingcheng.core.wording import text
from bingcheng.dicom.facts.performed import performed_acquisitions
from bingcheng.outputs.language import Language
from bingcheng.outputs.summary import by_urgency
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.procedure_constraints import is_defined_protocol, judge_against_defined


def run_judge(performed: Path, protocol: str, language: Language, *, json: bool) -> int:
    """Print the findings on a CT Performed Procedure Protocol; returns the exit code.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.not-a-performed-protocol``, ``dicom.nothing-performed``; what `named` raises.
    """
    name, findings = _judged(performed, protocol)
    if json:
        print_json({"protocol": name, "findings": [_as_json(one, language) for one in findings]})
    else:
        _print(findings, language)
    return GATE if any(one.gates for one in findings) else OK


def _judged(performed: Path, protocol: str) -> tuple[str, tuple[Finding, ...]]:
    """The protocol's name, and the findings by it: by each constraint of a DICOM object, or by a protocol of ours."""
    given = Path(protocol)
    if given.is_file() and given.suffix != ".toml" and is_defined_protocol(given):
        findings = judge_against_defined(given, performed)
        return next((one.protocol for one in findings), given.stem), findings
    judges = named(protocol)
    return judges.id, judge(judges, performed_acquisitions(performed))


def _print(findings: tuple[Finding, ...], language: Language) -> None:
    say, console = language.say, Console()
    shown = [one for one in by_urgency(findings) if one.outcome is not Outcome.NOT_APPLICABLE]
    for one in shown:
        style, word = OUTCOMES[one.outcome]
        measured = "" if one.measured is None else f": {say(one.measured)}"
        limit = "" if one.limit is None else f" ({say(text('agreed'))}: {say(one.limit)})"
        console.print(f"[{style}]{escape(say(word))}[/] {escape(say(one.title) + measured + limit)}", highlight=False)
        for sentence in () if one.outcome is Outcome.PASS else (one.reason, one.remedy):
            if sentence is not None:
                console.print(Padding(f"→ {escape(say(sentence))}", (0, 0, 0, 4)), highlight=False)
    left = len(findings) - len(shown)
    if left:
        console.print(say(text("{count} criteria do not apply to what a console is set to.", count=left)))


def _as_json(one: Finding, language: Language) -> dict[str, object]:
    return {
        "criterion": one.criterion,
        "role": one.role,
        "series": one.series_uid,
        "outcome": one.outcome.value,
        "level": one.level.value,
        "gates": one.gates,
        "title": language.say(one.title),
        "measured": None if one.measured is None else language.say(one.measured),
        "limit": None if one.limit is None else language.say(one.limit),
        "value": one.value,
        "unit": one.unit,
        "reason": None if one.reason is None else language.say(one.reason),
        "remedy": None if one.remedy is None else language.say(one.remedy),
    }
