"""The diameters of a lesion as lines in the patient: longest in a slice, the one across it, and longest in space."""

from __future__ import annotations

from dataclasses import dataclass

import contourpy
import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.derived import derived
from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.empty_lesion import EMPTY_LESION
from bingcheng.quantify.size.outline import LEVEL, Floats, crossings, farthest, hulls, pairs_as_far

TIE_MM = 1e-6
"""Two diameters that differ by less are equal; far above rounding, far below any spacing."""
MOST_TIES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Chord:
    """A straight line between two points of the patient.

    Parameters
    ----------
    start_mm, end_mm : LPS positions.
    length_mm : their distance.
    """

    start_mm: Triple
    end_mm: Triple
    length_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiameterLine:
    """The longest diameter of a lesion within one slice, and the short axis that crosses it.

    Parameters
    ----------
    slice_index : index (z) of the slice in the volume.
    long_axis : the longest diameter.
    short_axis : the longest chord that crosses it at a right angle without leaving the outline; None where the long
        axis runs outside of a concave outline so that nothing crosses it inside.
    caliper_width_mm : distance between the two lines along the long axis that hold the outline between them.
    longest_chord_mm : of all chords at a right angle to the long axis that stay inside the outline, wherever they lie.
    """

    slice_index: int
    long_axis: Chord
    short_axis: Chord | None
    caliper_width_mm: float
    longest_chord_mm: float


@derived
def longest_axis(lesion: Region) -> DiameterLine:
    """The longest diameter of `lesion` in the plane of the slices, over all slices, with its short axis.

    In each slice every separate outline (voxels that touch by an edge or a corner) is measured by itself, from
    border to border of the sub-voxel contour at one half; the longest of all is taken. It is a caliper distance: in a
    concave outline it may leave the lesion, as a reader's line does. Among equally long ones the one with the larger
    short axis wins. Cavities are bridged: they are part of the tumour.

    Parameters
    ----------
    lesion : not empty.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``.
    """
    owners = _outlines(lesion)
    grid = lesion.geometry
    owner, at = crossings(lesion.mask, owners, through_plane=False)
    plane = _Plane.of(grid)
    flat = np.column_stack((at[:, 0], plane.to_plane_mm(at[:, 1:])))
    groups, corners = hulls(owner, flat)
    longest_mm = farthest(groups, corners[:, 1:])
    ties = pairs_as_far(groups, corners[:, 1:], longest_mm - TIE_MM, most=MOST_TIES)
    best: tuple[_Border, tuple[float, float, float], int] | None = None
    for i, j in ties:
        border = _Border.of(lesion, owners, int(groups[i]), plane, corners[i, 1:], corners[j, 1:])
        crossing = border.widest_crossing()
        if best is None or crossing[2] - crossing[1] > best[1][2] - best[1][1] + TIE_MM:
            best = border, crossing, round(corners[i, 0])
    assert best is not None
    border, crossing, z = best
    across = border.chord_across(crossing)
    return DiameterLine(
        slice_index=lesion.start[0] + z,
        long_axis=plane.chord(grid, z, border.start, border.end),
        short_axis=None if across is None else plane.chord(grid, z, *across),
        caliper_width_mm=border.caliper_width_mm(),
        longest_chord_mm=_longest_chord(border.segments),
    )


def largest_distance_mm(lesion: Region) -> float:
    """The largest distance in mm between two points of the sub-voxel surface of the whole region.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``.
    """
    if lesion.empty:
        raise Undefined(EMPTY_LESION)
    _, at = crossings(lesion.mask, lesion.inside.astype(np.int64), through_plane=True)
    # The farthest points are corners of the hull, and so of the hull of the points in each plane that they lie in.
    for _ in range(3):
        _, at = hulls(at[:, 0], at)
        at = np.roll(at, 1, axis=1)
    return farthest(np.zeros(len(at)), at @ lesion.grid.matrix.T)


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """The plane of the slices with an orthonormal basis in mm, so that sheared rows and columns are measured right."""

    along: Floats
    aside: Floats
    steps: Floats

    @staticmethod
    def of(grid: VolumeGeometry) -> _Plane:
        row_step, column_step = grid.matrix[:, 1], grid.matrix[:, 2]
        along = column_step / np.linalg.norm(column_step)
        aside = row_step - (row_step @ along) * along
        aside = aside / np.linalg.norm(aside)
        basis = np.stack((along, aside))
        return _Plane(along=along, aside=aside, steps=basis @ np.stack((row_step, column_step), axis=1))

    def to_plane_mm(self, index: NDArray[np.float64]) -> Floats:
        """Positions (n, 2) in mm of fractional indices (n, 2) as (y, x)."""
        position: Floats = index @ self.steps.T
        return position

    def chord(self, grid: VolumeGeometry, z: int, start: Floats, end: Floats) -> Chord:
        """The chord in the patient between two positions in slice z of `grid`."""
        base = grid.to_mm((z, 0, 0))
        ends = [base + p[0] * self.along + p[1] * self.aside for p in (start, end)]
        a, b = ((float(p[0]), float(p[1]), float(p[2])) for p in ends)
        return Chord(start_mm=a, end_mm=b, length_mm=float(np.linalg.norm(ends[1] - ends[0])))


