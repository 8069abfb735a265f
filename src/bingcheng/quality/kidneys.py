"""The kidneys in a CT: smooth oblong bodies beside the lumbar spine, found at whatever level they stand out best.

Without contrast a kidney stands out from fat alone, with contrast from everything around it. So the image is cut at
several levels, what touches is parted by opening with balls of several sizes, and of all the bodies of a kidney's size,
shape and place the one with the cleanest border is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.geometry import Triple
from bingcheng.quality.line import Line
from bingcheng.quality.upright_grid import UprightGrid

NO_KIDNEY = Problem(
    code="quality.no-kidney",
    says="no kidney can be told from what lies around it",
    remedy="Nothing to mend where the exam does not reach the kidneys; otherwise measure them by hand.",
    owner=Owner.RADIOLOGIST,
)

ASIDE_MM, BACK_MM = (14.0, 122.0), (-85.0, 45.0)
"""The window beside the spinal canal: away from it, and towards the back."""
LEVELS_HU = (-15.0, 60.0, 95.0, 135.0, 190.0)
OPENINGS_MM_AND_CORES_ML = ((5.0, 8.0), (9.0, 4.0), (13.0, 1.5))
"""How far an opening erodes, and what it leaves at least of the smallest kidney that is looked for."""
SMOOTHED_MM = 2.0
LARGEST_HOLE_MM2 = 700.0
"""Medulla and sinus that a bright cortex encloses in one section."""
VOLUME_ML = (60.0, 400.0)
"""Adult kidneys hold 100 to 240 ml (Cheong et al., Clin J Am Soc Nephrol 2007;2:38)."""
LENGTH_MM, WIDTH_MM = (75.0, 155.0), (28.0, 95.0)
CENTRE_ASIDE_MM, CENTRE_BACK_MM = (33.0, 92.0), (-65.0, 22.0)
MOST_OBLIQUE = 0.6
"""Cosine between its length and the patient's axis: kidneys lean, but not by more than 53 degrees."""
LEAST_FULL, LEAST_RIM = 0.6, 0.8
CUT_ML, CUT_FULL, CUT_RIM = (25.0, 200.0), 0.8, 0.9
CUT_ASIDE_MM, CUT_BACK_MM = (33.0, 75.0), (-50.0, 15.0)
"""For a kidney that the end of the image cuts off: its shape says less, so its border and its place have to say more
(cut domes of spleen and liver lie further aside and in front)."""
DIMMER_HU = 25.0
LUNG_HU, MOST_LUNG = -400.0, 0.15
"""Domes of liver and spleen border on lung, kidneys on fat; some gas may be in the bowel beside them."""
BONE_HU = 300.0
"""The densest tenth of a kidney; a bone of its size has denser parts."""

