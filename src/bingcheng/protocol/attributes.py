"""What a criterion may ask about: named quantities read from the typed facts, or the reason why they are unknown.

A new quantity is one function with `@attribute` in a module of `bingcheng.protocol.quantities` (or of a plug-in); no
list has to be edited. What a function asks for tells what it is about: ``(acquisition)`` or ``(acquisition, exam)``
one series, ``(exam)`` a whole exam, ``(filled)`` the series that fill the roles which a criterion names,
``(now, before)`` or ``(now, before, exam)`` a series and its counterpart in the baseline exam. The class of the first
parameter tells which modalities have it. A function returns the value, or None when the header is silent, or raises
`Undefined` when there is more to say than that.
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
SURE = 0.8
"""A fact that is told with less certainty than this decides nothing; it leaves a doubt."""
TELL_WHICH = text("Look at the series and say which one it is; the answer is remembered for this scanner.")
FROM_THE_ARCHIVE = text(
    "Send the series again from the scanner or the archive without stripping its header; "
    "if the entry is absent there too, ask the vendor's service how to have it written."
)


class About(StrEnum):
    """What a quantity belongs to."""

    SERIES = "series"
    EXAM = "exam"
    ROLES = "roles"
    """How the series that fill several roles of one exam stand to each other: their order, their geometry."""
    PAIR = "pair"
    OUTSIDE = "outside"
    """Never in a header: an image measurement, a phantom result, a clinical or site fact; someone has to supply it."""


@dataclass(frozen=True, slots=True)
class Told:
    """A value with a remark on it, for functions of quantities that have more to say than the value; see `Reading`."""

    value: Value
    remark: Text | None
    certainty: float = 1.0


Supply = Value | Told
"""A value that no header holds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExamFacts:
    """The series of one exam, as facts.

    `measured` holds what was measured in the images of this exam, and in those of the baseline exam if it is compared
    with one, by UID of the series and key of the attribute; `answered` what people said of the exam, by key. `memo` is
    for functions of quantities that compare series with each other: what they found, by a name and the identity of the
    series.
    """

    acquisitions: tuple[AnyAcquisition, ...]
    measured: Mapping[str, Mapping[str, Supply]] = field(default_factory=dict)
    answered: Mapping[str, Supply] = field(default_factory=dict)
    memo: dict[tuple[str, int], object] = field(default_factory=dict, repr=False)

    def measured_in(self, acquisition: AnyAcquisition, key: str) -> Supply | None:
        """What was measured in the image of `acquisition`; None if it was not."""
        return self.measured.get(acquisition.series_uid, {}).get(key)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilledRole:
    """A role and the series that fill it for sure, the one that is judged first; none if nothing does."""

    id: str
    title: Text
    series: tuple[AnyAcquisition, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilledRoles:
    """The roles that a criterion names, in its order, and the exam in which they are filled.

    Required roles are filled by at least one series; optional ones may be empty.
    """

    roles: tuple[FilledRole, ...]
    exam: ExamFacts

    @property
    def present(self) -> tuple[FilledRole, ...]:
        """Those that a series fills."""
        return tuple(role for role in self.roles if role.series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a quantity came to: a value in the attribute's unit, or why it is unknown and who can supply it.

    `remark` says more about a value that stands, such as which settings differ or from what it was recognised.
    `certainty` is the probability that the value is right; 1 for what a header states.
    """

    value: Value | None = None
    remark: Text | None = None
    certainty: float = 1.0
    why: Text | None = None
    supply: Text | None = None
    owner: Owner | None = None

    @property
    def sure(self) -> bool:
        """Whether there is a value that may decide something."""
        return self.value is not None and self.certainty >= SURE

    @staticmethod
    def of(value: Supply) -> Reading:
        """The reading that a value, with or without a remark, amounts to."""
        if isinstance(value, Told):
            return Reading(value=value.value, remark=value.remark, certainty=value.certainty)
        return Reading(value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageValues:
    """What was measured on one series, or on one lesion in it.

    `values` are by key of the measure, in the measure's unit; `label` is the lesion's, None for a series.
    """

    acquisition: AnyAcquisition
    values: Mapping[str, float]
    label: str | None = None


Conversion = Callable[[ImageValues], Supply | None]


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
    measures : of what lies outside of headers: keys of the measures whose values tell it.
    convert : how they tell it; None where the first measure's value, in the same unit, is it.
    ages : whether it counts days since something, so that an answer grows by a day each day.
    form : a regular expression that a word which somebody answers must match as a whole; empty where any word will do.
    of_one_exam : whether an answer can only hold for one exam.
    answered_by : keys of what lies outside of headers and tells it, if somebody answers it.
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
    measures: tuple[str, ...] = ()
    convert: Conversion | None = None
    ages: bool = False
    form: str = ""
    of_one_exam: bool = False
    answered_by: tuple[str, ...] = ()

    @property
    def doubtful(self) -> Text:
        """What to do where a value is told with too little certainty."""
        return text(
            "Look at the series and answer it: `bingcheng protocol answer {name}=… --exam … --series …`", name=self.key
        )

    def read(
        self,
        exam: ExamFacts,
        acquisition: AnyAcquisition | None = None,
        before: AnyAcquisition | None = None,
        filled: FilledRoles | None = None,
    ) -> Reading:
        """The value for `acquisition` in `exam` (compared with `before`) or for `filled`, or why there is none."""
        subject = exam if self.about is About.EXAM else filled if self.about is About.ROLES else acquisition
        if self.function is None or not isinstance(subject, self.takes):
            return self.unknown
        try:
            value = self.function(*self._inputs(subject, exam, before))
        except Undefined as error:
            remedy = Text(error.problem.remedy, error.reason.facts)
            return Reading(why=error.reason, supply=remedy, owner=error.problem.owner)
        return self.unknown if value is None else Reading.of(value)

    @property
    def unknown(self) -> Reading:
        """That the header is silent."""
        return Reading(why=self.why, supply=self.supply, owner=self.owner)

    def _inputs(self, subject: object, exam: ExamFacts, before: AnyAcquisition | None) -> tuple[object, ...]:
        first = (subject, before) if self.about is About.PAIR else (subject,)
        return (*first, exam) if self.with_exam else first


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
    answered_by: tuple[str, ...] = (),
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
                answered_by=answered_by,
            ),
        )
        return function

    return describe


def outside(
    key: str,
    *,
    label: Text,
    why: Text,
    supply: Text,
    owner: Owner,
    kind: Kind = Kind.NUMBER,
    unit: str = "1",
    words: Mapping[str, Text] | None = None,
    measures: tuple[str, ...] = (),
    convert: Conversion | None = None,
    ages: bool = False,
    form: str = "",
    of_one_exam: bool = False,
) -> Attribute:
    """A quantity that no header holds: a constant of a module, judged when it is measured or someone supplies it."""
    known_unit(unit)
    return Attribute(
        key=key,
        label=label,
        kind=kind,
        unit=unit,
        words=MappingProxyType(dict(words or {})),
        about=About.OUTSIDE,
        why=why,
        supply=supply,
        owner=owner,
        measures=measures,
        convert=convert,
        ages=ages,
        form=form,
        of_one_exam=of_one_exam,
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


def told_barely(attribute: Attribute, reading: Reading) -> Text:
    """That a value is told with too little certainty, and from what it was told."""
    why = text(
        "{what} is told with {percent} % certainty only", what=attribute.label, percent=round(100 * reading.certainty)
    )
    return why if reading.remark is None else text("{what} ({remark})", what=why, remark=reading.remark)


def _about(takes: type, parameters: tuple[str, ...]) -> About:
    if takes is ExamFacts:
        return About.EXAM
    if takes is FilledRoles:
        return About.ROLES
    return About.PAIR if "before" in parameters else About.SERIES
