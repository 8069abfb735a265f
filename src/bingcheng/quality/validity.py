"""Which voxels hold a measured value, in the one form that all compiled loops take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.volume import Volume, read_only


def validity(volume: Volume) -> NDArray[np.bool_]:
    """Boolean (z, y, x), False where the scanner recorded no value; an array without voxels where all are valid."""
    # Always contiguous and read-only: one compiled version of each loop serves both cases.
    mask = np.empty((0, 0, 0), dtype=bool) if volume.valid is None else np.ascontiguousarray(volume.valid)
    return read_only(mask)
