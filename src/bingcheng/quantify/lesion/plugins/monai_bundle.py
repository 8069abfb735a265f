"""MONAI bundles: their metadata and preprocessing read, and the ONNX file run that they were exported to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import text
from bingcheng.quantify.lesion.method import SegmentationMethod
from bingcheng.quantify.lesion.plugins.manifest import Manifest, as_manifest, sha256_of, text_of
from bingcheng.quantify.lesion.plugins.onnx import network_method

NO_BUNDLE = Problem(
    code="quantify.bundle-unreadable",
    says="the folder is no MONAI bundle: '{file}' is missing or can't be read",
    remedy="Give the folder that holds configs/metadata.json and configs/inference.json (or inference.yaml).",
    owner=Owner.OPERATOR,
)
NO_ONNX_IN_BUNDLE = Problem(
    code="quantify.bundle-without-onnx",
    says="the MONAI bundle holds no ONNX file, and Bingcheng runs no other kind of model",
    remedy="Export it once with MONAI (python -m monai.bundle onnx_export), put the file into the bundle's models "
    "folder, and install 'bingcheng[onnx]'.",
    owner=Owner.OPERATOR,
)
UNKNOWN_STEP = Problem(
    code="quantify.bundle-unknown-step",
    says="the MONAI bundle prepares images by '{step}', which Bingcheng does not know",
    remedy="Write a manifest for the ONNX file instead, if the step can be said in its terms.",
    owner=Owner.OPERATOR,
)
UNSAID = Problem(
    code="quantify.bundle-unsaid",
    says="the MONAI bundle does not say its {what}",
    remedy="Write a manifest for the ONNX file instead.",
    owner=Owner.OPERATOR,
)
SEVERAL_IMAGES = Problem(
    code="quantify.bundle-several-images",
    says="the MONAI bundle wants several images of one patient at once, and Bingcheng gives a network one",
    remedy="Use a bundle that takes a single image.",
    owner=Owner.OPERATOR,
)

TUMOUR = re.compile(r"tumou?r|lesion|nodule|cancer|carcinoma|metasta|neoplasm|malignan", re.IGNORECASE)
"""What makers call a channel that is a lesion, beside those of organs."""
MODALITIES = {"CT": "CT", "MR": "MR", "MRI": "MR", "PT": "PT", "PET": "PT"}
NOTHING_TO_DO = frozenset(
    {
        "LoadImage",
        "EnsureChannelFirst",
        "AddChannel",
        "EnsureType",
        "ToTensor",
        "CastToType",
        "Identity",
        "CropForeground",  # spares patches of air; those around the prompt are the same
    }
)
INFERENCE = ("configs/inference.json", "configs/inference.yaml", "configs/inference.yml")


def bundle_method(folder: Path, *, key: str | None = None) -> SegmentationMethod:
    """The segmentation method of a MONAI bundle with an ONNX file in its ``models`` folder.

    Parameters
    ----------
    key : of the method in the catalogue; from the folder's name if None.

    Raises
    ------
    InputError
        ``quantify.bundle-unreadable``, ``quantify.bundle-without-onnx``, ``quantify.bundle-unknown-step``,
        ``quantify.bundle-unsaid``, ``quantify.bundle-several-images``, ``quantify.plugin-manifest-invalid``.
    """
    models = sorted((folder / "models").glob("*.onnx"))
    if not models:
        # After the metadata, so that a folder that is no bundle at all is told as such.
        _json(folder, "configs/metadata.json")
        raise InputError(NO_ONNX_IN_BUNDLE)
    return network_method(bundle_manifest(folder, models[0], key=key), models[0])


def bundle_manifest(folder: Path, model: Path, *, key: str | None = None) -> Manifest:
    """What a MONAI bundle's metadata and inference configuration say, in a manifest's terms."""
    try:
        return _manifest(folder, model, key)
    except (AttributeError, TypeError, ValueError, KeyError, StopIteration) as error:
        # A list where a mapping belongs, a word where a number does: nobody else's schema is checked here in full.
        raise InputError(NO_BUNDLE, file="configs") from error


def _manifest(folder: Path, model: Path, key: str | None) -> Manifest:
    metadata = _json(folder, "configs/metadata.json")
    inference = _inference(folder)
    network = metadata.get("network_data_format", {})
    images = list(network.get("inputs", {}).values())
    image: dict[str, Any] = next(iter(images), {})
    modality = _modality(image)
    if len(images) != 1 or image.get("num_channels", 1) != 1:
        raise InputError(SEVERAL_IMAGES)
    prediction: dict[str, Any] = next(iter(network.get("outputs", {}).values()), {})
    told: dict[str, Any] = {
        "key": key or _key(folder.name),
        "name": str(metadata.get("name", folder.name)),
        "version": str(metadata.get("version", "unknown")),
        "kind": "bundle",
        "file": str(model.relative_to(folder)),
        "licence_spdx": "NOASSERTION",
        "licence_line": _licence_line(folder),
        "commercial_use": False,  # unless somebody says so in a manifest
        "citation": _citation(metadata),
        "modality": modality,
        "output": {"labels": _labels(prediction), "activation": _activation(inference)},
        "sha256": sha256_of(model),
        **_inferer(inference, image),
        **_prepared(inference),
    }
    return as_manifest(told)


def _inference(folder: Path) -> dict[str, Any]:
    """The configuration of inference; of a bundle that has it in several forms, the first."""
    name = next((name for name in INFERENCE if (folder / name).exists()), INFERENCE[0])
    return _json(folder, name) if name.endswith(".json") else _yaml(folder, name)


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(text_of(folder / name))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(NO_BUNDLE, file=name) from error
    return _mapping(data, name)


def _yaml(folder: Path, name: str) -> dict[str, Any]:
    yaml = import_module("yaml")  # read where a bundle is written so; most are not
    try:
        data = yaml.safe_load(text_of(folder / name))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(NO_BUNDLE, file=name) from error
    return _mapping(data, name)


def _mapping(data: object, name: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InputError(NO_BUNDLE, file=name)
    return data


def _key(name: str) -> str:
    words = "".join(c if c.isalnum() and c.isascii() else "_" for c in name.lower()).strip("_")
    return f"bundle_{words}"[:63]


def _licence_line(folder: Path) -> str:
    for name in ("LICENSE", "docs/LICENSE", "LICENSE.txt", "docs/data_license.txt"):
        path = folder / name
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(4000).splitlines()
            first = next((line.strip() for line in lines if line.strip()), "")
            if first:
                return first[:500]
    return "The bundle states no licence: ask its makers before you use it."


def _citation(metadata: Mapping[str, Any]) -> str:
    references = metadata.get("references") or []
    said = str(references[0]) if references else str(metadata.get("authors") or "MONAI bundle without references")
    return said[:2000]


def _modality(image: Mapping[str, Any]) -> str:
    said = str(image.get("modality", "")).upper()
    if said not in MODALITIES:
        raise InputError(UNSAID, what=text("modality"))
    return MODALITIES[said]


def _labels(prediction: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The channels that are called a tumour; if none is, every channel but the background."""
    channels = prediction.get("channel_def") or {}
    named = [
        {"channel": int(number), "name": str(name)}
        for number, name in channels.items()
        if str(name).lower() not in ("background", "everything else")
    ]
    if not named:
        raise InputError(UNSAID, what=text("output channels (channel_def)"))
    return [label for label in named if TUMOUR.search(str(label["name"]))] or named


