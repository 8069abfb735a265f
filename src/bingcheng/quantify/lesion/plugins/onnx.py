"""Networks as ONNX files, run by onnxruntime on this machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import SegmentationMethod, between
from bingcheng.quantify.lesion.plugins.manifest import (
    INVALID_MANIFEST,
    MODEL_CHANGED,
    NO_MODEL_FILE,
    Manifest,
    model_file,
    read_manifest,
    sha256_of,
)
from bingcheng.quantify.lesion.plugins.model_grid import ModelGrid, part_for
from bingcheng.quantify.lesion.plugins.sliding import slid
from bingcheng.quantify.lesion.prompt import Prompt

Floats = NDArray[np.float32]

NO_ONNX = Problem(
    code="quantify.onnx-not-installed",
    says="onnxruntime, which runs the plug-in '{name}', is not installed",
    remedy="Install it: pip install 'bingcheng[onnx]'.",
    owner=Owner.OPERATOR,
)
UNUSABLE_MODEL = Problem(
    code="quantify.plugin-model-unusable",
    says="the model of the plug-in '{name}' does not do what its manifest says: {what}",
    remedy="Correct the manifest, or export the model again with a batch of one and the manifest's channels and patch.",
    owner=Owner.OPERATOR,
)
TOO_LITTLE_MEMORY = Problem(
    code="quantify.plugin-needs-memory",
    says="the plug-in '{name}' needs {needed} GiB of memory, and this machine has {present}",
    remedy="Run it on a larger machine.",
    owner=Owner.OPERATOR,
)

LEAST_ORDER = 60
"""Plug-ins stand behind the program's own methods in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """What a network's region records.

    Parameters
    ----------
    version, sha256 : of the model, by its manifest and its file; for the record.
    threshold : probability from which a voxel belongs.
    overlap : of neighbouring patches.
    """

    version: str
    sha256: str
    threshold: float = between(0.0, 1.0)
    overlap: float = between(0.0, 0.9)


def onnx_method(manifest_path: Path) -> SegmentationMethod:
    """The segmentation method of an ONNX plug-in: a manifest with its model file beside it.

    The model is loaded when it is first used. Nothing is ever downloaded.

    Raises
    ------
    InputError
        ``quantify.plugin-manifest-unreadable``, ``quantify.plugin-manifest-invalid``,
        ``quantify.plugin-model-missing``, ``quantify.plugin-model-changed``.
    """
    manifest = read_manifest(manifest_path)
    if manifest.kind == "remote":
        raise InputError(INVALID_MANIFEST, where="kind", what="a server is asked, and has no file")
    return network_method(manifest, model_file(manifest, manifest_path.parent))


def network_method(manifest: Manifest, model: Path) -> SegmentationMethod:
    """The segmentation method of a model file under a manifest.

    Raises
    ------
    InputError
        ``quantify.plugin-model-missing``.
    """
    digest = manifest.sha256 or sha256_of(model)

    def draw(volume: Volume, prompt: Prompt, settings: NetworkSettings) -> Region:
        return _drawn(manifest, _Model(path=model, sha256=digest), volume, prompt, settings)

    return SegmentationMethod(
        key=manifest.key,
        label=text("{name} (plug-in)", name=manifest.name),
        modalities=frozenset({manifest.modality}),
        prompts=frozenset(manifest.prompts),
        source=manifest.citation,
        good_for=_told(manifest.good_for, text("What its makers made it for; see its citation.")),
        fails=_told(manifest.fails, text("Images unlike those it was trained on. Look at what it draws.")),
        settings=NetworkSettings,
        function=draw,
        order=LEAST_ORDER,
        licence=manifest.licence,
        usual=NetworkSettings(
            version=manifest.version, sha256=digest, threshold=manifest.output.threshold, overlap=manifest.overlap
        ),
    )


def _told(by_its_makers: str | None, otherwise: Text) -> Text:
    # A fact, not a template: a manifest may hold braces.
    return otherwise if by_its_makers is None else Text("{told}", {"told": by_its_makers})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    path: Path
    sha256: str


def _drawn(manifest: Manifest, model: _Model, volume: Volume, prompt: Prompt, settings: NetworkSettings) -> Region:
    _enough_memory(manifest)
    session = _session(model, manifest.name)
    place = ModelGrid.around(volume, prompt, manifest)
    channels = [
        place.image(manifest.intensity) if kind == "image" else place.channel(kind, prompt)
        for kind in manifest.channels
    ]
    name = session.get_inputs()[0].name

    def network(patch: Floats) -> Floats:
        return _output(session, name, patch, manifest)

    logits = slid(network, np.stack(channels), manifest.patch, settings.overlap)
    found = place.probability(_lesion_probability(logits, manifest))
    part = part_for(found >= settings.threshold, place.hood, prompt, manifest.name)
    region = place.hood.region(part)
    return _coded(region, manifest)


def _coded(region: Region, manifest: Manifest) -> Region:
    codes = [label.code for label in manifest.output.labels]
    code = codes[0] if len(codes) == 1 else None
    if code is None:
        return region
    return Region(
        mask=region.mask,
        start=region.start,
        grid=region.grid,
        label=region.label,
        code=Code(code.value, code.scheme, code.meaning),
    )


def _output(session: Any, name: str, patch: Floats, manifest: Manifest) -> Floats:
    try:
        found = np.asarray(session.run(None, {name: patch})[0])
    except Exception as error:  # onnxruntime raises several kinds of its own, which share no public root
        raise InputError(UNUSABLE_MODEL, name=manifest.name, what=text("it fails on its own patch")) from error
    highest = max(label.channel for label in manifest.output.labels)
    if found.ndim != 5 or found.shape[0] != 1 or found.shape[1] <= highest or found.shape[2:] != patch.shape[2:]:
        what = text("its output has the shape {shape}", shape=str(found.shape))
        raise InputError(UNUSABLE_MODEL, name=manifest.name, what=what)
    if not np.isfinite(found).all():
        raise InputError(UNUSABLE_MODEL, name=manifest.name, what=text("its output is not finite"))
    output: Floats = found.astype(np.float32, copy=False)
    return output


def _lesion_probability(logits: Floats, manifest: Manifest) -> Floats:
    """The probabilities of the lesion's channels, added and cut at one, (a, b, c)."""
    chosen = [label.channel for label in manifest.output.labels]
    if manifest.output.activation == "softmax":
        shifted = np.exp(logits - logits.max(axis=0, keepdims=True))
        probability = shifted[chosen].sum(axis=0) / shifted.sum(axis=0)
    elif manifest.output.activation == "sigmoid":
        probability = (1.0 / (1.0 + np.exp(-np.clip(logits[chosen], -60.0, 60.0)))).sum(axis=0)
    else:
        probability = logits[chosen].sum(axis=0)
    cut: Floats = np.clip(probability, 0.0, 1.0).astype(np.float32)
    return cut


