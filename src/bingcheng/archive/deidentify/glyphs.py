"""A quick look for burned-in text: small shapes of one extreme value, side by side like letters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_PIXELS, MOST_SHARE = 24, 0.1
"""Fewer pixels of the extreme value are no text; more of them are a saturated area."""
LEAST_GLYPHS = 4
_HEIGHTS_PX = (5, 48)
_WIDEST_PX = 48


def looks_like_text(frame: NDArray[Any]) -> bool:
    """Whether a frame (rows, columns) holds at least four letter-sized shapes in a line, of its highest value.

    A burned-in letter has the highest value that the picture can show; tissue seldom reaches it, and metal and
    contrast that do have other shapes. A second reader for images that should hold no text, not a proof.
    """
    if frame.ndim != 2 or not frame.size:
        return False
    extreme = frame == frame.max()
    count = int(np.count_nonzero(extreme))
    if not LEAST_PIXELS <= count <= MOST_SHARE * frame.size:
        return False
    from scipy import ndimage  # noqa: PLC0415 - heavy, and needed for few frames

    labels, _ = ndimage.label(extreme, structure=np.ones((3, 3), dtype=int))
    boxes = [_box(place) for place in ndimage.find_objects(labels) if place is not None]
    letters = sorted(
        box for box in boxes if _HEIGHTS_PX[0] <= box[3] - box[2] <= _HEIGHTS_PX[1] and box[1] - box[0] <= _WIDEST_PX
    )
    return any(_line_from(letter, letters) >= LEAST_GLYPHS for letter in letters[:200])


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
