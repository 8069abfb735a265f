"""The colours in which lesions are outlined: apart from each other, and seen on grey, by the colour-blind too."""

from __future__ import annotations

LESIONS = ("#ffd447", "#4fd1ff", "#ff8a65", "#a5f07a", "#e48bff", "#ffffff")
"""Of the first, second, … lesion; from the seventh on they begin anew."""


def of_lesion(number: int) -> str:
    """The colour, ``#rrggbb``, of a lesion; numbers count from 0."""
    return LESIONS[number % len(LESIONS)]


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
