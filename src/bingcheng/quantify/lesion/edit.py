"""Correcting a lesion by hand: pure functions from a region to a region, on the same grid.

What is edited keeps its label, tracking identifier and code. A mask of fractions keeps them under the brush, cuts and
choice of parts; what moves the border as a whole (growing, smoothing, filling between slices) makes it whole voxels.
On grids with gantry tilt, distances run along the grid's own axes.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.quantify.lesion import neighbourhood
from bingcheng.quantify.lesion.prompt import Index, nearest_voxel

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

NOTHING_LEFT = Problem(
    code="quantify.edit-leaves-nothing",
    says="this correction leaves no voxel of the lesion",
    remedy="Undo it, and erase or shrink less.",
    owner=Owner.RADIOLOGIST,
)
NO_PART_HERE = Problem(
    code="quantify.no-part-here",
    says="no part of the lesion lies at this place",
    remedy="Click on the part that is to stay.",
    owner=Owner.RADIOLOGIST,
)
NO_DIRECTION = Problem(
    code="quantify.plane-without-direction",
    says="the plane to cut along has no direction",
    remedy="Draw the cut as a line of some length.",
    owner=Owner.RADIOLOGIST,
)
NOT_POSITIVE = Problem(
    code="quantify.size-not-positive",
    says="a brush, margin or filter has a size above 0 mm and up to {most_mm} mm, not {size_mm}",
    remedy="Choose a size of at least a voxel, and less than the lesion's.",
    owner=Owner.RADIOLOGIST,
)

LARGEST_MM = 200.0
"""No correction by hand moves a border farther than this; a slip of the hand must not fill the image."""


def brushed(
    region: Region, *, centre_mm: Triple, radius_mm: float, erase: bool = False, in_slice: bool = False
) -> Region:
    """The region with a ball added or erased: the voxels whose centre lies within `radius_mm` of `centre_mm`.

    Parameters
    ----------
    centre_mm : LPS, within the image.
    in_slice : a disc in the slice of the centre instead of a ball.

    Raises
    ------
    InputError
        ``quantify.prompt-outside-image``, ``quantify.size-not-positive``.
    Undefined
        ``quantify.edit-leaves-nothing``.
    """
    _positive(radius_mm)
    voxel = nearest_voxel(centre_mm, region.grid)
    reach = [0 if in_slice and axis == 0 else _voxels(radius_mm, region, axis) for axis in range(3)]
    ball = tuple(
        slice(max(0, v - r), min(n, v + r + 1)) for v, r, n in zip(voxel, reach, region.grid.shape, strict=True)
    )
    box = _union(region, ball)
    mask = _on(region, box)
    centre = np.asarray(centre_mm) if not in_slice else _in_plane_of(region, voxel, centre_mm)
    touched = _squared_mm(region, ball, centre) <= radius_mm**2
    part = tuple(slice(b.start - s.start, b.stop - s.start) for b, s in zip(ball, box, strict=True))
    mask[part][touched] = not erase
    return _as_edited(region, mask, box)


def holes_filled(region: Region, *, in_slices: bool = False) -> Region:
    """The region with all it encloses: in space, or in each slice for itself (a ring then closes)."""
    if region.empty:
        raise Undefined(NOTHING_LEFT)
    around = ndimage.generate_binary_structure(3, 1)
    if in_slices:
        around = around.copy()
        around[0] = around[2] = False
    filled = ndimage.binary_fill_holes(region.inside, structure=around)
    mask = region.mask.copy()
    mask[filled & ~region.inside] = 1
    return _as_edited(region, mask, region.box())


def largest_part(region: Region) -> Region:
    """The part with the most voxels, joined face by face.

    Raises
    ------
    Undefined
        ``quantify.edit-leaves-nothing``.
    """
    return _only(region, _with_rim(region, neighbourhood.largest_component(region.inside)))


def part_at(region: Region, *, position_mm: Triple) -> Region:
    """The part that holds a position, joined face by face.

    Raises
    ------
    InputError
        ``quantify.prompt-outside-image``, ``quantify.no-part-here``.
    """
    voxel = nearest_voxel(position_mm, region.grid)
    local = (voxel[0] - region.start[0], voxel[1] - region.start[1], voxel[2] - region.start[2])
    inside = region.inside
    within = all(0 <= i < n for i, n in zip(local, inside.shape, strict=True))
    if not within or not inside[local]:
        raise InputError(NO_PART_HERE)
    return _only(region, _with_rim(region, neighbourhood.component_of(inside, local)))


def grown_by(region: Region, *, margin_mm: float) -> Region:
    """The region grown by a margin in mm in every direction, or shrunk by a negative one.

    Grown: voxels whose centre lies within the margin of one that belongs. Shrunk: voxels whose centre lies farther than
    that from one that does not. Distances are exact, whatever the spacing. The image's edge does not shrink a region.

    Raises
    ------
    InputError
        ``quantify.size-not-positive``: the margin is no number, or above `LARGEST_MM`.
    Undefined
        ``quantify.edit-leaves-nothing``.
    """
    _not_empty(region)
    if margin_mm != 0.0:
        _positive(abs(margin_mm))
    reach = [_voxels(abs(margin_mm), region, axis) + 1 for axis in range(3)]
    box = region.box((reach[0], reach[1], reach[2]))
    inside = region.inside_box(box)
    spacing = region.grid.spacing_mm
    if margin_mm >= 0.0:
        mask = neighbourhood.distance_outside_mm(inside, spacing) <= margin_mm + _rounding(margin_mm)
    elif inside.all():
        mask = inside
    else:
        mask = ndimage.distance_transform_edt(inside, sampling=spacing) > -margin_mm + _rounding(margin_mm)
    return _as_edited(region, mask, box)


def smoothed(region: Region, *, width_mm: float) -> Region:
    """The region with a smoother border and the same number of voxels.

    The membership is filtered by a Gaussian whose standard deviation is `width_mm`, and as many voxels are taken as
    belonged before, from the highest down.

    Raises
    ------
    InputError
        ``quantify.size-not-positive``.
    Undefined
        ``quantify.edit-leaves-nothing``.
    """
    _positive(width_mm)
    _not_empty(region)
    reach = [_voxels(2.0 * width_mm, region, axis) + 1 for axis in range(3)]
    box = region.box((reach[0], reach[1], reach[2]))
    inside = region.inside_box(box)
    widths = [width_mm / s for s in region.grid.spacing_mm]
    soft = ndimage.gaussian_filter(inside.astype(np.float32), widths, mode="nearest")
    count = int(np.count_nonzero(inside))
    mask = np.zeros(inside.shape, dtype=bool)
    # A stable sort: equal values are taken in index order, on every machine.
    mask.ravel()[np.argsort(-soft, axis=None, kind="stable")[:count]] = True
    return _as_edited(region, mask, box)


def filled_between_slices(region: Region) -> Region:
    """The region with the empty slices between drawn ones filled by interpolated shapes.

    The signed distance to the border in the plane is interpolated linearly between the drawn slices above and below
    (Raya and Udupa, IEEE Trans Med Imaging 1990;9:32-42); a voxel belongs where it is negative. Shapes that do not
    overlap may leave a gap.

    Raises
    ------
    Undefined
        ``quantify.edit-leaves-nothing``.
    """
    _not_empty(region)
    inside = region.inside
    drawn = np.flatnonzero(inside.any(axis=(1, 2)))
    mask = inside.copy()
    for low, high in pairwise(drawn):
        if high - low > 1:
            below, above = (_signed_distance(inside[z], region.grid.spacing_mm[1:]) for z in (low, high))
            share = (np.arange(low + 1, high) - low) / float(high - low)
            between = below + share[:, None, None] * (above - below)
            mask[low + 1 : high] = between < 0.0
    return _as_edited(region, mask, region.box())


def cut_by_plane(region: Region, *, point_mm: Triple, normal: Triple) -> Region:
    """The part of the region behind a plane: voxels whose centre x has ``(x - point) . normal <= 0``.

    Raises
    ------
    InputError
        ``quantify.plane-without-direction``.
    Undefined
        ``quantify.edit-leaves-nothing``.
    """
    length = float(np.linalg.norm(normal))
    if not 0.0 < length < np.inf or not np.isfinite(point_mm).all():
        raise InputError(NO_DIRECTION)
    step = region.grid.matrix.T @ (np.asarray(normal) / length)
    first = region.geometry.origin_mm
    height = float((np.asarray(first) - np.asarray(point_mm)) @ (np.asarray(normal) / length))
    z, y, x = (np.arange(n) * s for n, s in zip(region.mask.shape, step, strict=True))
    behind = height + z[:, None, None] + y[None, :, None] + x[None, None, :] <= 1e-9
    return _only(region, behind)


def _squared_mm(region: Region, box: tuple[slice, ...], centre_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of each voxel of a box (z, y, x) from a position, in mm2."""
    away = np.asarray(region.grid.to_index(centre_mm))
    offsets = np.ix_(*(np.arange(s.start, s.stop) - at for s, at in zip(box, away, strict=True)))
    total = np.zeros(tuple(s.stop - s.start for s in box))
    for row in region.grid.matrix:
        z, y, x = (step * offset for step, offset in zip(row, offsets, strict=True))
        total += np.square(z + y + x)
    return total


