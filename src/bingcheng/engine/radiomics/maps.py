"""Maps of a feature or of a filter's response over a lesion: as NIfTI, as DICOM parametric map, as a picture."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import text
from bingcheng.engine.radiomics.call import Told
from bingcheng.engine.radiomics.inputs import Subject
from bingcheng.image.nifti import write_volume
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.catalogue import FILTERS, LABELS, filter_of
from bingcheng.quantify.filters.feature_map import feature_map
from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.radiomics.chain import prepared
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

BAD_FILTER = Problem(
    code="engine.radiomics-filter-not-understood",
    says="the settings of the filter in '{written}' can't be understood",
    remedy="Write NAME:SETTING=VALUE,SETTING=VALUE, for example laplacian_of_gaussian:sigma_mm=3.",
    owner=Owner.OPERATOR,
)
CANNOT_WRITE = Problem(
    code="engine.radiomics-map-unwritable",
    says="the map can't be written ({error})",
    remedy="Free space on the disk, or give with --map-out a folder in which you may write.",
    owner=Owner.OPERATOR,
)

PRIVATE_SCHEME = "99BINGCHENG"
IBSI_SCHEME = "IBSI"
UNSAFE = re.compile(r"[^\w.-]+")
SETTING = re.compile(r",(?=\w+=)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LesionMap:
    """A map over one lesion.

    Parameters
    ----------
    name : of its files, without ending.
    values : on the box of the lesion after interpolation; not valid where there is no value.
    image : the image on the same voxels.
    quantity, explanation : what a voxel's value is, as a code and in words.
    """

    name: str
    values: Volume
    image: Volume
    quantity: Code
    explanation: str


def mapped_over(
    subject: Subject,
    region: Region,
    written: str,
    settings: RadiomicsSettings,
    *,
    radius_voxels: int,
    workers: int,
    told: Told,
) -> LesionMap:
    """The map of a feature or filter over a lesion, after the settings' interpolation.

    Parameters
    ----------
    written : a feature's tag, or a filter as ``name:setting=value,setting=value``.
    radius_voxels : of the window around each voxel, for a feature.

    Raises
    ------
    InputError
        ``engine.radiomics-filter-not-understood``; what `filter_of`, `feature_map` and `prepared` raise.
    """
    chosen = _filter(written)
    plain = replace(settings, families=(), filter=None)
    before = prepared(subject.volume, region, plain)
    image = Volume(voxels=before.roi.intensity, geometry=before.geometry, unit=subject.volume.unit)
    name = UNSAFE.sub("_", f"{subject.name}-{region.label}-{written}").strip("_")
    if chosen is not None:
        lesion = prepared(subject.volume, region, replace(plain, filter=chosen))
        unit = "{arbitrary}" if chosen.unitless else subject.volume.unit
        inside = lesion.roi.morphological
        values = Volume(voxels=lesion.roi.intensity, geometry=lesion.geometry, unit=unit, valid=inside)
        quantity = Code(chosen.ibsi, IBSI_SCHEME, str(LABELS[chosen.name]))
        return LesionMap(name=name, values=values, image=image, quantity=quantity, explanation=_in_words(chosen))
    step = text("Mapping {feature}", feature=written)
    values = feature_map(
        subject.volume,
        region,
        written,
        settings,
        radius_voxels,
        workers=workers,
        progress=lambda done, total: told(step, done, total),
    )
    entry = next(one for one in all_features() if one.tag == written)
    return LesionMap(
        name=name,
        values=values,
        image=image,
        quantity=Code(entry.feature.ibsi, IBSI_SCHEME, entry.feature.label[:64]),
        explanation=f"{entry.feature.label}, radius {radius_voxels} ({entry.ibsi})",
    )


def save_map(made: LesionMap, folder: Path, subject: Subject) -> Iterator[Path]:
    """Write a map; gives each path after it is written. The parametric map is written for DICOM images alone.

    Raises
    ------
    InputError
        ``engine.radiomics-map-unwritable``; what the writers raise.
    """
    from bingcheng.outputs.map_picture import map_picture  # noqa: PLC0415 - loads what only maps need

    try:
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"{made.name}.png"
        picture.write_bytes(map_picture(made.values, made.image))
        yield picture
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error
    nifti = folder / f"{made.name}.nii.gz"
    write_volume(_with_gaps(made.values), nifti)
    yield nifti
    if subject.frames is not None:
        from bingcheng.outputs.parametric_map import write_parametric_map  # noqa: PLC0415 - loads highdicom

        dicom = folder / f"{made.name}.dcm"
        write_parametric_map(dicom, made.values, subject.frames, quantity=made.quantity, explanation=made.explanation)
        yield dicom


def _filter(written: str) -> Filter | None:
    """The filter that is meant, or None if a feature is."""
    name, colon, rest = written.partition(":")
    if name not in FILTERS:
        return None
    settings: dict[str, object] = {"name": name}
    for part in SETTING.split(rest) if colon else ():
        setting, equals, value = part.partition("=")
        if not equals:
            raise InputError(BAD_FILTER, written=written)
        settings[setting.strip()] = _value(value.strip())
    return filter_of(settings)


def _value(written: str) -> object:
    """A value as TOML writes it; what is no such value is a word."""
    try:
        return tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        return written


def _in_words(chosen: Filter) -> str:
    return ", ".join(f"{name} {value}" for name, value in chosen.as_mapping().items())


def _with_gaps(values: Volume) -> Volume:
    """The map with NaN where it has no value, since NIfTI can't say so otherwise."""
    voxels = np.array(values.voxels, dtype=np.float32)
    if values.valid is not None:
        voxels[~values.valid] = np.nan
    return Volume(voxels=voxels, geometry=values.geometry, unit=values.unit)
