"""How far a measure moves although nothing changed: published 95 % limits, as cited data in ``repeatability.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bingcheng.compare.rulefile import Entry, Sentence, content, load, require_unique
from bingcheng.core.finding import Trust
from bingcheng.core.wording import Text, text


class Validity(Entry):
    """A range outside of which a limit does not hold; `says` is the sentence for people when it does not."""

    fact: Literal["size_mm", "suv_max"]
    at_least: float | None = None
    below: float | None = None
    says: Sentence

    def holds(self, value: float) -> bool:
        """Whether `value` lies in the range."""
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)

    def violation(self, value: float) -> Text:
        """The sentence that says why the limit does not hold for `value`."""
        limit = self.at_least if self.at_least is not None and value < self.at_least else self.below
        return text(self.says, value=value, limit=0.0 if limit is None else limit)


class Limit(Entry):
    """The range in which the change of one measure lies with 95 % confidence when the lesion did not change.

    `low_percent` and `high_percent` are relative to the earlier value, -100 < low < 0 < high.
    """

    id: Sentence
    measure: Sentence
    modality: Literal["CT", "PT", "MR"]
    low_percent: Annotated[float, Field(gt=-100.0, lt=0.0)]
    high_percent: Annotated[float, Field(gt=0.0)]
    source: Sentence
    locator: str
    trust: Trust
    url: str = ""
    organ: str | None = None
    note: str = ""
    valid: tuple[Validity, ...] = ()

    @property
    def citation(self) -> str:
        """Source and place in it."""
        return f"{self.source}. {self.locator}" if self.locator else self.source


class _LimitFile(Entry):
    schema_version: Annotated[Literal[1], Field(alias="schema")]
    limit: tuple[Limit, ...]

    @model_validator(mode="after")
    def _unique(self) -> _LimitFile:
        require_unique(entry.id for entry in self.limit)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionFacts:
    """What decides which limit holds for a lesion, as measured at the earlier exam.

    Parameters
    ----------
    size_mm : longest diameter; of the sphere of the same volume where only a volume was measured; None if neither.
    suv_max : maximum SUV, None if not measured.
    organ : where it lies, in lower-case English (``liver``); None if not known.
    """

    size_mm: float | None = None
    suv_max: float | None = None
    organ: str | None = None

    def value(self, fact: str) -> float | None:
        """The fact of that name."""
        known: Mapping[str, float | None] = {"size_mm": self.size_mm, "suv_max": self.suv_max}
        return known[fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The limit that holds, with what has to be said of it, or None and why there is none."""

    limit: Limit | None
    reasons: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """A set of published limits, and which of them holds for a lesion."""

    entries: tuple[Limit, ...] = field(default_factory=tuple)

    def covers(self, measure: str, modality: str) -> bool:
        """Whether any limit is published for `measure`, so that its change may be judged at all."""
        return any(entry.measure == measure and entry.modality == modality for entry in self.entries)

    def choose(self, measure: str, modality: str, facts: LesionFacts) -> Choice:
        """The limit for a change of `measure`: valid for the lesion, of the best trust, and then the widest.

        A limit from an unverified source is never preferred to a verified one, however narrow; where an organ has
        limits of its own but the lesion's organ is not known, the widest of the organs' limits is taken and said so.
        """
        if not self.covers(measure, modality):
            return Choice(limit=None, reasons=(text("No limit of repeatability is published for this measure."),))
        valid: list[Limit] = []
        reasons: list[Text] = []
        for entry in self.entries:
            if entry.measure != measure or entry.modality != modality:
                continue
            violation = _violation(entry, facts)
            if violation is None:
                valid.append(entry)
            elif entry.trust is not Trust.UNVERIFIED:
                reasons.append(violation)
        if not valid:
            return Choice(limit=None, reasons=tuple(dict.fromkeys(reasons)))
        return _best(valid, facts)


def _violation(entry: Limit, facts: LesionFacts) -> Text | None:
    for validity in entry.valid:
        value = facts.value(validity.fact)
        if value is None:
            return _NOT_MEASURED[validity.fact]
        if not validity.holds(value):
            return validity.violation(value)
    return None


_NOT_MEASURED: Mapping[str, Text] = {
    "size_mm": text("The size of the lesion was not measured, and the published limit holds for some sizes only."),
    "suv_max": text("SUVmax was not measured, and the published limit holds above some SUVmax only."),
}


def _best(valid: list[Limit], facts: LesionFacts) -> Choice:
    trusted = [entry for entry in valid if entry.trust is not Trust.UNVERIFIED] or valid
    of_organ = [entry for entry in trusted if entry.organ is not None and entry.organ == facts.organ]
    general = [entry for entry in trusted if entry.organ is None]
    chosen = max(of_organ or general or trusted, key=lambda entry: (entry.high_percent, -entry.low_percent))
    reasons: list[Text] = []
    if not of_organ and chosen.organ is not None:
        reasons.append(text("Limits differ by organ, and the lesion's is not known or has none: the widest is used."))
    if chosen.trust is Trust.UNVERIFIED:
        reasons.append(text("The only limit known comes from a source that was not verified; it decides nothing."))
    return Choice(limit=chosen, reasons=tuple(reasons))


@cache
def limits() -> Limits:
    """The limits that come with this package."""
    packaged = resources.files("bingcheng.compare") / "repeatability.toml"
    return Limits(load(_LimitFile, packaged.read_text("utf-8"), packaged.name).limit)


def limits_of(path: Path) -> Limits:
    """The limits in a hospital's own file of the same form.

    Raises
    ------
    CatalogueError
        ``compare.broken-rules``.
    """
    return Limits(load(_LimitFile, content(path), path.name).limit)
