"""A dicompare schema as a protocol: acquisitions become roles, their fields criteria, their series roles of their own.

dicompare assigns acquisitions to series by the least difference of their fields. Here a role is filled by what its name
says a series is (T1, diffusion, sagittal), told from the physics of the series; where the name says nothing, by any
series of the modality, of which the one that meets the criteria best is judged.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Level, Trust
from bingcheng.core.wording import Text, text
from bingcheng.dicom.vendors.known import vendor_of
from bingcheng.protocol.attributes import Attribute
from bingcheng.protocol.fault import Fault
from bingcheng.protocol.interchange.dicompare_fields import attribute_of
from bingcheng.protocol.interchange.dicompare_format import Acquisition, Code, FieldRule, Schema, read
from bingcheng.protocol.interchange.remark import Remark
from bingcheng.protocol.model import FORMAT, Criterion, Demand, Limit, Predicate, Protocol, Role, Scope, Source
from bingcheng.protocol.naming import spoken_of
from bingcheng.protocol.validation import faults
from bingcheng.protocol.values import Kind

NOTHING_CARRIED = Problem(
    code="protocol.nothing-carried-over",
    says="{file} asks for nothing that can be judged here",
    remedy="Look at the remarks on its fields and rules, and write a protocol file for what matters among them.",
    owner=Owner.PHYSICIST,
)
SOURCE = "schema"
LONGEST_INTENT = 240
"""Characters of a description that is kept; schemas hold whole essays there."""
MODALITY, MR = "Modality", "MR"
TOLD_BY_NAME = ("weighting", "plane")
"""Sections of the vocabulary of names that tell which series an acquisition means."""


@dataclass(slots=True)
class _Made:
    """What was made of a schema so far."""

    roles: list[Role] = field(default_factory=list)
    criteria: list[Criterion] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    """Where in the schema a role or criterion stands, by ``role.`` and identifier, or identifier."""
    remarks: list[Remark] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def identifier(self, words: str) -> str:
        """A new identifier from free words."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_") or "x"
        name, count = plain, 2
        while name.casefold() in self.names:
            name, count = f"{plain}_{count}", count + 1
        self.names.add(name.casefold())
        return name

    def lost(self, where: str, template: Any) -> None:
        """Say that something was not carried over."""
        self.remarks.append(Remark(where, template))


def import_dicompare(content: str, name: str) -> tuple[Protocol, tuple[Remark, ...]]:
    """The protocol that a dicompare schema asks for, and what of it could not be carried over, with its place.

    Python code that a schema holds is never run: its rules are remarks with their name and description.

    Parameters
    ----------
    content : of the JSON file.
    name : what errors call it; the protocol's identifier is made from it.

    Raises
    ------
    InputError
        ``protocol.not-json``, ``protocol.not-dicompare``, ``protocol.nothing-carried-over``.
    """
    schema = read(content, name)
    made = _Made()
    _code(made, "rules", schema.rules)
    for key, acquisition in schema.acquisitions.items():
        _acquisition(made, f"acquisitions.{key}", key, acquisition)
    identifier = re.sub(r"\.json$", "", name)
    while True:
        if not made.criteria:
            raise InputError(NOTHING_CARRIED, file=name)
        protocol = _protocol(schema, made, identifier)
        fault = next(faults(protocol), None)
        if fault is None:
            break
        _drop(made, fault)
    return protocol, tuple(made.remarks)


def _protocol(schema: Schema, made: _Made, name: str) -> Protocol:
    modalities = [role.modality for role in made.roles]
    authors = ", ".join(schema.authors)
    citation = " ".join(part for part in (authors and f"{authors}.", schema.name, schema.version) if part)
    return Protocol(
        format=FORMAT,
        id=_Made().identifier(name),
        title=_sentence(schema.name),
        version=schema.version or "1",
        modality=max(modalities, key=modalities.count),
        intent=_sentence(textwrap.shorten(schema.description, LONGEST_INTENT, placeholder=" ...") or schema.name),
        by_default=False,
        note="Carried over from a dicompare schema; judged on request.",
        sources={
            SOURCE: Source(citation=_plain(citation), read="dicompare schema", locator="the schema file"),
        },
        roles=tuple(made.roles),
        criteria=tuple(made.criteria),
    )


def _acquisition(made: _Made, where: str, name: str, acquisition: Acquisition) -> None:
    modality = next((str(f.value) for f in acquisition.fields if f.field == MODALITY and f.value), MR)
    select = tuple(_from_name(name, modality))
    role = _role(made, where, name, modality, select)
    if not select:
        what = text(
            "the name tells no kind of series: the {modality} series that fits best is judged", modality=modality
        )
        made.remarks.append(Remark(where, what, lost=False))
    for n, rule in enumerate(acquisition.fields):
        if rule.field != MODALITY:
            _field(made, f"{where}.fields[{n}] ({rule.field})", role, name, rule)
    for n, series in enumerate(acquisition.series):
        place = f"{where}.series[{n}]"
        if not series.fields:
            made.lost(place, text("a series without a field asks for nothing"))
            continue
        told = tuple(_predicates(made, place, series.fields))
        if told:
            title = f"{name}: {series.name or n + 1}"
            _role(made, place, title, modality, (*select, *told))
    _code(made, where + ".rules", acquisition.rules)


