"""Why a scanner's values may differ from those elsewhere: the recorded conditions that differ with them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from bingcheng.compare.comparability import ConditionName, rules, shown
from bingcheng.compare.observation import Condition, Observation
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text

ALWAYS_DIFFERENT = frozenset({"device", "modality"})
"""Conditions that differ between hospitals by nature and so explain nothing."""
RECONSTRUCTION, KNOWN_SETTINGS = "reconstruction", "reconstruction_known"
"""The identity of a reconstruction joins many settings; only those that differ are named."""
MOST_NAMED = 3
"""How many conditions an explanation names at most."""
NOTICEABLE = 1.1
"""Ratio of two typical values from which a numeric condition counts as different."""


def explanation(here: Sequence[Observation], elsewhere: Sequence[Observation]) -> Text:
    """Which recorded conditions differ between a scanner and all others, as a sentence.

    A condition that differs is a candidate, not a proof. With none, calibration is what remains to be checked.
    """
    candidates = list(_differing(here, elsewhere))[:MOST_NAMED]
    if not candidates:
        return text("No recorded condition explains it: check the calibration with a phantom.")
    joined = candidates[0]
    for candidate in candidates[1:]:
        joined = text("{first}; {second}", first=joined, second=candidate)
    return text("What differs there: {conditions}.", conditions=joined)


def _differing(here: Sequence[Observation], elsewhere: Sequence[Observation]) -> Iterable[Text]:
    for condition in rules().conditions.values():
        if condition.name in ALWAYS_DIFFERENT:
            continue
        mine, theirs = _typical(here, condition.name), _typical(elsewhere, condition.name)
        if condition.name == RECONSTRUCTION:
            mine, theirs = _settings_apart(_typical(here, KNOWN_SETTINGS), _typical(elsewhere, KNOWN_SETTINGS))
        if mine is not None and theirs is not None and _differ(mine, theirs):
            yield _named(condition, mine, theirs)


def _settings_apart(mine: Condition, theirs: Condition) -> tuple[Condition, Condition]:
    """Of two lists of settings (``label: value``), what differs and is no condition of its own; None if nothing is."""
    if not isinstance(mine, tuple) or not isinstance(theirs, tuple):
        return None, None
    own = {condition.label for condition in rules().conditions.values()}
    apart = [
        ", ".join(s for s in map(str, settings) if s not in other and s.split(":")[0] not in own)
        for settings, other in ((mine, theirs), (theirs, mine))
    ]
    return (apart[0], apart[1]) if all(apart) else (None, None)


def _typical(observations: Iterable[Observation], name: str) -> Condition:
    """The median of a numeric condition, else the most frequent value; None if it is recorded nowhere."""
    values = [value for o in observations if (value := o.conditions.get(name)) is not None]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if numbers and len(numbers) == len(values):
        return float(np.median(numbers))
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], str(value))) if counted else None


def _differ(mine: Condition, theirs: Condition) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        low, high = sorted((abs(mine), abs(theirs)))
        return not math.isclose(mine, theirs) and (low == 0 or high / low > NOTICEABLE)
    return mine != theirs


def _named(condition: ConditionName, mine: Condition, theirs: Condition) -> Text:
    unit = UNITS[condition.unit].symbol if condition.unit in UNITS else ""
    here = text("{value} {unit}", value=shown(mine), unit=unit) if unit else shown(mine)
    others = text("{value} {unit}", value=shown(theirs), unit=unit) if unit else shown(theirs)
    return text("{condition} {here} (elsewhere {others})", condition=text(condition.label), here=here, others=others)