Mask = NDArray[np.bool_]
_CROSS = ndimage.generate_binary_structure(3, 1)
_CROSS[0] = _CROSS[2] = False
_CROSS.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kidney:
    """One kidney, block by block.

    Parameters
    ----------
    left : whether it is the patient's left one.
    hu : CT numbers of its blocks (n,).
    depth_mm : how deep under its surface each block lies (n,).
    block_mm3 : volume of a block.
    whole : whether the image holds all of it.
    """

    left: bool
    hu: NDArray[np.float64]
    depth_mm: NDArray[np.float64]
    block_mm3: float
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Window:
    """CT numbers beside the spine (z, y, x), x away from it, straightened along the canal."""

    hu: NDArray[np.float32]
    step_mm: Triple
    ends: tuple[bool, bool]
    """Whether its first and last planes are the image's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Body:
    mask: Mask
    box: tuple[slice, slice, slice]


def find_kidneys(grid: UprightGrid, canal: Line) -> tuple[Kidney, ...]:
    """One or both kidneys, the left one first.

    Parameters
    ----------
    grid : coarse CT.
    canal : the spinal canal, beside which they lie.

    Raises
    ------
    Undefined
        ``quality.no-kidney``.

    Notes
    -----
    Pelvic, horseshoe and transplanted kidneys are not looked for; kidneys with large cysts or tumours, or without fat
    around them, are left out rather than guessed.
    """
    found = [_kidney(grid, canal, left=left) for left in (True, False)]
    kidneys = tuple(one for one in found if one is not None)
    if not kidneys:
        raise Undefined(NO_KIDNEY)
    return kidneys


def _kidney(grid: UprightGrid, canal: Line, *, left: bool) -> Kidney | None:
    window = _beside(grid, canal, left=left)
    best, best_worth = None, 0.0
    for body in _bodies(window):
        worth = _worth(window, body)
        if worth > best_worth:
            best, best_worth = body, worth
    if best is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(best.mask, 1), sampling=window.step_mm)[1:-1, 1:-1, 1:-1]
    return Kidney(
        left=left,
        hu=window.hu[best.box][best.mask].astype(float),
        # From centre to centre: the surface lies half a block nearer.
        depth_mm=depth[best.mask] - 0.5 * window.step_mm[1],
        block_mm3=grid.block_mm3,
        whole=not _cut(window, best),
    )


def _beside(grid: UprightGrid, canal: Line, *, left: bool) -> _Window:
    rows = np.arange(round(BACK_MM[0] / grid.step_mm[1]), round(BACK_MM[1] / grid.step_mm[1]) + 1)
    aside = np.arange(round(ASIDE_MM[0] / grid.step_mm[2]), round(ASIDE_MM[1] / grid.step_mm[2]) + 1)
    y = canal.y[:, None, None] + rows[None, :, None]
    x = canal.x[:, None, None] + (aside if left else -aside)[None, None, :]
    depth, height, width = grid.hu.shape
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    seen = grid.hu[canal.planes[:, None, None], np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return _Window(
        hu=np.where(inside, seen, np.float32(-1000.0)),
        step_mm=grid.step_mm,
        ends=(int(canal.planes[0]) == 0, int(canal.planes[-1]) == depth - 1),
    )


def _bodies(window: _Window) -> Iterator[_Body]:
    """Everything that holds together at some level after some opening."""
    smooth = ndimage.gaussian_filter(window.hu, [SMOOTHED_MM / mm for mm in window.step_mm])
    highest = float(np.percentile(smooth, 99))
    for level in LEVELS_HU:
        if level > highest:
            return
        above = smooth > level
        above[:, :, -1] = False
        above |= _small_holes(above, window.step_mm)
        depth = ndimage.distance_transform_edt(above, sampling=window.step_mm)
        for opening_mm, core_ml in OPENINGS_MM_AND_CORES_ML:
            yield from _opened(window, above, depth, opening_mm, core_ml)


def _small_holes(mask: Mask, step_mm: Triple) -> Mask:
    """What `mask` encloses within a plane, unless it is larger than what a kidney may enclose."""
    labels, count = ndimage.label(~mask, structure=_CROSS)
    small = np.bincount(labels.ravel(), minlength=count + 1) * step_mm[1] * step_mm[2] < LARGEST_HOLE_MM2
    small[0] = False
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        small[edge] = False
    holes: Mask = small[labels]
    return holes


def _opened(
    window: _Window, above: Mask, depth: NDArray[np.float64], opening_mm: float, core_ml: float
) -> Iterator[_Body]:
    """Parts that hold together by more than the opening, grown back by it."""
    block_ml = float(np.prod(window.step_mm)) / 1000.0
    labels, count = ndimage.label(depth > opening_mm)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * block_ml
    margin = [int(np.ceil(opening_mm / mm)) + 1 for mm in window.step_mm]
    for label, tight in enumerate(ndimage.find_objects(labels), start=1):
        if not core_ml <= sizes[label] <= VOLUME_ML[1]:
            continue
        z, y, x = (
            slice(max(0, part.start - more), min(size, part.stop + more))
            for part, more, size in zip(tight, margin, labels.shape, strict=True)
        )
        if not _of_size_and_place(window, tight):
            continue
        away = ndimage.distance_transform_edt(labels[z, y, x] != label, sampling=window.step_mm)
        yield _Body(mask=(away <= opening_mm) & above[z, y, x], box=(z, y, x))


def _of_size_and_place(window: _Window, box: tuple[slice, slice, slice]) -> bool:
    """Whether a box is no longer than a kidney, and has its middle where a kidney's may be, give or take 15 mm."""
    if (box[0].stop - box[0].start) * window.step_mm[0] > LENGTH_MM[1]:
        return False
    back, aside = (
        0.5 * (part.start + part.stop) * mm + first
        for part, mm, first in zip(box[1:], window.step_mm[1:], (BACK_MM[0], ASIDE_MM[0]), strict=True)
    )
    rooms = ((aside, CENTRE_ASIDE_MM), (back, CENTRE_BACK_MM))
    return all(low - 15.0 <= place <= high + 15.0 for place, (low, high) in rooms)


