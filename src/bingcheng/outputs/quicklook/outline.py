"""The border of a lesion in one slice, as lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]
"""Points (count, 2) as (x, y), where the outer corner of the first pixel is (0, 0)."""


def outlines(inside: NDArray[np.bool_]) -> tuple[Line, ...]:
    """The borders, closed, of the pixels (row, column) that are inside; at half a pixel from their centres."""
    if not inside.any():
        return ()
    from contourpy import contour_generator  # noqa: PLC0415 - few pictures have outlines

    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    lines = contour_generator(z=np.pad(box, 1).astype(np.float32)).lines(0.5)
    # The padding's first pixel has its centre half a pixel before the corner of the box.
    corner = np.array([columns[0] - 0.5, rows[0] - 0.5])
    return tuple(np.asarray(line, dtype=np.float64) + corner for line in lines)
