"""Whether the air of an MR image still holds the noise that was measured, by what its header says was done to it."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, MrAcquisition

AIR_NOT_MEASURED = Problem(
    code="quality.air-not-measured",
    says="the image was computed from others (image type {kind}), so that its air holds no measured noise",
    remedy="Measure the signal-to-noise ratio on the source images.",
    owner=Owner.PHYSICIST,
)
NOT_A_MAGNITUDE = Problem(
    code="quality.not-a-magnitude",
    says="the image shows no magnitude (image type {kind}), so that its air does not tell the noise",
    remedy="Measure the signal-to-noise ratio on the magnitude images of the same series.",
    owner=Owner.PHYSICIST,
)
NOISE_EVENED_OUT = Problem(
    code="quality.noise-evened-out",
    says="the scanner evened out the sensitivity of its coils (image type {kind}), and with it changed the noise from "
    "place to place",
    remedy="Reconstruct once more without normalisation, or measure the signal-to-noise ratio from repeated images.",
    owner=Owner.TECHNOLOGIST,
)

AVERAGES = frozenset({"TRACEW", "ISOTROPIC", "MEAN", "ADDITION"})
"""Images that average magnitudes over directions or repeats: of air, too, so that it still holds noise. Their noise in
air relative to that in tissue is that of some number of channels between one and the one it looks like. TRACEW and
ISOTROPIC are vendors' words, the others PS3.3 C.8.16.1.1.4."""
COMPUTED = frozenset(
    {"ADC", "EADC", "FA", "RA", "VR", "TENSOR", "EXP", "CALC_BVALUE", "SUB", "SUBTRACTION", "DIVISION", "QUANTITY"}
    | {"MULTIPLICATION", "MASKED", "MAXIMUM", "MINIMUM", "STD_DEVIATION", "RESAMPLED", "MIP", "MINIP", "MPR", "CPR"}
    | {"PROJECTION IMAGE", "T1 MAP", "T2 MAP", "T2_STAR MAP", "R2_STAR MAP", "RCBV", "RCBF", "MTT", "TTP", "PBP"}
)
"""Words for images whose voxels are no averages of magnitudes (PS3.3 C.8.16.1.1.4, C.8.13.3.1.1.1; vendors')."""
PARTS_OF_A_COMPLEX = frozenset({"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY", "VELOCITY", "VELOCITY MAP"})
COMPUTED_B_VALUE = text("computed b-value")
EVENED_OUT = frozenset({"NORM"})
"""Prescan normalisation multiplies by a smooth map that rises to the patient's middle: air tells nothing of it."""


def require_measured_air(acquisition: Acquisition) -> None:
    """Refuse an image whose header says that its air is not as it was measured.

    An image type without such a word, or none at all, proves nothing: the air itself is looked at as well
    (`bingcheng.quality.magnitude`). Correction of geometric distortion (DIS2D, DIS3D) is no reason: it sets corners to
    zero, which are passed over, and interpolates noise in air as it does in tissue.

    Raises
    ------
    Undefined
        ``quality.air-not-measured``, ``quality.not-a-magnitude``, ``quality.noise-evened-out``.
    """
    words = [word.strip().upper() for word in acquisition.image_type]
    for word in words[2:]:
        if word in COMPUTED or word.startswith("ADC"):
            raise Undefined(AIR_NOT_MEASURED, kind=word)
        if word in PARTS_OF_A_COMPLEX:
            raise Undefined(NOT_A_MAGNITUDE, kind=word)
        if word in EVENED_OUT:
            raise Undefined(NOISE_EVENED_OUT, kind=word)
    if isinstance(acquisition, MrAcquisition) and acquisition.synthetic_b:
        raise Undefined(AIR_NOT_MEASURED, kind=COMPUTED_B_VALUE)
    # PS3.3 C.7.6.1.1.2: DERIVED means that the voxels come from those of other images.
    if words[:1] == ["DERIVED"] and AVERAGES.isdisjoint(words):
        raise Undefined(AIR_NOT_MEASURED, kind="DERIVED")
