"""How a CT was set, from its Performed Procedure Protocol (PS3.3 A.82.1): facts of each reconstruction, as of a series.

The object has no images: it says what the console was set to, element by element. Each reconstruction (C.34.12) gives
the facts of one series, joined with those of the acquisition that it was made from (C.34.10). What only images tell
(positions, injected contrast) stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.exam import FrameSource, Series
from bingcheng.dicom.facts.ct import ACQUISITION_TYPES, PHANTOM_CM
from bingcheng.dicom.facts.general import common
from bingcheng.dicom.facts.placeholders import setting
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.sources import open_dataset

PERFORMED_PROTOCOL = "1.2.840.10008.5.1.4.1.1.200.2"
"""CT Performed Procedure Protocol Storage (PS3.4 B.5)."""

NOT_PERFORMED_PROTOCOL = Problem(
    code="dicom.not-a-performed-protocol",
    says="{file} is no CT Performed Procedure Protocol",
    remedy="Give the object that the scanner stores beside the images of an exam; images go to `bingcheng assess`.",
    owner=Owner.OPERATOR,
)
NOTHING_PERFORMED = Problem(
    code="dicom.nothing-performed",
    says="{file} holds neither an acquisition nor a reconstruction",
    remedy="Have the scanner store the protocol again after the exam has ended.",
    owner=Owner.VENDOR,
)


def performed_acquisitions(path: Path) -> tuple[CtAcquisition, ...]:
    """The facts of what was performed: one for each reconstruction, and for each acquisition without one.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.not-a-performed-protocol``, ``dicom.nothing-performed``.
    """
    header = open_performed(path)
    found = tuple(_all(header, FrameSource(path=path)))
    if not found:
        raise InputError(NOTHING_PERFORMED, file=path.name)
    return found


def open_performed(path: Path) -> Tags:
    """The object in a file, if it is a CT Performed Procedure Protocol.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.not-a-performed-protocol``.
    """
    header = Tags(open_dataset(FrameSource(path=path)))
    if header.text("SOPClassUID") != PERFORMED_PROTOCOL:
        raise InputError(NOT_PERFORMED_PROTOCOL, file=path.name)
    return header


def _all(header: Tags, source: FrameSource) -> Iterator[CtAcquisition]:
    acquired = {_number(one): one for one in _elements(header, "AcquisitionProtocolElementSequence")}
    reconstructed = list(_elements(header, "ReconstructionProtocolElementSequence"))
    general = _general(header, source)
    used: set[int] = set()
    for one in reconstructed:
        # A reconstruction may join several acquisitions (C.34.12); what it was made from differs in its range only.
        numbers = [int(n) for n in one.numbers("SourceAcquisitionProtocolElementNumber")]
        used.update(numbers)
        made_from = next((acquired[n] for n in numbers if n in acquired), Tags(Dataset()))
        yield _facts(general, made_from, one, beam=next(iter(one.numbers("SourceAcquisitionBeamNumber")), None))
    for number, one in acquired.items():
        if number not in used:
            yield _facts(general, one, None, beam=None)


def _elements(header: Tags, keyword: str) -> Iterator[Tags]:
    return (Tags(item) for item in header.items(keyword))


def _number(element: Tags) -> int:
    return int(element.number("ProtocolElementNumber") or 0)


def _general(header: Tags, source: FrameSource) -> dict[str, Any]:
    """What holds of all elements: scanner, patient, time."""
    uid = header.text("SeriesInstanceUID") or header.text("SOPInstanceUID") or ""
    series = Series(
        uid=uid,
        modality="CT",
        sop_class_uid=PERFORMED_PROTOCOL,
        number=None,
        description=None,
        volumes=(),
        sources=(source,),
        sop_instance_uids=(header.text("SOPInstanceUID") or "",),
        frame_of_reference_uid=header.text("FrameOfReferenceUID"),
    )
    return common(SeriesFacts(series=series, volume=None, header=header))


def _facts(general: dict[str, Any], acquired: Tags, made: Tags | None, *, beam: float | None) -> CtAcquisition:
    element = made or acquired
    kind = "R" if made is not None else "A"
    # Each element is judged like a series, and needs a name of its own that no series has.
    fields = general | {"series_uid": f"{general['series_uid']}/{kind}{_number(element)}"}
    fields |= {
        "series_number": _number(element) or None,
        "series_description": element.text("RequestedSeriesDescription") or element.text("ProtocolElementName"),
    }
    return CtAcquisition(**(fields | _acquired(acquired, beam) | ({} if made is None else _reconstructed(made))))


def _acquired(element: Tags, beam: float | None) -> dict[str, Any]:
    """The facts that the acquisition gives, with those of the beam that was reconstructed from."""
    beams = [Tags(item) for item in element.items("CTXRayDetailsSequence")]
    details = next((one for one in beams if beam is not None and one.number("BeamNumber") == beam), None)
    if details is None:
        details = beams[0] if beams else element
    said = (element.text("AcquisitionType") or "").upper()
    phantom = element.code("CTDIPhantomTypeCodeSequence")
    return {
        "acquisition_type": said if said in ACQUISITION_TYPES else None,
        "image_type": _image_type(said),
        "kvp_kv": details.positive("KVP"),
        "tube_current_ma": details.positive("XRayTubeCurrentInmA"),
        "exposure_mas": details.positive("ExposureInmAs"),
        "exposure_modulation": details.text("ExposureModulationType"),
        "rotation_time_s": element.positive("RevolutionTime"),
        "pitch": element.positive("SpiralPitchFactor"),
        "total_collimation_mm": element.positive("TotalCollimationWidth"),
        "single_collimation_mm": element.positive("SingleCollimationWidth"),
        "gantry_tilt_deg": element.number("GantryDetectorTilt"),
        "ctdi_vol_mgy": element.positive("CTDIvol"),
        "ctdi_phantom_cm": PHANTOM_CM.get(phantom.value) if phantom is not None else None,
    }


def _image_type(acquisition_type: str) -> tuple[str, ...]:
    """What type the images have by the standard's own words; nothing where the kind of acquisition is not said.

    A scan whose tube stands still is a localiser (PS3.3 C.8.15.3.2.1); what is reconstructed from the raw data of any
    other is original (C.7.6.1.1.2) and transverse (C.34.12).
    """
    if acquisition_type == "CONSTANT_ANGLE":
        return ("ORIGINAL", "PRIMARY", "LOCALIZER")
    return ("ORIGINAL", "PRIMARY", "AXIAL") if acquisition_type in ACQUISITION_TYPES else ()


def _reconstructed(element: Tags) -> dict[str, Any]:
    """The facts that the reconstruction gives. The distance of its slices is the one that was set."""
    kernel, spacing = element.texts("ConvolutionKernel"), element.numbers("ReconstructionPixelSpacing")
    diameter = element.positive("ReconstructionDiameter") or element.positive("ReconstructionFieldOfView")
    interval = element.positive("SpacingBetweenSlices")
    rows, columns = element.positive("Rows"), element.positive("Columns")
    fields: dict[str, Any] = {
        "convolution_kernel": setting(kernel[0]) if kernel else None,
        "iterative": element.item("ReconstructionAlgorithmSequence").text("AlgorithmName"),
        "slice_thickness_mm": element.positive("SliceThickness"),
        "spacing_between_slices_mm": interval,
        "reconstruction_interval_mm": interval,
        "reconstruction_diameter_mm": diameter,
        "rows": int(rows) if rows is not None else None,
        "columns": int(columns) if columns is not None else None,
        "pixel_spacing_mm": (spacing[0], spacing[1]) if len(spacing) == 2 and min(spacing) > 0 else None,
    }
    if element.items("DerivationCodeSequence"):
        fields["image_type"] = ("DERIVED", "PRIMARY")
    return fields
