"""From slice positions to a regular grid in patient space, or the reason why there is none.

Slices are ordered by their position along the normal, never by instance number (PS3.3 C.7.6.2.1.1). A tilted gantry
moves each slice along its own plane too: the grid is then sheared, and says so by its axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.grouping.slices import Slice
from bingcheng.dicom.index.functional_groups import Sextuple
from bingcheng.image.geometry import Triple, VolumeGeometry, require_possible

MISSING_SLICE = Problem(
    code="dicom.missing-slice",
    says="{count} of {expected} slices are missing, the first one at {where_mm} mm behind the first slice",
    remedy="Send the series again from the scanner or the archive; until then only what no gap touches is measured.",
    owner=Owner.ARCHIVE,
)
IRREGULAR = Problem(
    code="dicom.irregular-spacing",
    says="the slices aren't evenly spaced: steps between {least_mm} and {most_mm} mm",
    remedy="Reconstruct the series with one constant interval.",
    owner=Owner.TECHNOLOGIST,
)
OVERLAPPING = Problem(
    code="dicom.overlapping-slices",
    says="{count} slices lie where another one lies, and nothing in the header tells them apart",
    remedy="Send each reconstruction as a series of its own.",
    owner=Owner.TECHNOLOGIST,
)
NO_THICKNESS = Problem(
    code="dicom.unknown-thickness",
    says="a single slice without SliceThickness has no known extent",
    remedy="Export it with its slice thickness, or with its neighbours.",
    owner=Owner.ARCHIVE,
)
BAD_ORIENTATION = Problem(
    code="dicom.bad-orientation",
    says="ImageOrientationPatient isn't two perpendicular unit vectors",
    remedy="Ask whoever wrote the files to mend the orientation.",
    owner=Owner.VENDOR,
)
BAD_SPACING = Problem(
    code="dicom.bad-spacing",
    says="the pixel spacing or the matrix size isn't positive",
    remedy="Ask whoever wrote the files to mend PixelSpacing, Rows and Columns.",
    owner=Owner.VENDOR,
)

SLANTED = Problem(
    code="dicom.slanted-slices",
    says="each slice lies {sideways_mm} mm beside the one before and {step_mm} mm behind it: no gantry tilts so far",
    remedy="Ask whoever wrote the files to mend ImagePositionPatient.",
    owner=Owner.VENDOR,
)

STEEPEST = 1.8
"""How far slices may drift sideways a step: the tangent of 61 degrees, twice the tilt of any gantry. A damaged position
would make a grid whose upright box holds little but air."""
SAME_PLACE_MM = 0.01
"""Positions are written with two to six decimals; slices closer than this lie at one place."""
STEP_TOLERANCE = 0.05
"""A step may differ from the median one by this fraction (rounded positions), and by `SAME_PLACE_MM` twice."""


def normal_of(orientation: Sextuple) -> NDArray[np.float64]:
    """The unit normal of a plane: row direction x column direction.

    Raises
    ------
    InputError
        ``dicom.bad-orientation``.
    """
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not np.allclose(lengths, 1.0, atol=1e-2) or abs(row @ column) > 1e-2:
        raise InputError(BAD_ORIENTATION)
    normal: NDArray[np.float64] = np.cross(row, column)
    return normal / np.linalg.norm(normal)


def depths_mm(slices: Sequence[Slice], orientation: Sextuple) -> NDArray[np.float64]:
    """Position of each slice along the normal of the first, in mm."""
    depths: NDArray[np.float64] = np.array([s.position_mm for s in slices], dtype=float) @ normal_of(orientation)
    return depths


def ordered(slices: Sequence[Slice]) -> tuple[list[Slice], VolumeGeometry]:
    """The slices along the normal, and their grid.

    `slices` share orientation, spacing and matrix, have a position each, and are at least one.

    Raises
    ------
    InputError
        ``dicom.missing-slice``, ``dicom.irregular-spacing``, ``dicom.overlapping-slices``,
        ``dicom.unknown-thickness``, ``dicom.bad-orientation``, ``dicom.bad-spacing``, ``dicom.slanted-slices``,
        ``image.impossible-size``.
    """
    first = slices[0]
    assert first.orientation is not None
    depths = depths_mm(slices, first.orientation)
    order = np.argsort(depths, kind="stable")
    along = [slices[i] for i in order]
    normal = normal_of(first.orientation)
    if len(along) == 1:
        if first.thickness_mm is None or first.thickness_mm <= 0:
            raise InputError(NO_THICKNESS)
        step = normal * first.thickness_mm
    else:
        _require_regular(depths[order])
        step = _step(np.array([s.position_mm for s in along], dtype=float), normal)
    return along, _geometry(along, step)


def runs(slices: Sequence[Slice]) -> list[list[Slice]]:
    """The stretches of slices that follow each other without a gap, the longest first, each in order.

    A gap is where slices are missing or can't be used; a slice that stands alone between two gaps is left out, for
    nothing shows its distance to the next. No stretch is found where the slices are uneven or lie on each other.

    Parameters
    ----------
    slices : as for `ordered`; those with a defect count as places, and are in no stretch.
    """
    first = slices[0]
    assert first.orientation is not None
    depths = depths_mm(slices, first.orientation)
    order = np.argsort(depths, kind="stable")
    steps = np.diff(depths[order])
    if not steps.size or not _gaps_are_whole(steps):
        return []
    usual, tolerance = _usual(steps)
    found: list[list[Slice]] = [[]]
    for at, which in enumerate(order):
        if at and steps[at - 1] > usual + tolerance:
            found.append([])
        if slices[which].header.defect is None:
            found[-1].append(slices[which])
        else:
            found.append([])
    return sorted((run for run in found if len(run) > 1), key=len, reverse=True)


def _usual(steps: NDArray[np.float64]) -> tuple[float, float]:
    """The distance of neighbouring slices, and how far a step may be off."""
    # Of two steps the median lies between them; a gap is the larger one.
    usual = float(np.min(steps) if steps.size == 2 else np.median(steps))
    return usual, max(2 * SAME_PLACE_MM, STEP_TOLERANCE * usual)


def _gaps_are_whole(steps: NDArray[np.float64]) -> bool:
    """Whether each step is a whole number of slices; whatever else is uneven was never one grid."""
    usual, tolerance = _usual(steps)
    counts = np.rint(steps / usual) if usual > 0 else np.zeros_like(steps)
    return bool((counts >= 1).all() and (np.abs(steps - counts * usual) <= tolerance * counts).all())


def _require_regular(depths: NDArray[np.float64]) -> None:
    steps = np.diff(depths)
    same = int((steps < SAME_PLACE_MM).sum())
    if same:
        raise InputError(OVERLAPPING, count=same)
    usual, tolerance = _usual(steps)
    if np.max(np.abs(steps - usual)) <= tolerance:
        return
    if _gaps_are_whole(steps):
        counts = np.rint(steps / usual)
        gap = int(np.argmax(counts > 1))
        missing = int((counts - 1).sum())
        raise InputError(
            MISSING_SLICE,
            count=missing,
            expected=missing + depths.size,
            where_mm=float(depths[gap] - depths[0] + usual),
        )
    raise InputError(IRREGULAR, least_mm=float(np.min(steps)), most_mm=float(np.max(steps)))


def _step(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vector from one slice to the next; along the normal unless the slices move in their plane too."""
    step: NDArray[np.float64] = (positions[-1] - positions[0]) / (len(positions) - 1)
    drift = step - (step @ normal) * normal
    line = positions[0] + np.arange(len(positions))[:, None] * step
    off = positions - line
    sideways = off - (off @ normal)[:, None] * normal
    if np.max(np.abs(sideways)) > max(2 * SAME_PLACE_MM, STEP_TOLERANCE * float(step @ normal)):
        lengths = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        raise InputError(IRREGULAR, least_mm=float(np.min(lengths)), most_mm=float(np.max(lengths)))
    sideways_mm, step_mm = float(np.linalg.norm(drift)), float(step @ normal)
    if sideways_mm > max(STEEPEST * step_mm, 2 * SAME_PLACE_MM):
        raise InputError(SLANTED, sideways_mm=round(sideways_mm, 2), step_mm=round(step_mm, 2))
    # Rounded positions alone drift by less than their last decimal over the whole stack.
    if sideways_mm * (len(positions) - 1) <= 2 * SAME_PLACE_MM:
        return normal * step_mm
    return step


