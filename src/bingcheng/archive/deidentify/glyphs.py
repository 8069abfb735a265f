"""A quick look for burned-in text: small shapes of one value, side by side like letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_PIXELS, MOST_SHARE = 24, 0.1
"""Fewer pixels of one value are no text; more of them are a saturated area."""
FEW_SHARE = 0.005
"""So few pixels are looked at however they lie."""
LEAST_GLYPHS = 4
FEW_VALUES, MOST_LEVELS, MOST_BYTES = 12, 4, 2
"""Of so few values each is looked at; else of those that stand out the first; of longer numbers none."""
BESIDE, TIMES, MORE = 4, 6, 20
"""A value stands out if so many times the pixels have it as have the values beside it on either side, and some more."""
_HEIGHTS_PX = (5, 48)
_WIDEST_PX = 48
_Box = tuple[int, int, int, int]


def looks_like_text(frame: NDArray[Any]) -> bool:
    """Whether a frame (rows, columns) holds four letter-sized shapes in a line, all of one value.

    A burned-in letter has the highest value that the picture can show, or the lowest on a bright ground; tissue seldom
    reaches either, and metal, contrast and air that do have other shapes. Any other value of letters stands out: more
    pixels have it than have the values beside it. A second reader for images that should hold no text, not a proof:
    letters whose edges fade into the picture, or that are noisy like it, have no one value.
    """
    if frame.ndim != 2 or not frame.size:
        return False
    return any(_has_letters(level) for level in _levels(frame))


def _levels(frame: NDArray[Any]) -> Iterator[NDArray[np.bool_]]:
    """Where a frame has its highest value, its lowest, and each that stands out."""
    yield frame == frame.max()
    yield frame == frame.min()
    if frame.dtype.kind in "iu" and frame.dtype.itemsize <= MOST_BYTES:
        values = frame.view(np.dtype(f"{frame.dtype.byteorder}u{frame.dtype.itemsize}"))
        yield from (values == value for value in _standing_out(values))


def _standing_out(values: NDArray[Any]) -> NDArray[np.int64]:
    """Values that far more pixels have than the values beside them: something drawn, not acquired."""
    counts = np.bincount(values.ravel())
    found = np.flatnonzero(counts)
    if found.size <= FEW_VALUES:
        return found
    often = counts[found]
    padded = np.pad(often, BESIDE, mode="reflect")
    beside = [padded[BESIDE + step :][: often.size] for step in range(-BESIDE, BESIDE + 1) if step]
    usual = np.partition(np.stack(beside), BESIDE, axis=0)[BESIDE]
    outstanding = (often >= LEAST_PIXELS) & (often <= MOST_SHARE * values.size) & (often > TIMES * usual + MORE)
    places = np.flatnonzero(outstanding)
    first = np.argsort(-often[places] / (usual[places] + 1))[:MOST_LEVELS]
    return found[places[first]]


def _has_letters(level: NDArray[np.bool_]) -> bool:
    """Whether pixels of one value hold four letters in a line."""
    count = int(np.count_nonzero(level))
    if not LEAST_PIXELS <= count <= MOST_SHARE * level.size:
        return False
    if count > FEW_SHARE * level.size and _is_scattered(level, count):
        return False
    letters = sorted(
        box
        for box in _boxes(level)
        if _HEIGHTS_PX[0] <= box[3] - box[2] <= _HEIGHTS_PX[1] and box[1] - box[0] <= _WIDEST_PX
    )
    return any(_line_from(letter, letters) >= LEAST_GLYPHS for letter in letters[:200])


def _is_scattered(level: NDArray[np.bool_], count: int) -> bool:
    """Whether most pixels have none of the same value beside them, as noise has and strokes have not."""
    beside = np.count_nonzero(level[1:] & level[:-1]) + np.count_nonzero(level[:, 1:] & level[:, :-1])
    return bool(beside < count / 2)


def _boxes(level: NDArray[np.bool_]) -> list[_Box]:
    """Left, right, top and bottom of each shape of some pixels; right and bottom are behind it."""
    from scipy import ndimage  # noqa: PLC0415 - heavy, and needed for few frames

    labels, _ = ndimage.label(level, structure=np.ones((3, 3), dtype=int))
    places = np.flatnonzero(level)  # few pixels: their extents are found quicker than by looking at all
    named = labels.ravel()[places]
    order = np.argsort(named, kind="stable")
    begins = np.flatnonzero(np.diff(named[order], prepend=0))
    rows, columns = np.divmod(places[order], level.shape[1])
    extents = (
        np.minimum.reduceat(columns, begins),
        np.maximum.reduceat(columns, begins) + 1,
        np.minimum.reduceat(rows, begins),
        np.maximum.reduceat(rows, begins) + 1,
    )
    tall = extents[3] - extents[2] >= _HEIGHTS_PX[0]  # of a noisy ground most are specks
    return list(zip(*(one[tall].tolist() for one in extents), strict=True))


def _line_from(first: _Box, letters: list[_Box]) -> int:
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
