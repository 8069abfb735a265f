"""Standardisation of a whole image before anything else: zero mean, one standard deviation, times a scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics import validation

CONSTANT_IMAGE = Problem(
    code="quantify.radiomics-image-constant",
    says="all voxels of the image have the same intensity, so that it can't be standardised",
    remedy="Check that this is the right image, or leave the standardisation out.",
    owner=Owner.PHYSICIST,
)

STANDARDISED_UNIT = "{arbitrary}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardisation:
    """x becomes ``scale (x - mean) / sd``, over all recorded voxels of the image, sd being that of a sample.

    This is what pyradiomics calls normalisation. It makes intensities of arbitrary units comparable only as far as the
    field of view holds the same tissues.

    Parameters
    ----------
    scale : standard deviation afterwards, above 0.
    outlier_sd : what lies further from the mean than so many standard deviations is set to that limit; None keeps it.
    """

    scale: float = 1.0
    outlier_sd: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", validation.number("normalizeScale", self.scale, above=0.0))
        if self.outlier_sd is not None:
            checked = validation.number("removeOutliers", self.outlier_sd, above=0.0)
            object.__setattr__(self, "outlier_sd", checked)

    def applied(self, volume: Volume) -> Volume:
        """The standardised image, float32, in arbitrary units; voxels without a finite value keep none.

        Raises
        ------
        Undefined
            ``quantify.radiomics-image-constant``.
        """
        known = np.isfinite(volume.voxels) if volume.valid is None else volume.valid & np.isfinite(volume.voxels)
        values = volume.voxels[known]
        if values.size < 2 or values.min() == values.max():
            raise Undefined(CONSTANT_IMAGE)
        mean, sd = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64, ddof=1))
        voxels = np.asarray((volume.voxels - mean) / sd, dtype=np.float32)
        if self.outlier_sd is not None:
            np.clip(voxels, -self.outlier_sd, self.outlier_sd, out=voxels)
        voxels *= np.float32(self.scale)
        return Volume(voxels=voxels, geometry=volume.geometry, unit=STANDARDISED_UNIT, valid=volume.valid)

    def as_mapping(self) -> dict[str, object]:
        """Plain values, for the provenance."""
        return {"scale": self.scale, "outlier_sd": self.outlier_sd}
