"""The image types of a pyradiomics file: the image itself, and those that filters of the IBSI can make."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text, text
from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.radiomics.image_type import ORIGINAL
from bingcheng.quantify.radiomics.interpolation import Interpolation
from bingcheng.quantify.radiomics.pyradiomics_remark import Fit, Remark, malformed

Given = Mapping[str, Any]

NO_SUCH_IMAGE: Mapping[str, Text] = MappingProxyType(
    {
        "Square": text("Squared intensities are no image of the IBSI."),
        "SquareRoot": text("Roots of intensities are no image of the IBSI."),
        "Logarithm": text("Logarithms of intensities are no image of the IBSI."),
        "Exponential": text("Exponentials of intensities are no image of the IBSI."),
        "Gradient": text("The magnitude of the gradient is no image of the IBSI."),
        "LBP2D": text("Local binary patterns are no image of the IBSI."),
        "LBP3D": text("Local binary patterns are no image of the IBSI."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One image: its name in pyradiomics' results, the filter that makes it, the settings that are its own.

    `width_factor` is by what a bin's width has to be multiplied, since the response is scaled otherwise.
    """

    name: str
    filter: Filter | None
    own: Given
    width_factor: float = 1.0


def derived_images(
    asked: Given, settings: Given, interpolation: Interpolation | None, *, by_slice: bool
) -> Iterator[Derived | Remark]:
    """Every image of the file that can be made, and a remark on each image type.

    Parameters
    ----------
    asked : the part ``imageType`` of the file.
    settings : its part ``setting``, for filters whose settings stand there.
    interpolation : what the voxels become.
    by_slice : whether texture is by slice, as pyradiomics' wavelets then are too.

    Raises
    ------
    InputError
        ``quantify.pyradiomics-malformed``.
    """
    for name, own in asked.items():
        if own is not None and not isinstance(own, Mapping):
            raise malformed(f"imageType.{name}", own, "a group of settings, or nothing")
        given = {**settings, **(own or {})}
        if name == "Original":
            yield Derived(name=ORIGINAL, filter=None, own=own or {})
            yield _remark(name, own, Fit.SAME, text("The image without a filter."))
        elif name == "LoG":
            yield from _laplacians(own, given, interpolation)
        elif name == "Wavelet":
            yield from _wavelets(own, given, by_slice=by_slice)
        else:
            unknown = text("No image type of this name is documented by pyradiomics.")
            yield _remark(name, own, Fit.LEFT_OUT, NO_SUCH_IMAGE.get(name, unknown))


def _laplacians(own: Given | None, given: Given, interpolation: Interpolation | None) -> Iterator[Derived | Remark]:
    from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian  # noqa: PLC0415 - most files have no filter

    sigmas = given.get("sigma") or []
    if not isinstance(sigmas, list | tuple) or not all(isinstance(s, int | float) and s > 0 for s in sigmas):
        raise malformed("sigma", sigmas, "numbers above 0")
    if not sigmas:
        yield _remark("LoG", own, Fit.LEFT_OUT, text("Without sigma pyradiomics makes no image either."))
        return
    unit_mm = _unit_mm(interpolation)
    if unit_mm is None and given.get("binCount") is None:
        said = text(
            "Pyradiomics multiplies the response by the square of sigma in voxels. For the same bins the voxels have "
            "to be known: give resampledPixelSpacing in all directions, or binCount."
        )
        yield _remark("LoG", own, Fit.LEFT_OUT, said)
        return
    for sigma in sigmas:
        name = f"log-sigma-{str(float(sigma)).replace('.', '-')}-mm-3D"
        factor = 1.0 if unit_mm is None else (unit_mm / float(sigma)) ** 2
        laplacian = LaplacianOfGaussian(sigma_mm=float(sigma))
        yield Derived(name=name, filter=laplacian, own=own or {}, width_factor=factor)
    said = text(
        "The response is that of the IBSI (L6PA), cut off at 4 sigma. Pyradiomics' is larger by the square of sigma in "
        "voxels and made by a recursive filter; bins are made smaller by that factor, so that texture is comparable, "
        "but statistics of intensities are not."
    )
    yield _remark("LoG", own, Fit.DIFFERS, said)


def _unit_mm(interpolation: Interpolation | None) -> float | None:
    """The side of a voxel, as the geometric mean of its three; None if it is not known before the image is read."""
    if interpolation is None:
        return None
    sides = [side for side in interpolation.spacing_mm if side is not None]
    return math.prod(sides) ** (1.0 / 3.0) if len(sides) == 3 else None


def _wavelets(own: Given | None, given: Given, *, by_slice: bool) -> Iterator[Derived | Remark]:
    from bingcheng.quantify.filters.boundary import Beyond, Boundary  # noqa: PLC0415 - most files have no filter
    from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet  # noqa: PLC0415
    from bingcheng.quantify.filters.wavelet import FAMILIES  # noqa: PLC0415

    wavelet, levels, first = given.get("wavelet", "coif1"), given.get("level", 1), given.get("start_level", 0)
    if (
        not all(isinstance(one, int) and not isinstance(one, bool) for one in (levels, first))
        or levels < 1
        or first < 0
    ):
        raise malformed("level", (first, levels), "whole numbers")
    axes = 2 if by_slice else 3
    low = "L" * axes
    try:
        for number in range(1, levels + 1):
            names = ["".join(letters) for letters in itertools.product("LH", repeat=axes)]
            for bands in names[1:] + (names[:1] if number == levels else []):
                made = SeparableWavelet(
                    wavelet=str(wavelet),
                    bands=bands,
                    level=first + number,
                    boundary=Boundary(beyond=Beyond.PERIODIC),
                )
                prefix = "wavelet" if number == 1 and (bands != low or levels == 1) else f"wavelet{number}"
                yield Derived(name=f"{prefix}-{bands}", filter=made, own=own or {})
    except BingchengError:
        said = text(
            "The wavelet {wavelet} is not among those that can be computed here: {known}.",
            wavelet=wavelet,
            known=FAMILIES,
        )
        yield _remark("Wavelet", own, Fit.LEFT_OUT, said)
        return
    said = text(
        "Undecimated wavelets (IBSI 25BO), with the image repeated beyond its edge, as in pyradiomics; responses may "
        "lie a voxel apart."
    )
    if first + levels > 1:
        said = text(
            "Undecimated wavelets (IBSI 25BO). From the second level on the IBSI spreads the kernel; pyradiomics "
            "applies the same kernel again, so that those images differ."
        )
    yield _remark("Wavelet", own, Fit.DIFFERS, said)


def _remark(name: str, own: object, fit: Fit, says: Text) -> Remark:
    return Remark(name=f"imageType.{name}", given=str(own) if own else "", fit=fit, says=says)
