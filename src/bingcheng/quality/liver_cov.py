"""Noise of a PET exam: the coefficient of variation in the liver."""

from __future__ import annotations

import math

import numpy as np

from bingcheng.core.measure import Better, Estimate, Reference, ReferenceKind, measure
from bingcheng.quality.known_objects import pet_in_becquerel, pet_trunk
from bingcheng.quality.liver_sphere import LiverSphere

WHY = "an SD from 220 independent voxels has a relative standard error of 4.8 %: three of them"


@measure(
    label="Coefficient of variation in the liver",
    unit="%",
    modalities={"PT"},
    better=Better.LOWER,
    source="EANM guideline for FDG PET/CT 2.0 (Boellaard et al., EJNMMI 2015;42:328); sphere of 3 cm",
    references=(
        Reference(
            name="liver with white noise of 10 %",
            case=lambda: pet_in_becquerel(pet_trunk(cov=0.10, seed=3)),
            expect=10.0,
            rtol=0.145,
            kind=ReferenceKind.ANALYTIC,
            source="noise that was put in",
            why=WHY,
        ),
        Reference(
            name="liver with white noise of 20 %",
            case=lambda: pet_in_becquerel(pet_trunk(cov=0.20, seed=4)),
            expect=20.0,
            rtol=0.145,
            kind=ReferenceKind.ANALYTIC,
            source="noise that was put in",
            why=WHY,
        ),
    ),
)
def liver_cov(liver_sphere: LiverSphere) -> Estimate:
    """The SD over the mean of the SUV in a sphere of 3 cm in the right liver lobe, in per cent.

    Parameters
    ----------
    liver_sphere : the sphere, placed in a segmented liver or where the PET shows one.

    Returns
    -------
    Estimate
        per cent, >= 0; does not change with the calibration. The standard uncertainty is that of an SD from as many
        independent voxels as the sphere is worth, and what an SD about the sphere's own mean lacks; none where it is
        worth three or fewer.

    Raises
    ------
    Undefined
        ``quality.liver-not-found``, ``quality.liver-too-small``, ``quality.no-uptake``, and what the SUV itself raises.

    Notes
    -----
    Voxel size and filter change it as much as counts do; steatosis and lesions raise it.
    """
    mean = float(liver_sphere.values.mean())
    value = 100.0 * float(np.std(liver_sphere.values, ddof=1)) / mean
    worth = liver_sphere.independent()
    if worth.few is None:
        return Estimate(value)
    scatter = 1.0 / math.sqrt(2.0 * (worth.deviation - 1.0))
    # An SD about the sphere's own mean lacks what the voxels share: 1 / n of the variance.
    lacking = 0.5 / worth.mean
    return Estimate(value, value * worth.few * math.hypot(scatter, lacking))
