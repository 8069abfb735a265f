"""The patient's axial sections in CT: how much each attenuates, and whether the field of view cut it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quality.planes import Bytes
from bingcheng.quality.validity import validity

NOT_AXIAL = Problem(
    code="quality.not-axial",
    says="the slices are not axial (their normal is {degrees} degrees off the patient's long axis)",
    remedy="Use the axial reconstruction: a patient's section can't be taken from reformatted slices.",
    owner=Owner.TECHNOLOGIST,
)
TRUNCATED = Problem(
    code="quality.body-truncated",
    says="the field of view cuts the body in {percent} % of the slices",
    remedy="Reconstruct with a field of view that holds the whole section, arms included.",
    owner=Owner.TECHNOLOGIST,
)

LARGEST_TILT_DEG = 31.0
"""A tilted gantry still gives sections; CT gantries tilt up to 30 degrees."""
LARGEST_CUT = 0.05
LARGEST_CUT_SHARE = 0.5
SMALLEST_SECTION = 0.1
RIM_MM = 2.0
PADDING_HU = -1200.0
"""Nothing that was measured is so far below air: what lies lower is padding (GE -2000, -3024 and others)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sections:
    """One entry per slice that shows the body, in the order of the slices.

    Parameters
    ----------
    diameter_cm : water-equivalent diameter.
    within_cm : the same without the rim outside of the body's border; the difference is what the border leaves open.
    whole : False where the field of view cut the section.
    """

    diameter_cm: NDArray[np.float64]
    within_cm: NDArray[np.float64]
    whole: NDArray[np.bool_]

    @property
    def rim_cm(self) -> float:
        """Mean difference (cm) that the rim makes in the whole sections."""
        return float(np.mean(self.diameter_cm[self.whole] - self.within_cm[self.whole]))


@derived
def sections(volume: Volume, body: Region) -> Sections:
    """The patient's sections, if at least half of them are whole.

    A section's water-equivalent area is the sum of (HU / 1000 + 1) times the pixel's area over the body and a rim of
    2 mm around it: the rim holds the outer half of the blurred skin, and air adds nothing. A section is cut when more
    than 5 % of its outline (as that of a circle of the same area) lies on the edge of the image, of the reconstruction
    circle, or of padding. Sections below a tenth of the median area (the tip of a part) are left out.

    Raises
    ------
    Undefined
        ``quality.not-axial``, ``quality.body-truncated``.
    """
    normal = np.cross(volume.geometry.axes[2], volume.geometry.axes[1])
    tilt_deg = float(np.degrees(np.arccos(min(1.0, abs(float(normal[2]))))))
    if tilt_deg > LARGEST_TILT_DEG:
        raise Undefined(NOT_AXIAL, degrees=round(tilt_deg))
    _, y_mm, x_mm = volume.geometry.spacing_mm
    tally = np.zeros((body.mask.shape[0], 4))
    rim = (max(1, round(RIM_MM / y_mm)), max(1, round(RIM_MM / x_mm)))
    circle = _circle_radius(volume, body)
    _tally_sections(volume.voxels, validity(volume), body.inside.view(np.uint8), body.start, rim, circle, tally)
    pixel_mm2 = y_mm * x_mm
    area_mm2, edge_mm = tally[:, 2] * pixel_mm2, tally[:, 3] * np.sqrt(pixel_mm2)
    shown = area_mm2 > SMALLEST_SECTION * np.median(area_mm2)
    whole = edge_mm <= LARGEST_CUT * np.sqrt(4.0 * np.pi * area_mm2)
    cut_share = 1.0 - float(whole[shown].mean())
    if cut_share > LARGEST_CUT_SHARE:
        raise Undefined(TRUNCATED, percent=round(100.0 * cut_share))
    water_mm2 = np.maximum(tally[:, :2] * pixel_mm2, 0.0)
    diameter_cm = 0.2 * np.sqrt(water_mm2 / np.pi)
    return Sections(diameter_cm=diameter_cm[shown, 0], within_cm=diameter_cm[shown, 1], whole=whole[shown])


