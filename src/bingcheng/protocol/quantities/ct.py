"""Quantities of CT series: exposure, reconstruction, and where the CT stands in a PET/CT."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.values import Kind

SCAN_MODES = {"axial": text("axial (step and shoot)"), "helical": text("helical")}
MODES = {"SPIRAL": "helical", "SEQUENCED": "axial"}


@attribute("KVP", label=text("tube voltage"), unit="kV")
def kvp(acquisition: CtAcquisition) -> float | None:
    """Peak tube voltage (0018,0060)."""
    return acquisition.kvp_kv


@attribute("Exposure", label=text("tube charge"), unit="mA.s")
def exposure(acquisition: CtAcquisition) -> float | None:
    """Tube charge (0018,1152), else tube current times rotation time."""
    if acquisition.exposure_mas is not None:
        return acquisition.exposure_mas
    if acquisition.tube_current_ma is None or acquisition.rotation_time_s is None:
        return None
    return acquisition.tube_current_ma * acquisition.rotation_time_s


@attribute("SpiralPitchFactor", label=text("pitch"), tolerance=0.005)
def pitch(acquisition: CtAcquisition) -> float | None:
    """Table feed per rotation over total collimation (0018,9311)."""
    return acquisition.pitch


@attribute("CTDIvol", label=text("CTDIvol"), unit="mGy")
def ctdi_vol(acquisition: CtAcquisition) -> float | None:
    """Volume CT dose index (0018,9345)."""
    return acquisition.ctdi_vol_mgy


@attribute("ConvolutionKernel", label=text("reconstruction kernel"), kind=Kind.WORD)
def kernel(acquisition: CtAcquisition) -> str | None:
    """The vendor's name of the kernel (0018,1210)."""
    return acquisition.convolution_kernel


@attribute("derived.detector_rows", label=text("detector rows"), tolerance=0.05)
def detector_rows(acquisition: CtAcquisition) -> float | None:
    """Total over single collimation width (0018,9307)/(0018,9306)."""
    total_mm, single_mm = acquisition.total_collimation_mm, acquisition.single_collimation_mm
    return None if not total_mm or not single_mm else total_mm / single_mm


@attribute("derived.scan_mode", label=text("scan mode"), kind=Kind.WORD, words=SCAN_MODES)
def scan_mode(acquisition: CtAcquisition) -> str | None:
    """Whether the table moved while the tube turned, by (0018,9302) or the vendor's word for it (PS3.3 C.8.15.3.2.1).

    A pitch is recorded for spirals only (C.8.15.3.10) and tells one where nothing else does. AXIAL as value 3 of the
    image type is no witness: it names the plane of the image.
    """
    if acquisition.acquisition_type in MODES:
        return MODES[acquisition.acquisition_type]
    return "helical" if acquisition.pitch is not None and acquisition.pitch > 0 else None


@attribute(
    "derived.attenuation_ct",
    label=text("CT made to correct PET for attenuation"),
    kind=Kind.FLAG,
    why=text("the exam contains PET, and the header does not say whether contrast was given to this CT"),
    supply=text("Say whether the CT of this PET/CT was made as a diagnostic CT."),
    owner=Owner.TECHNOLOGIST,
)
def attenuation_ct(acquisition: CtAcquisition, exam: ExamFacts) -> bool | None:
    """Whether this CT serves the PET alone: no where there is no PET, or where a contrast agent was given."""
    if not any(other.modality == "PT" for other in exam.acquisitions):
        return False
    return False if acquisition.contrast_agent else None
