"""The patient in a CT image, without the table: found coarsely, drawn finely.

The table, cushions and clothing are thin or light; a patient is neither. A coarse copy of the image (voxels of about
2.5 mm) is opened with a 5 mm neighbourhood, which removes thin shells and cuts the patient loose from them, and what
remains thick is kept. Only the rim of it is then looked at in the full image, so that one pass over the voxels is
enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quality.planes import Bytes, Mask, Parts, grown, shrunk
from bingcheng.quality.validity import validity

NO_BODY = Problem(
    code="quality.no-body",
    says="no part of the image is thick enough and dense enough to be a patient's body",
    remedy="Check that the series is a CT of a patient in Hounsfield units.",
    owner=Owner.TECHNOLOGIST,
)

SKIN_HU = -500.0
"""Half-way between air and skin, so that a blurred border is drawn where the body ends."""
AIR_HU = -1000.0
LIGHTEST_LUNG_HU = -930.0
"""Enclosed air with a higher mean is lung; bowel gas and the foam of a mattress are lighter."""
COARSE_MM = 2.5
OPENING_VOXELS = 2
SMALLEST_SECTION_MM2 = 2000.0
SMALLEST_PART = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Coarse:
    """Block means of some planes: `factor` voxels (y, x) a block, `nearest` plane for each slice of the volume."""

    hu: NDArray[np.float32]
    factor: tuple[int, int]
    nearest: NDArray[np.int64]


@derived
def body(volume: Volume) -> Region:
    """The patient in a CT volume: skin and everything inside it, lungs and gas included, the table excluded.

    The border is where the CT number passes -500 HU. Arms and legs that lie apart belong to it. It assumes that the
    first axis runs across the slices, and that clothing and table are lighter than -500 HU or thinner than 1 cm.

    Parameters
    ----------
    volume : CT numbers in HU (z, y, x).

    Returns
    -------
    Region
        boolean mask ``body`` on the grid of `volume`.

    Raises
    ------
    Undefined
        ``quality.no-body``.

    Notes
    -----
    Solid parts of a table or a head holder that are thicker than 2 cm and denser than -500 HU are taken for the
    patient.
    """
    coarse = _coarse(volume)
    inside = _patient(coarse, volume.geometry.spacing_mm)
    possible = grown(inside)
    certainty = possible.astype(np.uint8)
    certainty += shrunk(inside)
    low, high = _box(possible, coarse, volume.geometry.shape)
    mask = np.empty(tuple(h - n for n, h in zip(low, high, strict=True)), dtype=bool)
    _draw(
        volume.voxels,
        validity(volume),
        coarse.nearest,
        certainty,
        coarse.factor,
        low,
        SKIN_HU,
        mask.view(np.uint8),
    )
    return Region(
        mask=mask,
        start=low,
        grid=volume.geometry,
        label="body",
        method="threshold -500 HU, opened by 5 mm, parts thicker than 2 cm, filled",
    )


def _coarse(volume: Volume) -> _Coarse:
    depth, height, width = volume.geometry.shape
    factors = [max(1, round(COARSE_MM / step)) for step in volume.geometry.spacing_mm]
    planes = np.arange(factors[0] // 2, depth, factors[0])
    if not planes.size:
        planes = np.array([depth // 2])
    hu = np.empty((planes.size, -(-height // factors[1]), -(-width // factors[2])), dtype=np.float32)
    _block_means(volume.voxels, validity(volume), planes, factors[1], factors[2], hu)
    nearest = np.minimum(np.arange(depth) // factors[0], planes.size - 1)
    return _Coarse(hu=hu, factor=(factors[1], factors[2]), nearest=nearest)


def _patient(coarse: _Coarse, spacing_mm: tuple[float, float, float]) -> Mask:
    """The patient on the coarse grid, filled."""
    tissue = coarse.hu > SKIN_HU
    tissue |= _lungs(tissue, coarse.hu)
    opened = shrunk(tissue, times=OPENING_VOXELS)
    parts = Parts.of(opened, across_slices=True)
    if not parts.count:
        raise Undefined(NO_BODY)
    sizes = parts.sizes
    keep = sizes >= SMALLEST_PART * int(np.max(sizes))
    keep &= parts.sums(shrunk(opened, times=OPENING_VOXELS)) > 0
    patient = grown(parts.mask_of(keep), tissue, times=OPENING_VOXELS)
    pixel_mm2 = coarse.factor[0] * spacing_mm[1] * coarse.factor[1] * spacing_mm[2]
    if float(np.max(np.count_nonzero(patient, axis=(1, 2)))) * pixel_mm2 < SMALLEST_SECTION_MM2:
        raise Undefined(NO_BODY)
    holes = Parts.of(~patient, across_slices=False)
    patient |= holes.mask_of(holes.enclosed)
    return patient


def _lungs(tissue: Mask, hu: NDArray[np.float32]) -> Mask:
    """Parts that `tissue` encloses within their own slice, and that are denser than gas and foam."""
    holes = Parts.of(~tissue, across_slices=False)
    return holes.mask_of(holes.enclosed & (holes.sums(hu) > LIGHTEST_LUNG_HU * holes.sizes))


def _box(
    possible: Mask, coarse: _Coarse, shape: tuple[int, int, int]
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    planes = np.flatnonzero(possible.any(axis=(1, 2))[coarse.nearest])
    rows = np.flatnonzero(possible.any(axis=(0, 2)))
    columns = np.flatnonzero(possible.any(axis=(0, 1)))
    low = (int(planes[0]), int(rows[0]) * coarse.factor[0], int(columns[0]) * coarse.factor[1])
    high = (
        int(planes[-1]) + 1,
        min(shape[1], (int(rows[-1]) + 1) * coarse.factor[0]),
        min(shape[2], (int(columns[-1]) + 1) * coarse.factor[1]),
    )
    return low, high


@numba.njit(cache=True, nogil=True)
def _block_means(
    voxels: NDArray[Any],
    valid: Mask,
    planes: NDArray[np.int64],
    rows_each: int,
    columns_each: int,
    means: NDArray[np.float32],
) -> None:
    """Mean CT number of each block; padding, which may lie far below air, counts as air."""
    height, width = voxels.shape[1], voxels.shape[2]
    air = np.float32(AIR_HU)
    columns = np.empty(width, dtype=np.float32)
    for k in range(planes.size):
        z = planes[k]
        for by in range(means.shape[1]):
            y0 = by * rows_each
            y1 = min(height, y0 + rows_each)
            # Down the columns first: whole rows are added at once.
            columns[:] = np.float32(0.0)
            for y in range(y0, y1):
                row = voxels[z, y]
                if valid.size > 0:
                    for x in range(width):
                        columns[x] += max(row[x], air) if valid[z, y, x] else air
                else:
                    for x in range(width):
                        columns[x] += max(row[x], air)
            for bx in range(means.shape[2]):
                x0 = bx * columns_each
                x1 = min(width, x0 + columns_each)
                total = np.float32(0.0)
                for x in range(x0, x1):
                    total += columns[x]
                means[k, by, bx] = total / ((y1 - y0) * (x1 - x0))


@numba.njit(cache=True, nogil=True)
def _draw(
    voxels: NDArray[Any],
    valid: Mask,
    nearest: NDArray[np.int64],
    certainty: Bytes,
    factor: tuple[int, int],
    low: tuple[int, int, int],
    threshold_hu: float,
    mask: Bytes,
) -> None:
    """Fill `mask`, a box that begins at `low`, at the corner of a block.

    Of what surely belongs (certainty 2) all of it, and what is above the threshold where it may (1).
    """
    depth, height, width = mask.shape
    rows_each, columns_each = factor
    first, last = low[2] // columns_each, (low[2] + width - 1) // columns_each + 1
    for dz in range(depth):
        z = low[0] + dz
        for dy in range(height):
            y = low[1] + dy
            blocks = certainty[nearest[z], y // rows_each]
            out, row = mask[dz, dy], voxels[z, y, low[2] : low[2] + width]
            bx = first
            while bx < last:
                sure, x0 = blocks[bx], (bx - first) * columns_each
                while bx < last and blocks[bx] == sure:
                    bx += 1
                x1 = min(width, (bx - first) * columns_each)
                if sure != 1:
                    out[x0:x1] = sure >> 1
                    continue
                for x in range(x0, x1):
                    out[x] = row[x] > threshold_hu and (valid.size == 0 or valid[z, y, low[2] + x])
