"""Where the voxels of a volume lie in the patient: usable without the voxels.

Indices are ``(z, y, x)`` (slice, row, column); positions are LPS in mm, as in DICOM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bingcheng.core.errors import InputError, Owner, Problem

Triple = tuple[float, float, float]

IMPOSSIBLE_SIZE = Problem(
    code="image.impossible-size",
    says="by its header the image has voxels of {finest_mm} mm and is {largest_mm} mm long, which no image of a "
    "patient is",
    remedy="Ask whoever wrote the file to mend the spacing and the positions in its header.",
    owner=Owner.VENDOR,
)

FINEST_MM, LARGEST_MM = 0.02, 5000.0
"""No image of a patient has finer voxels or is larger: a number beyond is damaged, and whatever is worked out in
millimetres (a resampling, a neighbourhood) would take hours or all memory that there is."""
SQUARE = 1e-4
"""Cosine up to which two axes count as at right angles: the rounding of a header's direction cosines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGeometry:
    """A regular grid in patient space.

    Parameters
    ----------
    shape : number of voxels along (z, y, x).
    spacing_mm : distance between voxel centres along (z, y, x), positive.
    origin_mm : LPS position of the centre of voxel (0, 0, 0), as (L, P, S).
    axes : unit vectors (LPS) along which z, y and x increase, in that order; need not be orthogonal (gantry tilt).
    frame_of_reference_uid : positions of volumes with another one can't be compared.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple = (0.0, 0.0, 0.0)
    axes: tuple[Triple, Triple, Triple] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    frame_of_reference_uid: str | None = None

    @property
    def matrix(self) -> NDArray[np.float64]:
        """3x3 matrix whose columns carry one step along z, y, x, in mm LPS."""
        steps: NDArray[np.float64] = np.asarray(self.axes, dtype=float).T * np.asarray(self.spacing_mm)
        return steps

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel in mm3; right for sheared grids too."""
        return float(abs(np.linalg.det(self.matrix)))

    @property
    def extent_mm(self) -> Triple:
        """Outer size along (z, y, x), half a voxel beyond the outermost centres on each side."""
        z, y, x = (n * step for n, step in zip(self.shape, self.spacing_mm, strict=True))
        return z, y, x

    @property
    def sheared(self) -> bool:
        """Whether the axes are not at right angles, as with a tilted gantry."""
        z, y, x = self.axes
        cosines = (sum(p * q for p, q in zip(a, b, strict=True)) for a, b in ((z, y), (z, x), (y, x)))
        return any(abs(cosine) > SQUARE for cosine in cosines)

    def to_mm(self, index: ArrayLike) -> NDArray[np.float64]:
        """LPS positions (..., 3) of fractional indices (..., 3) given as (z, y, x)."""
        position: NDArray[np.float64] = np.asarray(index, dtype=float) @ self.matrix.T + np.asarray(self.origin_mm)
        return position

    def to_index(self, position_mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional indices (..., 3) as (z, y, x) of LPS positions (..., 3)."""
        offset = np.asarray(position_mm, dtype=float) - np.asarray(self.origin_mm)
        index: NDArray[np.float64] = np.linalg.solve(self.matrix, np.moveaxis(offset, -1, 0).reshape(3, -1))
        return index.T.reshape(offset.shape)

    def box(self, start: tuple[int, int, int], shape: tuple[int, int, int]) -> VolumeGeometry:
        """The geometry of the sub-box that begins at index `start`."""
        origin = self.to_mm(start)
        return VolumeGeometry(
            shape=shape,
            spacing_mm=self.spacing_mm,
            origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
            axes=self.axes,
            frame_of_reference_uid=self.frame_of_reference_uid,
        )

    def same_grid(self, other: VolumeGeometry, *, atol_mm: float = 0.01) -> bool:
        """Whether both grids have the same voxels: corners agree within `atol_mm` and so do the frames of reference."""
        if self.shape != other.shape or not self.same_frame(other):
            return False
        return all(np.allclose(self.to_mm(c), other.to_mm(c), atol=atol_mm, rtol=0) for c in self._corners())

    def same_frame(self, other: VolumeGeometry) -> bool:
        """Whether positions of both can be compared (an absent frame of reference is taken as the same)."""
        mine, theirs = self.frame_of_reference_uid, other.frame_of_reference_uid
        return mine is None or theirs is None or mine == theirs

    def _corners(self) -> Iterator[tuple[int, int, int]]:
        z, y, x = (n - 1 for n in self.shape)
        yield from ((0, 0, 0), (z, 0, 0), (0, y, 0), (0, 0, x), (z, y, x))


def require_possible(shape: tuple[int, int, int], spacing_mm: Triple) -> None:
    """Raise where voxels are finer, or the image is longer, than any image of a patient.

    Raises
    ------
    InputError
        ``image.impossible-size``.
    """
    sizes = [count * step for count, step in zip(shape, spacing_mm, strict=True)]
    possible = all(step >= FINEST_MM for step in spacing_mm) and all(size <= LARGEST_MM for size in sizes)
    if not possible:  # what is no number is not possible either, and stands in no fact as one
        raise InputError(IMPOSSIBLE_SIZE, finest_mm=f"{min(spacing_mm):.3g}", largest_mm=f"{max(sizes):.3g}")
