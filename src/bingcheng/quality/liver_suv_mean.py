"""Mean uptake of the liver: whether a PET exam's calibration, dose, weight and uptake time hang together."""

from __future__ import annotations

import math

import numpy as np

from bingcheng.core.measure import Component, Estimate, Reference, ReferenceKind, measure
from bingcheng.quality.known_objects import pet_in_becquerel, pet_trunk
from bingcheng.quality.liver_sphere import LiverSphere

WHY = "220 voxels fix the mean to 0.7 % at a CoV of 10 % and 1.3 % at 20 %: three standard errors"


@measure(
    label="Mean SUV of the liver",
    unit="g/ml",
    modalities={"PT"},
    source="PERCIST 1.0 (Wahl et al., J Nucl Med 2009;50:122S): sphere of 3 cm in the right lobe",
    budget=(
        Component(
            name="calibration of the scanner against the dose calibrator",
            source="QIBA FDG-PET profile and EARL: within 10 %, taken as a rectangular distribution",
            relative=0.1 / math.sqrt(3.0),
        ),
    ),
    references=(
        Reference(
            name="liver of SUV 2.0, CoV 10 %",
            case=lambda: pet_in_becquerel(pet_trunk(liver_suv=2.0, cov=0.10, seed=1)),
            expect=2.0,
            rtol=0.02,
            kind=ReferenceKind.ANALYTIC,
            source="uptake that was put in",
            why=WHY,
        ),
        Reference(
            name="liver of SUV 1.5, CoV 20 %",
            case=lambda: pet_in_becquerel(pet_trunk(liver_suv=1.5, cov=0.20, seed=2)),
            expect=1.5,
            rtol=0.04,
            kind=ReferenceKind.ANALYTIC,
            source="uptake that was put in",
            why=WHY,
        ),
    ),
)
def liver_suv_mean(liver_sphere: LiverSphere) -> Estimate:
    """The mean SUV (by body weight) in a sphere of 3 cm in the right liver lobe.

    Parameters
    ----------
    liver_sphere : the sphere, placed in a segmented liver or where the PET shows one.

    Returns
    -------
    Estimate
        g/ml; standard uncertainty from the scatter of the sphere's voxels and how far it is correlated between them;
        none where the noise is so wide that the sphere is worth three independent voxels or fewer.
        For FDG at 60 minutes, 1.85 to 1.89 with an SD of 0.41 to 0.44 was seen in 343 patients.

    Raises
    ------
    Undefined
        ``quality.liver-not-found``, ``quality.liver-too-small``, ``quality.no-uptake``, and what the SUV itself raises.

    Notes
    -----
    It says nothing of a tracer that the liver handles otherwise, and drifts with uptake time, glucose and body fat.
    """
    worth = liver_sphere.independent()
    if worth.few is None:
        return Estimate(float(liver_sphere.values.mean()))
    # What the voxels share, the subtraction of their own mean took out of their scatter.
    variance = float(np.var(liver_sphere.values, ddof=1)) / (1.0 - 1.0 / worth.mean)
    return Estimate(float(liver_sphere.values.mean()), worth.few * math.sqrt(variance / worth.mean))