def _enough_memory(manifest: Manifest) -> None:
    try:
        present = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):  # not told on this system: the model says itself when it is too much
        return
    if present < manifest.min_ram_gib:
        raise InputError(TOO_LITTLE_MEMORY, name=manifest.name, needed=manifest.min_ram_gib, present=round(present, 1))


@lru_cache(maxsize=2)
def _loaded(path: str, sha256: str) -> Any:
    runtime: Any = import_module("onnxruntime")
    # The very bytes that are checked are run: a file may have changed since its method was made.
    try:
        held = Path(path).read_bytes()
    except OSError as error:
        raise InputError(NO_MODEL_FILE) from error
    found = hashlib.sha256(held).hexdigest()
    if found != sha256:
        raise InputError(MODEL_CHANGED, found=found[:12], expected=sha256[:12])
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    # Weights in a second file would escape the sha256; this folder exists nowhere, so none is found.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", f"{path}/none")
    return runtime.InferenceSession(held, sess_options=options, providers=["CPUExecutionProvider"])


def _session(model: _Model, name: str) -> Any:
    try:
        return _loaded(str(model.path), model.sha256)
    except ImportError as error:
        raise InputError(NO_ONNX, name=name) from error
    except InputError:
        raise
    except Exception as error:  # as above: onnxruntime's own kinds
        raise InputError(UNUSABLE_MODEL, name=name, what=text("it can't be loaded")) from error
