"""Outlines as files: DICOM segmentation, NIfTI, the whole record as JSON, and a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bingcheng
from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text
from bingcheng.engine.segmenting.images import OpenedImage
from bingcheng.engine.segmenting.lesions import UNKNOWN, Outline, Value
from bingcheng.image.nifti import write_region, write_volume
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.edit_history import EDITED

UNKNOWN_ENDING = Problem(
    code="engine.segmentation-format",
    says="outlines can't be written to a file that ends like '{name}'",
    remedy="Give a name that ends in {endings}.",
    owner=Owner.OPERATOR,
)
NOT_DICOM = Problem(
    code="engine.segmentation-no-dicom",
    says="a DICOM segmentation can only be written for DICOM images, and the image is another kind of file",
    remedy="Write a .nii.gz file instead, or give the DICOM series.",
    owner=Owner.OPERATOR,
)
WOULD_REPLACE = Problem(
    code="engine.segmentation-replaces-input",
    says="'{path}' is a file that the outline is made from, and would be lost",
    remedy="Give another name.",
    owner=Owner.OPERATOR,
)
CANNOT_WRITE = Problem(
    code="engine.segmentation-unwritable",
    says="an outline can't be written ({error})",
    remedy="Give a folder in which you may write, and free space on its disk.",
    owner=Owner.OPERATOR,
)

DICOM, RECORD, PICTURE = ".dcm", ".json", ".png"
NIFTI = (".nii.gz", ".nii")
ENDINGS = (DICOM, *NIFTI, RECORD)
DESCRIPTION = "Outlined lesions"
MANUAL, SEMI_AUTOMATIC = "manual", "semi-automatic"
HAND_DRAWN = frozenset({"", MANUAL, UNKNOWN})
"""Methods of masks that name no program; DICOM has no word for a mask of unknown origin."""

Say = Callable[[Text | str], str]


def checked_output(path: Path, endings: Sequence[str] = ENDINGS) -> Path:
    """The path, if its ending names a format that can be written.

    Raises
    ------
    InputError
        ``engine.segmentation-format``.
    """
    if not path.name.lower().endswith(tuple(endings)):
        raise InputError(UNKNOWN_ENDING, name=path.suffix or path.name, endings=", ".join(endings))
    return path


def checked_for(image: OpenedImage, paths: Iterable[Path]) -> None:
    """Raise if a path can't be written for this image.

    Raises
    ------
    InputError
        ``engine.segmentation-no-dicom``, ``engine.segmentation-replaces-input``.
    """
    sources = {path.resolve() for path in image.files}
    for path in paths:
        if path.resolve() in sources:
            raise InputError(WOULD_REPLACE, path=str(path))
        if path.name.lower().endswith(DICOM) and image.frames is None:
            raise InputError(NOT_DICOM)


def save(path: Path, image: OpenedImage, outlines: Sequence[Outline], record: Callable[[], object]) -> None:
    """Write outlines to a file, in the format that its ending names.

    Parameters
    ----------
    outlines : at least one.
    record : what a JSON file holds.

    Raises
    ------
    InputError
        ``engine.segmentation-unwritable``, and what the writers raise.
    """
    name = path.name.lower()
    regions = [one.region for one in outlines]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(DICOM):
            _save_dicom(path, image, outlines)
        elif name.endswith(RECORD):
            told = json.dumps(record(), ensure_ascii=False, allow_nan=False, indent=1)
            path.write_text(f"{told}\n", encoding="utf-8")
        elif len(regions) == 1:
            write_region(regions[0], path)
        else:
            write_volume(Volume(voxels=label_map(regions), geometry=image.volume.geometry, unit="1"), path)
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error


def save_picture(path: Path, image: OpenedImage, regions: Sequence[Region]) -> tuple[Text, ...]:
    """Write the picture of the outlines; gives what each of its rows shows.

    Raises
    ------
    InputError
        ``engine.segmentation-unwritable``.
    """
    from bingcheng.engine.segmenting.picture import outlines_picture  # noqa: PLC0415 - few ask for a picture

    picture, captions = outlines_picture(image, regions)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error
    return captions


def label_map(regions: Sequence[Region]) -> NDArray[np.uint16]:
    """The voxels (z, y, x) of several regions by number from 1; where two overlap, that of the first."""
    labels = np.zeros(regions[0].grid.shape, dtype=np.uint16)
    for number, region in reversed(list(enumerate(regions, start=1))):
        labels[region.box()][region.inside] = number
    return labels


def _save_dicom(path: Path, image: OpenedImage, outlines: Sequence[Outline]) -> None:
    from bingcheng.outputs.seg import write_seg  # noqa: PLC0415 - loads highdicom, which NIfTI does not need

    if image.frames is None:
        raise InputError(NOT_DICOM)
    regions = [replace(one.region, method=dicom_method(one)) for one in outlines]
    write_seg(path, regions, image.frames, description=DESCRIPTION)


def with_tracking(image: OpenedImage, outlines: Sequence[Outline]) -> tuple[Outline, ...]:
    """The outlines with tracking UIDs, which a DICOM segmentation and the record of it share.

    A lesion's name alone would make one lesion of the first ones of every run: where it was marked tells them apart.
    """
    from bingcheng.outputs.seg import tracked  # noqa: PLC0415 - as below

    study = image.study_uid or ""
    named = ((one, f"{one.region.label} {_place(one)}") for one in outlines)
    return tuple(replace(one, region=tracked(one.region, study, name)) for one, name in named)


def _place(one: Outline) -> str:
    return repr(one.region.start if one.prompt is None else one.prompt.points_mm)


def dicom_method(one: Outline) -> str:
    """How a segment was made: by a person, by a program, or by both, and with which parameters.

    Every outline of this program begins with a person's mark, so none is automatic (PS3.3 C.8.20.2). One that a person
    drew and corrected is manual.
    """
    drawn, edited, corrections = one.region.method.partition(EDITED)
    if one.method is None:
        kind, _, _ = drawn.casefold().partition(" (")
        if kind in HAND_DRAWN:
            return MANUAL
        drawn = _bare(drawn)
        if kind == "automatic" and one.untouched:
            return drawn
    return f"{SEMI_AUTOMATIC} {drawn}{edited}{corrections}"


def _bare(method: str) -> str:
    """The name without how a DICOM reader told its kind: ``semiautomatic (semi-automatic name)``."""
    kind, opened, rest = method.partition(" (")
    name = rest.removesuffix(")") if opened and kind in ("semiautomatic", "automatic") else method
    return name.removeprefix(SEMI_AUTOMATIC).strip()


def record_of(
    image: OpenedImage, outlines: Sequence[Outline], refusals: Sequence[Refusal], files: Sequence[Path], say: Say
) -> dict[str, object]:
    """Everything about the outlines as a JSON object, its sentences in the reader's language."""
    return {
        "version": bingcheng.__version__,
        "image": image.name,
        "modality": image.modality,
        "unit": image.volume.unit,
        "remarks": [say(one) for one in image.remarks],
        "lesions": [_lesion(one, say) for one in outlines],
        "refusals": [
            {"lesion": one.subject, "code": one.code, "reason": say(one.reason), "remedy": say(one.remedy)}
            for one in refusals
        ],
        "files": [str(path) for path in files],
    }


