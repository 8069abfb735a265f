"""Lesions drawn from a person's marks, corrected as the person says, and measured, each told with what to look at."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import ndimage

from bingcheng.core.catalogue import ATTRIBUTE
from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.core.measure import Measure
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.engine.segmenting.images import OpenedImage
from bingcheng.engine.segmenting.methods import NOT_ITS_KIND
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.language import several
from bingcheng.quantify.intensity.hounsfield import hu_mean, hu_sd, lesion_values
from bingcheng.quantify.lesion.edit_history import EditHistory
from bingcheng.quantify.lesion.method import SUV_UNITS, SegmentationMethod, recorded
from bingcheng.quantify.lesion.prompt import Click, Prompt, RecistLine
from bingcheng.quantify.lesion.segment import segment
from bingcheng.quantify.size import dimensions
from bingcheng.quantify.size.diameter import longest_axis
from bingcheng.quantify.uptake.lesion_uptake import suv_max, suv_mean, suv_peak

WHICH_REGION = Problem(
    code="engine.segmentation-which-region",
    says="the mask holds several regions: {known}",
    remedy="Name the one to correct with --region.",
    owner=Owner.RADIOLOGIST,
)
UNKNOWN = "unknown"
"""How a region was drawn whose file does not say it."""
BLURRED_MM: Mapping[str, float] = MappingProxyType({"PT": 15.0, "CT": 5.0})
"""Below this diameter the image's own blur decides the volume (docs/segmentation.md), by modality."""
FEW_VOXELS = 30
"""Of so few voxels nearly all lie on the border."""
LINE_OFF = 0.2
"""How far, as a part of it, the longest diameter may differ from the line that was drawn before it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One number of a lesion with its UCUM unit, or why there is none."""

    key: str
    label: Text | str
    unit: str
    value: float | Undefined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """A lesion as drawn and corrected.

    Parameters
    ----------
    region : on the image's grid; its method says how it was drawn and corrected.
    values : size and intensity.
    checks : what to look at, sentence by sentence.
    method : that drew it; None for a region that came with a mask.
    parameters : of the method.
    prompt : from which it was drawn.
    corrections : each with its parameters, as JSON values.
    instead : why a method that would come first was passed over.
    untouched : whether it came with the mask and was left as it was.
    """

    region: Region
    values: tuple[Value, ...]
    checks: tuple[Text, ...] = ()
    method: SegmentationMethod | None = None
    parameters: Mapping[str, object] = dataclasses.field(default_factory=dict)
    prompt: Prompt | None = None
    corrections: tuple[Mapping[str, object], ...] = ()
    instead: Text | None = None
    untouched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A function of `bingcheng.quantify.lesion.edit` with its parameters."""

    function: Callable[..., Region]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What was drawn, and what could not be."""

    outlines: tuple[Outline, ...]
    refusals: tuple[Refusal, ...] = ()


def drawn(
    image: OpenedImage,
    prompts: Sequence[tuple[str, Prompt]],
    methods: Sequence[SegmentationMethod],
    settings: object | None,
    corrections: Sequence[Correction] = (),
) -> Drawn:
    """A lesion for each mark; one that can't be drawn does not stop the others.

    Parameters
    ----------
    prompts : each with the label of its lesion.
    methods : the one that draws; behind it those to try where it says that the place is not of its kind.
    settings : of the first method; None for its usual ones.
    corrections : made on every lesion.
    """
    outlines, refusals = [], []
    for label, prompt in prompts:
        try:
            outlines.append(_drawn(image, image.label(label), prompt, methods, settings, corrections))
        except (InputError, Undefined) as error:
            refusals.append(Refusal.of(error, kind=SubjectKind.REGION, subject=image.label(label)))
    return Drawn(outlines=tuple(_against_others(one, outlines) for one in outlines), refusals=tuple(refusals))


def _against_others(one: Outline, outlines: Sequence[Outline]) -> Outline:
    """The outline, with what to look at where others share voxels with it: two marks may have found one lesion."""
    told = [
        text("The outline shares voxels with that of '{other}'.", other=other.region.label)
        for other in outlines
        if other is not one and _overlap(one.region, other.region)
    ]
    return dataclasses.replace(one, checks=(*one.checks, *told)) if told else one


