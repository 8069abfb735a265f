"""The settings of a pyradiomics file, in the IBSI's terms, and what is left of the differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bingcheng.core.wording import Text, text
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize
from bingcheng.quantify.radiomics.feature import Aggregation
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation, MaskMethod
from bingcheng.quantify.radiomics.pyradiomics_remark import Fit, Remark, malformed
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.standardisation import Standardisation

Given = Mapping[str, Any]

DEFAULT_WIDTH = 25.0
INTERPOLATORS: Mapping[str, ImageMethod] = MappingProxyType(
    {
        "sitkNearestNeighbor": ImageMethod.NEAREST,
        "sitkLinear": ImageMethod.LINEAR,
        "sitkBSpline": ImageMethod.CUBIC_SPLINE,
    }
)
BY_NUMBER = ("sitkNearestNeighbor", "sitkLinear", "sitkBSpline")
"""SimpleITK's numbers of the interpolators, from 1 on."""
OTHER_INTERPOLATORS = (
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
NO_MATTER: Mapping[str, Text] = MappingProxyType(
    {
        "preCrop": text("Has no influence on values: the image is always cropped as far as its filter allows."),
        "padDistance": text("Has no influence on values: as much of the image is kept as its filter looks at."),
        "additionalInfo": text("Has no influence on values: settings and versions always stand with the result."),
        "label_channel": text("Has no influence: masks with several channels are not read."),
        "enableCExtensions": text("Has no influence on values."),
        "verbose": text("Has no influence on values."),
    }
)
NOT_TAKEN: Mapping[str, Text] = MappingProxyType(
    {
        "geometryTolerance": text("A mask counts as on the image's grid if its corners agree within 0.1 mm."),
        "correctMask": text("A mask on another grid is refused, not resampled."),
        "minimumROIDimensions": text("Small lesions are measured; a feature without a value says why."),
        "minimumROISize": text("Small lesions are measured; a feature without a value says why."),
    }
)
AS_USUAL: Mapping[str, tuple[object, Text, Text]] = MappingProxyType(
    {
        "voxelArrayShift": (
            0,
            text("Intensities are not shifted."),
            text("Energy and root mean square are those of the intensities as they are, as in the IBSI."),
        ),
        "symmetricalGLCM": (
            True,
            text("The co-occurrence matrix is symmetrical."),
            text("The IBSI's co-occurrence matrix is always symmetrical."),
        ),
    }
)
"""Settings that can be taken over with one value only: that value, what is said of it, and of any other."""


@dataclass(slots=True)
class Chain:
    """What the settings became, as arguments of `RadiomicsSettings`; and what is to be said of them."""

    arguments: dict[str, Any] = field(default_factory=dict)
    standardisation: Standardisation | None = None
    label: int = 1
    by_slice: bool = False
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, given: Given, name: str, fit: Fit, says: Text) -> None:
        """Add a remark on a setting."""
        shown = "" if name not in given else str(given[name])
        self.remarks.append(Remark(name=f"setting.{name}", given=shown, fit=fit, says=says))


def chain_of(given: Given) -> Chain:
    """The settings, taken over as far as they go.

    Raises
    ------
    InputError
        ``quantify.pyradiomics-malformed``.
    """
    chain = Chain()
    for read in (_standardise, _interpolate, _resegment, _discretise, _by_slice, _weigh, _neighbours, _others):
        read(given, chain)
    known = {remark.name.removeprefix("setting.") for remark in chain.remarks} | set(FOR_IMAGES)
    for name in given:
        if name not in known:
            chain.remark(given, name, Fit.LEFT_OUT, text("No parameter of this name is documented by pyradiomics."))
    return chain


FOR_IMAGES = (
    "sigma",
    "wavelet",
    "level",
    "start_level",
    "gradientUseSpacing",
    "lbp2DRadius",
    "lbp2DSamples",
    "lbp2DMethod",
    "lbp3DLevels",
    "lbp3DIcosphereRadius",
    "lbp3DIcosphereSubdivision",
)
"""Settings that speak of the image types; see `pyradiomics_images`."""


def _standardise(given: Given, chain: Chain) -> None:
    if not given.get("normalize"):
        for name in ("normalize", "normalizeScale", "removeOutliers"):
            if name in given:
                chain.remark(given, name, Fit.SAME, text("The image is not normalised."))
        return
    outliers = given.get("removeOutliers")
    chain.standardisation = Standardisation(
        scale=_positive(given, "normalizeScale", 1.0),
        outlier_sd=None if outliers is None else _positive(given, "removeOutliers", 3.0),
    )
    chain.remark(
        given, "normalize", Fit.SAME, text("The whole image is standardised first; intensities lose their unit.")
    )
    for name in ("normalizeScale", "removeOutliers"):
        if name in given:
            chain.remark(given, name, Fit.SAME, text("Part of the standardisation."))


