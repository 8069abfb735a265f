"""Colours by look-up tables, plain or in segments (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.dicomweb.problems import NO_PICTURE
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

MOST_ENTRIES = 1 << 16


def coloured(stored: NDArray[Any], header: Dataset) -> NDArray[np.uint8]:
    """The colours of stored values as RGB, (rows, columns, 3).

    Raises
    ------
    InputError
        ``archive.no-picture``.
    """
    if "SegmentedRedPaletteColorLookupTableData" in header:
        return _by_segments(stored, header)
    made = np.empty((*stored.shape, 3), dtype=np.uint8)
    for place, colour in enumerate(("Red", "Green", "Blue")):
        first, shades = _table(header, colour)
        made[..., place] = shades[np.clip(stored.astype(np.int64) - first, 0, len(shades) - 1)]
    return made


def _table(header: Dataset, colour: str) -> tuple[int, NDArray[np.uint8]]:
    """The first value that is mapped, and what it and those after it are mapped to."""
    raw = header.get(f"{colour}PaletteColorLookupTableData")
    if not isinstance(raw, bytes) or not raw:
        raise InputError(NO_PICTURE, why="no palette")
    count, first, bits = _descriptor(header, colour)
    wide = bits > 8 or len(raw) >= 2 * count
    table = np.frombuffer(raw[: len(raw) // 2 * 2] if wide else raw, "<u2" if wide else "u1")
    if not table.size:
        raise InputError(NO_PICTURE, why="no palette")
    return first, (table >> 8 if bits > 8 else table).astype(np.uint8)


def _descriptor(header: Dataset, colour: str) -> tuple[int, int, int]:
    """Number of entries, first value mapped, bits of an entry."""
    described = header.get(f"{colour}PaletteColorLookupTableDescriptor")
    if described is None or isinstance(described, str | int) or len(described) != 3:
        raise InputError(NO_PICTURE, why="no palette")
    count, first, bits = (int(one) for one in described)
    return count or MOST_ENTRIES, first, bits


def _by_segments(stored: NDArray[Any], header: Dataset) -> NDArray[np.uint8]:
    """Colours of tables that are written as runs and lines (C.7.9.2)."""
    from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415 - only where such a file is met

    _, _, bits = _descriptor(header, "Red")
    try:
        shades = np.asarray(apply_color_lut(stored, header))[..., :3]
    except Exception as error:
        # What stands in the tables can make it raise anything.
        raise InputError(NO_PICTURE, why="no palette") from error
    return (shades >> 8 if bits > 8 else shades).astype(np.uint8)