def _overlap(one: Region, other: Region) -> bool:
    box = one.box()
    both = tuple(
        slice(max(a.start, b.start), max(a.start, b.start, min(a.stop, b.stop)))
        for a, b in zip(box, other.box(), strict=True)
    )
    parts = [
        region.inside[tuple(slice(s.start - at, s.stop - at) for s, at in zip(both, region.start, strict=True))]
        for region in (one, other)
    ]
    return bool((parts[0] & parts[1]).any())


def corrected(
    image: OpenedImage, regions: Sequence[Region], which: str | None, corrections: Sequence[Correction]
) -> tuple[Outline, ...]:
    """The regions of a mask, corrected.

    Parameters
    ----------
    regions : of the mask.
    which : number or name of the one to take, the others are left out; None takes all, and there must be one alone to
        be corrected.

    Raises
    ------
    InputError
        ``engine.segmentation-which-region``, ``engine.radiomics-no-such-label``, and what corrections raise.
    Undefined
        what corrections raise.
    """
    from bingcheng.engine.radiomics.inputs import chosen  # noqa: PLC0415 - not for those who draw

    numbered = _numbered(regions)
    if which is None and len(regions) > 1 and corrections:
        known = ", ".join(f"{number} ({region.label})" for number, region in numbered)
        raise InputError(WHICH_REGION, known=known)
    return tuple(_kept(image, region, corrections) for region in chosen(numbered, which))


def _numbered(regions: Sequence[Region]) -> list[tuple[str, Region]]:
    """Each region with the number that its name ends in, as label maps have it; else with its place in the mask."""
    ends = [region.label.rpartition(" ")[2] for region in regions]
    if len(set(ends)) < len(ends) or not all(end.isdecimal() for end in ends):
        ends = [str(number) for number in range(1, len(regions) + 1)]
    return list(zip(ends, regions, strict=True))


def _kept(image: OpenedImage, region: Region, corrections: Sequence[Correction]) -> Outline:
    method = region.method.strip() or UNKNOWN
    history = _history(dataclasses.replace(region, method=method), corrections)
    return _outline(image, history, untouched=not corrections)


def _drawn(
    image: OpenedImage,
    label: str,
    prompt: Prompt,
    methods: Sequence[SegmentationMethod],
    settings: object | None,
    corrections: Sequence[Correction],
) -> Outline:
    first, *others = methods
    instead: Text | None = None
    try:
        region, method = segment(image.volume, prompt, first, settings, label=label), first
    except Undefined as error:
        if error.code not in NOT_ITS_KIND or not others or settings is not None:
            raise
        method = others[0]
        region = segment(image.volume, prompt, method, label=label)
        instead = text("Not '{key}', which comes first: {reason}.", key=first.key, reason=error.reason)
        settings = None
    chosen = settings or method.usual or method.settings()
    return _outline(
        image,
        _history(region, corrections),
        method=method,
        parameters=recorded(chosen),
        prompt=prompt,
        instead=instead,
    )


def _history(region: Region, corrections: Iterable[Correction]) -> EditHistory:
    history = EditHistory(drawn=region)
    for one in corrections:
        history = history.edited(one.function, **one.parameters)
    return history


def _outline(image: OpenedImage, history: EditHistory, **told: Any) -> Outline:
    region = history.region
    method, prompt = told.get("method"), told.get("prompt")
    checks = tuple(_checks(image, region, method, prompt))
    steps = tuple(history.recorded())
    return Outline(region=region, values=tuple(_values(image, region)), checks=checks, corrections=steps, **told)


def _values(image: OpenedImage, region: Region) -> Iterator[Value]:
    yield _measured(dimensions.volume, region)
    if region.mask.dtype != bool:
        whole = dataclasses.replace(region, mask=region.inside)
        counted = _measured(dimensions.volume, whole)
        yield dataclasses.replace(counted, key="volume_of_whole_voxels", label=text("Volume of whole voxels"))
    try:
        axis = longest_axis(region)
    except Undefined as error:
        yield dataclasses.replace(_described(dimensions.longest_diameter), value=error)
    else:
        yield _measured(dimensions.longest_diameter, region, axis)
        yield _measured(dimensions.short_axis, region, axis)
    yield from _intensities(image.volume, region, image.modality)