def _interpolate(given: Given, chain: Chain) -> None:
    spacing = given.get("resampledPixelSpacing")
    interpolator = given.get("interpolator", "sitkBSpline")
    steps: list[float | None] = [None] * 3 if spacing is None or interpolator is None else _steps(spacing)
    if steps == [None] * 3:
        for name in ("resampledPixelSpacing", "interpolator"):
            if name in given:
                chain.remark(given, name, Fit.SAME, text("Nothing is interpolated."))
        return
    x, y, z = steps
    name = _interpolator(interpolator)
    method = INTERPOLATORS.get(name, ImageMethod.CUBIC_SPLINE)
    chain.arguments["interpolation"] = Interpolation(
        spacing_mm=(z, y, x), image=method, mask=MaskMethod.NEAREST, rounding=False
    )
    chain.remark(
        given,
        "resampledPixelSpacing",
        Fit.DIFFERS,
        text(
            "The new grid is aligned by the centre of the image (IBSI 3WE3); pyradiomics aligns it by the corner of "
            "the first voxel. Voxels, and with them most values, differ slightly."
        ),
    )
    if name in INTERPOLATORS:
        said = text("{method}; the mask by nearest neighbour, as in pyradiomics.", method=text(method.value))
        chain.remark(given, "interpolator", Fit.SAME, said)
    else:
        said = text("{name} is no method of the IBSI; the cubic spline is used in its place.", name=name)
        chain.remark(given, "interpolator", Fit.DIFFERS, said)


def _steps(spacing: object) -> list[float | None]:
    """The spacings along (x, y, z); None where the image's own stays."""
    if not isinstance(spacing, list | tuple) or len(spacing) != 3 or not all(_finite(s) and s >= 0 for s in spacing):
        raise malformed("resampledPixelSpacing", spacing, "three numbers of at least 0 (x, y, z)")
    return [float(step) or None for step in spacing]


def _interpolator(given: object) -> str:
    every = (*BY_NUMBER, *OTHER_INTERPOLATORS)
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= len(every):
        return every[given - 1]
    if given not in every:
        raise malformed("interpolator", given, ", ".join(every))
    return str(given)


def _resegment(given: Given, chain: Chain) -> None:
    limits = given.get("resegmentRange")
    mode = given.get("resegmentMode", "absolute")
    if limits is None:
        for name in ("resegmentRange", "resegmentMode", "resegmentShape"):
            if name in given:
                chain.remark(given, name, Fit.SAME, text("Nothing is re-segmented."))
        return
    if not isinstance(limits, list | tuple) or len(limits) not in (1, 2) or not all(map(_finite, limits)):
        raise malformed("resegmentRange", limits, "one or two numbers")
    low, high = float(limits[0]), float(limits[1]) if len(limits) == 2 else None
    readers: Mapping[str, Callable[[], Iterator[tuple[Resegmentation | None, Fit, Text]]]] = {
        "absolute": lambda: _absolute(low, high),
        "sigma": lambda: _by_deviation(low, high),
        "relative": _relative,
    }
    if not isinstance(mode, str) or mode not in readers:
        raise malformed("resegmentMode", mode, ", ".join(readers))
    rules, fit, says = next(readers[mode]())
    if rules is not None:
        chain.arguments["resegmentation"] = rules
    chain.remark(given, "resegmentRange", fit, says)
    if "resegmentMode" in given:
        chain.remark(given, "resegmentMode", fit, text("See resegmentRange."))
    if given.get("resegmentShape"):
        said = text("In the IBSI the shape is that of the lesion as drawn; it is not re-segmented.")
        chain.remark(given, "resegmentShape", Fit.LEFT_OUT, said)
    elif "resegmentShape" in given:
        chain.remark(given, "resegmentShape", Fit.SAME, text("The shape is that of the lesion as drawn."))


def _absolute(low: float, high: float | None) -> Iterator[tuple[Resegmentation | None, Fit, Text]]:
    yield Resegmentation(low=low, high=high), Fit.SAME, text("A range of intensities (IBSI USB3).")


def _by_deviation(low: float, high: float | None) -> Iterator[tuple[Resegmentation | None, Fit, Text]]:
    if high is None or low != -high:
        yield None, Fit.LEFT_OUT, text("The IBSI removes outliers to both sides alike, as with [-3, 3].")
    else:
        yield Resegmentation(outlier_sd=high), Fit.SAME, text("Outliers are left out (IBSI 7ACA).")


def _relative() -> Iterator[tuple[Resegmentation | None, Fit, Text]]:
    yield (
        None,
        Fit.LEFT_OUT,
        text("A part of the lesion's maximum is no method of the IBSI: outline the lesion by that threshold instead."),
    )


