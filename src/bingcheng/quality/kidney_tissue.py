"""Cortex, medulla and excreted contrast in the kidneys of a CT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quality.kidneys import Kidney

NO_MEDULLA = Problem(
    code="quality.no-medulla",
    says="the kidney is cut off or too thin to tell its medulla",
    remedy="Measure the medulla by hand where the image shows it.",
    owner=Owner.RADIOLOGIST,
)

CORTEX_MM = (2.5, 6.5)
"""Below the surface: inside of the blocks that it cuts, and outside of the medulla (the cortex is 6 to 10 mm thick)."""
MEDULLA_MM = 9.0
FAT_HU = 0.0
"""Blocks below hold fat of the sinus."""
EXCRETED_HU, ABOVE_CORTEX_HU = 250.0, 100.0
FEWEST_BLOCKS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KidneyTissue:
    """CT numbers of the tissues of all kidneys that were found.

    Parameters
    ----------
    cortex_hu, medulla_hu : of their blocks (n,); medulla is empty where it can't be told.
    excreted_ml : volume that is far brighter than the cortex: urine with contrast in it, or stones.
    """

    cortex_hu: NDArray[np.float64]
    medulla_hu: NDArray[np.float64]
    excreted_ml: float

    @property
    def cortex(self) -> float:
        """Median CT number of the cortex."""
        return float(np.median(self.cortex_hu))

    @property
    def has_medulla(self) -> bool:
        """Whether enough of the medulla can be told."""
        return self.medulla_hu.size >= FEWEST_BLOCKS

    @property
    def medulla(self) -> float:
        """Median CT number of the medulla.

        Raises
        ------
        Undefined
            ``quality.no-medulla``.
        """
        if not self.has_medulla:
            raise Undefined(NO_MEDULLA)
        return float(np.median(self.medulla_hu))


def tissue_of(kidneys: tuple[Kidney, ...]) -> KidneyTissue:
    """The tissues of kidneys, told by how deep they lie: the outer 2.5 to 6.5 mm are cortex, 9 mm and more medulla.

    Notes
    -----
    Columns of cortex between the pyramids are counted as medulla; in the corticomedullary phase the medulla therefore
    comes out somewhat too bright.
    """
    hu = np.concatenate([one.hu for one in kidneys])
    depth_mm = np.concatenate([one.depth_mm for one in kidneys])
    volume_mm3 = kidneys[0].block_mm3
    cortex = hu[(depth_mm >= CORTEX_MM[0]) & (depth_mm < CORTEX_MM[1]) & (hu > FAT_HU)]
    if not cortex.size:
        cortex = hu
    excreted = max(EXCRETED_HU, float(np.median(cortex)) + ABOVE_CORTEX_HU)
    deep = depth_mm >= MEDULLA_MM
    return KidneyTissue(
        cortex_hu=cortex,
        medulla_hu=hu[deep & (hu > FAT_HU) & (hu < excreted)],
        excreted_ml=float(np.count_nonzero(hu[depth_mm >= CORTEX_MM[1]] >= excreted)) * volume_mm3 / 1000.0,
    )
