"""Images and masks in memory: arrays, SimpleITK's images, and the package's own volumes and regions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.engine.radiomics.inputs import (
    EMPTY_MASK,
    MASK_OFF_GRID,
    UNITS,
    UNKNOWN_UNIT,
    Subject,
    Wanted,
    chosen,
    found,
)
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

NO_SPACING = Problem(
    code="engine.radiomics-no-spacing",
    says="an array does not say how far apart its voxels are",
    remedy="Give spacing_mm as (z, y, x).",
    owner=Owner.DEVELOPER,
)
NO_IMAGE_FORM = Problem(
    code="engine.radiomics-no-image-form",
    says="'{kind}' is nothing that an image or a mask can be given as",
    remedy="Give a path, an array (z, y, x), a SimpleITK image, or a Volume and a Region.",
    owner=Owner.DEVELOPER,
)
SEVERAL_IMAGES = Problem(
    code="engine.radiomics-several-images",
    says="the path holds {count} images with lesions, and one is needed here",
    remedy="Give the path of one of them, or extract from all with radiomics_of_all.",
    owner=Owner.DEVELOPER,
)

SAME_GRID_MM = 0.01


def subject_of(image: object, mask: object, wanted: Wanted, spacing_mm: Triple | None = None) -> Subject:
    """The image with its lesions, whatever it was given as.

    Parameters
    ----------
    image : path, `Volume`, array (z, y, x) or SimpleITK image.
    mask : path if the image is one (None: both in one folder); `Region`, several of them, array or SimpleITK image.
    spacing_mm : (z, y, x), of arrays.

    Raises
    ------
    InputError
        ``engine.radiomics-...`` of this module and of `inputs`.
    """
    if isinstance(image, str | Path):
        return _read(Path(image), mask, wanted)
    volume = _volume(image, wanted, spacing_mm)
    regions = _regions(mask, volume, wanted)
    return Subject(name="image", volume=volume, regions=regions, modality=wanted.modality)


def _read(image: Path, mask: object, wanted: Wanted) -> Subject:
    if mask is not None and not isinstance(mask, str | Path):
        raise InputError(NO_IMAGE_FORM, kind=type(mask).__name__)
    answer = found(image, None if mask is None else Path(mask), wanted)
    if len(answer.sources) != 1:
        if not answer.sources:
            first = answer.refusals[0]
            problem = Problem(code=first.code, says=first.reason.template, remedy=str(first.remedy), owner=first.owner)
            raise InputError(problem, **first.reason.facts)
        raise InputError(SEVERAL_IMAGES, count=len(answer.sources))
    return answer.sources[0].read()


def _volume(image: object, wanted: Wanted, spacing_mm: Triple | None) -> Volume:
    if isinstance(image, Volume):
        return image
    unit = UNITS.get(wanted.modality or "", UNKNOWN_UNIT)
    if isinstance(image, np.ndarray):
        if spacing_mm is None:
            raise InputError(NO_SPACING)
        z, y, x = spacing_mm
        grid = VolumeGeometry(shape=_shape(image), spacing_mm=(float(z), float(y), float(x)))
        return Volume(voxels=image, geometry=grid, unit=unit)
    voxels, grid = _from_itk(image)
    return Volume(voxels=voxels, geometry=grid, unit=unit)


def _regions(mask: object, volume: Volume, wanted: Wanted) -> tuple[Region, ...]:
    if isinstance(mask, Region):
        return (mask,)
    if isinstance(mask, list | tuple) and mask and all(isinstance(one, Region) for one in mask):
        return chosen([(str(number), one) for number, one in enumerate(mask, start=1)], wanted.label)
    if isinstance(mask, np.ndarray):
        labels, grid = mask, replace(volume.geometry, shape=_shape(mask))
    else:
        labels, grid = _from_itk(mask)
    if not grid.same_grid(volume.geometry, atol_mm=SAME_GRID_MM):
        raise InputError(
            MASK_OFF_GRID,
            mask=str(grid.shape),
            mask_mm=str(grid.spacing_mm),
            image=str(volume.geometry.shape),
            image_mm=str(volume.geometry.spacing_mm),
        )
    return chosen(_labelled(labels, volume.geometry), wanted.label)


def _labelled(labels: NDArray[Any], grid: VolumeGeometry) -> list[tuple[str, Region]]:
    """One region a value above 0, or one of membership if the values lie within 0 and 1."""
    if labels.dtype == bool:
        values: list[float] = [1.0] if labels.any() else []
    else:
        values = [float(value) for value in np.unique(labels) if value > 0]
    if not values:
        raise InputError(EMPTY_MASK)
    if max(values) <= 1.0 and min(values) < 1.0:
        return [("1", Region.of(labels.astype(np.float32), grid, label="lesion"))]
    alone = len(values) == 1
    return [
        (f"{value:g}", Region.of(labels == value, grid, label="lesion" if alone else f"lesion {value:g}"))
        for value in values
    ]


def _shape(array: NDArray[Any]) -> tuple[int, int, int]:
    if array.ndim != 3:
        raise InputError(NO_IMAGE_FORM, kind=f"array of {array.ndim} dimensions")
    z, y, x = array.shape
    return z, y, x


def _from_itk(image: Any) -> tuple[NDArray[Any], VolumeGeometry]:
    """Voxels and grid of a SimpleITK image, which is told by its methods: nobody needs to have it installed."""
    if not all(hasattr(image, name) for name in ("GetSpacing", "GetOrigin", "GetDirection", "GetDimension")):
        raise InputError(NO_IMAGE_FORM, kind=type(image).__name__)
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(NO_IMAGE_FORM, kind=f"image of {image.GetDimension()} dimensions")
    from SimpleITK import GetArrayFromImage  # noqa: PLC0415 - loaded already, since the image is one of its own

    columns = np.asarray(image.GetDirection()).reshape(3, 3)
    x, y, z = ((float(a), float(b), float(c)) for a, b, c in columns.T)
    spacing_x, spacing_y, spacing_z = image.GetSpacing()
    voxels: NDArray[Any] = GetArrayFromImage(image)
    first, second, third = image.GetOrigin()
    grid = VolumeGeometry(
        shape=_shape(voxels),
        spacing_mm=(spacing_z, spacing_y, spacing_x),
        origin_mm=(first, second, third),
        axes=(z, y, x),
    )
    return voxels, grid
