"""What a person gives to have a lesion drawn: a click in it, a box around it, or its longest diameter as a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.image.geometry import Triple, VolumeGeometry

Index = tuple[int, int, int]

PROMPT_OUTSIDE = Problem(
    code="quantify.prompt-outside-image",
    says="the place that was marked lies outside of this image",
    remedy="Mark the lesion on a slice of this series.",
    owner=Owner.RADIOLOGIST,
)
PROMPT_WITHOUT_EXTENT = Problem(
    code="quantify.prompt-without-extent",
    says="the box or line that was drawn has no extent",
    remedy="Draw the box around the whole lesion, or the line from border to border.",
    owner=Owner.RADIOLOGIST,
)
FARTHEST_POINT_MM = 1e6
"""Beyond a kilometre lies no patient, and sizes no longer fit single precision."""


class PromptKind(StrEnum):
    """The ways to point at a lesion."""

    CLICK = "click"
    BOX = "box"
    RECIST_LINE = "recist_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A point in the lesion.

    Parameters
    ----------
    position_mm : LPS.
    """

    position_mm: Triple

    @property
    def kind(self) -> PromptKind:
        """Which way to point this is."""
        return PromptKind.CLICK

    @property
    def points_mm(self) -> tuple[Triple, ...]:
        """The positions that were given."""
        return (self.position_mm,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box along the image's axes that holds the whole lesion and some of what surrounds it.

    Parameters
    ----------
    corner_mm, opposite_mm : LPS positions of two opposite corners.
    """

    corner_mm: Triple
    opposite_mm: Triple

    @property
    def kind(self) -> PromptKind:
        """Which way to point this is."""
        return PromptKind.BOX

    @property
    def points_mm(self) -> tuple[Triple, ...]:
        """The positions that were given."""
        return self.corner_mm, self.opposite_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class RecistLine:
    """The longest diameter of the lesion, from border to border.

    Parameters
    ----------
    start_mm, end_mm : LPS positions of its ends.
    """

    start_mm: Triple
    end_mm: Triple

    @property
    def kind(self) -> PromptKind:
        """Which way to point this is."""
        return PromptKind.RECIST_LINE

    @property
    def points_mm(self) -> tuple[Triple, ...]:
        """The positions that were given."""
        return self.start_mm, self.end_mm

    @property
    def length_mm(self) -> float:
        """The diameter."""
        return math.dist(self.start_mm, self.end_mm)


Prompt = Click | Box | RecistLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The ellipsoid that a box or a line stands for: where the lesion is expected, before the image is looked at.

    Parameters
    ----------
    centre : fractional index (z, y, x) in the volume.
    semi_axes_mm : along the image's axes (z, y, x).
    """

    centre: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]

    def voxel(self, geometry: VolumeGeometry) -> Index:
        """The voxel of a volume that is nearest to the centre: rounding must not carry it out of the image."""
        z, y, x = (min(max(round(c), 0), n - 1) for c, n in zip(self.centre, geometry.shape, strict=True))
        return z, y, x

    def radius(
        self, start: tuple[float, float, float], shape: Index, geometry: VolumeGeometry, block: Index = (1, 1, 1)
    ) -> NDArray[np.float32]:
        """How far each voxel of a box of the grid lies out, (z, y, x): 0 at the centre, 1 on the expected border.

        Parameters
        ----------
        start, shape : the box, as indices in the volume, and its number of blocks.
        geometry : of the volume; of a tilted one, the ellipsoid is tilted with it.
        block : how many voxels make a block along (z, y, x); it is asked for at the middle of each.
        """
        total: NDArray[np.float32] = np.zeros(shape, dtype=np.float32)
        for axis, many in enumerate(block):
            index = np.arange(shape[axis]) * many + (many - 1) / 2.0 + start[axis]
            along = (index - self.centre[axis]) * geometry.spacing_mm[axis]
            squared = np.square(along / self.semi_axes_mm[axis]).astype(np.float32)
            total += squared.reshape([-1 if a == axis else 1 for a in range(3)])
        return np.sqrt(total, out=total)


def body_of(prompt: Box | RecistLine, geometry: VolumeGeometry) -> Body:
    """The ellipsoid inscribed in a box, or the ball that has the line as a diameter.

    Semi-axes are at least half a voxel, so that a box of one slice holds that slice.
    """
    if isinstance(prompt, RecistLine):
        radius = prompt.length_mm / 2.0
        middle = (np.asarray(prompt.start_mm) + np.asarray(prompt.end_mm)) / 2.0
        centre = geometry.to_index(middle)
        semi = [radius] * 3
    else:
        corners = geometry.to_index([prompt.corner_mm, prompt.opposite_mm])
        centre = corners.mean(axis=0)
        semi = [float(d) * s / 2.0 for d, s in zip(np.ptp(corners, axis=0), geometry.spacing_mm, strict=True)]
    semi = [max(one, s / 2.0) for one, s in zip(semi, geometry.spacing_mm, strict=True)]
    return Body(centre=(float(centre[0]), float(centre[1]), float(centre[2])), semi_axes_mm=(semi[0], semi[1], semi[2]))


def voxels_of(box: Box, geometry: VolumeGeometry) -> tuple[slice, slice, slice]:
    """The voxels whose centre lies in the box (at least the one nearest to it, along each axis), within the image."""
    corners = geometry.to_index([box.corner_mm, box.opposite_mm])
    slices = []
    for low, high, size in zip(corners.min(axis=0), corners.max(axis=0), geometry.shape, strict=True):
        first = int(np.clip(np.ceil(low - 1e-6), 0, size - 1))
        last = int(np.clip(np.floor(high + 1e-6), 0, size - 1))
        if last < first:
            first = last = int(np.clip(round((low + high) / 2.0), 0, size - 1))
        slices.append(slice(first, last + 1))
    return slices[0], slices[1], slices[2]


def nearest_voxel(position_mm: Triple, geometry: VolumeGeometry) -> Index:
    """The index of the voxel that holds a position.

    Raises
    ------
    InputError
        ``quantify.prompt-outside-image``.
    """
    index = np.rint(geometry.to_index(position_mm))
    if not np.isfinite(index).all() or np.any(index < 0) or np.any(index >= np.asarray(geometry.shape)):
        raise InputError(PROMPT_OUTSIDE)
    return int(index[0]), int(index[1]), int(index[2])


def checked(prompt: Prompt, geometry: VolumeGeometry) -> None:
    """Raise if the prompt does not point into the image, or a box or line has no extent.

    A box may reach beyond the image if its middle lies in it.

    Raises
    ------
    InputError
        ``quantify.prompt-outside-image``, ``quantify.prompt-without-extent``.
    """
    points = np.asarray(prompt.points_mm, dtype=float)
    if not np.all(np.abs(points) < FARTHEST_POINT_MM):
        raise InputError(PROMPT_OUTSIDE)
    if isinstance(prompt, Box):
        middle = points.mean(axis=0)
        nearest_voxel((float(middle[0]), float(middle[1]), float(middle[2])), geometry)
    else:
        for point in prompt.points_mm:
            nearest_voxel(point, geometry)
    if len(points) > 1 and math.dist(points[0], points[1]) <= 0.0:
        raise InputError(PROMPT_WITHOUT_EXTENT)
