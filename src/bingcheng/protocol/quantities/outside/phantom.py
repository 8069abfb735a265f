"""Quantities that a phantom shows of a scanner."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute, outside
from bingcheng.protocol.values import Kind

SCAN_PHANTOM = text("Scan the phantom on this scanner and enter its result.")


def _phantom(key: str, label: Text, *, unit: str = "1") -> Attribute:
    why = text("this is a property of the scanner that a phantom shows: {what}", what=label)
    return outside(key, label=label, unit=unit, why=why, supply=SCAN_PHANTOM, owner=Owner.PHYSICIST)


WATER_NOISE = _phantom("phantom.hu_sd_water", text("noise in water"), unit="[hnsf'U]")
ADC_BIAS = _phantom("phantom.adc_bias_abs", text("ADC bias in the phantom"), unit="10-3.mm2/s")
ADC_REPEATABILITY = _phantom("phantom.adc_short_term_cv", text("short-term variation of ADC in the phantom"))
SNR_B0 = _phantom("phantom.snr_b0", text("SNR of the phantom at b = 0"))
ADC_B_DEPENDENCE = _phantom("phantom.adc_b_dependence", text("dependence of ADC on the b-value in the phantom"))
ADC_AGREEMENT = _phantom("phantom.adc_loa", text("95 % limits of agreement of ADC between scanners"))
CT_NUMBER_BONE = _phantom(
    "phantom.ct_number_bone", text("CT number of the bone-equivalent insert in the phantom"), unit="[hnsf'U]"
)
CT_NUMBER_AIR = _phantom("phantom.ct_number_air", text("CT number of the air in the phantom"), unit="[hnsf'U]")
CT_NUMBER_ACRYLIC = _phantom(
    "phantom.ct_number_acrylic", text("CT number of the acrylic in the phantom"), unit="[hnsf'U]"
)
CT_NUMBER_WATER = _phantom("phantom.ct_number_water", text("CT number of the water in the phantom"), unit="[hnsf'U]")
CT_NUMBER_POLYETHYLENE = _phantom(
    "phantom.ct_number_polyethylene", text("CT number of the polyethylene in the phantom"), unit="[hnsf'U]"
)
GEOMETRIC_ERROR = _phantom("phantom.geometric_error", text("geometric error in the phantom"), unit="mm")
HIGH_CONTRAST = _phantom(
    "phantom.high_contrast_resolution", text("smallest holes told apart in the phantom"), unit="mm"
)
UNIFORMITY = _phantom("phantom.piu", text("percent integral uniformity of the phantom"), unit="%")
GHOSTING = _phantom("phantom.psg", text("percent signal ghosting of the phantom"), unit="%")
LOW_CONTRAST = _phantom("phantom.lcd_spokes", text("low-contrast spokes seen in the phantom"))
FIELD_STRENGTH = _phantom("phantom.field_strength", text("field strength of the scanner with the phantom"), unit="T")
EARL_STANDARD = outside(
    "phantom.earl_standard",
    label=text("EARL standard that the phantom was scanned for"),
    kind=Kind.WORD,
    words={"EARL1": text("EARL 1"), "EARL2": text("EARL 2")},
    why=text("to which EARL standard the reconstruction belongs is agreed, not written in a header"),
    supply=SCAN_PHANTOM,
    owner=Owner.PHYSICIST,
)
RC_MEAN_37 = _phantom("phantom.rc_mean_37mm", text("recovery of the 37 mm sphere, mean"))
RC_MAX_37 = _phantom("phantom.rc_max_37mm", text("recovery of the 37 mm sphere, maximum"))
RC_MEAN_28 = _phantom("phantom.rc_mean_28mm", text("recovery of the 28 mm sphere, mean"))
RC_MAX_28 = _phantom("phantom.rc_max_28mm", text("recovery of the 28 mm sphere, maximum"))
RC_MEAN_22 = _phantom("phantom.rc_mean_22mm", text("recovery of the 22 mm sphere, mean"))
RC_MAX_22 = _phantom("phantom.rc_max_22mm", text("recovery of the 22 mm sphere, maximum"))
RC_MEAN_17 = _phantom("phantom.rc_mean_17mm", text("recovery of the 17 mm sphere, mean"))
RC_MAX_17 = _phantom("phantom.rc_max_17mm", text("recovery of the 17 mm sphere, maximum"))
RC_MEAN_13 = _phantom("phantom.rc_mean_13mm", text("recovery of the 13 mm sphere, mean"))
RC_MAX_13 = _phantom("phantom.rc_max_13mm", text("recovery of the 13 mm sphere, maximum"))
RC_MEAN_10 = _phantom("phantom.rc_mean_10mm", text("recovery of the 10 mm sphere, mean"))
RC_MAX_10 = _phantom("phantom.rc_max_10mm", text("recovery of the 10 mm sphere, maximum"))
