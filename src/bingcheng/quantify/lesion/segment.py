"""Drawing a lesion by a click, a box or a line with any method of the catalogue, which the region then names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

import numpy as np

from bingcheng.core.catalogue import Catalogue
from bingcheng.core.errors import CatalogueError, InputError, Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import LIMITS, SegmentationMethod, written_method
from bingcheng.quantify.lesion.prompt import Prompt, PromptKind, checked

UNKNOWN_METHOD = Problem(
    code="quantify.unknown-segmentation-method",
    says="'{key}' is no segmentation method of this installation",
    remedy="Choose one of {known}.",
    owner=Owner.OPERATOR,
)
UNFIT_PROMPT = Problem(
    code="quantify.unfit-prompt",
    says="'{key}' can't start from: {given}",
    remedy="Mark the lesion by: {wanted}.",
    owner=Owner.RADIOLOGIST,
)
UNFIT_UNIT = Problem(
    code="quantify.unfit-image-unit",
    says="'{key}' needs an image in {wanted}, and this one is in {unit}",
    remedy="Convert the image to uptake values first, or choose a method without a fixed threshold.",
    owner=Owner.RADIOLOGIST,
)
SETTINGS_NEEDED = Problem(
    code="quantify.segmentation-settings-needed",
    says="'{key}' has no usual values for: {names}",
    remedy="Give these parameters of the method.",
    owner=Owner.RADIOLOGIST,
)
WRONG_SETTINGS = Problem(
    code="quantify.wrong-segmentation-settings",
    says="'{key}' can't be run with settings of the kind {given}",
    remedy="Give settings of the kind {wanted}.",
    owner=Owner.DEVELOPER,
)
UNFIT_SETTING = Problem(
    code="quantify.segmentation-setting-out-of-range",
    says="'{key}' can't be run with {name} = {given}: it must lie between {low} and {high}",
    remedy="Give a value in this range.",
    owner=Owner.RADIOLOGIST,
)
NOTHING_FOUND = Problem(
    code="quantify.segmentation-empty",
    says="'{key}' found no voxel of a lesion at this place",
    remedy="Mark the lesion nearer to its middle, or choose another method.",
    owner=Owner.RADIOLOGIST,
)

POINTING: Mapping[PromptKind, Text] = MappingProxyType(
    {
        PromptKind.CLICK: text("a click in it"),
        PromptKind.BOX: text("a box around it"),
        PromptKind.RECIST_LINE: text("its longest diameter as a line"),
    }
)
PACKAGE = "bingcheng.quantify.lesion"
PLUGINS = "bingcheng.segmenters"
"""Entry point group by which an installed package offers its own methods."""


@cache
def installed_methods() -> Catalogue[SegmentationMethod]:
    """All segmentation methods of this installation.

    Raises
    ------
    CatalogueError
        ``core.duplicate-key``, ``core.broken-plugin``.
    """
    return Catalogue.of(SegmentationMethod, PACKAGE, entry_point_group=PLUGINS)


def methods_for(
    modality: str, catalogue: Catalogue[SegmentationMethod] | None = None
) -> tuple[SegmentationMethod, ...]:
    """The methods meant for a modality, the recommended one first, then in the order in which people read them."""
    known = installed_methods() if catalogue is None else catalogue
    fit = (one for one in known if modality in one.modalities)
    return tuple(sorted(fit, key=lambda one: (not one.recommended, one.order, one.key)))


def segment(
    volume: Volume,
    prompt: Prompt,
    method: str | SegmentationMethod,
    settings: object | None = None,
    *,
    label: str = "lesion",
    tracking_uid: str | None = None,
) -> Region:
    """The lesion that a method draws from a prompt, on the volume's grid; `Region.method` says how it was drawn.

    Parameters
    ----------
    volume : the image, in its real unit.
    prompt : of a kind that the method takes.
    method : a key of the catalogue, or a description (as plug-ins make them).
    settings : the method's settings; its usual ones if None.
    label, tracking_uid : of the region.

    Raises
    ------
    CatalogueError
        ``quantify.unknown-segmentation-method``, ``quantify.wrong-segmentation-settings``.
    InputError
        ``quantify.unfit-prompt``, ``quantify.unfit-image-unit``, ``quantify.segmentation-settings-needed``,
        ``quantify.segmentation-setting-out-of-range``, ``quantify.prompt-outside-image``,
        ``quantify.prompt-without-extent``.
    Undefined
        ``quantify.segmentation-empty``, and what the method raises, such as ``quantify.segmentation-leaks``.
    """
    described = _known(method) if isinstance(method, str) else method
    chosen = _settings(described, settings)
    if prompt.kind not in described.prompts:
        pointing = _any_of(sorted(described.prompts))
        raise InputError(UNFIT_PROMPT, key=described.key, given=POINTING[prompt.kind], wanted=pointing)
    if described.units and volume.unit not in described.units:
        wanted = ", ".join(sorted(described.units))
        raise InputError(UNFIT_UNIT, key=described.key, wanted=wanted, unit=volume.unit)
    checked(prompt, volume.geometry)
    found = described.function(volume, prompt, chosen)
    if found.empty and not np.any(found.mask):
        raise Undefined(NOTHING_FOUND, key=described.key)
    written = written_method(described, chosen)
    return dataclasses.replace(found, label=label, tracking_uid=tracking_uid, method=written)


def _any_of(kinds: Sequence[PromptKind]) -> Text:
    first = POINTING[kinds[0]]
    return first if len(kinds) == 1 else text("{first} or {others}", first=first, others=_any_of(kinds[1:]))


def _known(key: str) -> SegmentationMethod:
    methods = installed_methods()
    if key not in methods:
        raise CatalogueError(UNKNOWN_METHOD, key=key, known=", ".join(methods.keys()))
    return methods[key]


def _must_be_in_range(method: SegmentationMethod, given: object) -> None:
    """Every number within its limits; numbers without limits must at least be finite."""
    for one in dataclasses.fields(method.settings):
        value = getattr(given, one.name)
        low, high = one.metadata.get(LIMITS, (-math.inf, math.inf))
        if isinstance(value, int | float) and not (low <= value <= high and -math.inf < value < math.inf):
            raise InputError(UNFIT_SETTING, key=method.key, name=one.name, given=str(value), low=low, high=high)


def _settings(method: SegmentationMethod, given: object | None) -> object:
    if given is not None:
        if not isinstance(given, method.settings):
            raise CatalogueError(
                WRONG_SETTINGS, key=method.key, given=type(given).__name__, wanted=method.settings.__name__
            )
        _must_be_in_range(method, given)
        return given
    if method.usual is not None:
        return method.usual
    needed = [
        one.name
        for one in dataclasses.fields(method.settings)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    ]
    if needed:
        raise InputError(SETTINGS_NEEDED, key=method.key, names=", ".join(needed))
    made: object = method.settings()
    return made