def _lesion(one: Outline, say: Say) -> dict[str, object]:
    prompt = one.prompt
    method = one.method
    return {
        "lesion": one.region.label,
        "tracking_uid": one.region.tracking_uid,
        "method": one.region.method,
        "method_key": None if method is None else method.key,
        "method_revision": None if method is None else method.revision,
        "parameters": dict(one.parameters),
        "licence": None if method is None or not method.licence else method.licence,
        "prompt": None
        if prompt is None
        else {"kind": prompt.kind.value, "points_mm_lps": [*map(list, prompt.points_mm)]},
        "corrections": [
            {"action": step["action"], "parameters": _plain(step["parameters"])} for step in one.corrections
        ],
        "fractions": one.region.mask.dtype != bool,
        "voxels": int(np.count_nonzero(one.region.inside)),
        "values": [_value(value, say) for value in one.values],
        "checks": [say(check) for check in one.checks],
        "instead": None if one.instead is None else say(one.instead),
    }


def _plain(parameters: object) -> object:
    if isinstance(parameters, dict):
        return {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}
    return parameters


def _value(one: Value, say: Say) -> dict[str, object]:
    told: dict[str, object] = {"measure": one.key, "label": say(one.label), "unit": one.unit}
    if isinstance(one.value, Undefined):
        reason = {"code": one.value.code, "reason": say(one.value.reason)}
        return told | {"value": None, "no_value": reason}
    return told | {"value": one.value, "no_value": None}
