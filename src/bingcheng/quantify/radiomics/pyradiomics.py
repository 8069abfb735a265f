"""Parameter files of pyradiomics as settings in the IBSI's terms, with a word on each parameter.

What pyradiomics' parameters mean is taken from its documentation ("Customizing the Extraction" and "Frequently Asked
Questions", pyradiomics.readthedocs.io). Several of its choices differ from the IBSI's and can't be set to agree; each
is told, so that nobody takes values of the two programs for the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import text
from bingcheng.quantify.radiomics.discretisation import FixedBinSize, NoDiscretisation
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.image_type import ImageType
from bingcheng.quantify.radiomics.pyradiomics_chain import Chain, chain_of
from bingcheng.quantify.radiomics.pyradiomics_features import BY_NAME_ONLY, DIFFERENT, ELSEWHERE, FAMILIES, TAGS
from bingcheng.quantify.radiomics.pyradiomics_images import Derived, derived_images
from bingcheng.quantify.radiomics.pyradiomics_remark import Fit, Remark, malformed
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

NOTHING_MAPPED = Problem(
    code="quantify.pyradiomics-nothing-mapped",
    says="nothing that this pyradiomics file asks for can be computed here",
    remedy="Ask for an image type and a feature class that the IBSI knows, such as Original and firstorder.",
    owner=Owner.PHYSICIST,
)

PARTS = ("imageType", "featureClass", "setting", "voxelSetting")
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What a parameter file became.

    Parameters
    ----------
    image_types : what to extract, one entry an image.
    label : the value of the mask that is the lesion.
    remarks : on each parameter, in the file's order of parts.
    """

    image_types: tuple[ImageType, ...]
    label: int
    remarks: tuple[Remark, ...]


def is_parameter_file(given: Mapping[str, object]) -> bool:
    """Whether a mapping is a parameter file of pyradiomics, by the names of its parts."""
    return bool(given) and all(name in PARTS for name in given)


def mapped(given: Given) -> Mapped:
    """A parameter file, taken over as far as it goes.

    Parameters
    ----------
    given : its content: ``imageType``, ``featureClass`` and ``setting``, each of which may be absent.

    Raises
    ------
    InputError
        ``quantify.pyradiomics-malformed``, ``quantify.pyradiomics-nothing-mapped``.
    """
    parts: dict[str, dict[str, Any]] = {name: _part(given, name) for name in PARTS}
    chain = chain_of(parts["setting"])
    remarks: list[Remark] = []
    images = []
    interpolation = chain.arguments.get("interpolation")
    types = parts["imageType"] or {"Original": {}}
    for one in derived_images(types, parts["setting"], interpolation, by_slice=chain.by_slice):
        if not isinstance(one, Remark):
            images.append(one)
        elif parts["imageType"]:  # nothing is said of what the file doesn't say
            remarks.append(one)
    families, tags = _asked(parts["featureClass"], remarks)
    remarks += chain.remarks
    if parts["voxelSetting"]:
        said = text("Maps of features are made with --map, not by a parameter file.")
        remarks.append(Remark(name="voxelSetting", given=str(parts["voxelSetting"]), fit=Fit.LEFT_OUT, says=said))
    found = tuple(_image_types(images, chain, parts["setting"], families, tags))
    if not found:
        raise InputError(NOTHING_MAPPED)
    return Mapped(image_types=found, label=chain.label, remarks=tuple(remarks))


def _image_types(
    images: list[Derived], chain: Chain, settings: Given, families: tuple[Family, ...], tags: frozenset[str]
) -> Iterator[ImageType]:
    for image in images:
        own = chain if not image.own else chain_of({**settings, **image.own})
        arguments = own.arguments | {"interpolation": chain.arguments.get("interpolation")}
        bins = arguments["discretisation"]
        if isinstance(bins, FixedBinSize):
            arguments["discretisation"] = replace(bins, width=bins.width * image.width_factor)
        # The shape is that of the lesion, whatever image is made of it.
        kept = tuple(one for one in families if image.filter is None or one is not Family.MORPHOLOGY)
        if kept:
            yield ImageType(
                name=image.name,
                settings=RadiomicsSettings(
                    **arguments, volume_histogram=NoDiscretisation(), filter=image.filter, families=kept
                ),
                features=tags,
                standardisation=chain.standardisation,
            )


def _part(given: Given, name: str) -> dict[str, Any]:
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise malformed(name, value, "a group of parameters")
    return {str(key): one for key, one in value.items()}


def _asked(classes: Given, remarks: list[Remark]) -> tuple[tuple[Family, ...], frozenset[str]]:
    """The families to compute, and the features of them that the file asks for."""
    families: set[Family] = set()
    tags: set[str] = set()
    for name, chosen in (classes or dict.fromkeys(FAMILIES)).items():
        if name not in FAMILIES:
            said = text("The IBSI has no such family: the shape is three-dimensional.")
            unknown = text("No feature class of this name is documented by pyradiomics.")
            remarks.append(_remark(name, chosen, Fit.LEFT_OUT, said if name == "shape2D" else unknown))
            continue
        if chosen is not None and not isinstance(chosen, list | tuple):
            raise malformed(f"featureClass.{name}", chosen, "a list of features, or nothing")
        found = {str(one): TAGS[name].get(str(one)) for one in chosen or _usual(name)}
        families |= {one for one in FAMILIES[name] if any(found.values())}
        tags |= {tag for tag in found.values() if tag is not None}
        if classes:
            remarks.append(_remark(name, chosen, Fit.SAME, text("Features by their tags in the IBSI's tables.")))
        remarks += _on_features(name, found)
    return tuple(one for one in Family if one in families), frozenset(tags)


def _usual(name: str) -> list[str]:
    """The features of a class that pyradiomics computes without being asked by name."""
    elsewhere = [feature for group, feature in ELSEWHERE if group == name]
    return [one for one in (*TAGS[name], *elsewhere) if one not in BY_NAME_ONLY.get(name, ())]


def _on_features(name: str, found: Mapping[str, str | None]) -> Iterator[Remark]:
    for feature, tag in found.items():
        label = f"{name}.{feature}"
        if tag is None:
            unknown = text("No feature of this name is documented by pyradiomics.")
            yield _remark(label, None, Fit.LEFT_OUT, ELSEWHERE.get((name, feature), unknown))
        elif (name, feature) in DIFFERENT:
            yield _remark(label, None, Fit.DIFFERS, DIFFERENT[name, feature])


def _remark(name: str, given: object, fit: Fit, says: Any) -> Remark:
    return Remark(name=f"featureClass.{name}", given=str(given) if given else "", fit=fit, says=says)
