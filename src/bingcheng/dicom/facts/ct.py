"""Facts of a CT series."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.facts.general import common
from bingcheng.dicom.facts.placeholders import setting
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags

PHANTOM_CM = {"113690": 16.0, "113691": 32.0}
"""IEC head and body dosimetry phantoms (PS3.16 CID 4052)."""

ACQUISITION_TYPES = frozenset(("SPIRAL", "SEQUENCED", "CONSTANT_ANGLE", "STATIONARY", "FREE"))
"""PS3.3 C.8.15.3.2.1."""
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("HELICAL", "HELIX", "SPIRAL", "SPI"), "SPIRAL"),
        **dict.fromkeys(("SCOUT", "SURVIEW", "TOPOGRAM", "TOP", "LOCALIZER"), "CONSTANT_ANGLE"),
        **dict.fromkeys(("CINE", "DYNAMIC", "STATIONARY"), "STATIONARY"),
        **dict.fromkeys(("SEQUENCE", "SEQUENTIAL", "SEQ", "STEP-AND-SHOOT"), "SEQUENCED"),
    }
)
"""GE: HELICAL MODE, AXIAL MODE, CINE MODE, SCOUT MODE; Philips: HELIX, SURVIEW; Siemens: CT_SOM5 SPI, SEQ, TOP."""


def ct_acquisition(facts: SeriesFacts) -> CtAcquisition:
    """The facts of a CT series from the header of its first slice, classic or enhanced."""
    header = facts.header
    phantom = header.code("CTDIPhantomTypeCodeSequence")
    kernel = header.texts("ConvolutionKernel")
    return CtAcquisition(
        **common(facts),
        acquisition_type=_acquisition_type(header),
        kvp_kv=header.positive("KVP"),
        tube_current_ma=header.positive("XRayTubeCurrent") or header.positive("XRayTubeCurrentInmA"),
        exposure_mas=_exposure_mas(header),
        rotation_time_s=header.positive("RevolutionTime"),
        pitch=header.positive("SpiralPitchFactor"),
        total_collimation_mm=header.positive("TotalCollimationWidth"),
        single_collimation_mm=header.positive("SingleCollimationWidth"),
        convolution_kernel=setting(kernel[0]) if kernel else None,
        iterative=_iterative(facts),
        ctdi_vol_mgy=header.positive("CTDIvol"),
        ctdi_phantom_cm=PHANTOM_CM.get(phantom.value) if phantom is not None else None,
        gantry_tilt_deg=header.number("GantryDetectorTilt"),
        exposure_modulation=header.text("ExposureModulationType"),
        irradiation_event_uids=header.texts("IrradiationEventUID"),
    )


def _acquisition_type(header: Tags) -> str | None:
    """(0018,9302); else the vendor's word in ScanOptions or ImageType, or the pitch that only spirals have."""
    said = (header.text("AcquisitionType") or "").upper()
    if said in ACQUISITION_TYPES:
        return said
    options = _kinds(header.texts("ScanOptions"), {"AXIAL": "SEQUENCED", **_WORDS})
    kinds = options or _kinds(header.texts("ImageType")[2:], _WORDS)  # where AXIAL only means no localiser
    if kinds:
        return kinds[0]
    return "SPIRAL" if header.positive("SpiralPitchFactor") is not None else None


def _kinds(said: Sequence[str], words: Mapping[str, str]) -> list[str]:
    """The acquisition types that the words of several texts mean, in their order."""
    spoken = [word for text in said for word in re.split(r"[\s_]+", text.upper())]
    return [words[word] for word in spoken if word in words]


def _exposure_mas(header: Tags) -> float | None:
    exposure = header.positive("Exposure") or header.positive("ExposureInmAs")
    if exposure is not None:
        return exposure
    micro = header.positive("ExposureInuAs")
    return micro / 1000 if micro is not None else None


def _iterative(facts: SeriesFacts) -> str | None:
    private = facts.vendor.iterative(facts.header) if facts.vendor is not None else None
    return private or facts.header.text("IterativeReconstructionMethod")
