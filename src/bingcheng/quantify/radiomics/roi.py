"""What features are computed from: a lesion's voxels after the image-processing chain, on one grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.geometry import Triple
from bingcheng.image.volume import read_only


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Discretised intensities.

    Parameters
    ----------
    index : int32 (z, y, x), C-contiguous; 1 .. `count` in the intensity mask, 0 elsewhere.
    count : number of grey levels, Ng of the manual: the bin number that was asked for (FBN), or the highest level
        that occurs (FBS, none); levels that no voxel has count too.
    lowest : intensity at which level 1 begins (its lower edge; of undiscretised integers the value of level 1).
    width : intensity width of a bin.
    first_value, step : what a level stands for in the intensity-volume histogram, ``first_value + (level - 1) step``:
        a bin's centre (FBS), the intensity itself (none), the bin's number (FBN).
    """

    index: NDArray[np.int32]
    count: int
    lowest: float
    width: float
    first_value: float = 1.0
    step: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", read_only(self.index))


def no_levels() -> Levels | None:
    """None: what is asked for is read from the intensities themselves."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roi:
    """A region of interest after interpolation, rounding, re-segmentation and discretisation.

    All arrays are (z, y, x), C-contiguous, read-only and of one shape: the bounding box of the morphological mask,
    with no margin (voxels beyond the box are outside). `surroundings` alone is wider.

    Parameters
    ----------
    intensity : float32 or float64, finite inside the intensity mask; elsewhere as the image has it.
    morphological : boolean, the lesion as drawn (not re-segmented); not empty.
    intensity_mask : boolean, the voxels whose intensities count (re-segmented, outliers removed); may be empty; a
        subset of `morphological`.
    spacing_mm : (z, y, x).
    levels : discretised intensities for texture and histogram; None if the settings ask for neither.
    volume_histogram_levels : makes those of the intensity-volume histogram, which nothing else needs, `count` up to
        the upper end of the range of re-segmentation if there is one; gives None where it is read from the
        intensities. Raises what `discretisation.volume_histogram_levels` does.
    surroundings : image around the box for what looks beyond the mask (local peaks); not contiguous, and of any number
        type, since it is most often a view of the image.
    surroundings_start : index in `surroundings` of the box's first voxel.
    askew : whether slices lie askew over each other (a tilted gantry): neighbours across slices and distances are then
        not what their indices say.
    """

    intensity: NDArray[Any]
    morphological: NDArray[np.bool_]
    intensity_mask: NDArray[np.bool_]
    spacing_mm: Triple
    surroundings: NDArray[Any]
    surroundings_start: tuple[int, int, int] = (0, 0, 0)
    levels: Levels | None = None
    volume_histogram_levels: Callable[[], Levels | None] = no_levels
    askew: bool = False

    def __post_init__(self) -> None:
        for name in ("intensity", "morphological", "intensity_mask", "surroundings"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def values(self) -> NDArray[Any]:
        """The intensities (n,) inside the intensity mask, in index order."""
        found: NDArray[Any] = self.intensity[self.intensity_mask]
        return found