def _discretise(given: Given, chain: Chain) -> None:
    count = given.get("binCount")
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise malformed("binCount", count, "a whole number above 0")
        chain.arguments["discretisation"] = FixedBinNumber(count=count)
        chain.remark(given, "binCount", Fit.SAME, text("A fixed bin number (IBSI K15C)."))
        if "binWidth" in given:
            chain.remark(given, "binWidth", Fit.SAME, text("Does not count beside binCount."))
        return
    chain.arguments["discretisation"] = FixedBinSize(width=_positive(given, "binWidth", DEFAULT_WIDTH))
    low = chain.arguments.get("resegmentation", Resegmentation()).low
    said = text(
        "A fixed bin size (IBSI Q3RU), {width} unless given. Bins begin at the lower end of re-segmentation, and "
        "without one at the lesion's lowest intensity; in pyradiomics their edges are multiples of the width, and "
        "level 1 is the lowest that occurs. Features that weigh grey levels differ.",
        width=DEFAULT_WIDTH,
    )
    if low is not None and math.isclose(math.remainder(low, _positive(given, "binWidth", DEFAULT_WIDTH)), 0.0):
        said = text(
            "A fixed bin size (IBSI Q3RU). The edges are those of pyradiomics; but level 1 begins at the lower end of "
            "re-segmentation, in pyradiomics at the lowest intensity. Features that weigh grey levels differ."
        )
    chain.remark(given, "binWidth", Fit.DIFFERS, said)


def _by_slice(given: Given, chain: Chain) -> None:
    asked, dimension = bool(given.get("force2D", False)), given.get("force2Ddimension", 0)
    if not asked:
        for name in ("force2D", "force2Ddimension"):
            if name in given:
                chain.remark(given, name, Fit.SAME, text("Neighbours are sought in all directions."))
        return
    if dimension not in (0, 1, 2):
        raise malformed("force2Ddimension", dimension, "0, 1, 2")
    chain.by_slice = True
    if dimension == 0:
        said = text("Neighbours are sought within the slices; the matrices of all slices are joined (2.5D).")
        chain.remark(given, "force2D", Fit.SAME, said)
        if "force2Ddimension" in given:
            chain.remark(given, "force2Ddimension", Fit.SAME, text("The slices of the image."))
    else:
        said = text("Slices are those of the image; reformat it to have others.")
        chain.remark(given, "force2D", Fit.DIFFERS, said)
        chain.remark(given, "force2Ddimension", Fit.LEFT_OUT, said)


def _weigh(given: Given, chain: Chain) -> None:
    """The aggregations: averaged over directions unless the file asks for merged matrices."""
    norm = given.get("weightingNorm")
    averaged, merged, plain = (
        (Aggregation.BY_DIRECTION_MERGED, Aggregation.BY_SLICE_FULLY_MERGED, Aggregation.OVER_SLICES_MERGED)
        if chain.by_slice
        else (Aggregation.IN_VOLUME_AVERAGED, Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME)
    )
    chain.arguments["aggregations"] = (averaged if norm is None else merged, plain)
    if "weightingNorm" not in given:
        return
    if norm is None:
        chain.remark(given, "weightingNorm", Fit.SAME, text("Values of the directions are averaged."))
    elif norm == "no_weighting":
        chain.remark(given, "weightingNorm", Fit.SAME, text("The matrices of all directions are merged."))
    else:
        said = text("The IBSI's reference values are without weights: the matrices of all directions are merged.")
        chain.remark(given, "weightingNorm", Fit.DIFFERS, said)


def _neighbours(given: Given, chain: Chain) -> None:
    distances = given.get("distances", [1])
    if not isinstance(distances, list | tuple) or not distances or not all(map(_whole, distances)):
        raise malformed("distances", distances, "whole numbers above 0")
    distance = int(distances[0])
    if len(distances) > 1 or distance != 1:
        chain.arguments |= {"distance": distance, "neighbourhood_distance": distance}
        said = text(
            "Taken is the distance {distance}. Pyradiomics pools all distances, and takes every direction at a "
            "distance; the IBSI takes 13 directions, and for grey tone differences all neighbours up to it.",
            distance=distance,
        )
        chain.remark(given, "distances", Fit.DIFFERS, said)
    elif "distances" in given:
        chain.remark(given, "distances", Fit.SAME, text("Next neighbours."))
    alpha = given.get("gldm_a", 0)
    if not _finite(alpha) or alpha < 0:
        raise malformed("gldm_a", alpha, "a number of at least 0")
    chain.arguments["coarseness"] = int(alpha)
    if "gldm_a" in given:
        # Differences of whole grey levels: up to 1.5 is up to 1.
        chain.remark(given, "gldm_a", Fit.SAME, text("Coarseness of the grey level dependence."))


def _others(given: Given, chain: Chain) -> None:
    if "label" in given:
        if not _whole(given["label"]):
            raise malformed("label", given["label"], "a whole number above 0")
        chain.label = int(given["label"])
        chain.remark(given, "label", Fit.SAME, text("This value of the mask is measured; --label changes it."))
    for name, (usual, same, left_out) in AS_USUAL.items():
        if name in given:
            as_usual = given[name] == usual
            chain.remark(given, name, Fit.SAME if as_usual else Fit.LEFT_OUT, same if as_usual else left_out)
    for fit, table in ((Fit.SAME, NO_MATTER), (Fit.LEFT_OUT, NOT_TAKEN)):
        for name, says in table.items():
            if name in given:
                chain.remark(given, name, fit, says)


def _positive(given: Given, name: str, otherwise: float) -> float:
    value = given.get(name)
    if value is None:
        return otherwise
    if not _finite(value) or value <= 0:
        raise malformed(name, value, "a number above 0")
    return float(value)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