def _geometry(along: Sequence[Slice], step: NDArray[np.float64]) -> VolumeGeometry:
    first = along[0]
    image = first.header.image
    assert image is not None
    assert first.orientation is not None
    assert first.position_mm is not None
    assert first.spacing_mm is not None
    rows, columns = image.rows or 0, image.columns or 0
    # Pixel Spacing is (between rows, between columns): y first (PS3.3 10.7.1.3).
    spacing_y, spacing_x = first.spacing_mm
    if min(spacing_y, spacing_x, rows, columns) <= 0:
        raise InputError(BAD_SPACING)
    length = float(np.linalg.norm(step))
    require_possible((len(along), rows, columns), (length, spacing_y, spacing_x))
    return VolumeGeometry(
        shape=(len(along), rows, columns),
        spacing_mm=(length, spacing_y, spacing_x),
        origin_mm=first.position_mm,
        axes=(_unit(step), _unit(np.array(first.orientation[3:])), _unit(np.array(first.orientation[:3]))),
        frame_of_reference_uid=first.header.series.frame_of_reference_uid,
    )


def _unit(vector: NDArray[np.float64]) -> Triple:
    # The + 0.0 turns the -0.0 of some writers into 0.0.
    x, y, z = vector / np.linalg.norm(vector) + 0.0
    return float(x), float(y), float(z)
