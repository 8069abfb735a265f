"""The facts that every modality has, units normalised, and the list of what had to be corrected."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from bingcheng.dicom.acquisition import Device
from bingcheng.dicom.facts.contrast import contrast
from bingcheng.dicom.facts.duration import ended_at
from bingcheng.dicom.facts.phases import volume_times_s
from bingcheng.dicom.facts.place import place_of
from bingcheng.dicom.facts.placeholders import recorded, settings
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import date_of, joined, time_of

HEAVIEST_KG = 400.0
TALLEST_M = 2.6
FARTHEST_FROM_STUDY = timedelta(hours=60)
"""A study may begin in the evening, and its last series (delayed PET, a second day) be made two days later."""
LOSSY_SYNTAXES = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
"""JPEG baseline and extended can't be without loss (PS3.5 8.2.1); the other processes say so in the header."""

_AGE = re.compile(r"(\d{1,3})([DWMY])$")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def common(facts: SeriesFacts) -> dict[str, Any]:
    """The fields of `Acquisition`, by name. Call it last: it holds the contradictions found so far."""
    header, series, volume = facts.header, facts.series, facts.volume
    _compare_dates(facts)
    fields = {
        "modality": series.modality,
        "device": _device(facts),
        "series_uid": series.uid,
        "series_number": series.number,
        "frame_of_reference_uid": series.frame_of_reference_uid,
        "series_description": header.text("SeriesDescription"),
        "protocol_name": header.text("ProtocolName"),
        "body_part": header.text("BodyPartExamined"),
        "image_type": header.texts("ImageType"),
        "scan_options": tuple(option.upper() for option in header.texts("ScanOptions")),
        "started_at": facts.started_at,
        "ended_at": ended_at(facts),
        "weight_kg": _weight_kg(facts),
        "height_m": _height_m(facts),
        "age_a": _age_a(header),
        "sex": _sex(header),
        "rows": _count(header.positive("Rows")),
        "columns": _count(header.positive("Columns")),
        "pixel_spacing_mm": _pixel_spacing_mm(header),
        "slice_thickness_mm": header.positive("SliceThickness"),
        "spacing_between_slices_mm": header.positive("SpacingBetweenSlices"),
        "slice_count": len(volume.frames) if volume is not None else None,
        **place_of(volume),
        "volume_count": len(series.volumes) or None,
        "volume_times_s": volume_times_s(facts),
        "patient_position": header.text("PatientPosition"),
        **contrast(facts),
        "reconstruction_diameter_mm": _diameter_mm(header),
        "lossy": _lossy(header),
    }
    return fields | {"contradictions": tuple(facts.contradictions)}


def _compare_dates(facts: SeriesFacts) -> None:
    """Note an acquisition that lies days away from its study, as where de-identification shifted one date only."""
    day, time = date_of(facts.header.text("StudyDate")), time_of(facts.header.text("StudyTime"))
    studied = joined(day, time or timedelta(hours=12))
    if facts.started_at is None or studied is None:
        return
    apart = facts.started_at - studied
    if abs(apart) > FARTHEST_FROM_STUDY:
        facts.note("acquisition-date-contradicts-study-date", f"{apart / timedelta(days=1):.0f} d")


def _device(facts: SeriesFacts) -> Device:
    header = facts.header
    return Device(
        vendor=facts.vendor.name if facts.vendor is not None else None,
        manufacturer=recorded(header.text("Manufacturer")),
        model=recorded(header.text("ManufacturerModelName")),
        serial_number=recorded(header.text("DeviceSerialNumber")),
        software_versions=settings(header.texts("SoftwareVersions")),
        station_name=recorded(header.text("StationName")),
        institution=recorded(header.text("InstitutionName")),
    )


def _weight_kg(facts: SeriesFacts) -> float | None:
    weight = facts.header.positive("PatientWeight")
    if weight is None or weight <= HEAVIEST_KG:
        return weight
    if 1000 <= weight <= 1000 * HEAVIEST_KG:
        facts.note("weight-in-grams", f"{weight:g}")
        return weight / 1000
    facts.note("weight-impossible", f"{weight:g}")
    return None


def _height_m(facts: SeriesFacts) -> float | None:
    height = facts.header.positive("PatientSize")
    if height is None or height <= TALLEST_M:
        return height
    for factor, unit in ((100, "centimetres"), (1000, "millimetres")):
        # No person of 30 cm to 2.6 m fits both: 260 cm ends where 300 mm begins.
        if 0.3 <= height / factor <= TALLEST_M:
            facts.note(f"height-in-{unit}", f"{height:g}")
            return height / factor
    facts.note("height-impossible", f"{height:g}")
    return None


def _age_a(header: Tags) -> float | None:
    match = _AGE.match((header.text("PatientAge") or "").upper())
    if match is not None:
        return int(match[1]) * _YEARS[match[2]]
    born, studied = (date_of(header.text(keyword)) for keyword in ("PatientBirthDate", "StudyDate"))
    if born is None or studied is None or not 0 <= (studied - born).days < 130 * 365.25:
        return None
    return (studied - born).days / 365.25


def _sex(header: Tags) -> str | None:
    sex = (header.text("PatientSex") or "").upper()[:1]
    return sex if sex in ("M", "F", "O") else None


def _pixel_spacing_mm(header: Tags) -> tuple[float, float] | None:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = header.numbers(keyword)
        if len(spacing) == 2 and min(spacing) > 0:
            return spacing[0], spacing[1]
    return None


def _lossy(header: Tags) -> bool:
    meta = getattr(header.dataset, "file_meta", None)
    syntax = str(getattr(meta, "TransferSyntaxUID", ""))
    return header.text("LossyImageCompression") == "01" or syntax in LOSSY_SYNTAXES


def _diameter_mm(header: Tags) -> float | None:
    """The reconstructed field of view; enhanced CT has its height and width (PS3.3 C.8.15.3.6), the larger counts."""
    classic = header.positive("ReconstructionDiameter")
    field = [side for side in header.numbers("ReconstructionFieldOfView") if side > 0]
    return classic if classic is not None else max(field, default=None)


def _count(number: float | None) -> int | None:
    return int(number) if number is not None else None
