"""A protocol as a page to print on A4 and hang at the console; one file that needs no network.

For each series: what to set, the limit, how much it weighs, what to do when it is not met, and who says so. The browser
prints it, or saves it as PDF.
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import bingcheng
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Level, Trust
from bingcheng.core.wording import Fact, Text, text
from bingcheng.outputs.language import Language
from bingcheng.outputs.source_images import CANNOT_WRITE
from bingcheng.protocol.authoring.diff import demand_in_words, limit_in_words
from bingcheng.protocol.model import Criterion, Protocol, Role, Scope

TEMPLATES = "bingcheng.outputs.protocol_sheet"
LEVELS = (Level.REQUIRED, Level.ACCEPTABLE, Level.RECOMMENDED, Level.IDEAL, Level.OPTIONAL)
SECTIONS: Mapping[Scope, Text] = MappingProxyType(
    {
        Scope.EXAM: text("The exam as a whole"),
        Scope.PAIR: text("Compared with the patient's first exam"),
        Scope.LESION: text("The lesions that are measured"),
        Scope.PHANTOM: text("Phantom scans"),
        Scope.PROGRAM: text("The department"),
    }
)
"""The parts of the sheet after the series, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One criterion on the sheet. `marks` are the numbers of its sources; `checked` whether its limit was verified."""

    what: Text
    title: Text
    limits: tuple[tuple[str, Text], ...]
    level: Level
    conditions: tuple[Text, ...]
    roles: tuple[Text, ...]
    remedy: Text
    note: Text | None
    owner: Text
    marks: tuple[str, ...]
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One series, or one of `SECTIONS`, with its criteria, those first that ask most."""

    title: Text
    level: Level | None
    told_by: tuple[Text, ...]
    remedy: Text | None
    lines: tuple[Line, ...]


def write_sheet(path: Path, protocol: Protocol, language: Language, *, on: date) -> None:
    """Write the sheet of `protocol`; the file appears whole or not at all. `on` is the day that is printed on it.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    content = sheet(protocol, language, on=on)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(content)
            unfinished.chmod(path.parent.stat().st_mode & 0o666)  # a temporary file is its owner's only
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error


def sheet(protocol: Protocol, language: Language, *, on: date) -> str:
    """The sheet of `protocol` as a page of HTML."""
    css = (files(TEMPLATES) / "assets" / "sheet.css").read_text(encoding="utf-8")
    numbers = {name: str(n) for n, name in enumerate(protocol.sources, start=1)}
    return (
        _environment(language)
        .get_template("sheet.html.jinja")
        .render(
            protocol=protocol,
            language=language,
            sections=tuple(_sections(protocol, numbers)),
            applies=tuple(demand_in_words(one) for one in protocol.applies),
            sources=[(numbers[name], source) for name, source in protocol.sources.items()],
            unchecked=any(one.trust is Trust.UNVERIFIED for one in (*protocol.roles, *protocol.criteria)),
            printed_on=on,
            version=bingcheng.__version__,
            css=Markup(css),  # noqa: S704 - our own file
            css_hash="sha256-" + b64encode(sha256(css.encode()).digest()).decode("ascii"),
        )
    )


def _sections(protocol: Protocol, numbers: Mapping[str, str]) -> Iterator[Section]:
    for role in protocol.roles:
        mine = [one for one in protocol.criteria if one.scope is Scope.SERIES and role.id in one.roles]
        yield Section(
            title=Text(role.title),
            level=role.level,
            told_by=tuple(_told_by(role)),
            remedy=Text(role.remedy),
            lines=_lines(protocol, mine, numbers, name_roles=False),
        )
    for scope, title in SECTIONS.items():
        asked = [one for one in protocol.criteria if one.scope is scope]
        if asked:
            lines = _lines(protocol, asked, numbers, name_roles=True)
            yield Section(title=title, level=None, told_by=(), remedy=None, lines=lines)


def _told_by(role: Role) -> Iterator[Text]:
    """By what the series is recognised; that it is no scout and no reformat goes without saying at the console."""
    for one in role.select:
        if one.value is not False and not one.prefers and one.attribute != "derived.is_original":
            yield demand_in_words(one)


def _lines(
    protocol: Protocol, criteria: Sequence[Criterion], numbers: Mapping[str, str], *, name_roles: bool
) -> tuple[Line, ...]:
    ordered = sorted(criteria, key=lambda one: LEVELS.index(one.level))
    return tuple(_line(protocol, one, numbers, name_roles=name_roles) for one in ordered)


def _line(protocol: Protocol, one: Criterion, numbers: Mapping[str, str], *, name_roles: bool) -> Line:
    if one.by_vendor is None:
        limits: tuple[tuple[str, Text], ...] = (("", limit_in_words(one)),)
    else:
        each = ((vendor, one.model_copy(update={"by_vendor": None, "value": v})) for vendor, v in one.by_vendor.items())
        limits = tuple((vendor, limit_in_words(alone)) for vendor, alone in each)
    return Line(
        what=one.bound.attribute.label,
        title=Text(one.title),
        limits=limits,
        level=one.level,
        conditions=tuple(demand_in_words(condition) for condition in one.when),
        roles=tuple(Text(protocol.role(key).title) for key in one.roles) if name_roles else (),
        remedy=Text(one.remedy),
        note=None if one.note is None else Text(one.note),
        owner=Text(one.owner.value),
        marks=tuple(numbers[name] for name in one.source),
        checked=one.trust is not Trust.UNVERIFIED,
    )


def _environment(language: Language) -> Environment:
    """Everything is escaped, an unknown name raises, ``_`` and ``say`` speak `language`."""

    def sentence(template: str, **facts: Fact | Text) -> str:
        return language.say(Text(template, facts)) if facts else language.say(template)

    made = Environment(
        loader=PackageLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update({"_": sentence, "say": language.say, "Level": Level})
    return made