def _role(made: _Made, where: str, title: str, modality: str, select: tuple[Predicate, ...]) -> Role:
    role = Role(
        id=made.identifier(title),
        title=_sentence(title),
        modality=modality,
        level=Level.REQUIRED,
        decisive=not made.roles,
        select=select,
        source=(SOURCE,),
        locator=_plain(where),
        trust=Trust.SECONDARY,
        remedy="Send this series if it was acquired; if not, add it to the scanner's protocol for the next exam.",
    )
    made.roles.append(role)
    made.places[f"role.{role.id}"] = where
    return role


def _from_name(name: str, modality: str) -> Iterator[Predicate]:
    """What the name of an acquisition says that its series is, where it says one thing."""
    for about in TOLD_BY_NAME:
        said = spoken_of(about, name)
        if len(said) == 1 and (about == "plane" or modality == MR):
            yield Predicate(attribute=f"derived.{about}", operator="==", value=next(iter(said)))


def _predicates(made: _Made, where: str, rules: Sequence[FieldRule]) -> Iterator[Predicate]:
    """What tells a series from the others of its acquisition."""
    for n, rule in enumerate(rules):
        place = f"{where}.fields[{n}] ({rule.field})"
        for demand, _ in _demands(made, place, rule):
            # A series is there if some images of the acquisition are so.
            operator = "any_in" if demand.operator == "all_in" else demand.operator
            yield Predicate(**demand.model_dump() | {"operator": operator})


def _field(made: _Made, where: str, role: Role, title: str, rule: FieldRule) -> None:
    for demand, level in _demands(made, where, rule):
        criterion = Criterion(
            **demand.model_dump(),
            id=made.identifier(f"{role.id}_{rule.field}"),
            title=_sentence(f"{title}: {rule.field}"),
            scope=Scope.SERIES,
            roles=(role.id,),
            level=level,
            source=(SOURCE,),
            locator=_plain(where),
            trust=Trust.SECONDARY,
            remedy=f"Set {_plain(rule.field)} at the scanner as agreed, and store it there for the next exam.",
            owner=Owner.TECHNOLOGIST,
            note=_sentence(rule.notes) if len(_plain(rule.notes)) >= 3 else None,
        )
        made.criteria.append(criterion)
        made.places[criterion.id] = where


def _demands(made: _Made, where: str, rule: FieldRule) -> Iterator[tuple[Demand, Level]]:
    """What a field asks for; graded fields ask twice, with the failing edge as what is required."""
    asked = _of_matrix(rule) if rule.field == "AcquisitionMatrix" else ((rule, attribute_of(rule.field)),)
    for one, attribute in asked:
        if attribute is None:
            made.lost(where, text("no quantity of this program is: {field}", field=one.field))
            continue
        graded = one.error_least is not None or one.error_most is not None or one.error_tolerance is not None
        level = Level.RECOMMENDED if graded or one.severity == "warning" else Level.REQUIRED
        yield from ((demand, level) for demand in _limits(made, where, one, attribute))
        if graded:
            yield from ((demand, Level.REQUIRED) for demand in _limits(made, where, _edge(one), attribute))


def _edge(rule: FieldRule) -> FieldRule:
    """The constraint beyond which a graded field fails; a side without an edge never fails."""
    if rule.error_tolerance is not None:
        return rule.model_copy(update={"tolerance": rule.error_tolerance})
    return rule.model_copy(update={"least": rule.error_least, "most": rule.error_most, "value": None})


def _of_matrix(rule: FieldRule) -> Iterator[tuple[FieldRule, Attribute | None]]:
    """The acquired matrix: four numbers, of which those of the direction that was not encoded are 0 (0018,1310)."""
    value = rule.value
    if isinstance(value, list) and len(value) == 4 and all(_is_number(one) for one in value):
        for key, pair in (("AcquisitionMatrix", value[:2]), ("derived.acq_matrix_phase", value[2:])):
            yield rule.model_copy(update={"value": max(float(one) for one in pair)}), attribute_of(key)
    else:
        yield rule, attribute_of(rule.field)