def _signed_distance(inside: Mask, spacing_mm: tuple[float, ...]) -> Floats:
    """Negative inside, in mm; zero on the border between voxels."""
    padded = np.pad(inside, 1)
    outer = ndimage.distance_transform_edt(~padded, sampling=spacing_mm)
    inner = ndimage.distance_transform_edt(padded, sampling=spacing_mm)
    half = 0.5 * min(spacing_mm)
    signed: Floats = np.where(padded, half - inner, outer - half)[1:-1, 1:-1].astype(np.float32)
    return signed


def _on(region: Region, box: tuple[slice, slice, slice]) -> NDArray[Any]:
    """The region's mask on a box that holds it, as a copy."""
    mask = np.zeros(tuple(s.stop - s.start for s in box), dtype=region.mask.dtype)
    target = tuple(
        slice(at - s.start, at - s.start + n) for at, s, n in zip(region.start, box, region.mask.shape, strict=True)
    )
    mask[target] = region.mask
    return mask


def _union(region: Region, other: tuple[slice, ...]) -> tuple[slice, slice, slice]:
    if region.mask.size == 0:
        return other[0], other[1], other[2]
    own = region.box()
    z, y, x = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(own, other, strict=True))
    return z, y, x


def _with_rim(region: Region, part: Mask) -> Mask:
    """A part of a region with the voxels that belong by less than half and are nearer to it than to other parts.

    They hold much of a small lesion's volume.
    """
    inside = region.inside
    rim = (region.mask > 0) & ~inside
    if not rim.any() or not inside.any():
        return part
    nearest = ndimage.distance_transform_edt(
        ~inside, sampling=region.grid.spacing_mm, return_distances=False, return_indices=True
    )
    whole: Mask = part | (rim & part[tuple(nearest)])
    return whole


