"""A quick look for burned-in text: small shapes of an extreme value, side by side like letters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_PIXELS, MOST_SHARE = 24, 0.1
"""Fewer pixels of the extreme value are no text; more of them are a saturated area."""
FEW_SHARE = 0.005
"""So few pixels are looked at however they lie."""
LEAST_GLYPHS = 4
_HEIGHTS_PX = (5, 48)
_WIDEST_PX = 48


def looks_like_text(frame: NDArray[Any]) -> bool:
    """Whether a frame (rows, columns) holds four letter-sized shapes in a line, of its highest or lowest value.

    A burned-in letter has the highest value that the picture can show, or the lowest on a bright ground; tissue seldom
    reaches either, and metal, contrast and air that do have other shapes. A second reader for images that should hold
    no text, not a proof.
    """
    if frame.ndim != 2 or not frame.size:
        return False
    return _has_letters(frame == frame.max()) or _has_letters(frame == frame.min())


def _has_letters(extreme: NDArray[np.bool_]) -> bool:
    count = int(np.count_nonzero(extreme))
    if not LEAST_PIXELS <= count <= MOST_SHARE * extreme.size:
        return False
    if count > FEW_SHARE * extreme.size and _is_scattered(extreme, count):
        return False
    from scipy import ndimage  # noqa: PLC0415 - heavy, and needed for few frames

    labels, _ = ndimage.label(extreme, structure=np.ones((3, 3), dtype=int))
    boxes = [_box(place) for place in ndimage.find_objects(labels) if place is not None]
    letters = sorted(
        box for box in boxes if _HEIGHTS_PX[0] <= box[3] - box[2] <= _HEIGHTS_PX[1] and box[1] - box[0] <= _WIDEST_PX
    )
    return any(_line_from(letter, letters) >= LEAST_GLYPHS for letter in letters[:200])


def _is_scattered(extreme: NDArray[np.bool_], count: int) -> bool:
    """Whether most pixels have none of the same value beside them, as noise has and strokes have not."""
    beside = np.count_nonzero(extreme[1:] & extreme[:-1]) + np.count_nonzero(extreme[:, 1:] & extreme[:, :-1])
    return bool(beside < count / 2)


def _box(place: tuple[slice, ...]) -> tuple[int, int, int, int]:
    rows, columns = place[0], place[1]
    return columns.start, columns.stop, rows.start, rows.stop


def _line_from(first: tuple[int, int, int, int], letters: list[tuple[int, int, int, int]]) -> int:
    """How many letters stand in a line that begins with `first`: same height about, same level, close together."""
    count, last = 1, first
    height = first[3] - first[2]
    for one in letters:
        near = one[0] - last[0] > 0 and one[0] - last[1] <= 1.5 * height
        level = abs((one[2] + one[3]) - (last[2] + last[3])) <= height / 2
        alike = 0.5 <= (one[3] - one[2]) / height <= 2.0
        if near and level and alike:
            count, last = count + 1, one
    return count
