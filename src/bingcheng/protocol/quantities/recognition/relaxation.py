"""How strongly a sequence's signal depends on the relaxation times of soft tissue: "weighted" in numbers.

The weight of a time T is the relative change of the signal for a small relative change of T, ``|d ln S / d ln T|``, at
a reference tissue. 0 = the time does not show in the image, 1 = the signal changes as much as the time does.

Reference tissue: the middle of the abdominal and pelvic tissues of de Bazelaire et al., Radiology 2004;230:652 (at 3
T: T1 382 ms in fat, 809 in liver, 1142 in renal cortex, 1597 in prostate; T2 34 ms in liver, 59 to 83 in uterus and
prostate; T1 21 % shorter at 1.5 T).
"""

from __future__ import annotations

from math import cos, exp, expm1, radians

USUAL_T = 1.5
SOFT_TISSUE_T1_MS = 950.0
"""At 1.5 T: 1142 ms of the renal cortex at 3 T, which lies in the middle, over 1.21."""

FAT_T1_MS = 315.0
"""At 1.5 T: 382 ms at 3 T over 1.21."""

T1_GROWTH = 0.275
"""T1 grows as this power of the field strength: 2 to this power is 1.21."""

SOFT_TISSUE_T2_MS = 65.0
"""At any clinical field strength; T2 does not depend on it noticeably."""

SOFT_TISSUE_T2_STAR_MS = 50.0
"""At 1.5 T; shorter in proportion at higher field, since field differences within a voxel grow with the field."""


def t1_at(t1_ms: float, field_t: float | None) -> float:
    """A T1 given for 1.5 T, at another field strength; unknown counts as 1.5 T."""
    return float(t1_ms * ((field_t or USUAL_T) / USUAL_T) ** T1_GROWTH)


def t2_star_at(field_t: float | None) -> float:
    """T2* of soft tissue in ms."""
    return SOFT_TISSUE_T2_STAR_MS * USUAL_T / (field_t or USUAL_T)


def spin_echo_t1_weight(repetition_ms: float, t1_ms: float) -> float:
    """T1 weight of ``S = 1 - exp(-TR/T1)``: x / (exp(x) - 1) with x = TR/T1. 1 for short TR, 0 for long."""
    x = repetition_ms / t1_ms
    return x / expm1(x) if x < 50.0 else 0.0


def spoiled_t1_weight(repetition_ms: float, flip_deg: float, t1_ms: float) -> float:
    """T1 weight of the spoiled gradient echo in its steady state.

    ``S = sin a (1 - E) / (1 - E cos a)`` with E = exp(-TR/T1) gives x E (1/(1-E) - cos a/(1 - E cos a)), x = TR/T1; at
    the Ernst angle that is about one half.
    """
    x = repetition_ms / t1_ms
    recovered = -expm1(-x)
    if recovered <= 0.0:
        return 1.0
    e, c = exp(-x), cos(radians(flip_deg))
    return x * e * (1.0 / recovered - c / (1.0 - e * c))


def decay_weight(echo_ms: float, t2_ms: float) -> float:
    """Weight of T2 (or T2*) of ``S = exp(-TE/T2)``: TE/T2."""
    return echo_ms / t2_ms


def nulled_t1(inversion_ms: float, repetition_ms: float) -> float:
    """The T1 in ms whose signal an inversion recovery nulls: ``1 - 2 exp(-TI/T1) + exp(-TR/T1) = 0``.

    Infinite where TI is at least half of TR: then even the slowest signal has passed through zero.
    """
    if inversion_ms >= repetition_ms / 2.0:
        return float("inf")
    low, high = inversion_ms, 20.0 * repetition_ms
    for _ in range(24):  # halves 20 TR to less than a millisecond for any clinical TR
        middle = (low + high) / 2.0
        if 1.0 - 2.0 * exp(-inversion_ms / middle) + exp(-repetition_ms / middle) > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
