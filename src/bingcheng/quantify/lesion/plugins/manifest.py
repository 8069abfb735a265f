"""What a plug-in says about itself: one file, TOML or JSON, beside the model."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.quantify.lesion.prompt import PromptKind

UNREADABLE_MANIFEST = Problem(
    code="quantify.plugin-manifest-unreadable",
    says="the plug-in's manifest can't be read as TOML or JSON",
    remedy="Give a file named .toml or .json in UTF-8, as docs/segmentation.md describes it.",
    owner=Owner.OPERATOR,
)
INVALID_MANIFEST = Problem(
    code="quantify.plugin-manifest-invalid",
    says="the plug-in's manifest is wrong at '{where}': {what}",
    remedy="Correct the manifest as docs/segmentation.md describes it.",
    owner=Owner.OPERATOR,
)
NO_MODEL_FILE = Problem(
    code="quantify.plugin-model-missing",
    says="the model file that the plug-in's manifest names is not there",
    remedy="Put the model file beside its manifest; Bingcheng never downloads one.",
    owner=Owner.OPERATOR,
)
MODEL_CHANGED = Problem(
    code="quantify.plugin-model-changed",
    says="the model file is not the one that the plug-in's manifest describes (sha256 {found} instead of {expected})",
    remedy="Get the model again from where you trust it, or correct the manifest if the change was meant.",
    owner=Owner.OPERATOR,
)

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Orientation = Annotated[str, StringConstraints(pattern=r"^[LRAPSI]{3}$")]
Positive = Annotated[float, Field(gt=0.0)]
Spacing = Annotated[float, Field(ge=0.05, le=100.0)]
Size = Annotated[int, Field(ge=4, le=512)]
Channel = Literal["image", "click", "box", "recist_line"]

CHUNK = 1 << 20
MOST_BYTES = 1 << 20
"""A longer file is no manifest."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Intensity(_Strict):
    """How grey values are prepared.

    They are clipped first. Then ``(value - mean) / std``; or, with `percentile`, those two percentiles of what is shown
    become 0 and 1; or, with neither, the mean and standard deviation of what is shown are used.
    """

    clip: tuple[float, float] | None = None
    mean: float | None = None
    std: Positive | None = None
    percentile: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Intensity:
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std go together")
        if self.percentile is not None and self.mean is not None:
            raise ValueError("give either mean and std, or percentile")
        if self.percentile is not None and not 0.0 <= self.percentile[0] < self.percentile[1] <= 100.0:
            raise ValueError("percentile holds two rising numbers from 0 to 100")
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            raise ValueError("clip holds two rising numbers")
        return self


class LabelCode(_Strict):
    """A coded concept of the label (SNOMED CT as a rule)."""

    value: Word
    scheme: Word
    meaning: Word


class OutputLabel(_Strict):
    """A channel of the output that is the lesion."""

    channel: Annotated[int, Field(ge=0)]
    name: Word
    code: LabelCode | None = None


class Output(_Strict):
    """What comes out: channels, the lesion's among them; their probabilities are added."""

    labels: Annotated[tuple[OutputLabel, ...], Field(min_length=1)]
    activation: Literal["sigmoid", "softmax", "none"]
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5

    @model_validator(mode="after")
    def _each_once(self) -> Output:
        if len({label.channel for label in self.labels}) != len(self.labels):
            raise ValueError("labels name each channel once")
        return self