def _limits(made: _Made, where: str, rule: FieldRule, attribute: Attribute) -> Iterator[Demand]:
    """The demands of one constraint, in the order in which dicompare looks for its kind."""
    if rule.contains_any is not None or rule.contains_all is not None or rule.contains is not None:
        found = list(_containing(made, where, rule, attribute))
    elif rule.least is not None or rule.most is not None:
        found = list(_range(attribute, rule.least, rule.most))
    elif rule.value is None:
        made.lost(where, text("a field without a limit asks for nothing"))
        return
    else:
        found = list(_value(attribute, rule.value, rule.tolerance))
    if not found:
        made.lost(where, text("this limit does not fit the quantity, which is: {kind}", kind=attribute.kind.value))
    for operator, limit in found:
        unit = attribute.unit if attribute.kind.numeric and attribute.unit != "1" else None
        yield Demand(attribute=attribute.key, operator=operator, value=limit, unit=unit)


def _containing(made: _Made, where: str, rule: FieldRule, attribute: Attribute) -> Iterator[tuple[str, Limit]]:
    parts: list[Any] = rule.contains_any or rule.contains_all or [rule.contains]
    wanted = tuple(str(part) for part in parts if part not in (None, ""))
    if not wanted:
        return
    match attribute.kind:
        case Kind.WORD if rule.contains_all is None:
            yield "has_part", wanted
        case Kind.WORDS:
            if rule.contains is not None:
                what = text("asked of a whole entry here; dicompare also takes an entry with it inside")
                made.remarks.append(Remark(where, what, lost=False))
            yield ("contains_any" if rule.contains_all is None else "contains_all"), wanted
        case Kind.NUMBERS:
            numbers = tuple(number for part in parts if (number := _number(part)) is not None)
            if len(numbers) == len(wanted):
                yield ("contains_any" if rule.contains_all is None else "contains_all"), numbers


def _range(attribute: Attribute, least: float | None, most: float | None) -> Iterator[tuple[str, Limit]]:
    """A range; of several values dicompare asks it of each."""
    several = attribute.kind is Kind.NUMBERS
    if not attribute.kind.numeric:
        return
    if least is not None and most is not None:
        yield ("all_in" if several else "between"), (least, most)
    elif most is not None:
        yield ("max_le" if several else "<="), most
    elif not several and least is not None:
        yield ">=", least


def _value(attribute: Attribute, value: Any, tolerance: float | None) -> Iterator[tuple[str, Limit]]:
    entries = tuple(value) if isinstance(value, list) else (value,)
    match attribute.kind:
        case Kind.NUMBER | Kind.NUMBERS:
            numbers = tuple(number for one in entries if (number := _number(one)) is not None)
            if numbers and len(numbers) == len(entries):
                yield from _numbers(attribute, numbers, tolerance)
        case Kind.WORD:
            words = str(entries[0]) if len(entries) == 1 else ""
            if attribute.key == "derived.vendor" and (vendor := vendor_of(words)) is not None:
                words = vendor.name
            if words:
                yield "==", words
        case Kind.WORDS if all(str(one) for one in entries):
            yield "list_is", tuple(str(one) for one in entries)


def _numbers(attribute: Attribute, numbers: tuple[float, ...], tolerance: float | None) -> Iterator[tuple[str, Limit]]:
    several, same = attribute.kind is Kind.NUMBERS, len(set(numbers)) == 1
    if several and (tolerance is not None or same):
        room = tolerance or 0.0
        if same:
            yield "all_in", (numbers[0] - room, numbers[0] + room)
    elif several:
        yield "list_is", numbers
    elif same:
        yield ("==", numbers[0]) if tolerance is None else ("between", (numbers[0] - tolerance, numbers[0] + tolerance))


def _code(made: _Made, where: str, rules: Sequence[Code]) -> None:
    for n, rule in enumerate(rules):
        what = text(
            "its logic is Python code, which is never run here: {name} ({about})",
            name=_plain(rule.name) or "-",
            about=_plain(rule.description) or ", ".join(rule.fields) or "-",
        )
        made.lost(f"{where}[{n}]", what)


def _drop(made: _Made, fault: Fault) -> None:
    """Take out what does not make sense, and say so."""
    kind, number = str(fault.where[0]), int(fault.where[1])
    key = f"role.{made.roles[number].id}" if kind == "roles" else made.criteria[number].id
    facts = {"file": "", "line": 0, "key": "", **fault.facts}
    says = fault.problem.says.removeprefix("{file}, line {line}, {key}: ")
    made.lost(made.places[key], Text(says, facts))
    if kind == "roles":
        gone = made.roles.pop(number)
        made.criteria = [one for one in made.criteria if gone.id not in one.roles]
        if made.roles and not any(role.decisive for role in made.roles):
            made.roles[0] = made.roles[0].model_copy(update={"decisive": True})
    else:
        made.criteria.pop(number)


def _number(value: Any) -> float | None:
    """A finite number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(words: str) -> str:
    """Words without braces, which would be taken for places of a template, in one line."""
    return " ".join(words.replace("{", "(").replace("}", ")").split())


def _sentence(words: str) -> str:
    """Words as a sentence of a protocol file, which has three characters at least."""
    return _plain(words).ljust(3, ".")
