"""What a filter is, and the checks that all filters share."""

from __future__ import annotations

from math import isfinite
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.image.geometry import Triple

IBSI_2 = "IBSI 2 reference manual, arXiv:2006.05470; Whybra, Zwanenburg et al., Radiology 2024;310:e231319"

NOT_A_STACK = Problem(
    code="quantify.filter-needs-three-axes",
    says="a filter needs voxels (z, y, x), at least one a side; these have shape {shape}",
    remedy="Give a volume with three axes; a single slice has one slice along z.",
    owner=Owner.DEVELOPER,
)
NOT_FINITE = Problem(
    code="quantify.filter-not-finite",
    says="{count} voxels have no finite intensity, and a filter would spread them over their neighbours",
    remedy="Crop the image to where it has intensities, or fill the gaps first.",
    owner=Owner.PHYSICIST,
)
BAD_PARAMETER = Problem(
    code="quantify.filter-parameter",
    says="{parameter} of the filter {filter} is {value}; it must be {allowed}",
    remedy="Mend the setting.",
    owner=Owner.PHYSICIST,
)
TOO_FINE = Problem(
    code="quantify.filter-finer-than-voxels",
    says="the filter {filter} is {size_mm} mm fine, but voxels of {spacing_mm} mm show nothing below {least_mm} mm",
    remedy="Filter slice by slice, resample to smaller voxels, or take a coarser filter.",
    owner=Owner.PHYSICIST,
)
RESPONSE_TOO_LARGE = Problem(
    code="quantify.filter-response-too-large",
    says="the response of the filter {filter} to intensities of this size is beyond the range of single precision",
    remedy="Scale the intensities.",
    owner=Owner.PHYSICIST,
)
NO_SPACING = Problem(
    code="quantify.voxels-without-size",
    says="voxels of {z} × {y} × {x} mm (z, y, x) have no size that an image can have",
    remedy="Mend the spacing in the image's header, or the one that the settings interpolate to.",
    owner=Owner.ARCHIVE,
)

SMALLEST_MM, LARGEST_MM = 1e-6, 1e6
"""Spacings beyond are mistakes, and their areas and volumes leave the range of numbers."""


class Described(Protocol):
    """What is known of a filter apart from what it does."""

    name: ClassVar[str]
    """The name by which settings call it."""

    @property
    def by_slice(self) -> bool:
        """Whether slices (y, x) are filtered by themselves."""


@runtime_checkable
class Filter(Described, Protocol):
    """Turns an image into a response map of its size; frozen, compared by its settings."""

    ibsi: ClassVar[str]
    """Its identifier in the IBSI 2 reference manual."""

    @property
    def unitless(self) -> bool:
        """Whether the response has lost the image's unit; linear filters and their moduli keep it."""

    def reach_voxels(self, spacing_mm: Triple) -> Triple3 | None:
        """How many voxels along (z, y, x) beyond its own a response looks; None: at the whole image."""

    def response(self, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
        """The response map (z, y, x) of voxels (z, y, x) that lie `spacing_mm` (z, y, x) apart."""

    def as_mapping(self) -> dict[str, object]:
        """Plain settings from which `bingcheng.quantify.filters.catalogue.filter_of` makes it again."""


Triple3 = tuple[int, int, int]


def checked(voxels: NDArray[Any]) -> NDArray[np.float32]:
    """The voxels as float32, C-contiguous; not copied if they are already.

    Raises
    ------
    InputError
        ``quantify.filter-needs-three-axes``, ``quantify.filter-not-finite``.
    """
    if voxels.ndim != 3 or voxels.size == 0:
        raise InputError(NOT_A_STACK, shape=str(voxels.shape))
    single = np.ascontiguousarray(voxels, dtype=np.float32)
    finite = np.isfinite(single)
    if not finite.all():
        raise InputError(NOT_FINITE, count=int(finite.size - np.count_nonzero(finite)))
    return single


def response_of(chosen: Filter, voxels: NDArray[Any], spacing_mm: Triple) -> NDArray[np.float32]:
    """The response map of a filter, finite everywhere.

    Raises
    ------
    InputError
        ``quantify.filter-response-too-large``, and as the filter's `response`.
    Undefined
        as the filter's `response`.
    """
    try:
        # What overflows on the way is not finite at the end, or is found as such by a filter of a filter.
        with np.errstate(over="ignore", invalid="ignore"):
            response = chosen.response(voxels, spacing_mm)
    except InputError as error:
        if error.problem is NOT_FINITE and np.isfinite(voxels).all():
            raise InputError(RESPONSE_TOO_LARGE, filter=chosen.name) from None
        raise
    if not np.isfinite(response).all():
        raise InputError(RESPONSE_TOO_LARGE, filter=chosen.name)
    return response


def sized(spacing_mm: Triple) -> None:
    """Refuses a spacing that is not from a nanometre to a kilometre along each axis.

    Raises
    ------
    InputError
        ``quantify.voxels-without-size``.
    """
    if not all(SMALLEST_MM <= step <= LARGEST_MM for step in spacing_mm):
        z, y, x = spacing_mm
        raise InputError(NO_SPACING, z=z, y=y, x=x)


def positive(name: str, parameter: str, value: float, *, least: float = 0.0, most: float = 1e4) -> None:
    """Refuses a number outside ``(least, most]``, or one that isn't finite.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """
    if isinstance(value, bool) or not isfinite(value) or not least < value <= most:
        raise bad_parameter(name, parameter, value, text("above {least} and at most {most}", least=least, most=most))


def whole(name: str, parameter: str, value: int, *, least: int, most: int) -> None:
    """Refuses what isn't a whole number from `least` to `most`.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """
    if isinstance(value, bool) or not least <= value <= most:
        raise bad_parameter(
            name, parameter, value, text("a whole number from {least} to {most}", least=least, most=most)
        )


def bad_parameter(name: str, parameter: str, value: object, allowed: Text) -> InputError:
    """The refusal of a parameter."""
    return InputError(BAD_PARAMETER, filter=name, parameter=parameter, value=str(value), allowed=allowed)


def fine_enough(name: str, size_mm: float, spacing_mm: float, *, voxels: float) -> None:
    """Refuses a filter whose size covers fewer than `voxels` of the grid: its samples would not be the filter.

    Raises
    ------
    Undefined
        ``quantify.filter-finer-than-voxels``.
    """
    least_mm = voxels * spacing_mm
    # A setting equal to the limit passes in spite of a spacing that went through single precision in a header.
    if size_mm < least_mm * (1 - 1e-4):
        raise Undefined(TOO_FINE, filter=name, size_mm=size_mm, spacing_mm=spacing_mm, least_mm=least_mm)


def settings_of(one: Described, **fields: object) -> dict[str, object]:
    """The mapping of a filter: its name, then its settings in a stable order; None is left out."""
    return {"name": one.name} | {key: value for key, value in fields.items() if value is not None}


def filtered_axes(one: Described) -> tuple[int, ...]:
    """The axes (0 = z) that a filter works along."""
    return (1, 2) if one.by_slice else (0, 1, 2)


def box_reach(one: Described, reach: tuple[int, int, int]) -> Triple3:
    """The reach of a filter, which is none along z when it works by slice."""
    return (0, *reach[1:]) if one.by_slice else reach
