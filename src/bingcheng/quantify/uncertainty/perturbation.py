"""Outlines that a reader might as well have drawn: the lesion's border moved at the scale of a voxel.

The border is the zero level of a signed distance counted in voxels along each axis. Three things happen to it, then
voxels are decided again. It is moved outwards or inwards as a whole, by the same distance in mm everywhere, which is a
part of a pixel: a reader draws in the plane of the slices. It is shifted by parts of a voxel along each axis, across
thick slices too: where the slices lay on the lesion was chance. And it is made uneven by a smooth random field, in
voxels of each direction: whether an end slice still belongs is as uncertain as slices are thick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region

Floats = NDArray[np.float32]

WAVES = 32
MARGIN_VOXELS = 3
SMOOTHING_VOXELS = 0.6
"""Takes the staircase of whole voxels out of the distance; more would round off true corners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbations:
    """How far a reader's outline may be off, and how often the lesion is measured again.

    Parameters
    ----------
    contours : number of other outlines, even; they come in pairs that move in opposite ways.
    noises : number of other draws of the image's noise, even, in opposite pairs.
    offset_voxels : half-width of the rectangular distribution of growing or shrinking, in voxels within the slice.
    shift_voxels : half-width of that of the shift along each axis.
    roughness_voxels : standard deviation of the uneven part.
    correlation_mm : distance over which the uneven part is alike (its correlation is exp(-d2 / 2 c2)).
    """

    contours: int = 24
    noises: int = 12
    offset_voxels: float = 0.5
    shift_voxels: float = 0.5
    roughness_voxels: float = 0.25
    correlation_mm: float = 5.0

    def __post_init__(self) -> None:
        if self.contours < 2 or self.noises < 2 or self.contours % 2 or self.noises % 2:
            raise ValueError("perturbations come in pairs: contours and noises are even and at least 2")


def outlines(lesion: Region, perturbations: Perturbations, *, seed: int) -> Iterator[Region]:
    """Other outlines of `lesion` on the same grid, the same ones for the same seed; some may be empty.

    An outline that keeps off the outermost voxels of the image stays off them: a perturbation invents no contact
    with the edge. A mask of fractions changes by the fraction of each voxel that the border sweeps over.
    """
    box, membership = _surroundings(lesion)
    inside = membership if membership.dtype == bool else membership >= 0.5
    generator = np.random.default_rng(seed)
    pairs = perturbations.contours // 2
    sizes = (np.arange(pairs) + 0.5) / pairs * perturbations.offset_voxels
    shifts = _latin(generator, pairs) * perturbations.shift_voxels
    if inside.all() or not inside.any():
        yield from [lesion] * perturbations.contours
        return
    distance = signed_distance(membership)
    rate = _growth_rate(distance, lesion.grid)
    for size, shift in zip(sizes, shifts, strict=True):
        field = _rough_field(generator, lesion.grid, box, perturbations)
        field += np.float32(size) * rate
        for way in (1.0, -1.0):
            moved = _shifted(distance, way * shift)
            moved += np.float32(way) * field
            yield _decided(lesion, box, membership, distance, moved)


def signed_distance(membership: NDArray[Any]) -> Floats:
    """Distance in voxels from the border of a mask (z, y, x), positive inside; zero exactly where the border runs.

    Smoothed so that it varies within a voxel, levelled so that as many voxels are positive as belong, and of the
    same sign as the mask everywhere. At least one voxel belongs and one does not.
    """
    inside = membership if membership.dtype == bool else membership >= 0.5
    distance = np.where(
        inside,
        ndimage.distance_transform_edt(inside) - 0.5,
        0.5 - ndimage.distance_transform_edt(~inside),
    ).astype(np.float32)
    if membership.dtype != bool:
        partly = (membership > 0.0) & (membership < 1.0)
        distance[partly] = membership[partly] - 0.5
        levelled: Floats = distance
        return levelled
    smooth = ndimage.gaussian_filter(distance, SMOOTHING_VOXELS, mode="nearest")
    members = int(np.count_nonzero(inside))
    ranked = np.partition(smooth, (smooth.size - members - 1, smooth.size - members), axis=None)
    smooth -= 0.5 * (ranked[smooth.size - members - 1] + ranked[smooth.size - members])
    least = np.float32(0.02)
    signed: Floats = np.where(inside, np.maximum(smooth, least), np.minimum(smooth, -least))
    return signed


def _surroundings(lesion: Region) -> tuple[tuple[slice, slice, slice], NDArray[Any]]:
    spans = []
    for start, size, whole in zip(lesion.start, lesion.mask.shape, lesion.grid.shape, strict=True):
        first, last = min(1, start), max(whole - 1, start + size)
        spans.append(slice(max(first, start - MARGIN_VOXELS), min(last, start + size + MARGIN_VOXELS)))
    box = (spans[0], spans[1], spans[2])
    membership = np.zeros([s.stop - s.start for s in box], dtype=lesion.mask.dtype)
    place = tuple(
        slice(start - s.start, start - s.start + size)
        for s, start, size in zip(box, lesion.start, lesion.mask.shape, strict=True)
    )
    membership[place] = lesion.mask
    return box, membership


