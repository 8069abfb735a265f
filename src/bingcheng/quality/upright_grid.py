"""A coarse copy of a CT that stands upright: planes run to the head, rows to the back, columns to the left.

Anatomy is looked for in it, whichever way the patient lay and the image was stored. Its voxels are block means of about
2.5 mm in the plane and 5 mm along the patient, in which noise is small and an aorta is still five voxels wide.
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
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quality.validity import validity

OBLIQUE_GRID = Problem(
    code="quality.oblique-grid",
    says="the image axes run between the patient's axes, so front, back and sides of its slices can't be told",
    remedy="Use the axial series instead of an oblique reformat.",
    owner=Owner.TECHNOLOGIST,
)
THIN_SLAB = Problem(
    code="quality.thin-slab",
    says="the image covers {extent_mm} mm along {axis}, too little to recognise anatomy",
    remedy="Use the series that covers the whole section of the trunk.",
    owner=Owner.TECHNOLOGIST,
)

AIR_HU = -1000.0
ACROSS_MM, ALONG_MM = 2.5, 5.0
LEAST_MM = {"S": 30.0, "P": 60.0, "L": 60.0}
"""A few vertebral discs high, and as wide as what lies around a spine."""
LEAST_COSINE = 0.8
"""Gantries tilt by 30 degrees at most (cosine 0.87); an axis further from the patient's is oblique."""
TISSUE_HU = -300.0

