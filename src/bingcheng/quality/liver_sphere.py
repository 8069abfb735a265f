"""The sphere in the right liver lobe that PET quality is read from: in a given liver, or where PET itself shows one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

LIVER_NOT_FOUND = Problem(
    code="quality.liver-not-found",
    says="no liver was found with confidence in the PET image: {why}",
    remedy="Give a segmentation of the liver (label 'liver'), or place the sphere by hand.",
    owner=Owner.RADIOLOGIST,
)
LIVER_TOO_SMALL = Problem(
    code="quality.liver-too-small",
    says="the segmented right liver lobe does not hold a sphere of 3 cm",
    remedy="Check the segmentation of the liver; leave the sphere out where lesions or surgery left too little liver.",
    owner=Owner.RADIOLOGIST,
)
NO_UPTAKE = Problem(
    code="quality.no-uptake",
    says="the liver shows no uptake",
    remedy="Check that the segmentation belongs to this PET series, and the tracer.",
    owner=Owner.RADIOLOGIST,
)

DIAMETER_MM = 30.0
PAIR_MM, ROUNDS, HIGHEST_CORRELATION = 4.0, 6, 0.98
"""About the width of the noise of PET: nearer pairs are too alike, farther ones too little, to tell it. Interpolated
grids are correlated by less than 0.98 over this distance, unless the noise is wider than the sphere."""
GRID_MM, SAMPLE_MM = 8.0, 4.0
OUTSIDE_SUV = 0.15
PLAUSIBLE_SUV = (1.0, 4.5)
LARGEST_COV = 0.35
ABOVE_BODY = 1.3
ALIKE = 1.25
OFF_MIDLINE_MM = 15.0
SMALLEST_SECTION_MM2 = 30_000.0
SMALLEST_CLUSTER_MM3 = 100_000.0
RIVAL = 0.5
MOST_CUT = 0.3

NO_TRUNK = text("no section of a trunk lies wholly within the field of view")
NO_CLUSTER = text("nothing on the patient's right is uniform, of plausible uptake and large enough")
RIVALS = text("several regions on the patient's right look like a liver")

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Independent:
    """How many independent values correlated ones are worth.

    Parameters
    ----------
    mean : for their mean, whose variance is that of a value over this number: n^2 over the sum of the correlations of
        all pairs.
    deviation : for their standard deviation: n^2 over the sum of the squared correlations, as squares of normal
        deviations are correlated by the square (Isserlis).
    """

    mean: float
    deviation: float

    @property
    def few(self) -> float | None:
        """Factor >= 1 by which a standard uncertainty grows because the scatter was told by so few; None if by <= 3.

        The standard deviation of Student's distribution with n - 1 degrees of freedom (JCGM 101:2008, 6.4.9.4).
        """
        return math.sqrt((self.mean - 1.0) / (self.mean - 3.0)) if self.mean > 3.0 else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiverSphere:
    """A sphere of 3 cm in the liver.

    Parameters
    ----------
    values : SUV of its voxels (n,).
    offsets : index (z, y, x) of each voxel, counted from the centre's (n, 3).
    spacing_mm : of the voxels (z, y, x).
    centre_mm : LPS.
    """

    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    spacing_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float]

    def independent(self) -> Independent:
        """How many independent voxels the sphere is worth.

        The noise of PET is correlated over some millimetres. Its correlation is taken as a Gaussian, whose width along
        each axis is told by pairs of voxels about 4 mm apart. To add up the covariances of all pairs as they are seen
        would need no such form, but in one sphere they scatter so much that the count may come out threefold.
        """
        corner = self.offsets.min(axis=0)
        # Twice the extent: a Fourier transform correlates in a circle.
        shape = 2 * (self.offsets.max(axis=0) - corner + 1)
        places = tuple((self.offsets - corner).T)
        deviation, inside = np.zeros(shape), np.zeros(shape)
        deviation[places] = self.values - self.values.mean()
        inside[places] = 1.0
        products, pairs = (np.fft.ifftn(np.abs(np.fft.fftn(array)) ** 2).real for array in (deviation, inside))
        count = self.values.size
        if products[0, 0, 0] <= 0.0:
            return Independent(mean=float(count), deviation=float(count))
        seen = []
        for axis, mm in enumerate(self.spacing_mm):
            step = [0, 0, 0]
            step[axis] = max(1, round(PAIR_MM / mm))
            lag = tuple(step)
            seen.append(products[lag] / pairs[lag] / (products[0, 0, 0] / count))
        lags = [n * np.fft.fftfreq(n) for n in shape]
        of_mean, of_square = 1.0 / count, 1.0 / count
        for _ in range(ROUNDS):
            # The sphere's own mean was subtracted, and with it its variance from every covariance.
            known = [min(max(one * (1.0 - of_mean) + of_mean, 0.0), HIGHEST_CORRELATION) for one in seen]
            each = [
                one ** ((lag / max(1, round(PAIR_MM / mm))) ** 2)
                for one, lag, mm in zip(known, lags, self.spacing_mm, strict=True)
            ]
            alike = each[0][:, None, None] * each[1][None, :, None] * each[2][None, None, :]
            of_mean = float(np.sum(pairs * alike)) / count**2
            of_square = float(np.sum(pairs * alike**2)) / count**2
        return Independent(mean=1.0 / of_mean, deviation=1.0 / of_square)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Search:
    """What a sphere around each point of a coarse grid holds; `step` voxels (z, y, x) lie between its points."""

    mean: NDArray[np.float32]
    cov: NDArray[np.float32]
    whole: Mask
    step: tuple[int, int, int]
    geometry: VolumeGeometry

    @property
    def step_mm(self) -> tuple[float, float, float]:
        """Distance between points (z, y, x)."""
        z, y, x = (n * mm for n, mm in zip(self.step, self.geometry.spacing_mm, strict=True))
        return z, y, x

    def left_mm(self) -> NDArray[np.float64]:
        """The coordinate towards the patient's left of each point."""
        z, y, x = (np.arange(n) * s for n, s in zip(self.mean.shape, self.step, strict=True))
        row = self.geometry.matrix[0]
        left: NDArray[np.float64] = (
            self.geometry.origin_mm[0]
            + row[0] * z[:, None, None]
            + row[1] * y[None, :, None]
            + row[2] * x[None, None, :]
        )
        return left