def _outlines(lesion: Region) -> NDArray[np.int64]:
    if lesion.empty:
        raise Undefined(EMPTY_LESION)
    touching = np.zeros((3, 3, 3), dtype=bool)
    touching[1] = True
    owners, _ = ndimage.label(lesion.inside, structure=touching)
    return np.asarray(owners, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Border:
    """An outline in one slice, seen along its longest diameter.

    Parameters
    ----------
    start, end : of the diameter, in the plane, in mm.
    segments : (n, 4) pieces of the outline as (t, w, t, w): along the diameter from its start, and aside from it.
    """

    start: Floats
    end: Floats
    segments: Floats

    @staticmethod
    def of(lesion: Region, owners: NDArray[np.int64], owner: int, plane: _Plane, start: Floats, end: Floats) -> _Border:
        z, rows, columns = ndimage.find_objects(owners, max_label=owner)[owner - 1]
        own = owners[z, rows, columns][0] == owner
        filled = ndimage.binary_fill_holes(own)
        # Beyond the outline only its own fading border counts: voxels of a neighbouring outline are not part of it.
        fading = (owners[z, rows, columns][0] == 0) & ~filled
        membership = np.where(own | fading, lesion.mask[z, rows, columns][0], 0.0)
        membership = np.where(filled & ~own, 1.0, membership)
        framed = np.pad(membership, 1)
        lines = contourpy.contour_generator(z=framed, name="serial").lines(LEVEL)
        offset = np.array((rows.start - 1, columns.start - 1), dtype=float)
        pieces = np.concatenate([np.hstack((line[:-1], line[1:])) for line in lines])
        ends_mm = [plane.to_plane_mm(pieces[:, k : k + 2][:, ::-1] + offset) for k in (0, 2)]
        ahead, aside = _directions(start, end)
        seen = [np.column_stack(((p - start) @ ahead, (p - start) @ aside)) for p in ends_mm]
        return _Border(start, end, np.ascontiguousarray(np.hstack(seen)))

    def widest_crossing(self) -> tuple[float, float, float]:
        """Where along the diameter, and from where to where aside, it is crossed most widely; (0, 0, 0) if nowhere."""
        t, low, high = _widest_crossing(self.segments, float(np.hypot(*(self.end - self.start))))
        return float(t), float(low), float(high)

    def chord_across(self, crossing: tuple[float, float, float]) -> tuple[Floats, Floats] | None:
        """The ends of a crossing in the plane, in mm; None if nothing crosses."""
        t, low, high = crossing
        if high <= low:
            return None
        ahead, aside = _directions(self.start, self.end)
        foot = self.start + t * ahead
        return foot + low * aside, foot + high * aside

    def caliper_width_mm(self) -> float:
        """How far the outline extends across the diameter."""
        aside: Floats = self.segments[:, [1, 3]]
        return float(np.max(aside) - np.min(aside))


def _directions(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Unit vectors along and aside of the line; the plane's own where it has no length."""
    length = float(np.hypot(*(end - start)))
    ahead: Floats = (end - start) / length if length > 0.0 else np.array((1.0, 0.0))
    return ahead, np.array((-ahead[1], ahead[0]))


@numba.njit(cache=True, nogil=True)
def _widest_crossing(segments: Floats, length: float) -> tuple[float, float, float]:
    """The widest stretch inside the outline that crosses the line (0 ... length, 0) at a right angle.

    `segments` (n, 4) are (t, w, t, w) in the frame of the line. Between the corners of the outline the width is
    linear in t, so that the widest lies at a corner; just before and behind it, where a concave outline jumps.
    """
    best_t, best_low, best_high = 0.0, 0.0, 0.0
    step = 1e-7 * length
    for k in range(segments.shape[0]):
        for side in (-1, 1):
            t = segments[k, 0] + side * step
            if t <= 0.0 or t >= length:
                continue
            low, high, below = -np.inf, np.inf, 0
            for n in range(segments.shape[0]):
                t1, t2 = segments[n, 0] - t, segments[n, 2] - t
                if (t1 <= 0.0) == (t2 <= 0.0):
                    continue
                w = segments[n, 1] + (segments[n, 3] - segments[n, 1]) * t1 / (t1 - t2)
                if w <= 0.0:
                    below += 1
                    low = max(low, w)
                else:
                    high = min(high, w)
            # An odd number of borders below: the line is inside the outline here.
            if below % 2 == 1 and high < np.inf and high - low > best_high - best_low:
                best_t, best_low, best_high = t, low, high
    return best_t, best_low, best_high


@numba.njit(cache=True, nogil=True)
def _longest_chord(segments: Floats) -> float:
    """The longest stretch inside the outline at a right angle to the line, at any t; see `_widest_crossing`."""
    longest = 0.0
    step = 1e-7 * float(np.ptp(segments[:, 0]))
    borders = np.empty(segments.shape[0])
    for k in range(segments.shape[0]):
        for side in (-1, 1):
            at = segments[k, 0] + side * step
            n = 0
            for m in range(segments.shape[0]):
                t1, t2 = segments[m, 0] - at, segments[m, 2] - at
                if (t1 <= 0.0) != (t2 <= 0.0):
                    borders[n] = segments[m, 1] + (segments[m, 3] - segments[m, 1]) * t1 / (t1 - t2)
                    n += 1
            crossed = np.sort(borders[:n])
            for pair in range(0, n - 1, 2):
                longest = max(longest, crossed[pair + 1] - crossed[pair])
    return longest
