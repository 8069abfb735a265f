"""How large a lesion is: volume, and the diameters that response criteria use."""

from __future__ import annotations

from typing import Any

import numpy as np

from bingcheng.core.codes import Code
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Reference, ReferenceKind, measure
from bingcheng.image.region import Region
from bingcheng.quantify import reference_cases as known
from bingcheng.quantify.empty_lesion import EMPTY_LESION
from bingcheng.quantify.size.diameter import DiameterLine, largest_distance_mm

ALL_MODALITIES = ("CT", "MR", "PT")

LESION_CUT = Problem(
    code="quantify.lesion-cut-off",
    says="the lesion reaches the edge of the image, so that its {what} is only known to be at least this large",
    remedy="Scan or reconstruct the lesion as a whole, with at least one slice beyond it on each side.",
    owner=Owner.TECHNOLOGIST,
)
NO_SHORT_AXIS = Problem(
    code="quantify.short-axis-outside",
    says="the longest diameter runs outside of the concave outline, so that no short axis crosses it inside",
    remedy="Measure the two limbs of the lesion one by one, or use its volume.",
    owner=Owner.RADIOLOGIST,
)

_RECIST = "Eisenhauer et al., RECIST 1.1, Eur J Cancer 2009;45:228-247, section 3.1"
_IBSI = "IBSI reference manual, arXiv:1612.07003v11"
_GEOMETRY = "closed form"


@measure(
    label="Volume",
    order=12,
    unit="ml",
    modalities=ALL_MODALITIES,
    source=f"{_IBSI}, 'Volume (voxel counting)'; RIDER/QIBA CT volumetry",
    code=Code("118565006", "SCT", "Volume"),
    ibsi="YEKZ",
    references=[
        Reference(
            name="digital phantom of the IBSI",
            case=known.ibsi_digital_phantom,
            expect=0.592,
            atol=0.004,
            kind=ReferenceKind.CONSENSUS,
            source=known.IBSI_SOURCE,
        ),
        Reference(
            name="sphere of 20 mm in voxels of 1 mm",
            case=known.sphere_20mm,
            expect=4.0 / 3.0 * np.pi * 1.0,
            rtol=0.01,
            kind=ReferenceKind.ANALYTIC,
            source=_GEOMETRY,
            why="Counting voxel centres in a sphere of radius 10 voxels errs by 0.3 % (one SD over positions).",
        ),
    ],
)
def volume(lesion: Region) -> float:
    """The lesion's volume: the sum of its voxels, each by the part of it that belongs, times a voxel's volume.

    In millilitres, which is how response criteria and metabolic volumes are read (1 ml = 1000 mm3). A voxel of a
    sheared grid (gantry tilt) has the volume of its parallelepiped.

    Parameters
    ----------
    lesion : the lesion as drawn; it lies wholly within the image.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-cut-off``: it reaches the first or last slice, row or
        column, where more of it may follow.
    """
    _whole(lesion, "volume", through_plane=True)
    members = np.count_nonzero(lesion.mask) if lesion.mask.dtype == bool else lesion.mask.sum(dtype=np.float64)
    return float(members) * lesion.grid.voxel_mm3 / 1000.0


@measure(
    label="Longest diameter in the slice plane",
    order=10,
    unit="mm",
    modalities=ALL_MODALITIES,
    source=_RECIST,
    code=Code("103339001", "SCT", "Long axis"),
    references=[
        Reference(
            name="ellipsoid of 40 x 24 x 16 mm",
            case=known.ellipsoid_40_24_16mm,
            expect=40.0,
            atol=1.0,
            kind=ReferenceKind.ANALYTIC,
            source=_GEOMETRY,
            why="Each end lies within half a voxel (0.5 mm) of the true border.",
        ),
    ],
)
def longest_diameter(lesion: Region, longest_axis: DiameterLine) -> float:
    """The longest diameter of the lesion in the plane of the slices, over all slices (RECIST's longest diameter).

    From border to border of the sub-voxel contour at one half, in mm; see `bingcheng.quantify.diameter.longest_axis`.
    The slice may be another one at each time point.

    Parameters
    ----------
    lesion : the lesion as drawn.
    longest_axis : its longest diameter as a line.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``; ``quantify.lesion-cut-off``: it reaches the border of the slice, or the
        longest diameter lies in the first or last of several slices, beyond which it may be longer.

    Notes
    -----
    In thick slices the largest section of the lesion may lie between two slices; the uncertainty includes this.
    """
    whole_in_plane(lesion, longest_axis, "longest diameter")
    return longest_axis.long_axis.length_mm