@derived
def liver_sphere(suv: Volume, segments: Mapping[str, Region]) -> LiverSphere:
    """The sphere of 3 cm that lies deepest in the right liver lobe.

    With a segment ``liver`` it is the deepest place of its right half. Otherwise the liver is looked for in the PET:
    of all spheres to the right of the midline, in sections of the size of a trunk, those whose SUV is plausible (1 to
    4.5, and 1.3 times the body's median) and uniform are kept; the largest connected cluster of about the commonest
    SUV among them is taken for the liver if it holds 100 ml of sphere centres (about the right lobe, shrunk by 15 mm)
    and no other cluster is half as large. The sphere is put where the cluster is deepest, not where it is most
    uniform: that would make every liver look better than it is.

    Parameters
    ----------
    suv : standardised uptake values by body weight, g/ml.
    segments : regions by label, on the grid of `suv`; may be empty.

    Raises
    ------
    Undefined
        ``quality.liver-not-found``, ``quality.liver-too-small``, ``quality.no-uptake``.

    Notes
    -----
    It assumes a liver on the right and uptake above the body's median: FDG and most tracers. A liver full of metastases
    has no uniform cluster and is refused. Spheres in small children are refused too, by the size of their trunk.
    """
    if "liver" in segments and not segments["liver"].empty:
        return _sphere(suv, _deepest_in(segments["liver"]))
    return _sphere(suv, _found(suv))


def _deepest_in(liver: Region) -> tuple[int, int, int]:
    """Index of the deepest voxel of the right half of a segmented liver."""
    depth_mm = ndimage.distance_transform_edt(np.pad(liver.inside, 1), sampling=liver.grid.spacing_mm)[1:-1, 1:-1, 1:-1]
    places = np.argwhere(liver.inside)
    left = liver.grid.to_mm(places + np.array(liver.start))[:, 0]
    right = places[left <= left.mean()]
    depths = depth_mm[tuple(right.T)]
    # Distances run from voxel centre to voxel centre: the border lies half a voxel nearer.
    if depths.max() < 0.5 * DIAMETER_MM:
        raise Undefined(LIVER_TOO_SMALL)
    z, y, x = right[int(np.argmax(depths))] + np.array(liver.start)
    return int(z), int(y), int(x)


def _found(suv: Volume) -> tuple[int, int, int]:
    """Index of the deepest place of the cluster that is taken for the liver."""
    search = _searched(suv)
    trunk = _trunk(search)
    body = search.mean > OUTSIDE_SUV
    if not trunk.any():
        raise Undefined(LIVER_NOT_FOUND, why=NO_TRUNK)
    left = search.left_mm()
    candidate = search.whole & trunk & (search.cov <= LARGEST_COV)
    candidate &= left <= float(np.median(left[trunk])) - OFF_MIDLINE_MM
    candidate &= search.mean >= max(PLAUSIBLE_SUV[0], ABOVE_BODY * float(np.median(search.mean[body])))
    candidate &= search.mean <= PLAUSIBLE_SUV[1]
    cluster = _cluster(search, candidate)
    depth = ndimage.distance_transform_edt(np.pad(cluster, 1), sampling=search.step_mm)[1:-1, 1:-1, 1:-1]
    deepest = np.argwhere(depth >= depth.max() - 1e-9)
    middle = np.argwhere(cluster).mean(axis=0)
    place = deepest[int(np.argmin(np.linalg.norm((deepest - middle) * np.array(search.step_mm), axis=1)))]
    z, y, x = place * np.array(search.step)
    return int(z), int(y), int(x)