def _circle_radius(volume: Volume, body: Region) -> float:
    """Radius (pixels) of the reconstruction circle, where the image is filled up outside of it; else 0.

    The filling is one constant in all four corners, which measured air never is.
    """
    _, height, width = volume.voxels.shape
    if height != width or volume.geometry.spacing_mm[1] != volume.geometry.spacing_mm[2] or height < 64:
        return 0.0
    middle = volume.voxels[body.start[0] + body.mask.shape[0] // 2]
    corners = np.stack((middle[:8, :8], middle[:8, -8:], middle[-8:, :8], middle[-8:, -8:]))
    return 0.5 * width if np.ptp(corners) == 0 else 0.0


@numba.njit(cache=True, nogil=True)
def _place(wide: Bytes, section: Bytes, down: int, across: int) -> None:
    """Put a section into `wide`, that many rows down and columns across."""
    # Loops, here and below, not slices that are assigned: of these the compiler makes an error of shapes, for seconds.
    for y in range(section.shape[0]):
        for x in range(section.shape[1]):
            wide[down + y, across + x] = section[y, x]


@numba.njit(cache=True, nogil=True)
def _near(near: Bytes, gathered: Bytes, wide: Bytes, low: int, high: int, first: int, reach: int) -> None:
    """Fill `near`, which begins at column `first`: within `reach` columns of a pixel of wide[low:high].

    `gathered` is wider than `near` by twice `reach`, and overwritten.
    """
    left, right = first - reach, first - reach + gathered.size
    row = wide[low, left:right]
    for x in range(gathered.size):
        gathered[x] = row[x]
    for y in range(low + 1, high):
        row = wide[y, left:right]
        for x in range(gathered.size):
            gathered[x] |= row[x]
    near[:] = 0
    for step in range(2 * reach + 1):
        shifted = gathered[step : step + near.size]
        for x in range(near.size):
            near[x] |= shifted[x]


@numba.njit(cache=True, nogil=True)
def _on_edge(valid: NDArray[np.bool_], voxels: NDArray[Any], z: int, y: int, x: int, circle: float) -> bool:
    """Whether a pixel borders on the edge of the image, of the reconstruction circle, or of padding."""
    height, width = voxels.shape[1], voxels.shape[2]
    if y == 0 or x == 0 or y == height - 1 or x == width - 1:
        return True
    if circle > 0.0:
        away = np.hypot(y - 0.5 * (height - 1), x - 0.5 * (width - 1))
        if circle - 2.0 < away <= circle + 1.0:
            return True
    for step in (-1, 1):
        if voxels[z, y + step, x] < PADDING_HU or voxels[z, y, x + step] < PADDING_HU:
            return True
        if valid.size > 0 and not (valid[z, y + step, x] and valid[z, y, x + step]):
            return True
    return False


# Sums may be taken in any order, which lets the compiler add several at once.
@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _tally_sections(
    voxels: NDArray[Any],
    valid: NDArray[np.bool_],
    inside: Bytes,
    start: tuple[int, int, int],
    rim: tuple[int, int],
    circle: float,
    tally: NDArray[np.float64],
) -> None:
    """Per slice, in pixels: water-equivalent area with and without the rim, area, pixels on an edge of the field."""
    depth, height, width = inside.shape
    image_height, image_width = voxels.shape[1], voxels.shape[2]
    y_low, y_high = max(0, start[1] - rim[0]), min(image_height, start[1] + height + rim[0])
    x_low, x_high = max(0, start[2] - rim[1]), min(image_width, start[2] + width + rim[1])
    # The section with a margin of twice the rim, so that the rim of each row can be gathered without asking for bounds.
    wide = np.zeros((height + 4 * rim[0], width + 4 * rim[1]), dtype=np.uint8)
    across = x_low - start[2] + 2 * rim[1]
    size = x_high - x_low
    near, outline = np.empty(size, dtype=np.uint8), np.empty(size, dtype=np.uint8)
    gathered = np.empty(size + 2 * rim[1], dtype=np.uint8)
    for k in range(depth):
        z = start[0] + k
        _place(wide, inside[k], 2 * rim[0], 2 * rim[1])
        for y in range(y_low, y_high):
            middle = y - start[1] + 2 * rim[0]
            _near(near, gathered, wide, middle - rim[0], middle + rim[0] + 1, across, rim[1])
            row, here = voxels[z, y, x_low:x_high], wide[middle, across : across + size]
            if valid.size > 0:
                for x in range(size):
                    near[x] &= valid[z, y, x_low + x]
            around_water = within_water = 0.0
            for x in range(size):
                water = 0.001 * row[x] + 1.0 if row[x] > PADDING_HU else 0.0
                around_water += water * near[x]
                within_water += water * (near[x] & here[x])
            tally[k, 0] += around_water
            tally[k, 1] += within_water
            area = 0
            for x in range(size):
                area += here[x]
            tally[k, 2] += area
            if _outline(outline, wide, middle, across) == 0:
                continue
            for x in range(size):
                if outline[x] != 0 and _on_edge(valid, voxels, z, y, x_low + x, circle):
                    tally[k, 3] += 1.0


@numba.njit(cache=True, nogil=True)
def _outline(outline: Bytes, wide: Bytes, y: int, first: int) -> int:
    """Fill `outline`: pixels of row `y` from column `first` on with a neighbour that is none; returns how many.

    The section has a margin, so that a pixel on the edge of the image is one of them.
    """
    size = outline.size
    here, above, below = (
        wide[y, first : first + size],
        wide[y - 1, first : first + size],
        wide[y + 1, first : first + size],
    )
    before, after = wide[y, first - 1 : first - 1 + size], wide[y, first + 1 : first + 1 + size]
    count = 0
    for x in range(size):
        outline[x] = here[x] & (1 ^ (above[x] & below[x] & before[x] & after[x]))
        count += outline[x]
    return count
