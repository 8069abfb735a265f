"""Facts of a CT series."""

from __future__ import annotations

from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.facts.general import SeriesFacts
from bingcheng.dicom.facts.tags import Tags

_PHANTOM_CM = {"113690": 16.0, "113691": 32.0}
"""IEC head and body dosimetry phantoms (PS3.16 CID 4052)."""


def ct_acquisition(facts: SeriesFacts) -> CtAcquisition:
    """The facts of a CT series from the header of its first slice, classic or enhanced."""
    header = facts.header
    phantom = header.code("CTDIPhantomTypeCodeSequence")
    kernel = header.texts("ConvolutionKernel")
    return CtAcquisition(
        **facts.common(),
        kvp_kv=header.positive("KVP"),
        tube_current_ma=header.positive("XRayTubeCurrent") or header.positive("XRayTubeCurrentInmA"),
        exposure_mas=_exposure_mas(header),
        rotation_time_s=header.positive("RevolutionTime"),
        pitch=header.positive("SpiralPitchFactor"),
        total_collimation_mm=header.positive("TotalCollimationWidth"),
        single_collimation_mm=header.positive("SingleCollimationWidth"),
        convolution_kernel=kernel[0] if kernel else None,
        iterative=_iterative(facts),
        ctdi_vol_mgy=header.positive("CTDIvol"),
        ctdi_phantom_cm=_PHANTOM_CM.get(phantom.value) if phantom is not None else None,
        gantry_tilt_deg=header.number("GantryDetectorTilt"),
        exposure_modulation=header.text("ExposureModulationType"),
    )


def _exposure_mas(header: Tags) -> float | None:
    exposure = header.positive("Exposure") or header.positive("ExposureInmAs")
    if exposure is not None:
        return exposure
    micro = header.positive("ExposureInuAs")
    return micro / 1000 if micro is not None else None


def _iterative(facts: SeriesFacts) -> str | None:
    private = facts.vendor.iterative(facts.header) if facts.vendor is not None else None
    return private or facts.header.text("IterativeReconstructionMethod")
