"""What stands on a sheet for the console, whatever it is written as: each series with what a protocol asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.finding import Level, Trust
from bingcheng.core.wording import Text, text
from bingcheng.protocol.authoring.diff import demand_in_words, limit_in_words
from bingcheng.protocol.model import ANY_MODALITY, Criterion, Protocol, Role, Scope, Source

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A sheet: head, sections, numbered sources; `unchecked` tells whether some limit was not verified."""

    protocol: Protocol
    kind: Text
    applies: tuple[Text, ...]
    sections: tuple[Section, ...]
    sources: tuple[tuple[str, Source], ...]
    unchecked: bool


def content_of(protocol: Protocol) -> Content:
    """What the sheet of `protocol` holds."""
    numbers = {name: str(n) for n, name in enumerate(protocol.sources, start=1)}
    every = protocol.modality == ANY_MODALITY
    return Content(
        protocol=protocol,
        kind=text("Phantoms and programme") if every else Text(protocol.modality),
        applies=tuple(demand_in_words(one) for one in protocol.applies),
        sections=tuple(_sections(protocol, numbers)),
        sources=tuple((numbers[name], source) for name, source in protocol.sources.items()),
        unchecked=any(one.trust is Trust.UNVERIFIED for one in (*protocol.roles, *protocol.criteria)),
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