def _steps(inference: Mapping[str, Any], part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The transforms of a part of the configuration: name without the dictionary suffix, and arguments."""
    transforms = inference.get(part, {})
    listed = transforms.get("transforms", []) if isinstance(transforms, dict) else []
    for step in listed:
        if isinstance(step, dict) and not step.get("_disabled_", False):
            name = str(step.get("_target_", "")).rsplit(".", 1)[-1]
            yield name.removesuffix("d").removesuffix("Dict"), {k: _resolved(v, inference) for k, v in step.items()}


def _resolved(value: Any, inference: Mapping[str, Any]) -> Any:
    """A value, or what a plain reference such as ``@roi_size`` stands for; expressions are not run."""
    if isinstance(value, str) and value.startswith("@") and "#" not in value:
        return inference.get(value[1:])
    return value


def _activation(inference: Mapping[str, Any]) -> str:
    for name, arguments in _steps(inference, "postprocessing"):
        if name == "Activations":
            if arguments.get("softmax"):
                return "softmax"
            if arguments.get("sigmoid"):
                return "sigmoid"
        elif name == "AsDiscrete" and arguments.get("argmax"):
            return "softmax"  # the highest channel wins, as it does after softmax
    raise InputError(UNSAID, what=text("activation (postprocessing)"))


def _inferer(inference: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    inferer = inference.get("inferer", {})
    size = _resolved(inferer.get("roi_size"), inference) or image.get("spatial_shape")
    overlap = _resolved(inferer.get("overlap", 0.25), inference)
    if not isinstance(size, list) or not all(isinstance(n, int) for n in size):
        raise InputError(UNSAID, what=text("patch (roi_size)"))
    return {"patch": size, "overlap": overlap if isinstance(overlap, int | float) else 0.25}


def _prepared(inference: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"intensity": {}, "orientation": "RAS"}
    for name, arguments in _steps(inference, "preprocessing"):
        if name == "Spacing":
            told["spacing_mm"] = arguments.get("pixdim")
        elif name == "Orientation":
            told["orientation"] = arguments.get("axcodes")
        elif name == "ScaleIntensityRange":
            told["intensity"] = _scaled(arguments)
        elif name == "NormalizeIntensity" and "subtrahend" not in arguments and not arguments.get("nonzero"):
            told["intensity"] = {}
        elif name not in NOTHING_TO_DO:
            raise InputError(UNKNOWN_STEP, step=name)
    if not isinstance(told.get("spacing_mm"), list):
        raise InputError(UNSAID, what=text("spacing (Spacingd)"))
    return told


def _scaled(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """``ScaleIntensityRange`` as clip, mean and std: from [a_min, a_max] to [b_min, b_max]."""
    try:
        low, high = float(arguments["a_min"]), float(arguments["a_max"])
        to_low, to_high = float(arguments.get("b_min", 0.0)), float(arguments.get("b_max", 1.0))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(UNSAID, what=text("range of grey values (ScaleIntensityRanged)")) from error
    if high <= low or to_high <= to_low:
        raise InputError(UNSAID, what=text("range of grey values (ScaleIntensityRanged)"))
    std = (high - low) / (to_high - to_low)
    told: dict[str, Any] = {"mean": low - to_low * std, "std": std}
    if arguments.get("clip"):
        told["clip"] = [low, high]
    return told