def _searched(suv: Volume) -> _Search:
    spacing = suv.geometry.spacing_mm
    step = tuple(max(1, round(GRID_MM / mm)) for mm in spacing)
    every = np.array([max(1, round(SAMPLE_MM / mm)) for mm in spacing])
    offsets = _offsets(spacing)
    offsets = offsets[(offsets % every == 0).all(axis=1)]
    shape = tuple(-(-n // s) for n, s in zip(suv.voxels.shape, step, strict=True))
    mean, cov = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    whole = np.empty(shape, dtype=bool)
    _spheres(suv.voxels, offsets, np.array(step), mean, cov, whole)
    return _Search(mean=mean, cov=cov, whole=whole, step=(step[0], step[1], step[2]), geometry=suv.geometry)


def _trunk(search: _Search) -> Mask:
    """Points in parts of slices that are as large as a trunk's section and are not cut at the sides of the image."""
    body = search.mean > OUTSIDE_SUV
    in_slice = ndimage.generate_binary_structure(3, 1)
    in_slice[0] = in_slice[2] = False
    labels, count = ndimage.label(body, structure=in_slice)
    area_mm2 = np.bincount(labels.ravel(), minlength=count + 1) * search.step_mm[1] * search.step_mm[2]
    large = area_mm2 >= SMALLEST_SECTION_MM2
    large[0] = False
    cut = np.zeros(count + 1, dtype=bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        cut[edge] = True
    if large.any() and cut[large].mean() > MOST_CUT:
        raise Undefined(LIVER_NOT_FOUND, why=NO_TRUNK)
    trunk: Mask = (large & ~cut)[labels]
    return trunk


def _cluster(search: _Search, candidate: Mask) -> Mask:
    """The largest connected part of the candidates that have about the commonest SUV among them."""
    if not candidate.any():
        raise Undefined(LIVER_NOT_FOUND, why=NO_CLUSTER)
    logs = np.log(search.mean[candidate])
    counts, edges = np.histogram(logs, bins=32, range=(math.log(PLAUSIBLE_SUV[0]), math.log(PLAUSIBLE_SUV[1])))
    commonest = int(np.argmax(np.convolve(counts, np.ones(5), mode="same")))
    level = math.exp(0.5 * (edges[commonest] + edges[commonest + 1]))
    alike = candidate & (search.mean > level / ALIKE) & (search.mean < level * ALIKE)
    cluster, size = _largest(alike)
    _, rival = _largest(candidate & ~cluster)
    if size * math.prod(search.step_mm) < SMALLEST_CLUSTER_MM3:
        raise Undefined(LIVER_NOT_FOUND, why=NO_CLUSTER)
    if rival > RIVAL * size:
        raise Undefined(LIVER_NOT_FOUND, why=RIVALS)
    return cluster


def _largest(mask: Mask) -> tuple[Mask, int]:
    labels, count = ndimage.label(mask)
    if not count:
        return np.zeros_like(mask), 0
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    largest = int(np.argmax(sizes))
    found: Mask = labels == largest
    return found, int(sizes[largest])


def _offsets(spacing_mm: tuple[float, float, float]) -> NDArray[np.int64]:
    """Voxels (n, 3) whose centres lie within the sphere's radius of its centre."""
    reach = [int(0.5 * DIAMETER_MM / mm) for mm in spacing_mm]
    around = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    offsets: NDArray[np.int64] = around[np.linalg.norm(around * np.array(spacing_mm), axis=1) <= 0.5 * DIAMETER_MM]
    return offsets


def _sphere(suv: Volume, centre: tuple[int, int, int]) -> LiverSphere:
    offsets = _offsets(suv.geometry.spacing_mm)
    places = offsets + np.array(centre)
    inside = ((places >= 0) & (places < np.array(suv.voxels.shape))).all(axis=1)
    if not inside.all():
        raise Undefined(LIVER_TOO_SMALL)
    values = suv.voxels[tuple(places.T)].astype(float)
    if values.mean() <= 0:
        raise Undefined(NO_UPTAKE)
    left, posterior, superior = suv.geometry.to_mm(centre)
    return LiverSphere(
        values=values,
        offsets=offsets,
        spacing_mm=suv.geometry.spacing_mm,
        centre_mm=(float(left), float(posterior), float(superior)),
    )


@numba.njit(cache=True, nogil=True)
def _spheres(
    voxels: NDArray[Any],
    offsets: NDArray[np.int64],
    step: NDArray[np.int64],
    mean: NDArray[np.float32],
    cov: NDArray[np.float32],
    whole: Mask,
) -> None:
    """Mean and coefficient of variation within the sphere around each grid point, and whether it lies in the image."""
    depth, height, width = voxels.shape
    for i in range(mean.shape[0]):
        for j in range(mean.shape[1]):
            for k in range(mean.shape[2]):
                z, y, x = i * step[0], j * step[1], k * step[2]
                total = 0.0
                squares = 0.0
                count = 0
                for n in range(offsets.shape[0]):
                    a, b, c = z + offsets[n, 0], y + offsets[n, 1], x + offsets[n, 2]
                    if 0 <= a < depth and 0 <= b < height and 0 <= c < width:
                        value = float(voxels[a, b, c])
                        total += value
                        squares += value * value
                        count += 1
                middle = total / count
                spread = max(squares / count - middle * middle, 0.0)
                mean[i, j, k] = middle
                cov[i, j, k] = np.sqrt(spread) / middle if middle > 0.0 else np.inf
                whole[i, j, k] = count == offsets.shape[0]