class Manifest(_Strict):
    """A plug-in's description of itself.

    Parameters
    ----------
    key, name, version : of the method in this catalogue, for people, and of the model.
    kind : ``onnx`` (a model file), ``bundle`` (a MONAI bundle's folder) or ``remote`` (a MONAI Label server).
    file : the model, relative to the manifest.
    licence_spdx, licence_line : of the weights, shown before use: SPDX identifier and the licence's first line.
    commercial_use : whether the licence allows it.
    citation : what to cite.
    modality : DICOM modality that the model was trained on.
    task, prompts, channels : ``auto`` models see the image alone; ``interactive`` ones get the prompts as channels.
    orientation : where each axis of the model's input points, such as ``RAS``.
    spacing_mm, patch : along those axes.
    intensity : how grey values are prepared.
    overlap : of neighbouring patches, as a fraction.
    output : what comes out.
    sha256 : of the model file.
    min_ram_gib : memory that the machine must have.
    good_for, fails : for people; what its makers tell about it.
    """

    key: Key
    name: Word
    version: Word
    kind: Literal["onnx", "bundle", "remote"]
    file: Word | None = None
    licence_spdx: Word
    licence_line: Sentence
    commercial_use: bool
    citation: Sentence
    modality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")]
    task: Literal["auto", "interactive"] = "auto"
    prompts: Annotated[tuple[PromptKind, ...], Field(min_length=1)] = (PromptKind.CLICK, PromptKind.BOX)
    channels: tuple[Channel, ...] = ("image",)
    orientation: Orientation = "RAS"
    spacing_mm: tuple[Spacing, Spacing, Spacing]
    patch: tuple[Size, Size, Size]
    intensity: Intensity
    overlap: Annotated[float, Field(ge=0.0, le=0.9)] = 0.5
    output: Output
    sha256: Digest | None = None
    min_ram_gib: Annotated[float, Field(ge=0.0)] = 0.0
    good_for: Sentence | None = None
    fails: Sentence | None = None

    @model_validator(mode="after")
    def _whole(self) -> Manifest:
        if len({"LR".find(c) >= 0 or 2 * ("AP".find(c) >= 0) for c in self.orientation}) != 3:
            raise ValueError("orientation names one of L and R, one of A and P, one of S and I")
        if self.channels.count("image") != 1:
            raise ValueError("channels hold 'image' once")
        if self.task == "auto" and self.channels != ("image",):
            raise ValueError("a model of the task 'auto' sees the image alone")
        if self.kind == "onnx" and self.file is None:
            raise ValueError("an onnx plug-in names its file")
        if self.file is not None and self.sha256 is None:
            raise ValueError("a plug-in that names its file states that file's sha256")
        return self

    @property
    def licence(self) -> str:
        """What is shown before the plug-in is used."""
        return f"{self.licence_spdx}: {self.licence_line}"


def read_manifest(path: Path) -> Manifest:
    """The manifest of a plug-in.

    Raises
    ------
    InputError
        ``quantify.plugin-manifest-unreadable``, ``quantify.plugin-manifest-invalid``.
    """
    try:
        text = text_of(path)
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:  # the decoders' errors, and that of UTF-8, are ValueErrors
        raise InputError(UNREADABLE_MANIFEST) from error
    return as_manifest(data)


def text_of(path: Path) -> str:
    """The text of a manifest or configuration; of what is no ordinary file, such as a pipe, nothing is read."""
    if not path.is_file():
        raise OSError("no ordinary file")
    with path.open("rb") as file:
        read = file.read(MOST_BYTES + 1)
    if len(read) > MOST_BYTES:
        raise ValueError("too long")
    return read.decode("utf-8")


def as_manifest(data: object) -> Manifest:
    """The manifest that a mapping describes.

    Raises
    ------
    InputError
        ``quantify.plugin-manifest-invalid``: the first fault found.
    """
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise InputError(INVALID_MANIFEST, where=where[:100], what=first["msg"]) from error


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in lower-case hexadecimal.

    Raises
    ------
    InputError
        ``quantify.plugin-model-missing``.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(CHUNK):
                digest.update(part)
    except OSError as error:
        raise InputError(NO_MODEL_FILE) from error
    return digest.hexdigest()


def model_file(manifest: Manifest, folder: Path) -> Path:
    """The model file of a manifest in its folder, checked to be the one that is described.

    Raises
    ------
    InputError
        ``quantify.plugin-model-missing``: also if it lies outside of the folder; ``quantify.plugin-model-changed``.
    """
    if manifest.file is None:
        raise InputError(NO_MODEL_FILE)
    try:
        path = (folder / manifest.file).resolve()
        ordinary = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name, or links in a circle
        raise InputError(NO_MODEL_FILE) from error
    if not ordinary:
        raise InputError(NO_MODEL_FILE)
    found = sha256_of(path)
    if manifest.sha256 is not None and found != manifest.sha256:
        raise InputError(MODEL_CHANGED, found=found[:12], expected=manifest.sha256[:12])
    return path
