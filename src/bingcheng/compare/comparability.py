"""Whether two exams may be compared: which recorded conditions must agree, as cited data in ``comparability.toml``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bingcheng.compare.observation import Condition
from bingcheng.compare.rulefile import Entry, Sentence, content, load, require_unique
from bingcheng.core.finding import Trust
from bingcheng.core.wording import Fact, Text, plain_number, text

SAME_NUMBER = 0.01
"""Relative difference up to which two recorded numbers are the same: headers round (2.89 T, b = 799 s/mm2)."""


class Severity(StrEnum):
    """What follows when a condition does not agree."""

    BREAKS = "breaks"
    WIDENS = "widens"
    NOTED = "noted"


class ConditionName(Entry):
    """A recorded condition, as people call it."""

    name: Sentence
    label: Sentence
    unit: str


class Rule(Entry):
    """How closely one condition must agree between two exams; ``comparability.toml`` explains each field."""

    id: Sentence
    modality: Literal["CT", "PT", "MR"]
    measures: Annotated[tuple[str, ...], Field(min_length=1)]
    condition: Sentence
    agree: Literal["equal", "difference", "ratio"]
    severity: Severity
    reason: Sentence
    because: Sentence
    remedy: Sentence
    source: Sentence
    trust: Trust
    if_missing: Literal["unknown", "noted"]
    if_both_missing: Literal["unknown", "noted"] | None = None
    same_within: Annotated[float, Field(ge=0.0)] | None = None
    breaks_beyond: Annotated[float, Field(ge=0.0)] | None = None
    widens_percent: Annotated[float, Field(ge=0.0)] = 0.0
    instead_of: str | None = None
    instead_within_ratio: Annotated[float, Field(ge=1.0)] = 1.0
    note: str = ""

    @model_validator(mode="after")
    def _sound(self) -> Rule:
        if self.agree != "equal" and self.same_within is None:
            raise ValueError(f"'{self.id}' compares numbers and needs same_within")
        if self.breaks_beyond is not None and self.same_within is not None and self.breaks_beyond < self.same_within:
            raise ValueError(f"'{self.id}' breaks before it agrees")
        if self.trust is Trust.UNVERIFIED and self.severity is not Severity.NOTED:
            raise ValueError(f"'{self.id}' comes from an unverified source and may only be noted")
        if self.severity is Severity.WIDENS and self.widens_percent <= 0.0:
            raise ValueError(f"'{self.id}' widens by nothing")
        return self

    def severity_of(self, before: Condition, after: Condition) -> Severity | None:
        """What follows from the two values, both known; None if they agree."""
        if self.agree == "equal":
            return None if _same(before, after) else self.severity
        distance = _distance(self.agree, before, after)
        if distance is None:
            return None if _same(before, after) else self.severity
        assert self.same_within is not None
        if distance <= self.same_within * (1 + 1e-9):
            return None
        if self.breaks_beyond is None:
            return self.severity
        beyond = distance > self.breaks_beyond * (1 + 1e-9)
        return Severity.BREAKS if beyond else Severity.WIDENS


class _RuleFile(Entry):
    schema_version: Annotated[Literal[1], Field(alias="schema")]
    condition: tuple[ConditionName, ...]
    rule: tuple[Rule, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> _RuleFile:
        require_unique(entry.name for entry in self.condition)
        require_unique(entry.id for entry in self.rule)
        names = {entry.name for entry in self.condition}
        for rule in self.rule:
            if rule.condition not in names:
                raise ValueError(f"'{rule.id}' names the unknown condition '{rule.condition}'")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparability:
    """What the conditions of two exams allow.

    Parameters
    ----------
    broken : why the pair is not comparable; empty if nothing stands against it.
    unknown : conditions that had to be known and are not; with any of them nothing may be claimed.
    noted : what a reader should know although nothing follows from it.
    widened_percent : how much wider the limits become on either side.
    remedies : what to do, in the order of the reasons.
    """

    broken: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    noted: tuple[Text, ...] = ()
    widened_percent: float = 0.0
    remedies: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of comparability, and what they make of a pair."""

    rules: tuple[Rule, ...] = ()
    conditions: Mapping[str, ConditionName] = field(default_factory=dict)

    def compare(
        self, measure: str, modality: str, before: Mapping[str, Condition], after: Mapping[str, Condition]
    ) -> Comparability:
        """What the conditions `before` and `after` allow for `measure`; a missing one never counts as agreeing."""
        broken: list[Text] = []
        unknown: list[Text] = []
        noted: list[Text] = []
        remedies: list[Text] = []
        widened = 0.0
        for rule in self.rules:
            if rule.modality != modality or measure not in rule.measures or _measured_alike(rule, before, after):
                continue
            mine, theirs = before.get(rule.condition), after.get(rule.condition)
            if mine is None or theirs is None:
                neither = mine is None and theirs is None
                policy = (rule.if_both_missing if neither else None) or rule.if_missing
                (unknown if policy == "unknown" else noted).append(text(rule.because))
                continue
            severity = rule.severity_of(mine, theirs)
            if severity is None:
                continue
            widened += rule.widens_percent if severity is Severity.WIDENS else 0.0
            facts: dict[str, Fact] = {"before": shown(mine), "after": shown(theirs), "widened": rule.widens_percent}
            (broken if severity is Severity.BREAKS else noted).append(Text(rule.reason, facts))
            if severity is Severity.BREAKS:
                remedies.append(Text(rule.remedy, facts))
            elif severity is Severity.WIDENS and "{widened}" not in rule.reason:
                noted.append(text("The limits are widened by {widened} % for it.", widened=rule.widens_percent))
        return Comparability(
            broken=tuple(broken),
            unknown=tuple(unknown),
            noted=tuple(noted),
            widened_percent=widened,
            remedies=tuple(remedies),
        )


