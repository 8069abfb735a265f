"""The other two numbers that programs call the short axis, by name; and whether RECIST calls a lesion measurable.

The default is `short_axis`, the reader's chord across the longest diameter. In a convex lesion all three differ
little; in a concave one they may differ much, so that which of them a number is must be known before it is compared.
"""

from __future__ import annotations

from bingcheng.core.codes import Code
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Better, Reference, ReferenceKind, measure
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.image.region import Region
from bingcheng.quantify import reference_cases as known
from bingcheng.quantify.size.diameter import DiameterLine
from bingcheng.quantify.size.dimensions import ALL_MODALITIES, whole_in_plane

SMALLEST_MM = 10.0
SLICES = 2.0
"""RECIST 1.1, 3.1.1: at least 10 mm; of slices thicker than 5 mm, at least twice their thickness."""

NO_THICKNESS = Problem(
    code="quantify.slice-thickness-unknown",
    says="the series does not say how thick its slices are, on which the smallest measurable size depends",
    remedy="Ask the sender for images with SliceThickness, or send the series again from the scanner.",
    owner=Owner.TECHNOLOGIST,
)

_RECIST = "Eisenhauer et al., RECIST 1.1, Eur J Cancer 2009;45:228-247"
_CLOSED = "closed form"
_WHY = "Each end lies within half a voxel (0.5 mm) of the true border."


@measure(
    label="Caliper width across the longest diameter",
    order=112,
    unit="mm",
    modalities=ALL_MODALITIES,
    source=f"{_RECIST}, short axis, read as a caliper's",
    code=Code("103340004", "SCT", "Short axis"),
    references=[
        Reference(
            name="sphere of 20 mm in voxels of 1 mm",
            case=known.sphere_20mm,
            expect=20.0,
            atol=1.0,
            kind=ReferenceKind.ANALYTIC,
            source=_CLOSED,
            why=_WHY,
        ),
    ],
)
def short_axis_caliper(lesion: Region, longest_axis: DiameterLine) -> float:
    """How far the outline extends at a right angle to its longest diameter, in the same slice, in mm.

    The distance between two lines along the longest diameter that just hold the outline. Never less than the other two
    short axes: of a bent lesion it counts what lies empty within the bend.

    Parameters
    ----------
    lesion : the lesion as drawn.
    longest_axis : its longest diameter as a line.

    Raises
    ------
    Undefined
        as `longest_diameter`.
    """
    whole_in_plane(lesion, longest_axis, "caliper width")
    return longest_axis.caliper_width_mm


@measure(
    label="Longest chord at a right angle to the longest diameter",
    order=113,
    unit="mm",
    modalities=ALL_MODALITIES,
    source=f"{_RECIST}, short axis, read as the longest perpendicular chord anywhere",
    code=Code("103340004", "SCT", "Short axis"),
    references=[
        Reference(
            name="ellipsoid of 40 x 24 x 16 mm",
            case=known.ellipsoid_40_24_16mm,
            expect=24.0,
            atol=1.0,
            kind=ReferenceKind.ANALYTIC,
            source=_CLOSED,
            why=_WHY,
        ),
    ],
)
def short_axis_anywhere(lesion: Region, longest_axis: DiameterLine) -> float:
    """The longest chord inside the outline at a right angle to the longest diameter, whether it crosses it or not.

    In mm, in the same slice. Never less than `short_axis` and never more than `short_axis_caliper`.

    Parameters
    ----------
    lesion : the lesion as drawn.
    longest_axis : its longest diameter as a line.

    Raises
    ------
    Undefined
        as `longest_diameter`.
    """
    whole_in_plane(lesion, longest_axis, "longest chord")
    return longest_axis.longest_chord_mm


@measure(
    label="Longest diameter over RECIST's smallest measurable",
    order=114,
    unit="1",
    better=Better.NEITHER,
    modalities=("CT", "MR"),
    source=f"{_RECIST}, section 3.1.1: 10 mm, or twice the slice thickness above 5 mm",
    references=[
        Reference(
            name="ellipsoid of 40 mm in slices of 8 mm: 40 mm over 16 mm",
            case=known.ellipsoid_in_slices_of_8mm,
            expect=2.5,
            atol=1.0 / 16.0,
            kind=ReferenceKind.ANALYTIC,
            source=_CLOSED,
            why="Each end of the diameter lies within half a voxel (0.5 mm) of the true border: 1 mm over 16 mm.",
        ),
    ],
)
def recist_measurable_ratio(lesion: Region, longest_axis: DiameterLine, acquisition: AnyAcquisition) -> float:
    """The longest diameter over the smallest that RECIST 1.1 calls measurable in this series; at least 1 is measurable.

    The smallest is 10 mm, or twice the slice thickness where slices are thicker than 5 mm. It holds for lesions that
    are no lymph nodes; nodes are measurable from a short axis of 15 mm on.

    Parameters
    ----------
    lesion : the lesion as drawn.
    longest_axis : its longest diameter as a line.
    acquisition : of the series; its slice thickness counts.

    Raises
    ------
    Undefined
        as `longest_diameter`; ``quantify.slice-thickness-unknown``.
    """
    whole_in_plane(lesion, longest_axis, "longest diameter")
    thickness_mm = acquisition.slice_thickness_mm
    if thickness_mm is None:
        raise Undefined(NO_THICKNESS)
    return longest_axis.long_axis.length_mm / max(SMALLEST_MM, SLICES * thickness_mm)
