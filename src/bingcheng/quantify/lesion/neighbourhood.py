"""The part of an image around a prompt, in which a lesion is drawn: never the whole volume when a corner will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.prompt import Body, Index

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LEAKED = Problem(
    code="quantify.segmentation-leaks",
    says="what was found at this place reaches across the image, so that it is no lesion",
    remedy="Draw a box around the lesion, or choose a method with a higher threshold.",
    owner=Owner.RADIOLOGIST,
)
NOTHING_RECORDED_HERE = Problem(
    code="quantify.prompt-without-image",
    says="the scanner recorded no value at the place that was marked",
    remedy="Mark the lesion within the reconstructed field of view.",
    owner=Owner.RADIOLOGIST,
)

FARTHEST_MM = 240.0
"""No lesion reaches farther than this from where it was marked: beyond, a threshold has leaked into the body."""
MOST_VALUE = np.float32(1e15)
"""No unit of images reaches it: what does is a mark for missing values, and squares of it overflow single precision."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbourhood:
    """A box of the volume.

    Parameters
    ----------
    values : (z, y, x), a copy; where nothing (or no number below `MOST_VALUE`) was recorded, the lowest of the box.
    seen : (z, y, x), where something was recorded.
    start : index in the volume at which the box begins.
    volume : the whole image.
    """

    values: Floats
    seen: Mask
    start: Index
    volume: Volume

    @staticmethod
    def of(volume: Volume, box: tuple[slice, slice, slice]) -> Neighbourhood:
        """The neighbourhood in a box of indices."""
        with np.errstate(over="ignore"):  # of double precision: what is beyond float32 is beyond `MOST_VALUE` too
            values = np.array(volume.voxels[box], dtype=np.float32, order="C")
        seen = np.abs(values) < MOST_VALUE
        if volume.valid is not None:
            seen &= volume.valid[box]
        if not seen.all():
            values[~seen] = np.min(values[seen]) if seen.any() else np.float32(0.0)
        return Neighbourhood(values=values, seen=seen, start=(box[0].start, box[1].start, box[2].start), volume=volume)

    @staticmethod
    def around(volume: Volume, centre: Index, reach_mm: float) -> Neighbourhood:
        """The box that reaches `reach_mm` from the voxel `centre` along each axis, as far as the image goes."""
        return Neighbourhood.of(volume, _reaching(volume, centre, centre, (reach_mm, reach_mm, reach_mm)))

    @staticmethod
    def about(volume: Volume, body: Body, *, times: float, margin_mm: float = 0.0) -> Neighbourhood:
        """The box around an expected body made `times` as large, with a margin."""
        where = body.voxel(volume.geometry)
        z, y, x = (times * semi + margin_mm for semi in body.semi_axes_mm)
        return Neighbourhood.of(volume, _reaching(volume, where, where, (z, y, x)))

    @staticmethod
    def beyond(volume: Volume, box: tuple[slice, slice, slice], margin_mm: float) -> Neighbourhood:
        """A box of indices with a margin all around, as far as the image goes."""
        low = (box[0].start, box[1].start, box[2].start)
        high = (box[0].stop - 1, box[1].stop - 1, box[2].stop - 1)
        return Neighbourhood.of(volume, _reaching(volume, low, high, (margin_mm, margin_mm, margin_mm)))

    @property
    def spacing_mm(self) -> Triple:
        """Between voxel centres, along (z, y, x)."""
        return self.volume.geometry.spacing_mm

    @property
    def shape(self) -> Index:
        """Of the box, (z, y, x)."""
        z, y, x = self.values.shape
        return z, y, x

    @property
    def reach_mm(self) -> float:
        """Half of its largest extent."""
        return max(n * s for n, s in zip(self.shape, self.spacing_mm, strict=True)) / 2.0

    def local(self, index: Index) -> Index:
        """An index of the volume, in the box."""
        return index[0] - self.start[0], index[1] - self.start[1], index[2] - self.start[2]

    def radius(self, body: Body) -> Floats:
        """How far each voxel of the box lies out in `body` (see `Body.radius`)."""
        return body.radius(self.start, self.shape, self.volume.geometry)

    def within(self, centre: Index, radius_mm: float) -> Mask:
        """The voxels whose centre lies within a ball about the centre of one of them, (z, y, x)."""
        matrix = self.volume.geometry.matrix
        reach = np.ceil(np.linalg.norm(np.linalg.inv(matrix), axis=1) * radius_mm).astype(int)
        bounds = [(max(0, c - r), min(n, c + r + 1)) for c, r, n in zip(centre, reach, self.shape, strict=True)]
        offsets = np.ix_(*(np.arange(low, high) - c for (low, high), c in zip(bounds, centre, strict=True)))
        position = [sum(m * o for m, o in zip(row, offsets, strict=True)) for row in matrix]
        ball: Mask = np.zeros(self.shape, dtype=bool)
        ball[tuple(slice(low, high) for low, high in bounds)] = sum(np.square(p) for p in position) <= radius_mm**2
        return ball

    def cut(self, mask: Mask) -> bool:
        """Whether the mask reaches a face of the box behind which the image goes on."""
        for axis, (start, size, whole) in enumerate(
            zip(self.start, self.shape, self.volume.geometry.shape, strict=True)
        ):
            if start > 0 and np.take(mask, 0, axis=axis).any():
                return True
            if start + size < whole and np.take(mask, size - 1, axis=axis).any():
                return True
        return False

    def spans(self, mask: Mask) -> bool:
        """Whether the mask reaches from one side of the image's slices to the opposite one."""
        for axis in (1, 2):
            whole = self.start[axis] == 0 and self.shape[axis] == self.volume.geometry.shape[axis]
            if whole and np.take(mask, 0, axis=axis).any() and np.take(mask, -1, axis=axis).any():
                return True
        return False

    def region(self, mask: NDArray[np.bool_] | Floats, *, label: str = "lesion") -> Region:
        """The region of a mask (z, y, x) on the box: boolean, or membership in [0, 1]."""
        found = Region.of(mask, self.volume.geometry.box(self.start, self.shape), label=label)
        start = (found.start[0] + self.start[0], found.start[1] + self.start[1], found.start[2] + self.start[2])
        return Region(mask=found.mask, start=start, grid=self.volume.geometry, label=label)