Mask = NDArray[np.bool_]
_WITHIN_PLANE = ndimage.generate_binary_structure(3, 1)
_WITHIN_PLANE[0] = _WITHIN_PLANE[2] = False
_WITHIN_PLANE.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UprightGrid:
    """Block means of a CT in the order of the patient's axes.

    Parameters
    ----------
    hu : (z, y, x): z towards the head, y towards the back, x towards the patient's left.
    step_mm : distance between the centres of neighbouring blocks along (z, y, x).
    order : for z, y and x, which axis of the volume it is.
    turned : for z, y and x, whether it runs against the volume's axis.
    block : voxels of the volume in a block, along the volume's own axes.
    """

    hu: NDArray[np.float32]
    step_mm: Triple
    order: tuple[int, int, int]
    turned: tuple[bool, bool, bool]
    block: tuple[int, int, int]

    def voxels_in(self, *lengths_mm: float) -> tuple[int, ...]:
        """How many steps along (z, y, x) the lengths are, at least one."""
        return tuple(max(1, round(mm / step)) for mm, step in zip(lengths_mm, self.step_mm, strict=True))

    @property
    def block_mm3(self) -> float:
        """Volume of a block."""
        return float(np.prod(self.step_mm))

    def of(self, region: Region) -> Mask:
        """The blocks (z, y, x) of which at least half belong to a region on the grid of the volume."""
        share = np.zeros(region.grid.shape, dtype=np.float32)
        share[region.box()] = region.inside
        means = np.empty(_blocks(region.grid.shape, self.block), dtype=np.float32)
        _block_means(share, np.empty((0, 0, 0), dtype=bool), 0.0, *self.block, means)
        inside: Mask = _upright(means, self.order, self.turned) >= 0.5
        return inside

    def sections_mm2(self) -> NDArray[np.float64]:
        """Size of the largest connected section of each plane (z,): of the ellipse that spans its tissue.

        Lungs inside count, the table and arms that lie apart do not.
        """
        # Every other block is enough for an area.
        tissue = self.hu[:, ::2, ::2] > TISSUE_HU
        opened = ndimage.binary_opening(tissue, _WITHIN_PLANE, iterations=max(1, round(5.0 / (2.0 * self.step_mm[1]))))
        labels, count = ndimage.label(opened, structure=_WITHIN_PLANE)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        largest, spans = np.zeros(labels.shape[0]), np.zeros(labels.shape[0])
        for label, (plane, rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            z = plane.start  # a part lies within one plane
            if sizes[label] > largest[z]:
                largest[z] = sizes[label]
                spans[z] = (rows.stop - rows.start) * (columns.stop - columns.start)
        # A quarter of pi of the box, each of whose blocks stands for four.
        sections: NDArray[np.float64] = np.pi * spans * self.step_mm[1] * self.step_mm[2]
        return sections


@derived
def upright_grid(volume: Volume) -> UprightGrid:
    """The coarse upright copy of a CT volume.

    Parameters
    ----------
    volume : CT numbers in HU (z, y, x); axial, coronal or sagittal, with or without gantry tilt.

    Raises
    ------
    Undefined
        ``quality.oblique-grid``, ``quality.thin-slab``.
    """
    axes = np.asarray(volume.geometry.axes, dtype=float)  # rows: axis of the volume; columns: L, P, S
    order, turned = [], []
    for component in (2, 1, 0):
        axis = int(np.argmax(np.abs(axes[:, component])))
        order.append(axis)
        turned.append(bool(axes[axis, component] < 0))
    if len(set(order)) < 3 or min(abs(axes[a, c]) for a, c in zip(order, (2, 1, 0), strict=True)) < LEAST_COSINE:
        raise Undefined(OBLIQUE_GRID)
    spacing = volume.geometry.spacing_mm
    for axis, name in zip(order, ("S", "P", "L"), strict=True):
        extent_mm = volume.geometry.extent_mm[axis]
        if extent_mm < LEAST_MM[name]:
            raise Undefined(THIN_SLAB, extent_mm=float(extent_mm), axis=name)
    target = {order[0]: ALONG_MM, order[1]: ACROSS_MM, order[2]: ACROSS_MM}
    block = tuple(max(1, round(target[axis] / spacing[axis])) for axis in range(3))
    means = np.empty(_blocks(volume.geometry.shape, (block[0], block[1], block[2])), dtype=np.float32)
    _block_means(volume.voxels, validity(volume), AIR_HU, *block, means)
    places = (order[0], order[1], order[2])
    signs = (turned[0], turned[1], turned[2])
    step = [block[axis] * spacing[axis] for axis in places]
    return UprightGrid(
        hu=np.ascontiguousarray(_upright(means, places, signs)),
        step_mm=(step[0], step[1], step[2]),
        order=places,
        turned=signs,
        block=(block[0], block[1], block[2]),
    )


def _blocks(shape: tuple[int, int, int], block: tuple[int, int, int]) -> tuple[int, int, int]:
    """How many whole blocks fit; a rest at the end is left out unless it is all there is."""
    z, y, x = (max(1, n // each) for n, each in zip(shape, block, strict=True))
    return z, y, x


def _upright(array: NDArray[Any], order: tuple[int, int, int], turned: tuple[bool, bool, bool]) -> NDArray[Any]:
    flips = tuple(slice(None, None, -1 if one else None) for one in turned)
    view: NDArray[Any] = array.transpose(order)[flips]
    return view


@numba.njit(cache=True, nogil=True)
def _block_means(
    voxels: NDArray[Any],
    valid: Mask,
    lowest: float,
    deep: int,
    high: int,
    wide: int,
    means: NDArray[np.float32],
) -> None:
    """Mean of each block; padding, which may lie far below air, counts as `lowest`."""
    floor = np.float32(lowest)
    row = np.empty(means.shape[2], dtype=np.float32)
    for bz in range(means.shape[0]):
        z0, z1 = bz * deep, min(voxels.shape[0], (bz + 1) * deep)
        for by in range(means.shape[1]):
            y0, y1 = by * high, min(voxels.shape[1], (by + 1) * high)
            row[:] = np.float32(0.0)
            for z in range(z0, z1):
                for y in range(y0, y1):
                    for bx in range(means.shape[2]):
                        total = np.float32(0.0)
                        for x in range(bx * wide, min(voxels.shape[2], (bx + 1) * wide)):
                            value = np.float32(voxels[z, y, x])
                            if value < floor or (valid.size > 0 and not valid[z, y, x]):
                                value = floor
                            total += value
                        row[bx] += total
            for bx in range(means.shape[2]):
                count = (z1 - z0) * (y1 - y0) * (min(voxels.shape[2], (bx + 1) * wide) - bx * wide)
                means[bz, by, bx] = row[bx] / np.float32(count)