@measure(
    label="Short axis in the slice plane",
    order=11,
    unit="mm",
    modalities=ALL_MODALITIES,
    source=f"{_RECIST}, lymph nodes",
    code=Code("103340004", "SCT", "Short axis"),
    references=[
        Reference(
            name="ellipsoid of 40 x 24 x 16 mm",
            case=known.ellipsoid_40_24_16mm,
            expect=24.0,
            atol=1.0,
            kind=ReferenceKind.ANALYTIC,
            source=_GEOMETRY,
            why="Each end lies within half a voxel (0.5 mm) of the true border.",
        ),
    ],
)
def short_axis(lesion: Region, longest_axis: DiameterLine) -> float:
    """The longest chord inside the outline that crosses the longest diameter at a right angle, in the same slice.

    This is the reader's bidirectional measurement, which RECIST asks for in lymph nodes. It is never longer than the
    caliper width across the long axis, and differs from the longest perpendicular chord anywhere in a concave lesion.

    Parameters
    ----------
    lesion : the lesion as drawn.
    longest_axis : its longest diameter as a line.

    Raises
    ------
    Undefined
        as `longest_diameter`, and ``quantify.short-axis-outside``.
    """
    whole_in_plane(lesion, longest_axis, "short axis")
    if longest_axis.short_axis is None:
        raise Undefined(NO_SHORT_AXIS)
    return longest_axis.short_axis.length_mm


@measure(
    label="Longest diameter in space",
    order=13,
    unit="mm",
    modalities=ALL_MODALITIES,
    source=f"{_IBSI}, 'Maximum 3D diameter'",
    ibsi="L0JK",
    references=[
        Reference(
            name="digital phantom of the IBSI",
            case=known.ibsi_digital_phantom,
            expect=13.1,
            atol=0.1,
            kind=ReferenceKind.CONSENSUS,
            source=known.IBSI_SOURCE,
        ),
        Reference(
            name="sphere of 20 mm in voxels of 1 mm",
            case=known.sphere_20mm,
            expect=20.0,
            atol=1.0,
            kind=ReferenceKind.ANALYTIC,
            source=_GEOMETRY,
            why="Each end lies within half a voxel (0.5 mm) of the true border.",
        ),
    ],
)
def diameter_3d(lesion: Region) -> float:
    """The largest distance between two points of the lesion's surface in any direction (Feret diameter), in mm.

    Between the vertices that marching cubes places at one half, over the whole region: of a lesion in several parts
    it is the distance across all of them.

    Parameters
    ----------
    lesion : the lesion as drawn; it lies wholly within the image.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-cut-off``.
    """
    _whole(lesion, "longest diameter", through_plane=True)
    return largest_distance_mm(lesion)


def reaches_edge(lesion: Region) -> tuple[bool, bool, bool]:
    """Whether the lesion reaches the first or last slice, row and column of the image, as (z, y, x)."""
    inside = lesion.inside
    hits = [_ends(inside, axis, lesion) for axis in range(3)]
    return hits[0], hits[1], hits[2]


def _ends(inside: Any, axis: int, lesion: Region) -> bool:
    start, size, whole = lesion.start[axis], inside.shape[axis], lesion.grid.shape[axis]
    first = start == 0 and bool(np.take(inside, 0, axis=axis).any())
    last = start + size == whole and bool(np.take(inside, size - 1, axis=axis).any())
    return first or last


def _whole(lesion: Region, what: str, *, through_plane: bool) -> None:
    if lesion.empty:
        raise Undefined(EMPTY_LESION)
    edges = reaches_edge(lesion)
    if any(edges if through_plane else edges[1:]):
        raise Undefined(LESION_CUT, what=what)


def whole_in_plane(lesion: Region, axis: DiameterLine, what: str) -> None:
    """Raise `Undefined` where the lesion is empty, cut off in its slice, or longest in an outermost slice."""
    _whole(lesion, what, through_plane=False)
    slices = lesion.grid.shape[0]
    # An image of one slice has no slice beyond: its diameters are those of what was imaged.
    if slices > 1 and axis.slice_index in (0, slices - 1):
        raise Undefined(LESION_CUT, what=what)
