"""What the IBSI asks to be told about image and region at each step, so that two programs can find where they part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.gantry_tilt import tilt_deg, upright_slices
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.chain import prepared
from bingcheng.quantify.radiomics.interpolation import Axis, axes_of, resampled
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

_AXES = ((2, "x"), (1, "y"), (0, "z"))


def diagnostics(volume: Volume, region: Region, settings: RadiomicsSettings) -> dict[str, float]:
    """The diagnostic features of image and region, by the tags of the IBSI's tables.

    Dimensions in voxels, spacings in mm, intensities in the image's unit; of the image as it is, after interpolation
    (the whole image is interpolated), and of the region before and after interpolation and after re-segmentation.
    Of a tilted gantry also ``gantry_tilt_init_img`` in degrees, which is no tag of the IBSI's: the image after
    interpolation is then that of its slices moved over each other.
    """
    plain = replace(settings, families=(), filter=None)
    before = replace(plain, interpolation=None, resegmentation=Resegmentation())
    between = replace(plain, resegmentation=Resegmentation())
    old = axes_of(volume.geometry.shape, volume.geometry.spacing_mm, None)
    found = dict(_image(volume.voxels, old, "init_img"))
    upright = volume
    if volume.geometry.sheared:
        found["gantry_tilt_init_img"] = tilt_deg(volume.geometry)
        upright = upright_slices(volume) if settings.interpolation is not None else volume
    axes = axes_of(upright.geometry.shape, upright.geometry.spacing_mm, settings.interpolation)
    found |= dict(_image(_interpolated(upright, settings, axes), axes, "interp_img"))
    for chain, grid, step in ((before, old, "init_roi"), (between, axes, "interp_roi"), (plain, axes, "reseg_roi")):
        found |= dict(_region(prepared(volume, region, chain).roi, grid, step))
    return found


def _interpolated(volume: Volume, settings: RadiomicsSettings, axes: tuple[Axis, Axis, Axis]) -> NDArray[Any]:
    chosen = settings.interpolation
    if chosen is None:
        return volume.voxels
    image = resampled(volume.voxels, tuple((axis, 0, 0, axis.after) for axis in axes), chosen.image)
    return np.rint(image) if chosen.rounding else image


def _image(voxels: NDArray[Any], axes: tuple[Axis, Axis, Axis], step: str) -> Iterator[tuple[str, float]]:
    for number, name in _AXES:
        yield f"img_dim_{name}_{step}", float(axes[number].after)
        yield f"vox_dim_{name}_{step}", axes[number].spacing_mm
    yield f"mean_int_{step}", float(voxels.mean(dtype=np.float64))
    yield f"min_int_{step}", float(voxels.min())
    yield f"max_int_{step}", float(voxels.max())


def _region(roi: Roi, axes: tuple[Axis, Axis, Axis], step: str) -> Iterator[tuple[str, float]]:
    for number, name in _AXES:
        yield f"int_mask_dim_{name}_{step}", float(axes[number].after)
    for kind, mask in (("int", roi.intensity_mask), ("morph", roi.morphological)):
        for number, name in _AXES:
            line = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != number)))
            yield f"{kind}_mask_bb_dim_{name}_{step}", float(line[-1] - line[0] + 1 if line.size else 0)
        yield f"{kind}_mask_vox_count_{step}", float(np.count_nonzero(mask))
    if roi.values.size:
        yield f"int_mask_mean_int_{step}", float(roi.values.mean(dtype=np.float64))
        yield f"int_mask_min_int_{step}", float(roi.values.min())
        yield f"int_mask_max_int_{step}", float(roi.values.max())
