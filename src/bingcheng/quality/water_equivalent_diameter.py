"""How large a patient is to X-rays: the water-equivalent diameter."""

from __future__ import annotations

import numpy as np

from bingcheng.core.measure import Component, Estimate, Reference, ReferenceKind, measure
from bingcheng.core.measurement import Tells
from bingcheng.quality.known_objects import cylinder, hollow_cylinder
from bingcheng.quality.sections import Sections

WHY = "the pixel's area fixes a section of 20 cm or more to 0.01 %; 0.1 % covers the sampling of its blurred border"


@measure(
    label="Water-equivalent diameter",
    unit="cm",
    modalities={"CT"},
    tells=Tells.PATIENT,
    source="AAPM Report 220 (2014), eq. 4",
    budget=(
        Component(
            name="CT number of water, within 5 HU of zero",
            source="ACR CT accreditation phantom: water within 0 +- 5 HU, taken as a rectangular distribution",
            relative=0.0015,
        ),
    ),
    references=(
        Reference(
            name="water cylinder of 20 cm with 10 HU noise",
            case=lambda: {"volume": cylinder(diameter_mm=200.0, noise_hu=10.0)},
            expect=20.0,
            rtol=0.001,
            kind=ReferenceKind.ANALYTIC,
            source="definition: a water cylinder is equivalent to itself",
            why=WHY,
        ),
        Reference(
            name="cylinder of 20 cm with 100 HU",
            case=lambda: {"volume": cylinder(diameter_mm=200.0, hu=100.0)},
            expect=20.0 * 1.1**0.5,
            rtol=0.001,
            kind=ReferenceKind.ANALYTIC,
            source="definition: Dw = D sqrt(HU / 1000 + 1)",
            why=WHY,
        ),
        Reference(
            name="hollow cylinder: lung density of -800 HU",
            case=lambda: {"volume": hollow_cylinder(diameter_mm=200.0, inner_mm=120.0, inner_hu=-800.0)},
            expect=20.0 * (1.0 - 0.8 * 0.36) ** 0.5,
            rtol=0.001,
            kind=ReferenceKind.ANALYTIC,
            source="definition: Dw = D sqrt(1 - 0.8 (d / D)^2) with an inner cylinder of d = 0.6 D",
            why=WHY,
        ),
    ),
)
def water_equivalent_diameter(sections: Sections) -> Estimate:
    """The mean over the slices of the diameter of the water cylinder that attenuates as much as the patient's section.

    Dw(z) = 2 sqrt(Aw / pi), Aw = sum of (HU / 1000 + 1) times the pixel's area over the section, lungs and arms
    included, the table excluded. The mean runs over all slices that the field of view does not cut; Report 220 takes
    Dw(z) at each z, and a mean over z is what a series' mean CTDIvol goes with.

    Parameters
    ----------
    sections : the patient's sections.

    Returns
    -------
    Estimate
        cm. The standard uncertainty takes the rim around the border, where skin, clothing and table meet, as a
        rectangular distribution; it does not hold the spread along the patient, which is anatomy.

    Raises
    ------
    Undefined
        ``quality.no-body``, ``quality.not-axial``, ``quality.body-truncated``.

    Notes
    -----
    It depends on which part of the body was scanned: compare like with like.
    """
    return Estimate(
        float(np.mean(sections.diameter_cm[sections.whole])),
        abs(sections.rim_cm) / 3.0**0.5,
    )