def _worth(window: _Window, body: _Body) -> float:
    """How good a kidney it is: share of its surface with something dimmer outside, times how full its ellipsoid is."""
    volume_ml = float(np.count_nonzero(body.mask) * np.prod(window.step_mm)) / 1000.0
    if not CUT_ML[0] <= volume_ml <= VOLUME_ML[1]:
        return 0.0
    cut = _cut(window, body)
    points = np.argwhere(body.mask) * np.asarray(window.step_mm)
    if not _well_placed(window, body, points):
        return 0.0
    spread, axes = np.linalg.eigh(np.cov(points.T) + np.diag(np.asarray(window.step_mm) ** 2 / 12.0))
    # A solid ellipsoid's second moment along an axis is a fifth of the squared semi-axis.
    thin, wide, long = 2.0 * np.sqrt(5.0 * spread)
    full = volume_ml * 1000.0 / (np.pi / 6.0 * thin * wide * long)
    rim = _rim(window, body)
    if cut:
        good = volume_ml <= CUT_ML[1] and full >= CUT_FULL and rim >= CUT_RIM
    else:
        good = volume_ml >= VOLUME_ML[0] and full >= LEAST_FULL and rim >= LEAST_RIM
        good &= LENGTH_MM[0] <= long <= LENGTH_MM[1] and abs(axes[0, 2]) >= MOST_OBLIQUE
    good &= thin >= WIDTH_MM[0] and wide <= WIDTH_MM[1]
    return rim * min(full, 1.0) if good else 0.0


def _cut(window: _Window, body: _Body) -> bool:
    """Whether it reaches the first or last plane."""
    planes = np.flatnonzero(body.mask.any(axis=(1, 2))) + body.box[0].start
    return bool(planes[0] == 0 or planes[-1] == window.hu.shape[0] - 1)


def _well_placed(window: _Window, body: _Body, points: NDArray[np.float64]) -> bool:
    planes = np.flatnonzero(body.mask.any(axis=(1, 2))) + body.box[0].start
    reaches = (planes[0] == 0, planes[-1] == window.hu.shape[0] - 1)
    if any(reached and not end for reached, end in zip(reaches, window.ends, strict=True)):
        return False  # where the spine ends but the image does not, there are hips or shoulders
    back, aside = points[:, 1:].mean(axis=0) + np.array(
        [body.box[1].start * window.step_mm[1] + BACK_MM[0], body.box[2].start * window.step_mm[2] + ASIDE_MM[0]]
    )
    rooms = (CUT_ASIDE_MM, CUT_BACK_MM) if any(reaches) else (CENTRE_ASIDE_MM, CENTRE_BACK_MM)
    if not all(low <= place <= high for place, (low, high) in zip((aside, back), rooms, strict=True)):
        return False
    return float(np.percentile(window.hu[body.box][body.mask], 90)) <= BONE_HU


def _rim(window: _Window, body: _Body) -> float:
    """Share of the blocks about 5 mm outside of its border, within its planes, that are dimmer; 0 next to lung."""
    n = max(1, round(2.5 / window.step_mm[1]))
    z, y, x = body.box
    pad = 2 * n
    wide = (z, slice(max(0, y.start - pad), y.stop + pad), slice(max(0, x.start - pad), x.stop + pad))
    hu = window.hu[wide]
    mask = np.zeros(hu.shape, dtype=bool)
    down, across = y.start - wide[1].start, x.start - wide[2].start
    mask[:, down : down + body.mask.shape[1], across : across + body.mask.shape[2]] = body.mask
    shells = [ndimage.binary_dilation(mask, _CROSS, iterations=k * n) for k in (1, 2)]
    inner, outer = next(pairwise(shells))
    ring = outer & ~inner
    if not ring.any() or float(np.mean(hu[ring] < LUNG_HU)) > MOST_LUNG:
        return 0.0
    return float(np.mean(hu[ring] < np.median(hu[mask]) - DIMMER_HU))
