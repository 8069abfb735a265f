"""The dose that a patient of this size received, from the scanner's CTDIvol."""

from __future__ import annotations

import math

import numpy as np

from bingcheng.core.codes import Code
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Component, Estimate, Givens, Reference, ReferenceKind, measure
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.quality.dose_conversion import BODY_16, BODY_32, HEAD_16
from bingcheng.quality.known_objects import ct_dose, cylinder
from bingcheng.quality.sections import Sections

NO_CTDI = Problem(
    code="quality.no-ctdi",
    says="the images do not say their CTDIvol",
    remedy="Send the dose report (RDSR) with the images, or have the scanner write CTDIvol (0018,9345).",
    owner=Owner.VENDOR,
)
NO_CTDI_PHANTOM = Problem(
    code="quality.no-ctdi-phantom",
    says="the images do not say whether their CTDIvol refers to the 16 cm or the 32 cm phantom",
    remedy="Send the dose report (RDSR) with the images; it names the phantom.",
    owner=Owner.VENDOR,
)

HEAD_PARTS = frozenset({"HEAD", "BRAIN", "SKULL"})

WHY = "the factor turns 0.1 % of Dw into 0.1 % of the dose"


def _water(diameter_mm: float, phantom_cm: float, body_part: str | None = None) -> Givens:
    return {
        "volume": cylinder(diameter_mm=diameter_mm),
        "acquisition": ct_dose(ctdi_vol_mgy=10.0, phantom_cm=phantom_cm, body_part=body_part),
    }


@measure(
    label="Size-specific dose estimate",
    unit="mGy",
    modalities={"CT"},
    source="AAPM Reports 204 (2011), 220 (2014) and, for heads, 293 (2019)",
    code=Code("113930", "DCM", "Size Specific Dose Estimation"),
    budget=(
        Component(
            name="conversion factor and displayed CTDIvol",
            source="AAPM Report 204: the estimate is within 20 %, taken as an expanded uncertainty (k = 2)",
            relative=0.10,
        ),
    ),
    references=(
        Reference(
            name="water cylinder of 20 cm, 10 mGy in the 32 cm phantom",
            case=lambda: _water(200.0, 32.0),
            expect=17.7735,
            rtol=0.002,
            kind=ReferenceKind.ANALYTIC,
            source="AAPM Report 204: 3.704369 exp(-0.03671937 x 20) = 1.77735",
            why=WHY,
        ),
        Reference(
            name="water cylinder of 16 cm, 10 mGy in the 16 cm phantom, body",
            case=lambda: _water(160.0, 16.0),
            expect=10.0913,
            rtol=0.002,
            kind=ReferenceKind.ANALYTIC,
            source="AAPM Report 204: 1.874799 exp(-0.03871313 x 16) = 1.00913",
            why=WHY,
        ),
        Reference(
            name="water cylinder of 18 cm, 10 mGy in the 16 cm phantom, head",
            case=lambda: _water(180.0, 16.0, "HEAD"),
            expect=8.2772,
            rtol=0.002,
            kind=ReferenceKind.ANALYTIC,
            source="AAPM Report 293: 1.9852 exp(-0.0486 x 18) = 0.82772",
            why=WHY,
        ),
    ),
)
def size_specific_dose_estimate(sections: Sections, acquisition: CtAcquisition) -> Estimate:
    """The mean dose to the patient's scanned sections: CTDIvol, corrected for the patient's size slice by slice.

    SSDE = CTDIvol times the mean over z of f(Dw(z)), with f for the phantom of the CTDIvol (32 or 16 cm) and, where the
    body part examined is the head, Report 293's for the 16 cm phantom. CTDIvol is the series' own (mean) value.

    Parameters
    ----------
    sections : the patient's sections.
    acquisition : its `ctdi_vol_mgy`, `ctdi_phantom_cm` and `body_part` are used.

    Returns
    -------
    Estimate
        mGy; standard uncertainty from that of the sections.

    Raises
    ------
    Undefined
        ``quality.no-ctdi``, ``quality.no-ctdi-phantom``, ``quality.no-body``, ``quality.not-axial``,
        ``quality.body-truncated``.

    Notes
    -----
    Not an organ dose and not an effective dose. With tube current modulation the mean hides how it varies along z.
    """
    if acquisition.ctdi_vol_mgy is None or acquisition.ctdi_vol_mgy <= 0:
        raise Undefined(NO_CTDI)
    factor, per_cm = _conversion(acquisition)
    dose = acquisition.ctdi_vol_mgy * float(np.mean(factor * np.exp(-per_cm * sections.diameter_cm[sections.whole])))
    return Estimate(dose, dose * per_cm * abs(sections.rim_cm) / 3.0**0.5)


def _conversion(acquisition: CtAcquisition) -> tuple[float, float]:
    phantom_cm = acquisition.ctdi_phantom_cm
    if phantom_cm is None:
        raise Undefined(NO_CTDI_PHANTOM)
    if math.isclose(phantom_cm, 32.0):
        return BODY_32
    if math.isclose(phantom_cm, 16.0):
        return HEAD_16 if (acquisition.body_part or "").strip().upper() in HEAD_PARTS else BODY_16
    raise Undefined(NO_CTDI_PHANTOM)
