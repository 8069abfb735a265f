"""The portal vein in a CT: the vessels that the liver encloses and that stand out from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quality.line import Line
from bingcheng.quality.liver_parenchyma import LiverParenchyma
from bingcheng.quality.upright_grid import UprightGrid

NO_PORTAL_VEIN = Problem(
    code="quality.no-portal-vein",
    says="no vessel in the liver stands out from its parenchyma",
    remedy="Nothing to mend before contrast has come to the liver; otherwise measure the portal vein by hand.",
    owner=Owner.RADIOLOGIST,
)

LEAST_CONTRAST_HU, NOISE_FACTOR = 18.0, 2.0
REACH_MM = 45.0
"""How far liver may lie on the other side of a vessel at the hilum."""
LEAST_SIDES = 3
LARGEST_RADIUS_MM = 11.0
"""Main portal veins are 10 to 17 mm wide; what is thicker is a tumour, or the vena cava with its veins."""
SMALLEST_ML, SHORTEST_MM = 1.5, 25.0
IN_FRONT_MM = 66.0
"""Of the spinal canal: what lies less far in front of it is vertebra, kidney, vena cava or aorta."""
MOST_HU = 250.0
"""Above the liver: calcium, clips and stents."""
CORE = 0.5
"""The brighter half of its blocks: the dimmer half shares its blocks with the parenchyma around."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PortalVein:
    """The largest vessel in the liver.

    Parameters
    ----------
    hu : CT numbers of its core (n,).
    """

    hu: NDArray[np.float64]


def find_portal_vein(grid: UprightGrid, canal: Line, liver: LiverParenchyma) -> PortalVein:
    """The largest tubular structure that the liver encloses and that is brighter than its parenchyma.

    It is mostly the portal vein with its first branches. In the portal venous and later phases hepatic veins of about
    the same CT number may be joined to it; in the arterial phases they are not bright.

    Raises
    ------
    Undefined
        ``quality.no-portal-vein``.
    """
    box = _around(liver.mask)
    smooth = ndimage.gaussian_filter(grid.hu[box], [0.0, *(2.0 / mm for mm in grid.step_mm[1:])])
    contrast = smooth - np.float32(liver.hu)
    bright = (contrast >= max(LEAST_CONTRAST_HU, NOISE_FACTOR * liver.sd_hu)) & (contrast <= MOST_HU)
    bright &= _sides(grid, liver.mask[box]) >= LEAST_SIDES
    bright &= _in_front(grid, canal)[box]
    depth = ndimage.distance_transform_edt(bright, sampling=grid.step_mm)
    labels, count = ndimage.label(bright)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * grid.block_mm3 / 1000.0
    sizes[0] = 0.0
    for label in np.argsort(-sizes):
        if sizes[label] < SMALLEST_ML:
            break
        one = labels == label
        extent = [np.ptp(part) * mm for part, mm in zip(np.nonzero(one), grid.step_mm, strict=True)]
        if float(depth[one].max()) <= LARGEST_RADIUS_MM and float(np.linalg.norm(extent)) >= SHORTEST_MM:
            values = np.sort(smooth[one].astype(float))
            return PortalVein(hu=values[int(CORE * values.size) :])
    raise Undefined(NO_PORTAL_VEIN)


def _around(mask: Mask) -> tuple[slice, slice, slice]:
    """The box of what belongs, in which everything that it encloses lies."""
    z, y, x = ndimage.find_objects(mask.view(np.uint8))[0]
    return z, y, x


def _in_front(grid: UprightGrid, canal: Line) -> Mask:
    """What lies well in front of the spine; nothing in planes where no spine was found."""
    front = np.full(grid.hu.shape[0], -1.0)
    front[canal.planes] = canal.y - IN_FRONT_MM / grid.step_mm[1]
    before: Mask = np.broadcast_to((np.arange(grid.hu.shape[1])[None, :] <= front[:, None])[:, :, None], grid.hu.shape)
    return before


def _sides(grid: UprightGrid, liver: Mask) -> NDArray[np.int8]:
    """On how many of the four sides within its plane each block has liver within reach."""
    count = np.zeros(liver.shape, dtype=np.int8)
    for axis in (1, 2):
        reach = max(1, round(REACH_MM / grid.step_mm[axis]))
        for origin in (-(reach // 2), (reach - 1) // 2):
            near = ndimage.maximum_filter1d(liver.view(np.uint8), reach, axis=axis, mode="constant", origin=origin)
            count += near.astype(np.int8)
    return count
