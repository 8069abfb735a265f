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
from scipy import ndimage

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
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

_IN_PLANE = ndimage.generate_binary_structure(3, 1)
_IN_PLANE[0] = _IN_PLANE[2] = False
_IN_PLANE.flags.writeable = False

Mask = NDArray[np.bool_]


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
    sure = ndimage.binary_erosion(inside, _IN_PLANE)
    possible = ndimage.binary_dilation(inside, _IN_PLANE)
    low, high = _box(possible, coarse, volume.geometry.shape)
    mask = np.empty(tuple(h - n for n, h in zip(low, high, strict=True)), dtype=bool)
    _draw(
        volume.voxels,
        validity(volume),
        coarse.nearest,
        sure,
        possible,
        coarse.factor[0],
        coarse.factor[1],
        low,
        SKIN_HU,
        mask,
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
    opened = ndimage.binary_erosion(tissue, _IN_PLANE, iterations=OPENING_VOXELS)
    thick = ndimage.binary_erosion(opened, _IN_PLANE, iterations=OPENING_VOXELS)
    labels, count = ndimage.label(opened)
    if not count:
        raise Undefined(NO_BODY)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = sizes >= SMALLEST_PART * int(np.max(sizes))
    keep &= np.bincount(labels[thick], minlength=count + 1) > 0
    keep[0] = False
    kept = keep[labels]
    grown = ndimage.binary_dilation(kept, _IN_PLANE, iterations=OPENING_VOXELS, mask=tissue)
    pixel_mm2 = coarse.factor[0] * spacing_mm[1] * coarse.factor[1] * spacing_mm[2]
    if float(np.max(np.count_nonzero(grown, axis=(1, 2)))) * pixel_mm2 < SMALLEST_SECTION_MM2:
        raise Undefined(NO_BODY)
    filled: Mask = grown | _holes(grown)[0]
    return filled


def _holes(mask: Mask) -> tuple[Mask, NDArray[np.int32]]:
    """What `mask` encloses within its own slice, and the label of each enclosed part."""
    labels, count = ndimage.label(~mask, structure=_IN_PLANE)
    enclosed = np.ones(count + 1, dtype=bool)
    enclosed[0] = False
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        enclosed[edge] = False
    return enclosed[labels], labels


def _lungs(tissue: Mask, hu: NDArray[np.float32]) -> Mask:
    """Enclosed parts that are denser than gas and foam."""
    holes, labels = _holes(tissue)
    inside = labels[holes]
    sums = np.bincount(inside, weights=hu[holes], minlength=int(np.max(labels)) + 1)
    counts = np.bincount(inside, minlength=int(np.max(labels)) + 1)
    lung = sums > LIGHTEST_LUNG_HU * counts
    lung &= counts > 0
    found: Mask = lung[labels]
    return found


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
    for k in range(planes.size):
        z = planes[k]
        for by in range(means.shape[1]):
            y0 = by * rows_each
            y1 = min(height, y0 + rows_each)
            for bx in range(means.shape[2]):
                x0 = bx * columns_each
                x1 = min(width, x0 + columns_each)
                total = np.float32(0.0)
                for y in range(y0, y1):
                    for x in range(x0, x1):
                        value = voxels[z, y, x]
                        if value < AIR_HU or (valid.size > 0 and not valid[z, y, x]):
                            value = AIR_HU
                        total += value
                means[k, by, bx] = total / ((y1 - y0) * (x1 - x0))


@numba.njit(cache=True, nogil=True)
def _draw(
    voxels: NDArray[Any],
    valid: Mask,
    nearest: NDArray[np.int64],
    sure: Mask,
    possible: Mask,
    rows_each: int,
    columns_each: int,
    low: tuple[int, int, int],
    threshold_hu: float,
    mask: Mask,
) -> None:
    """Fill `mask` (a box that begins at `low`): inside of `sure`, and above the threshold in the rest of `possible`."""
    depth, height, width = mask.shape
    for dz in range(depth):
        z = low[0] + dz
        k = nearest[z]
        for dy in range(height):
            y = low[1] + dy
            by = y // rows_each
            for dx in range(width):
                x = low[2] + dx
                bx = x // columns_each
                if sure[k, by, bx]:
                    mask[dz, dy, dx] = True
                elif possible[k, by, bx]:
                    mask[dz, dy, dx] = voxels[z, y, x] > threshold_hu and (valid.size == 0 or valid[z, y, x])
                else:
                    mask[dz, dy, dx] = False
