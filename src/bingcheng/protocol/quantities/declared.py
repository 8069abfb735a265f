"""What a header declares twice, in two entries or by the positions of its slices: the ratio of the two."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition, MrAcquisition, PetAcquisition
from bingcheng.protocol.attributes import Told, attribute

SAME_MM = 0.05
"""Consoles round thickness and spacing to a tenth of a millimetre."""


@attribute("SpacingBetweenSlices", label=text("declared distance between slices"), unit="mm", tolerance=0.005)
def declared_spacing(acquisition: Acquisition) -> float | None:
    """The distance between slice centres as declared (0018,0088)."""
    return acquisition.spacing_between_slices_mm


@attribute(
    "derived.interval_over_declared_spacing",
    label=text("distance between slices over the declared one"),
    why=text("the header declares no distance between slices, or gives no positions"),
)
def interval_over_declared_spacing(acquisition: Acquisition) -> Told | None:
    """Distance between slice centres, from their positions, over SpacingBetweenSlices, which defines the same distance.

    Some software writes the gap between the faces of the slices there instead; the remark says so.
    """
    interval_mm, declared_mm = acquisition.reconstruction_interval_mm, acquisition.spacing_between_slices_mm
    if interval_mm is None or not declared_mm:
        return None
    thickness_mm = acquisition.slice_thickness_mm
    is_gap = thickness_mm is not None and abs(interval_mm - thickness_mm - declared_mm) <= SAME_MM
    pattern = (
        text("{declared} mm declared, {measured} mm by the positions: the gap stands there in place of the distance",
             declared=declared_mm, measured=interval_mm)
        if is_gap
        else text("{declared} mm declared, {measured} mm by the positions", declared=declared_mm, measured=interval_mm)
    )  # fmt: skip
    return Told(interval_mm / declared_mm, pattern)


@attribute(
    "derived.field_over_diameter",
    label=text("size of the image over the reconstruction diameter"),
    why=text("the header gives no reconstruction diameter, or no pixel size"),
)
def field_over_diameter(acquisition: CtAcquisition) -> Told | None:
    """The longer side of the image (number times size of pixels) over the diameter of the reconstructed region."""
    pixel_mm, diameter_mm = acquisition.pixel_spacing_mm, acquisition.reconstruction_diameter_mm
    if acquisition.rows is None or acquisition.columns is None or pixel_mm is None or not diameter_mm:
        return None
    side_mm = max(acquisition.rows * pixel_mm[0], acquisition.columns * pixel_mm[1])
    remark = text("{side} mm by the pixels, {diameter} mm declared", side=round(side_mm, 1), diameter=diameter_mm)
    return Told(side_mm / diameter_mm, remark)


@attribute(
    "derived.echo_over_repetition",
    label=text("echo time over repetition time"),
    why=text("the header gives no echo time, or no repetition time"),
)
def echo_over_repetition(acquisition: MrAcquisition) -> Told | None:
    """The latest echo time over the repetition time."""
    repetition_ms, echo_ms = acquisition.repetition_time_ms, max(acquisition.echo_times_ms, default=None)
    if not repetition_ms or echo_ms is None:
        return None
    return Told(
        echo_ms / repetition_ms, text("TE {echo} ms, TR {repetition} ms", echo=echo_ms, repetition=repetition_ms)
    )


@attribute(
    "derived.body_mass_index",
    label=text("weight over squared height"),
    unit="kg/m2",
    why=text("the header gives no weight, or no height"),
    owner=Owner.TECHNOLOGIST,
)
def body_mass_index(acquisition: Acquisition) -> Told | None:
    """The patient's weight over the square of the height: where the two were exchanged or mistyped, no one has it."""
    weight_kg, height_m = acquisition.weight_kg, acquisition.height_m
    if weight_kg is None or not height_m:
        return None
    return Told(weight_kg / height_m**2, text("{weight} kg and {height} m", weight=weight_kg, height=height_m))


@attribute(
    "derived.uptake_half_lives",
    label=text("uptake time in half-lives of the nuclide"),
    why=text("the header does not give the half-life, or not when it was injected or scanned"),
    owner=Owner.TECHNOLOGIST,
)
def uptake_half_lives(acquisition: PetAcquisition) -> Told | None:
    """Time from injection to acquisition over the half-life; negative if the scan began first."""
    uptake_s, half_life_s = acquisition.uptake_s, acquisition.half_life_s
    if uptake_s is None or not half_life_s:
        return None
    minutes = round(uptake_s / 60.0, 1)
    return Told(
        uptake_s / half_life_s,
        text("{minutes} min from injection to scan, half-life {life} min", minutes=minutes, life=half_life_s / 60.0),
    )
