"""What a protocol file may say. Data, never code: pydantic models of the TOML, checked against the catalogues.

There are no expressions: a limit that depends on other facts (``max(10, 2 * thickness)``) is a derived attribute with a
name. Conditions speak of facts, never of other criteria, so that they can't go in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bingcheng.core.errors import Owner
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute, attributes
from bingcheng.protocol.rules import Operator, limit_said, operators

FORMAT = 1
"""Version of the file format; a file of a later one is refused rather than half understood."""


ANY_MODALITY = "*"


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else _tuple(value)


Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Sentence = Annotated[str, StringConstraints(min_length=3, pattern=r"^[^{}]*$")]
"""A sentence for people; braces would be taken for places of a template."""
Scalar = bool | float | str
Limit = Annotated[Scalar | tuple[Scalar, ...], BeforeValidator(_tuple)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_several)]


class Scope(StrEnum):
    """What a criterion judges."""

    SERIES = "series"
    EXAM = "exam"
    PAIR = "pair"
    LESION = "lesion"
    PHANTOM = "phantom"
    PROGRAM = "program"


class IfUnknown(StrEnum):
    """What a predicate of a role means for a series whose header is silent about it."""

    DOUBT = "doubt"
    """The series may be the one; it is used, and the finding says what is not known."""
    REJECT = "reject"
    ACCEPT = "accept"


class BaselineSeries(StrEnum):
    """With which series of the baseline exam a pair criterion compares."""

    SAME_ROLE = "same role"
    ANY = "any"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values; what was looked up or said of this one is made anew for the copy."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


class Demand(_Strict):
    """An attribute, an operator and a limit: what roles, conditions and criteria have in common.

    `unit` is a UCUM code, needed exactly where the attribute has one; `by_vendor` gives a limit per normalised vendor
    instead of one `value`.
    """

    attribute: str
    operator: str
    value: Limit | None = None
    by_vendor: Mapping[str, Limit] | None = None
    unit: str | None = None

    @cached_property
    def bound(self) -> Bound:
        """The demand with its names looked up; only for a demand that `bingcheng.protocol.validation` accepts."""
        return Bound.of(self)

    def __getstate__(self) -> dict[Any, Any]:
        """The demand as it was read; what was looked up holds functions, which do not travel to other processes."""
        state = super().__getstate__()
        kept = {name: value for name, value in state["__dict__"].items() if name != "bound"}
        return state | {"__dict__": kept}

    def limits(self) -> Iterator[Limit | None]:
        """Every limit that stands here."""
        if self.by_vendor is None:
            yield self.value
        else:
            yield from self.by_vendor.values()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bound:
    """A demand's attribute and operator, the factor into its unit, the tolerance in that unit, and what it asks for.

    `said` is None where the limit depends on the vendor or on the baseline.
    """

    attribute: Attribute
    operator: Operator
    unit: str
    factor: float
    tolerance: float
    said: Text | None

    @staticmethod
    def of(demand: Demand) -> Bound:
        """What `demand` names, looked up."""
        attribute, operator = attributes()[demand.attribute], operators()[demand.operator]
        unit = demand.unit or attribute.unit
        factor = UNITS[attribute.unit].factor / UNITS[unit].factor
        constant = demand.by_vendor is None and not operator.needs_baseline
        return Bound(
            attribute=attribute,
            operator=operator,
            unit=unit,
            factor=factor,
            tolerance=attribute.tolerance * factor,
            said=limit_said(operator, demand.value, unit=unit, words=attribute.words) if constant else None,
        )


class Predicate(Demand):
    """A demand that tells whether a series fills a role. With `prefers`, it only ranks series that fill it."""

    if_unknown: IfUnknown = IfUnknown.DOUBT
    prefers: bool = False


class Source(_Strict):
    """A publication: `read` says which part of it was before the author's eyes (table, quoted, abstract, ...)."""

    citation: str
    url: str = ""
    read: str
    locator: str | None = None


class Cited(_Strict):
    """What stands on a source: which, where in it, and how far that was verified."""

    source: Names
    locator: str | None = None
    trust: Trust