@cache
def rules() -> Rules:
    """The rules that come with this package."""
    packaged = resources.files("bingcheng.compare") / "comparability.toml"
    return _rules(packaged.read_text("utf-8"), packaged.name)


def rules_of(path: Path) -> Rules:
    """The rules in a hospital's own file of the same form.

    Raises
    ------
    CatalogueError
        ``compare.broken-rules``.
    """
    return _rules(content(path), path.name)


def _rules(toml: str, name: str) -> Rules:
    loaded = load(_RuleFile, toml, name)
    return Rules(loaded.rule, {entry.name: entry for entry in loaded.condition})


def _measured_alike(rule: Rule, before: Mapping[str, Condition], after: Mapping[str, Condition]) -> bool:
    if rule.instead_of is None:
        return False
    ratio = _distance("ratio", before.get(rule.instead_of), after.get(rule.instead_of))
    return ratio is not None and ratio <= rule.instead_within_ratio


def _distance(agree: str, before: Condition, after: Condition) -> float | None:
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return None
    if agree == "difference":
        return abs(after - before)
    low, high = sorted((float(before), float(after)))
    return high / low if low > 0 else None


def _same(before: Condition, after: Condition) -> bool:
    if isinstance(before, str) and isinstance(after, str):
        return before.strip().casefold() == after.strip().casefold()
    if isinstance(before, tuple) and isinstance(after, tuple):
        mine, theirs = sorted(before, key=_ordered), sorted(after, key=_ordered)
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    if isinstance(before, int | float) and isinstance(after, int | float):
        return math.isclose(before, after, rel_tol=SAME_NUMBER)
    return before == after


def _ordered(item: str | float) -> tuple[float, str]:
    return (0.0, item) if isinstance(item, str) else (float(item), "")


def shown(value: Condition) -> Fact:
    """A condition as a fact of a sentence: numbers stay numbers, lists become text, a missing one is empty."""
    if isinstance(value, tuple):
        return ", ".join(item if isinstance(item, str) else plain_number(item) for item in value)
    return "" if value is None else value
