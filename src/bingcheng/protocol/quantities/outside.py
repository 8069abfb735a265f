"""Quantities that no header holds (lesions, phantoms, the site, the clinic): judged when someone supplies them."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute, outside
from bingcheng.protocol.values import Kind

MEASURE_LESIONS = text("Segment or measure the lesions; the limit applies to each target lesion.")
SCAN_PHANTOM = text("Scan the phantom on this scanner and enter its result.")
ASK_SITE = text("Ask the department's quality manager and enter the answer.")
ASK_CLINIC = text("Ask the referring clinic or the technologist and enter the answer.")


def _image(key: str, label: Text, *, unit: str = "1") -> Attribute:
    why = text("this is measured in the image, not read from the header: {what}", what=label)
    return outside(key, label=label, unit=unit, why=why, supply=MEASURE_LESIONS, owner=Owner.RADIOLOGIST)


def _phantom(key: str, label: Text, *, unit: str = "1") -> Attribute:
    why = text("this is a property of the scanner that a phantom shows: {what}", what=label)
    return outside(key, label=label, unit=unit, why=why, supply=SCAN_PHANTOM, owner=Owner.PHYSICIST)


def _site(key: str, label: Text, *, unit: str = "1", kind: Kind = Kind.NUMBER) -> Attribute:
    why = text("this is a fact of the department, not of an exam: {what}", what=label)
    return outside(key, label=label, kind=kind, unit=unit, why=why, supply=ASK_SITE, owner=Owner.PHYSICIST)


def _clinical(key: str, label: Text, *, unit: str = "1", kind: Kind = Kind.WORD) -> Attribute:
    why = text("no header holds this: {what}", what=label)
    return outside(key, label=label, kind=kind, unit=unit, why=why, supply=ASK_CLINIC, owner=Owner.RADIOLOGIST)


TARGET_DIAMETER = _image("image.target_longest_diameter", text("longest diameter of a target lesion"), unit="mm")
TARGET_IN_SLICES = _image("image.target_diameter_in_slices", text("longest diameter over slice thickness"))
NODE_SHORT_AXIS = _image("image.node_short_axis", text("short axis of a target lymph node"), unit="mm")
TARGET_COUNT = _image("image.n_target_lesions", text("number of target lesions"))
TARGETS_PER_ORGAN = _image("image.n_target_per_organ", text("largest number of target lesions in one organ"))
LIVER_SUL_DELTA_REL = _image(
    "image.liver_sulmean_delta_rel", text("difference of the liver's mean SUL, relative to the larger")
)
LIVER_SUL_DELTA = _image(
    "image.liver_sulmean_delta_abs", text("difference of the liver's mean SUL"), unit="g/ml{SUVlbm}"
)
SUL_PEAK_OVER_LIVER = _image(
    "image.baseline_sulpeak_over_threshold",
    text("baseline SULpeak over (1.5 liver mean + 2 liver SD)"),
)
DIAGNOSTIC_CT = _clinical(
    "clinical.diagnostic_ct_in_petct",
    text("CT of the PET/CT is of diagnostic quality with intravenous and oral contrast"),
    kind=Kind.FLAG,
)
TUMOUR = _clinical("clinical.tumour", text("kind of tumour"))
LOCOREGIONAL_THERAPY = _clinical(
    "clinical.after_locoregional_therapy", text("after local treatment of the liver"), kind=Kind.FLAG
)
SALINE = _clinical("clinical.saline_ml", text("volume of the saline chaser"), unit="ml", kind=Kind.NUMBER)
EXTENT = outside(
    "image.anatomic_extent",
    label=text("anatomical extent"),
    kind=Kind.WORD,
    why=text("how far the body is covered shows in the image; the header's body part is no witness"),
    supply=text("Look at the first and the last slice and enter the extent."),
    owner=Owner.RADIOLOGIST,
)

WATER_NOISE = _phantom("phantom.hu_sd_water", text("noise in water"), unit="[hnsf'U]")
ADC_BIAS = _phantom("phantom.adc_bias_abs", text("ADC bias in the phantom"), unit="10-3.mm2/s")
ADC_REPEATABILITY = _phantom("phantom.adc_short_term_cv", text("short-term variation of ADC in the phantom"))
SNR_B0 = _phantom("phantom.snr_b0", text("SNR of the phantom at b = 0"))
ADC_B_DEPENDENCE = _phantom("phantom.adc_b_dependence", text("dependence of ADC on the b-value in the phantom"))
ADC_AGREEMENT = _phantom("phantom.adc_loa", text("95 % limits of agreement of ADC between scanners"))

EARL = _site("site.earl_accredited_recon", text("the reconstruction is EARL-accredited"), kind=Kind.FLAG)
PHANTOM_INTERVAL = _site("site.phantom_interval_days", text("days since the last phantom scan"), unit="d")
KERNEL_WITHOUT_ENHANCEMENT = _site(
    "site.kernel_without_edge_enhancement",
    text("the kernel is the sharpest of the scanner that does not enhance edges"),
    kind=Kind.FLAG,
)
