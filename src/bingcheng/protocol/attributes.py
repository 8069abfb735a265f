"""What a criterion may ask about: named quantities read from the typed facts, or the reason why they are unknown.

A new quantity is one function with `@attribute` in a module of `bingcheng.protocol.quantities` (or of a plug-in); no
list has to be edited. What a function asks for tells what it is about: ``(acquisition)`` or ``(acquisition, exam)`` one
series, ``(exam)`` a whole exam, ``(now, before)`` a series and its counterpart in the baseline exam. The class of the
first parameter tells which modalities have it. A function returns the value, or None when the header is silent, or
raises `Undefined` when there is more to say than that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, get_type_hints

from bingcheng.core.catalogue import Catalogue, attach
from bingcheng.core.errors import Owner, Undefined
from bingcheng.core.units import unit as known_unit
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition, CtAcquisition, MrAcquisition, PetAcquisition
from bingcheng.protocol.values import Kind, Value

PACKAGE = "bingcheng.protocol.quantities"
ENTRY_POINTS = "bingcheng.protocol_attributes"
MODALITIES: Mapping[type[Acquisition], frozenset[str]] = MappingProxyType(
    {CtAcquisition: frozenset({"CT"}), MrAcquisition: frozenset({"MR"}), PetAcquisition: frozenset({"PT"})}
)
FROM_THE_ARCHIVE = text(
    "Send the series again from the scanner or the archive without stripping its header; "
    "if the entry is absent there too, ask the vendor's service how to have it written."
)


class About(StrEnum):
    """What a quantity belongs to."""

    SERIES = "series"
    EXAM = "exam"
    PAIR = "pair"
    OUTSIDE = "outside"
    """Never in a header: an image measurement, a phantom result, a clinical or site fact; someone has to supply it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExamFacts:
    """The series of one exam, as facts."""

    acquisitions: tuple[AnyAcquisition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a quantity came to: a value in the attribute's unit, or why it is unknown and who can supply it.

    `remark` says more about a value that stands, such as which settings differ.
    """

    value: Value | None = None
    remark: Text | None = None
    why: Text | None = None
    supply: Text | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A value with a remark on it, for functions of quantities that have more to say than the value."""

    value: Value
    remark: Text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribute:
    """The description of a quantity.

    Parameters
    ----------
    key : DICOM keyword where the standard has one, otherwise ``derived.``, ``image.``, ``phantom.``, ``clinical.`` or
        ``site.`` and a name.
    label : what people call it.
    kind, unit : shape of the value, and UCUM code of its numbers.
    about : what it belongs to.
    modalities : DICOM modalities whose series have it; empty = any.
    tolerance : in `unit`; two numbers closer than this are the same (rounding of headers).
    words : names of the words of a closed vocabulary; empty where vendors choose the word.
    why : why it is unknown when the function gives None.
    supply, owner : what to do then, and who can.
    function : None for what lies outside of any header.
    with_exam : whether the function of a series also asks for its exam.
    """

    key: str
    label: Text
    kind: Kind
    about: About
    why: Text
    supply: Text
    owner: Owner
    unit: str = "1"
    modalities: frozenset[str] = frozenset()
    tolerance: float = 0.0
    words: Mapping[str, Text] = field(default_factory=dict)
    source: str = ""
    function: Callable[..., Value | Told | None] | None = None
    takes: type = object
    with_exam: bool = False

    def read(
        self, exam: ExamFacts, acquisition: AnyAcquisition | None = None, before: AnyAcquisition | None = None
    ) -> Reading:
        """The value for `acquisition` in `exam` (compared with `before`), or why there is none."""
        subject = exam if self.about is About.EXAM else acquisition
        if self.function is None or not isinstance(subject, self.takes):
            return self.unknown
        try:
            value = self.function(*self._inputs(subject, exam, before))
        except Undefined as error:
            remedy = Text(error.problem.remedy, error.reason.facts)
            return Reading(why=error.reason, supply=remedy, owner=error.problem.owner)
        if isinstance(value, Told):
            return Reading(value=value.value, remark=value.remark)
        return self.unknown if value is None else Reading(value=value)

    @property
    def unknown(self) -> Reading:
        """That the header is silent."""
        return Reading(why=self.why, supply=self.supply, owner=self.owner)

    def _inputs(self, subject: object, exam: ExamFacts, before: AnyAcquisition | None) -> tuple[object, ...]:
        if self.about is About.PAIR:
            return subject, before
        return (subject, exam) if self.with_exam else (subject,)


def attribute(
    key: str,
    *,
    label: Text,
    kind: Kind = Kind.NUMBER,
    unit: str = "1",
    tolerance: float = 0.0,
    words: Mapping[str, Text] | None = None,
    source: str = "",
    why: Text | None = None,
    supply: Text = FROM_THE_ARCHIVE,
    owner: Owner = Owner.ARCHIVE,
) -> Callable[[Any], Any]:
    """Describe a function as a quantity that protocols may ask about; see `Attribute` for the fields."""

    def describe(function: Callable[..., Value | Told | None]) -> Callable[..., Value | Told | None]:
        known_unit(unit)
        parameters = tuple(inspect.signature(function).parameters)
        takes = get_type_hints(function)[parameters[0]]
        attach(
            function,
            Attribute(
                key=key,
                label=label,
                kind=kind,
                unit=unit,
                tolerance=tolerance,
                words=MappingProxyType(dict(words or {})),
                source=source,
                why=why or text("the header does not give: {what}", what=label),
                supply=supply,
                owner=owner,
                about=_about(takes, parameters),
                modalities=MODALITIES.get(takes, frozenset()),
                function=function,
                takes=takes,
                with_exam="exam" in parameters[1:],
            ),
        )
        return function

    return describe


def outside(
    key: str, *, label: Text, why: Text, supply: Text, owner: Owner, kind: Kind = Kind.NUMBER, unit: str = "1"
) -> Attribute:
    """A quantity that no header holds: a constant of a module, judged when someone supplies its value."""
    known_unit(unit)
    return Attribute(
        key=key, label=label, kind=kind, unit=unit, about=About.OUTSIDE, why=why, supply=supply, owner=owner
    )


@cache
def attributes() -> Catalogue[Attribute]:
    """All quantities of this installation: ours and those of plug-ins (entry points ``bingcheng.protocol_attributes``).

    Raises
    ------
    CatalogueError
        ``core.duplicate-key``, ``core.broken-plugin``.
    """
    return Catalogue.of(Attribute, PACKAGE, entry_point_group=ENTRY_POINTS)


def _about(takes: type, parameters: tuple[str, ...]) -> About:
    if takes is ExamFacts:
        return About.EXAM
    return About.PAIR if "before" in parameters else About.SERIES
