"""Labels that devices write about themselves: kernels, sequences, versions, coils."""

from __future__ import annotations

from collections.abc import Callable, Sequence

COMPARED = frozenset((0x00180024, 0x00181020, 0x00181210, 0x00181250, 0x00189005, 0x00541103))
"""Sequence, software, kernel, coil, pulse sequence, reconstruction: whether they are alike judges two exams."""


def kept(tag: int, values: Sequence[str], clean: Callable[[str], str]) -> list[str]:
    """What may stay of each value of a label.

    Of what is compared each value stays whole or not at all: the rests of two different names may be the same
    (``B_VSOFT_B`` and ``B_VSHARP_B`` without their middle), and then a difference would look like agreement.

    Parameters
    ----------
    clean : what of a label may stay.
    """
    stays = [clean(value) for value in values]
    if tag not in COMPARED:
        return stays
    return [after if after.strip() == before.strip() else "" for before, after in zip(values, stays, strict=True)]