class Role(Cited):
    """A series that the protocol expects in an exam.

    `level` says how much its absence weighs; an optional one may be absent. `select` are the facts by which it is
    recognised; `decisive` roles tell whether the protocol is for an exam at all. With `each`, every series that fills
    it is judged, not only the one that meets the protocol best.
    """

    id: Identifier
    title: Sentence
    modality: str
    level: Level
    decisive: bool = False
    each: bool = False
    select: tuple[Predicate, ...] = ()
    remedy: Sentence
    owner: Owner = Owner.TECHNOLOGIST

    @cached_property
    def named(self) -> Text:
        """The title, for people."""
        return Text(self.title)

    @property
    def expected(self) -> bool:
        """Whether its absence is a failure, of whatever weight."""
        return self.level is not Level.OPTIONAL


class Criterion(Cited, Demand):
    """One demand with its source and what to do when it is not met.

    `roles` name the series that a series or pair criterion judges, each for itself, and those that a criterion of the
    exam compares with each other; `baseline_series` says whether a pair criterion compares with the same role only, or,
    where the baseline has none, with any series; `when` are conditions that all must hold for it to apply; `note` adds
    what the source says beyond the limit.
    """

    id: Identifier
    title: Sentence
    scope: Scope
    roles: Names = ()
    baseline_series: BaselineSeries = BaselineSeries.SAME_ROLE
    level: Level
    when: tuple[Demand, ...] = ()
    remedy: Sentence
    owner: Owner
    note: Sentence | None = None

    @cached_property
    def named(self) -> Text:
        """The title, for people."""
        return Text(self.title)

    @cached_property
    def advice(self) -> Text:
        """What to do when it is not met, for people."""
        return Text(self.remedy)


class Protocol(_Strict):
    """An agreed protocol.

    `by_default` protocols are judged wherever they apply; the others where someone asks for them. `applies` are facts
    of the exam that must hold. One whose modality is `ANY_MODALITY` has no roles: it is about phantoms and programmes.
    """

    format: int = Field(ge=1, le=FORMAT)
    id: Identifier
    title: Sentence
    version: str
    modality: str
    intent: Sentence
    by_default: bool
    note: Sentence | None = None
    applies: tuple[Demand, ...] = ()
    sources: Mapping[str, Source] = Field(min_length=1)
    roles: tuple[Role, ...] = ()
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @cached_property
    def named(self) -> Text:
        """The title, for people."""
        return Text(self.title)

    @cached_property
    def citations(self) -> Mapping[str, str]:
        """What each role (``role.`` and its identifier) and each criterion stands on, with the locator."""
        roles = {f"role.{role.id}": self._cite(role) for role in self.roles}
        return roles | {criterion.id: self._cite(criterion) for criterion in self.criteria}

    @cached_property
    def headings(self) -> Mapping[tuple[str, str | None], Text]:
        """The title of each criterion's findings: by identifiers of criterion and role; the role is named if needed."""
        return {
            (one.id, key): one.named
            if key is None or len(one.roles) == 1
            else text("{what} ({role})", what=one.named, role=self.role(key).named)
            for one in self.criteria
            for key in (None, *one.roles)
        }

    @cached_property
    def unfilled(self) -> Mapping[tuple[str, str], Finding]:
        """The finding on each criterion where no series fills its role, by their identifiers; the same in all exams."""
        return {
            (one.id, key): Finding(
                protocol=self.id,
                protocol_title=self.named,
                criterion=one.id,
                role=key,
                title=self.headings[one.id, key],
                outcome=Outcome.NOT_APPLICABLE,
                level=one.level,
                trust=one.trust,
                source=self.citations[one.id],
                unit=one.unit,
                reason=text("no series fills the role: {role}", role=self.role(key).named),
            )
            for one in self.criteria
            for key in one.roles
        }

    def role(self, key: str) -> Role:
        """The role of that identifier."""
        return next(role for role in self.roles if role.id == key)

    def criterion(self, key: str) -> Criterion:
        """The criterion of that identifier."""
        return next(criterion for criterion in self.criteria if criterion.id == key)

    def _cite(self, cited: Cited) -> str:
        found = []
        for key in cited.source:
            source = self.sources[key]
            locator = cited.locator or source.locator
            found.append(f"{source.citation}, {locator}" if locator else source.citation)
        return "; ".join(found)
