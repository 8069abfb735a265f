"""The liver in a CT: the largest uniform body on the patient's right, and the vessels that it encloses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.image.region import Region
from bingcheng.quality.line import Line
from bingcheng.quality.upright_grid import UprightGrid

NO_LIVER = Problem(
    code="quality.no-liver",
    says="no liver was found with confidence in the CT: {why}",
    remedy="Give a segmentation of the liver (label 'liver'), or measure it by hand.",
    owner=Owner.RADIOLOGIST,
)
NO_UNIFORM_BODY = text("nothing on the patient's right is uniform and large enough")
RIVAL_BODIES = text("several bodies on the patient's right look like a liver")

ALIKE_MM = 13.0
"""Edge of the neighbourhood that has to be uniform: wider than vessels, narrower than a lobe."""
PLAUSIBLE_HU = (-30.0, 260.0)
"""From a very fatty liver to a low tube voltage with much contrast."""
NOISE_FACTOR, LEAST_SPREAD_HU = 2.0, 15.0
RIGHT_MM, BACK_MM = 18.0, 15.0
LOBE_RIGHT_MM, LOBE_BACK_MM = 50.0, -50.0
"""The right lobe reaches far to the right and back; the heart does not."""
DEEP_MM, SMALLEST_ML = 5.0, 50.0
"""Of places whose uniform surroundings reach 5 mm further: a liver of 900 ml has more, the wall of the trunk none."""
RIVAL, UNLIKE_HU = 0.5, 15.0

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiverParenchyma:
    """Liver without its vessels.

    Parameters
    ----------
    mask : blocks of the upright grid (z, y, x) well inside.
    hu : their median CT number.
    sd_hu : spread of the blocks around it, robust.
    """

    mask: Mask
    hu: float
    sd_hu: float


def find_liver(grid: UprightGrid, canal: Line, segments: Mapping[str, Region]) -> LiverParenchyma:
    """The liver's parenchyma: a segment ``liver`` if there is one, else the largest uniform body on the right.

    Places are kept whose neighbourhood of 13 mm has a plausible mean and a spread of no more than twice that of the
    most uniform tenth of the trunk; of those on the patient's right beside the spine, the largest connected part is the
    liver if it reaches far to the right and back and no other of another density is half as large.

    Raises
    ------
    Undefined
        ``quality.no-liver``.

    Notes
    -----
    A liver full of metastases, and one beside as large an effusion, are refused.
    """
    if "liver" in segments and not segments["liver"].empty:
        mask = ndimage.binary_erosion(grid.of(segments["liver"]))
        if not mask.any():
            raise Undefined(NO_LIVER, why=NO_UNIFORM_BODY)
        return _parenchyma(grid, mask)
    return _parenchyma(grid, _found(grid, canal))


def _parenchyma(grid: UprightGrid, mask: Mask) -> LiverParenchyma:
    values = grid.hu[mask]
    middle = float(np.median(values))
    return LiverParenchyma(mask=mask, hu=middle, sd_hu=1.4826 * float(np.median(np.abs(values - middle))))


def _found(grid: UprightGrid, canal: Line) -> Mask:
    planes = slice(int(canal.planes[0]), int(canal.planes[-1]) + 1)
    # Nothing to the left of the spine is looked at.
    hu = grid.hu[planes][..., : int(np.max(canal.x)) + 1]
    size = [max(3, 2 * round(0.5 * ALIKE_MM / mm) + 1) if mm < ALIKE_MM else 1 for mm in grid.step_mm]
    mean = ndimage.uniform_filter(hu, size, mode="nearest")
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(hu * hu, size, mode="nearest") - mean**2, 0.0))
    solid = (mean >= PLAUSIBLE_HU[0]) & (mean <= PLAUSIBLE_HU[1])
    if not solid.any():
        raise Undefined(NO_LIVER, why=NO_UNIFORM_BODY)
    noise = float(np.percentile(spread[solid], 10))
    alike = solid & (spread <= max(LEAST_SPREAD_HU, NOISE_FACTOR * noise))
    y = (np.arange(hu.shape[1])[None, :] - canal.y[:, None]) * grid.step_mm[1]
    x = (np.arange(hu.shape[2])[None, :] - canal.x[:, None]) * grid.step_mm[2]
    alike &= (x <= -RIGHT_MM)[:, None, :] & (y <= BACK_MM)[:, :, None]
    around = [2 * int(np.ceil(DEEP_MM / mm)) + 1 for mm in grid.step_mm]
    labels, count = ndimage.label(ndimage.minimum_filter(alike.view(np.uint8), around))
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * grid.block_mm3 / 1000.0
    sizes[0] = 0.0
    lobe = labels[(x <= -LOBE_RIGHT_MM)[:, None, :] & (y >= LOBE_BACK_MM)[:, :, None]]
    reaching = np.zeros(count + 1, dtype=bool)
    reaching[lobe] = True
    likely = np.where(reaching, sizes, 0.0)
    largest = int(np.argmax(likely))
    if likely[largest] < SMALLEST_ML:
        raise Undefined(NO_LIVER, why=NO_UNIFORM_BODY)
    level = float(np.median(mean[labels == largest]))
    for other in np.flatnonzero(sizes > RIVAL * sizes[largest]):
        if other != largest and abs(float(np.median(mean[labels == other])) - level) > UNLIKE_HU:
            raise Undefined(NO_LIVER, why=RIVAL_BODIES)
    mask = np.zeros(grid.hu.shape, dtype=bool)
    mask[planes, :, : hu.shape[2]] = labels == largest
    return mask
