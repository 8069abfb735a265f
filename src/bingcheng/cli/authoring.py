"""``bingcheng protocol check | diff | export``: reading, comparing and writing protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from bingcheng.cli.exits import GATE, OK, print_json, tell_error
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Level, Trust
from bingcheng.core.wording import Text, text
from bingcheng.outputs.ct_defined_procedure_protocol import write_ct_defined_procedure_protocol
from bingcheng.outputs.language import Language
from bingcheng.outputs.protocol_sheet.sheet import SheetFormat, write_sheet
from bingcheng.outputs.source_images import CANNOT_WRITE
from bingcheng.protocol.attributes import About
from bingcheng.protocol.authoring.diff import Change, Difference, Part, differences
from bingcheng.protocol.authoring.writing import written
from bingcheng.protocol.library import load, protocols, read, text_of
from bingcheng.protocol.library import protocol as of_library
from bingcheng.protocol.model import Protocol

NOTHING_TO_WRITE = Problem(
    code="cli.nothing-to-write",
    says="nothing says as what to write the protocol",
    remedy="Give --sheet, --dicom or --toml with the name of a file, or --format pdf; several write several files.",
    owner=Owner.OPERATOR,
)
CHANGES: Mapping[Change, tuple[str, Text]] = MappingProxyType(
    {
        Change.ADDED: ("green", text("added")),
        Change.REMOVED: ("red", text("removed")),
        Change.CHANGED: ("yellow", text("changed")),
        Change.RENAMED: ("cyan", text("renamed")),
    }
)
PARTS: Mapping[Part, Text] = MappingProxyType(
    {
        Part.PROTOCOL: text("protocol"),
        Part.SOURCE: text("source"),
        Part.ROLE: text("role"),
        Part.CRITERION: text("criterion"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """As what a protocol is to be written, and for which scanner; see the options of ``bingcheng protocol export``."""

    sheet: Path | None = None
    form: SheetFormat | None = None
    dicom: Path | None = None
    toml: Path | None = None
    vendor: str | None = None
    model: str | None = None
    by: str = ""


def named(name: str) -> Protocol:
    """The protocol of that identifier, or in that file.

    Raises
    ------
    InputError
        ``protocol.no-such-protocol``; what `load` raises.
    """
    path = Path(name)
    return load(path) if path.suffix == ".toml" or path.is_file() else of_library(name)


def run_check(paths: tuple[Path, ...], language: Language) -> int:
    """Print every mistake in the files, and what each amounts to; returns the exit code."""
    console, wrong = Console(), 0
    for path in paths:
        found, errors = read(text_of(path), path.name)
        mistakes = 0
        for error in errors:
            tell_error(language, error)
            mistakes += 1
        wrong += mistakes
        if not mistakes and found is not None:
            console.print(f"[green]{escape(path.name)}[/] {escape(language.say(_amounts_to(found)))}", highlight=False)
            for remark in _remarks(found):
                console.print(Padding(escape(language.say(remark)), (0, 0, 0, 2)), highlight=False)
    if wrong:
        console.print(language.plural("{count} mistake.", "{count} mistakes.", wrong), highlight=False)
    return GATE if wrong else OK


def _amounts_to(found: Protocol) -> Text:
    return text(
        "makes sense: {title} ({id}), {roles} series, {criteria} criteria.",
        title=Text(found.title),
        id=found.id,
        roles=len(found.roles),
        criteria=len(found.criteria),
    )


def _remarks(found: Protocol) -> list[Text]:
    """What an author may not expect of a protocol that makes sense."""
    weights = [*((one.level, one.trust) for one in found.roles), *((one.level, one.trust) for one in found.criteria)]
    required = sum(level is Level.REQUIRED for level, _ in weights)
    unverified = weights.count((Level.REQUIRED, Trust.UNVERIFIED))
    outside = [one for one in found.criteria if one.bound.attribute.about is About.OUTSIDE]
    remarks = [text("{count} are required and stop an exam under --strict.", count=required - unverified)]
    if unverified:
        remarks.append(text("{count} are required but unverified, and so stop none.", count=unverified))
    if outside:
        remarks.append(
            text(
                "{count} ask for what no header says; it is measured, or somebody has to answer it.", count=len(outside)
            )
        )
    if found.id in {one.id for one in protocols()}:
        remarks.append(
            text("A protocol that ships is called {id} too: give this one another id before use.", id=found.id)
        )
    if not found.by_default:
        remarks.append(text("It is judged only where --protocol {id} asks for it.", id=found.id))
    return remarks


def run_diff(first: str, second: str, language: Language, *, json: bool) -> int:
    """Print what two protocols ask differently; returns the exit code."""
    before, after = named(first), named(second)
    found = differences(before, after)
    if json:
        print_json({"first": before.id, "second": after.id, "differences": [_as_json(one, language) for one in found]})
    elif not found:
        Console().print(language.say(text("The protocols say the same.")))
    else:
        _print_differences(found, language)
    return GATE if found else OK


def _print_differences(found: tuple[Difference, ...], language: Language) -> None:
    say, console = language.say, Console()
    for (part, key, change), same in groupby(found, key=lambda one: (one.part, one.key, one.change)):
        each = list(same)
        style, word = CHANGES[change]
        head = f"[{style}]{say(word)}[/] {say(PARTS[part])} [bold]{escape(key)}[/] {escape(say(each[0].title))}"
        console.print(head, highlight=False)
        for one in each:
            console.print(Padding(escape(_changed_words(one, language)), (0, 0, 0, 4)), highlight=False)


def _changed_words(one: Difference, language: Language) -> str:
    field = "" if one.field is None else f"{one.field}: "
    sides = [language.say(side) for side in (one.before, one.after) if side is not None]
    return field + " → ".join(sides)


def _as_json(one: Difference, language: Language) -> dict[str, object]:
    return {
        "change": one.change.value,
        "part": one.part.value,
        "key": one.key,
        "title": language.say(one.title),
        "field": one.field,
        "before": None if one.before is None else language.say(one.before),
        "after": None if one.after is None else language.say(one.after),
    }


def run_export(name: str, wanted: Export, language: Language) -> int:
    """Write a protocol as what is wanted, and say where; returns the exit code.

    Raises
    ------
    InputError
        ``cli.nothing-to-write``, ``outputs.cannot-write``, ``outputs.not-a-ct-protocol``; what `named` raises.
    """
    found = named(name)
    sheet = wanted.sheet
    if sheet is None and wanted.form is not None:
        sheet = Path(f"{found.id}.{wanted.form.value}")
    if sheet is None and wanted.dicom is None and wanted.toml is None:
        raise InputError(NOTHING_TO_WRITE)
    console = Console()
    if wanted.toml is not None:
        save_text(wanted.toml, written(found))
        _said(console, language, text("Protocol file: {file}", file=str(wanted.toml)))
    if sheet is not None:
        form = wanted.form or SheetFormat.of(sheet)
        write_sheet(sheet, found, language, on=date.today(), form=form)  # noqa: DTZ011 - the day where it hangs
        if form is SheetFormat.PDF:
            _said(console, language, text("Sheet, to be printed: {file}", file=str(sheet)))
        else:
            _said(console, language, text("Sheet, to be printed from a browser: {file}", file=str(sheet)))
    if wanted.dicom is not None:
        write_ct_defined_procedure_protocol(
            wanted.dicom, found, by=wanted.by, vendor=wanted.vendor, model=wanted.model, say=language.say
        )
        _said(console, language, text("CT Defined Procedure Protocol: {file}", file=str(wanted.dicom)))
    return OK


def save_text(path: Path, content: str) -> None:
    """Write a file of text.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error


def _said(console: Console, language: Language, sentence: Text) -> None:
    console.print(escape(language.say(sentence)), highlight=False, soft_wrap=True)
