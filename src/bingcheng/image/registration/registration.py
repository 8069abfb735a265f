"""The way from each point of one exam to the same tissue in another one, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.membership import trimmed
from bingcheng.image.region import Region
from bingcheng.image.registration.displacement import Displacement
from bingcheng.image.registration.quality import Quality
from bingcheng.image.registration.rigid import Rigid
from bingcheng.image.resample import at_points, displaced_layer
from bingcheng.image.volume import Volume

OUTLINE_POINTS = 4000
"""About how many of a region's voxels are sent ahead to see where it lands."""
POINTS_AT_ONCE = 500_000
"""How many positions are held at once while a volume or region is carried over."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """``fixed point p -> motion(p + u(p)) = moving point``.

    Parameters
    ----------
    fixed, moving : the grids of the two exams.
    motion : the rigid part.
    displacement : u, on a grid in the fixed exam's space; None if the registration is rigid.
    quality : how far it may be believed; None for one that was given rather than found.
    swapped : whether the exams have changed their roles (see `inverse`).
    """

    fixed: VolumeGeometry
    moving: VolumeGeometry
    motion: Rigid
    displacement: Displacement | None = None
    quality: Quality | None = None
    swapped: bool = False

    @staticmethod
    def identity(fixed: VolumeGeometry, moving: VolumeGeometry) -> Registration:
        """Points keep their positions: for exams that lie in one frame of reference, or in one grid."""
        return Registration(fixed=fixed, moving=moving, motion=Rigid())

    @property
    def inverse(self) -> Registration:
        """The same registration with the exams' roles changed."""
        return replace(self, fixed=self.moving, moving=self.fixed, swapped=not self.swapped)

    def to_moving(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, 3) of the fixed exam lie in the moving one, LPS in mm."""
        return self._back(points_mm) if self.swapped else self._ahead(points_mm)

    def to_fixed(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, 3) of the moving exam lie in the fixed one; inverts `to_moving` to 0.01 mm."""
        return self._ahead(points_mm) if self.swapped else self._back(points_mm)

    def shown_by_moving(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether points (n, 3) of the fixed exam lie in the moving exam's field of view."""
        return _within(self.moving, self.to_moving(points_mm))

    def shown_by_fixed(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether points (n, 3) of the moving exam lie in the fixed exam's field of view."""
        return _within(self.fixed, self.to_fixed(points_mm))

    def propagate(self, region: Region, grid: VolumeGeometry | None = None) -> Region:
        """The region of the fixed exam where it lies in the moving one.

        Parameters
        ----------
        region : drawn on the fixed exam.
        grid : the moving exam's grid, or another one in its space.

        Returns
        -------
        Region of memberships 0 to 1 (each voxel's share, by as many points as the drawn voxels are finer), clipped to
        the grid; its box is empty if nothing of it lies in the grid.
        """
        target = grid or self.moving
        box = self._landing(region, target)
        if box is None:
            empty = np.zeros((0, 0, 0), dtype=np.float32)
            return replace(region, mask=empty, start=(0, 0, 0), grid=target, source_uid=None, method=_carried(region))
        start, shape = box
        part = target.box(start, shape)
        drawn = region.geometry
        padded = np.pad(np.asarray(region.mask, dtype=np.float32), 1)
        # How many of the drawn voxels a step of the target crosses; the deformation's own stretch is small beside it.
        steps = np.linalg.solve(drawn.matrix, self._turned(part.matrix))
        splits = [min(4, max(1, math.ceil(float(np.abs(steps[:, axis]).max()) - 0.05))) for axis in range(3)]
        total = np.zeros(math.prod(shape), dtype=np.float32)
        index = np.stack(np.unravel_index(np.arange(total.size), shape), axis=1).astype(float)
        for piece in np.ndindex(*splits):
            shift = [(p + 0.5) / s - 0.5 for p, s in zip(piece, splits, strict=True)]
            for first in range(0, total.size, POINTS_AT_ONCE):
                few = slice(first, first + POINTS_AT_ONCE)
                source = drawn.to_index(self.to_fixed(part.to_mm(index[few] + shift))) + 1.0
                total[few] += at_points(padded, source)
        mask, found = trimmed((total / math.prod(splits)).reshape(shape), start)
        return replace(region, mask=mask, start=found, grid=target, source_uid=None, method=_carried(region))

    def warped(self, volume: Volume, grid: VolumeGeometry | None = None) -> Volume:
        """A volume of the moving exam, laid over the fixed one.

        Parameters
        ----------
        volume : of the moving exam, any of its series in that frame of reference.
        grid : the fixed exam's grid, or another one in its space.

        Returns
        -------
        Volume whose `valid` is False where the moving exam shows nothing; the value there is that of its border.
        """
        target = grid or self.fixed
        shape = target.shape
        values, seen = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=bool)
        source = np.ascontiguousarray(volume.voxels)
        layer_of = self._layers(source, volume.geometry, target)
        for layer in range(shape[0]):
            found, index = layer_of(layer)
            values[layer] = found.reshape(shape[1:])
            inside = _inside(volume.geometry, index)
            if volume.valid is not None:
                nearest = np.clip(np.rint(index), 0, np.asarray(volume.geometry.shape) - 1).astype(int)
                inside &= volume.valid[tuple(nearest.T)]
            seen[layer] = inside.reshape(shape[1:])
        return Volume(voxels=values, geometry=target, unit=volume.unit, valid=None if seen.all() else seen)

    def _layers(
        self, source: NDArray[Any], geometry: VolumeGeometry, target: VolumeGeometry
    ) -> Callable[[int], tuple[NDArray[np.float32], NDArray[np.float64]]]:
        """What gives the values of a layer of the target, and their indices in the volume."""
        if self.displacement is not None and not self.swapped:
            field = self.displacement
            inverse = np.linalg.inv(geometry.matrix) @ self.motion.rotation
            to_field = _affine(lambda index: field.grid.to_index(target.to_mm(index)))
            to_source = _affine(lambda index: geometry.to_index(self.motion(target.to_mm(index))))
            rows = target.shape[1:]
            return lambda layer: displaced_layer(source, layer, rows, field.vectors_mm, to_field, to_source, inverse)
        plane = np.stack(np.unravel_index(np.arange(target.shape[1] * target.shape[2]), target.shape[1:]), axis=1)

        def slowly(layer: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
            points = target.to_mm(np.column_stack([np.full(len(plane), layer), plane]))
            index = geometry.to_index(self.to_moving(points))
            return at_points(source, index), index

        return slowly

    def _turned(self, steps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Steps (3, 3) of the moving exam as columns, seen from the fixed one, by the rigid motion alone."""
        rotation = self.motion.rotation if self.swapped else self.motion.rotation.T
        turned: NDArray[np.float64] = rotation @ steps_mm
        return turned

    def _ahead(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        points = np.asarray(points_mm, dtype=float)
        return self.motion(points if self.displacement is None else self.displacement(points))

    def _back(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        points = self.motion.inverse(points_mm)
        return points if self.displacement is None else self.displacement.back(points)

    def _landing(
        self, region: Region, target: VolumeGeometry
    ) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
        """Where in the target a region can land: first index and shape of a box, None if nowhere."""
        found = np.argwhere(region.mask > 0)
        if len(found) == 0:
            return None
        some = np.concatenate([found[:: max(1, len(found) // OUTLINE_POINTS)], found.min(0)[None], found.max(0)[None]])
        landed = target.to_index(self.to_moving(region.geometry.to_mm(some)))
        # Between the points sent ahead lie less than a few voxels of the region, wherever the field is smooth.
        slack = 3.0 * max(region.grid.spacing_mm) / np.asarray(target.spacing_mm) + 2.0
        low = np.clip(np.floor(landed.min(axis=0) - slack), 0, target.shape).astype(int)
        high = np.clip(np.ceil(landed.max(axis=0) + slack) + 1, 0, target.shape).astype(int)
        if (high <= low).any():
            return None
        shape = high - low
        return (int(low[0]), int(low[1]), int(low[2])), (int(shape[0]), int(shape[1]), int(shape[2]))


def _affine(index_map: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
    """The (3, 4) matrix of an affine map of indices, from where it sends the first voxel and its neighbours."""
    first, *steps = index_map(np.vstack([np.zeros(3), np.eye(3)]))
    return np.column_stack([*(step - first for step in steps), first])


def _carried(region: Region) -> str:
    return f"{region.method}, carried over by registration" if region.method else "carried over by registration"


def _within(grid: VolumeGeometry, points_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    return _inside(grid, grid.to_index(points_mm))


def _inside(grid: VolumeGeometry, index: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(((index >= -0.5) & (index <= np.asarray(grid.shape) - 0.5)).all(axis=-1))
