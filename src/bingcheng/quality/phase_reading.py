"""The contrast phase in words, from the probabilities that were measured; what shows results needs no image for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.measurement import Measurement

PHASES: Mapping[str, str] = MappingProxyType(
    {
        "precontrast": "Before contrast",
        "early_arterial": "Early arterial phase",
        "late_arterial": "Late arterial phase",
        "portal_venous": "Portal venous phase",
        "nephrographic": "Nephrographic phase",
        "delayed": "Delayed phase",
        "excretory": "Excretory phase",
    }
)
"""In the order of time; the words that protocols use."""
DECIDED = 0.8
"""Below this probability the phase stays undecided."""
KEY = "contrast_phase_probability"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseReading:
    """The phase by the image: a word of `PHASES`, None where none reaches 0.8; and the highest probability."""

    word: str | None
    probability: float


def phase_reading(probabilities: Mapping[str, float]) -> PhaseReading:
    """The most probable phase, as a word only if its probability reaches 0.8."""
    top = max(probabilities, key=lambda phase: probabilities[phase])
    highest = probabilities[top]
    return PhaseReading(word=top if highest >= DECIDED else None, probability=highest)


def measured_phase(measurements: Iterable[Measurement]) -> PhaseReading | None:
    """The phase that a series' measurements tell; None if `contrast_phase_probability` has no value among them."""
    found = {
        one.key.removeprefix(f"{KEY}."): one.value
        for one in measurements
        if one.key.startswith(f"{KEY}.") and one.value is not None
    }
    return phase_reading(found) if found else None