def _intensities(volume: Volume, region: Region, modality: str) -> Iterator[Value]:
    if modality == "PT" and volume.unit in SUV_UNITS:
        for function in (suv_max, suv_peak, suv_mean):
            yield _measured(function, volume, region)
    elif modality == "CT" and volume.unit == "[hnsf'U]":
        for function in (hu_mean, hu_sd):
            yield _measured(function, volume, region)
    else:
        mean: float | Undefined
        highest: float | Undefined
        try:
            found = lesion_values(volume, region)
        except Undefined as error:
            mean = highest = error
        else:
            mean, highest = float(found.mean(dtype=np.float64)), float(found.max())
        yield Value(key="mean", label=text("Mean value"), unit=volume.unit, value=mean)
        yield Value(key="maximum", label=text("Highest value"), unit=volume.unit, value=highest)


def _described(function: Callable[..., Any]) -> Value:
    measure: Measure = getattr(function, ATTRIBUTE)
    return Value(key=measure.key, label=measure.label, unit=measure.unit, value=math.nan)


def _measured(function: Callable[..., Any], *given: object) -> Value:
    """What a measure of the catalogue gives; without uncertainty, which takes an exam."""
    try:
        value: float | Undefined = float(function(*given))
    except Undefined as error:
        value = error
    return dataclasses.replace(_described(function), value=value)


def _checks(
    image: OpenedImage, region: Region, method: SegmentationMethod | None, prompt: Prompt | None
) -> Iterator[Text]:
    if method is not None:
        yield text("Where this method goes wrong: {fails}", fails=method.fails)
    if any(dimensions.reaches_edge(region)):
        yield text("The outline reaches the edge of the image, behind which more of the lesion may lie.")
    count = int(np.count_nonzero(region.inside))
    if count < FEW_VOXELS:
        yield several(
            "Only {count} voxel: the volume is hardly known.",
            "Only {count} voxels: nearly all of them lie on the border, so that the volume is uncertain.",
            count,
        )
    parts = int(ndimage.label(region.inside, structure=np.ones((3, 3, 3)))[1])
    if parts > 1:
        yield text("The outline has {count} parts that do not touch.", count=parts)
    yield from _against_prompt(region, prompt)
    yield from _small(image.modality, region)


def _against_prompt(region: Region, prompt: Prompt | None) -> Iterator[Text]:
    if region.empty:
        return
    if isinstance(prompt, Click):
        away = _distance_mm(region, prompt)
        if away > 0.0:
            yield text("The place that was clicked lies {distance} mm outside of the outline.", distance=round(away, 1))
    if isinstance(prompt, RecistLine):
        found = longest_axis(region).long_axis.length_mm
        if abs(found - prompt.length_mm) > LINE_OFF * prompt.length_mm:
            yield text(
                "The outline is {found} mm long, the line that was drawn {line} mm.",
                found=round(found, 1),
                line=round(prompt.length_mm, 1),
            )


def _distance_mm(region: Region, click: Click) -> float:
    """From a click to the nearest voxel of the region; 0 within it."""
    index = np.rint(region.grid.to_index(click.position_mm)).astype(int)
    local = index - np.asarray(region.start)
    if np.all(local >= 0) and np.all(local < region.mask.shape) and region.inside[tuple(local)]:
        return 0.0
    places = region.grid.to_mm(np.argwhere(region.inside) + np.asarray(region.start))
    return float(np.min(np.linalg.norm(places - np.asarray(click.position_mm), axis=1), initial=np.inf))


def _small(modality: str, region: Region) -> Iterator[Text]:
    if region.empty or modality not in BLURRED_MM:
        return
    if longest_axis(region).long_axis.length_mm < BLURRED_MM[modality]:
        yield text(
            "So small a lesion is blurred by the image itself: its volume depends on the method more than on it."
        )