def _latin(generator: np.random.Generator, rows: int) -> NDArray[np.float64]:
    """Rows of three numbers in (-1, 1), each column spread evenly (Latin hypercube)."""
    strata = np.stack([generator.permutation(rows) for _ in range(3)], axis=1)
    return (strata + generator.random((rows, 3))) / rows * 2.0 - 1.0


def _shifted(distance: Floats, shift_voxels: NDArray[np.float64]) -> Floats:
    """The distance moved by at most half a voxel along each axis, by cubic convolution (Keys 1981, a = -1/2).

    Cubic rather than linear, so that a shift across thick slices finds the larger section between two of them.
    """
    moved = distance
    for axis, shift in enumerate(shift_voxels):
        x = np.abs(np.arange(-2, 3) + shift)
        near = 1.5 * x**3 - 2.5 * x**2 + 1.0
        far = -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
        weights = np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
        moved = ndimage.correlate1d(moved, weights, axis=axis, mode="nearest")
    return moved


def _growth_rate(distance: Floats, grid: VolumeGeometry) -> Floats:
    """How much the distance, in voxels, changes when the border moves outwards by one voxel within the slice.

    The physical gradient of the distance times the pixel's width: 1 where the border is upright, and pixel over
    slice where it lies flat.
    """
    per_mm = np.linalg.inv(grid.matrix)
    gradient = [
        np.gradient(distance, axis=a) if n > 1 else np.zeros_like(distance) for a, n in enumerate(distance.shape)
    ]
    squared = np.zeros(distance.shape, dtype=np.float32)
    for axis in range(3):
        along = sum(np.float32(per_mm[i, axis]) * gradient[i] for i in range(3))
        squared += along * along
    pixel_mm = np.sqrt(grid.spacing_mm[1] * grid.spacing_mm[2])
    rate: Floats = np.float32(pixel_mm) * np.sqrt(squared)
    return rate


def _rough_field(
    generator: np.random.Generator,
    grid: VolumeGeometry,
    box: tuple[slice, slice, slice],
    perturbations: Perturbations,
) -> Floats:
    """A smooth Gaussian random field in voxels over the box: a sum of plane waves with random direction and phase."""
    wave_per_mm = generator.normal(0.0, 1.0 / perturbations.correlation_mm, (WAVES, 3))
    phase = generator.uniform(0.0, 2.0 * np.pi, WAVES)
    per_index = wave_per_mm @ grid.matrix
    # exp(i k.x) is a product over the axes, so that no cosine has to be taken per voxel.
    along_z, along_y, along_x = (
        np.exp(1j * np.outer(np.arange(s.stop - s.start), per_index[:, axis])) for axis, s in enumerate(box)
    )
    scale = perturbations.roughness_voxels * np.sqrt(2.0 / WAVES)
    along_z *= scale * np.exp(1j * phase)
    field = np.empty((len(along_z), len(along_y), len(along_x)), dtype=np.float32)
    _sum_waves(along_z, along_y, along_x.real.copy(), along_x.imag.copy(), field)
    return field


@numba.njit(cache=True, nogil=True)
def _sum_waves(
    along_z: NDArray[np.complex128],
    along_y: NDArray[np.complex128],
    real_x: NDArray[np.float64],
    imaginary_x: NDArray[np.float64],
    field: Floats,
) -> None:
    n_waves = along_z.shape[1]
    for z in range(along_z.shape[0]):
        for y in range(along_y.shape[0]):
            for x in range(real_x.shape[0]):
                total = 0.0
                for m in range(n_waves):
                    c = along_z[z, m] * along_y[y, m]
                    total += c.real * real_x[x, m] - c.imag * imaginary_x[x, m]
                field[z, y, x] = total


def _decided(
    lesion: Region, box: tuple[slice, slice, slice], membership: NDArray[Any], distance: Floats, moved: Floats
) -> Region:
    if membership.dtype == bool:
        mask: NDArray[Any] = moved > 0.0
    else:
        swept = np.clip(moved + 0.5, 0.0, 1.0) - np.clip(distance + 0.5, 0.0, 1.0)
        mask = np.clip(membership + swept, 0.0, 1.0).astype(membership.dtype)
    start = (box[0].start, box[1].start, box[2].start)
    cropped = Region.of(mask, lesion.grid, label=lesion.label)
    first = tuple(a + b for a, b in zip(start, cropped.start, strict=True))
    return replace(lesion, mask=cropped.mask, start=(first[0], first[1], first[2]))