def in_growing_window(
    volume: Volume,
    centre: Index,
    reach_mm: float,
    attempt: Callable[[Neighbourhood], Mask],
    farthest_mm: float = FARTHEST_MM,
) -> tuple[Neighbourhood, Mask]:
    """What `attempt` finds in a box around `centre` that is made larger until the finding no longer touches its faces.

    Raises
    ------
    Undefined
        ``quantify.segmentation-leaks``: it still touches them at `farthest_mm`, or reaches across the whole image.
    """
    while True:
        hood = Neighbourhood.around(volume, centre, reach_mm)
        mask = attempt(hood)
        if not hood.cut(mask):
            break
        if reach_mm >= farthest_mm:
            raise Undefined(LEAKED)
        reach_mm = min(2.0 * reach_mm, farthest_mm)
    if hood.spans(mask):
        raise Undefined(LEAKED)
    return hood, mask


def grown(values: Floats, allowed: Mask, seed: Index, low: float, high: float = np.inf) -> Mask:
    """The voxels with values in [low, high] that are joined to the seed face by face, (z, y, x); empty if it is not."""
    found: Mask = _grown(values, allowed, seed[0], seed[1], seed[2], low, high)
    return found


def component_of(mask: Mask, seed: Index) -> Mask:
    """The part of a mask that is joined to the seed face by face; empty if the seed does not belong."""
    return grown(mask.astype(np.float32), mask, seed, 0.5)


def largest_component(mask: Mask) -> Mask:
    """The part of a mask with the most voxels, face by face; of equally large ones the first. Empty stays empty."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest: Mask = labels == int(np.argmax(sizes))
    return largest


def distance_outside_mm(mask: Mask, spacing_mm: Triple) -> Floats:
    """Distance in mm of every voxel's centre from the nearest centre that belongs, (z, y, x); 0 where it belongs."""
    distance: Floats = ndimage.distance_transform_edt(~mask, sampling=spacing_mm).astype(np.float32)
    return distance


def distance_inside_mm(mask: Mask, spacing_mm: Triple) -> Floats:
    """Distance in mm of every voxel's centre from the nearest centre that does not belong; beyond the box none does."""
    padded = np.pad(mask, 1)
    distance: Floats = ndimage.distance_transform_edt(padded, sampling=spacing_mm)[1:-1, 1:-1, 1:-1].astype(np.float32)
    return distance


def opened(mask: Mask, seed: Index, radius_mm: float, spacing_mm: Triple) -> Mask:
    """What is left around the seed of a mask after a morphological opening by a ball, with the rim that it rounds off.

    Parts thinner than twice the radius come off (vessels, spicules). The seed must lie deeper than the radius.
    """
    core = component_of(distance_inside_mm(mask, spacing_mm) > radius_mm, seed)
    if not core.any():
        return core
    # One voxel more than was taken off: the rounding of corners belongs to what remains.
    back = distance_outside_mm(core, spacing_mm) <= radius_mm + min(spacing_mm)
    return component_of(mask & back, seed)


def _reaching(volume: Volume, low: Index, high: Index, reach_mm: Triple) -> tuple[slice, slice, slice]:
    geometry = volume.geometry
    slices = []
    for first, last, reach, step, size in zip(low, high, reach_mm, geometry.spacing_mm, geometry.shape, strict=True):
        voxels = int(np.ceil(reach / step))
        slices.append(slice(min(max(0, first - voxels), size - 1), max(min(size, last + voxels + 1), 1)))
    return slices[0], slices[1], slices[2]


@numba.njit(cache=True, nogil=True)
def _grown(values: Floats, allowed: Mask, z0: int, y0: int, x0: int, low: float, high: float) -> Mask:
    depth, height, width = values.shape
    found = np.zeros((depth, height, width), dtype=np.bool_)
    if not allowed[z0, y0, x0] or not low <= values[z0, y0, x0] <= high:
        return found
    stack = np.empty(values.size, dtype=np.int64)
    stack[0] = (z0 * height + y0) * width + x0
    found[z0, y0, x0] = True
    n = 1
    while n > 0:
        n -= 1
        at = stack[n]
        z, y, x = at // (height * width), at // width % height, at % width
        for side in range(6):
            zn, yn, xn = z, y, x
            step = 1 if side % 2 else -1
            if side < 2:
                zn += step
            elif side < 4:
                yn += step
            else:
                xn += step
            if not (0 <= zn < depth and 0 <= yn < height and 0 <= xn < width):
                continue
            if found[zn, yn, xn] or not allowed[zn, yn, xn]:
                continue
            if low <= values[zn, yn, xn] <= high:
                found[zn, yn, xn] = True
                stack[n] = (zn * height + yn) * width + xn
                n += 1
    return found
