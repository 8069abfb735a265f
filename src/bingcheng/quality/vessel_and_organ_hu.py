"""CT numbers of the vessels and organs that tell the contrast phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.measure import Component, Estimate, Reference, ReferenceKind, measure
from bingcheng.core.measurement import Tells
from bingcheng.quality.contrast_landmarks import ContrastLandmarks, found
from bingcheng.quality.enhanced_cases import enhanced, truth

PUT_IN = "the CT number that was put in"
WHY = "noise of 10 HU over hundreds of blocks leaves below 1 HU; the rest is partial volume with what lies around"
CALIBRATION = Component(
    name="CT number scale",
    source="ACR CT accreditation phantom: water within 0 +- 5 HU, taken as a rectangular distribution",
    absolute=5.0 / 3.0**0.5,
)


def _middle(values: NDArray[np.float64], together: float) -> Estimate:
    """The median with its standard uncertainty, where `together` neighbouring values are worth one."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    # The median of n normal deviates scatters by sqrt(pi / 2) more than their mean.
    return Estimate(middle, spread * (0.5 * np.pi * together / values.size) ** 0.5)


def _reference(phase: str, tissue: str, atol: float) -> Reference:
    return Reference(
        name=f"generated trunk, {phase.replace('_', ' ')} phase",
        case=lambda: enhanced(phase),
        expect=truth(phase)[tissue],
        atol=atol,
        kind=ReferenceKind.ANALYTIC,
        source=PUT_IN,
        why=WHY,
    )


@measure(
    tells=Tells.PATIENT,
    label="CT number of the aorta",
    unit="[hnsf'U]",
    modalities={"CT"},
    source="median over the planes of the mean in the inner half of the descending aorta's disc",
    budget=(CALIBRATION,),
    references=(_reference("precontrast", "aorta", 3.0), _reference("late_arterial", "aorta", 4.0)),
)
def aorta_hu(contrast_landmarks: ContrastLandmarks) -> Estimate:
    """The CT number of the blood in the descending aorta.

    Parameters
    ----------
    contrast_landmarks : what was found.

    Returns
    -------
    Estimate
        HU; the standard uncertainty is that of a median over the planes, three of which are worth one.

    Raises
    ------
    Undefined
        ``quality.no-aorta``, ``quality.no-spine``, ``quality.oblique-grid``, ``quality.thin-slab``.

    Notes
    -----
    During an arterial phase the CT number changes along the aorta while it is scanned; this is the median.
    """
    return _middle(found(contrast_landmarks.aorta).hu, 3.0)


@measure(
    tells=Tells.PATIENT,
    label="CT number of the renal cortex",
    unit="[hnsf'U]",
    modalities={"CT"},
    source="median of what lies 2.5 to 6.5 mm under the kidney's surface",
    budget=(CALIBRATION,),
    references=(_reference("late_arterial", "cortex", 8.0), _reference("portal_venous", "cortex", 10.0)),
)
def kidney_cortex_hu(contrast_landmarks: ContrastLandmarks) -> Estimate:
    """The CT number of the renal cortex, of both kidneys if both are found.

    Raises
    ------
    Undefined
        ``quality.no-kidney``, ``quality.no-spine``, ``quality.oblique-grid``, ``quality.thin-slab``.

    Notes
    -----
    Where the cortex is thinner than 6 mm, medulla has a share in it.
    """
    return _middle(found(contrast_landmarks.kidneys).cortex_hu, 8.0)


@measure(
    tells=Tells.PATIENT,
    label="CT number of the renal medulla",
    unit="[hnsf'U]",
    modalities={"CT"},
    source="median of what lies at least 9 mm under the kidney's surface, without fat and excreted contrast",
    budget=(CALIBRATION,),
    references=(_reference("late_arterial", "medulla", 8.0), _reference("portal_venous", "medulla", 8.0)),
)
def kidney_medulla_hu(contrast_landmarks: ContrastLandmarks) -> Estimate:
    """The CT number of the renal medulla, with the columns between its pyramids.

    Raises
    ------
    Undefined
        ``quality.no-medulla``, ``quality.no-kidney``, ``quality.no-spine``, ``quality.oblique-grid``,
        ``quality.thin-slab``.
    """
    kidneys = found(contrast_landmarks.kidneys)
    return Estimate(kidneys.medulla, _middle(kidneys.medulla_hu, 8.0).standard_uncertainty)


@measure(
    tells=Tells.PATIENT,
    label="CT number of the liver",
    unit="[hnsf'U]",
    modalities={"CT"},
    source="median of the liver's uniform places",
    budget=(CALIBRATION,),
    references=(_reference("precontrast", "liver", 3.0), _reference("portal_venous", "liver", 3.0)),
)
def liver_hu(contrast_landmarks: ContrastLandmarks) -> Estimate:
    """The CT number of the liver's parenchyma.

    Raises
    ------
    Undefined
        ``quality.no-liver``, ``quality.no-spine``, ``quality.oblique-grid``, ``quality.thin-slab``.
    """
    liver = found(contrast_landmarks.liver)
    independent = max(1.0, float(np.count_nonzero(liver.mask)) / 30.0)
    return Estimate(liver.hu, liver.sd_hu * (0.5 * np.pi / independent) ** 0.5)


@measure(
    tells=Tells.PATIENT,
    label="CT number of the portal vein",
    unit="[hnsf'U]",
    modalities={"CT"},
    source="median of the brighter half of the largest vessel in the liver",
    budget=(CALIBRATION,),
    references=(_reference("late_arterial", "portal vein", 10.0), _reference("portal_venous", "portal vein", 8.0)),
)
def portal_vein_hu(contrast_landmarks: ContrastLandmarks) -> Estimate:
    """The CT number of the portal vein and its first branches.

    Raises
    ------
    Undefined
        ``quality.no-portal-vein``, ``quality.no-liver``, ``quality.no-spine``, ``quality.oblique-grid``,
        ``quality.thin-slab``.

    Notes
    -----
    Where it is no brighter than the liver it can't be told, which is a reason and not a value.
    """
    return _middle(found(contrast_landmarks.portal_vein).hu, 4.0)
