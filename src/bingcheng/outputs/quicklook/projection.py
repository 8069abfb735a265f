"""Maximum intensity projection: what a PET looks like from the front."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def from_the_front(planes: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The greatest value along the rows of each axial plane (row, column); planes become rows, the first on top."""
    return np.stack([plane.max(axis=0) for plane in planes])


def from_the_side(planes: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The greatest value along the columns of each axial plane (row, column); planes become rows."""
    return np.stack([plane.max(axis=1) for plane in planes])