def _only(region: Region, keep: Mask) -> Region:
    mask = region.mask.copy()
    mask[~keep] = 0
    return _as_edited(region, mask, region.box())


def _as_edited(region: Region, mask: NDArray[Any], box: tuple[slice, slice, slice]) -> Region:
    z, y, x = mask.shape
    start = (box[0].start, box[1].start, box[2].start)
    found = Region.of(mask, region.grid.box(start, (z, y, x)), label=region.label)
    if found.empty:
        raise Undefined(NOTHING_LEFT)
    moved = (start[0] + found.start[0], start[1] + found.start[1], start[2] + found.start[2])
    return dataclasses.replace(region, mask=found.mask, start=moved, source_uid=None)


def _in_plane_of(region: Region, voxel: Index, centre_mm: Triple) -> NDArray[np.float64]:
    """The centre, moved along the slice direction's index onto the middle of the slice."""
    index = region.grid.to_index(centre_mm)
    return region.grid.to_mm((float(voxel[0]), float(index[1]), float(index[2])))


def _voxels(size_mm: float, region: Region, axis: int) -> int:
    """How many voxels along an axis of indices a ball of this size can reach; of tilted grids too."""
    row = np.linalg.norm(np.linalg.inv(region.grid.matrix)[axis])
    return int(np.ceil(size_mm * float(row)))


def _rounding(size_mm: float) -> float:
    return 1e-5 * max(1.0, abs(size_mm))  # distances are float32


def _positive(size_mm: float) -> None:
    if not 0.0 < size_mm <= LARGEST_MM:
        raise InputError(NOT_POSITIVE, size_mm=size_mm, most_mm=LARGEST_MM)


def _not_empty(region: Region) -> None:
    if region.empty:
        raise Undefined(NOTHING_LEFT)
