"""The facts that every modality has, units normalised, and the list of what had to be corrected."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np

from bingcheng.dicom.acquisition import Device
from bingcheng.dicom.exam import Series, VolumeFrames
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import acquisition_moment, date_of, nearest, series_moment, time_of
from bingcheng.dicom.vendors.known import vendor_of
from bingcheng.dicom.vendors.vendor import Vendor

HEAVIEST_KG = 400.0
TALLEST_M = 2.6
LOSSY_SYNTAXES = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
"""JPEG baseline and extended can't be without loss (PS3.5 8.2.1); the other processes say so in the header."""

_AGE = re.compile(r"(\d{1,3})([DWMY])$")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


class SeriesFacts:
    """What the facts of one series are made from, and the contradictions found on the way.

    Parameters
    ----------
    series : as indexed.
    volume : the one that the facts speak of, None for a series without image slices.
    header : of the volume's first slice.
    """

    def __init__(self, *, series: Series, volume: VolumeFrames | None, header: Tags) -> None:
        self.series = series
        self.volume = volume
        self.header = header
        self.vendor: Vendor | None = vendor_of(header.text("Manufacturer"))
        self.started_at: datetime | None = (
            series.first_acquired_at or acquisition_moment(header) or series_moment(header)
        )
        self.contradictions: list[tuple[str, str]] = []

    def note(self, code: str, found: str) -> None:
        """Record that a value was corrected or contradicts another; `found` holds no date and no identity."""
        if (code, found) not in self.contradictions:
            self.contradictions.append((code, found))

    def keyed(self, name: str) -> tuple[float, ...]:
        """The distinct values, in order, by which the index tells the volumes of the series apart."""
        return tuple(sorted({value for volume in self.series.volumes for key, value in volume.key if key == name}))

    def common(self) -> dict[str, Any]:
        """The fields of `Acquisition`, by name. Call it last: it holds the contradictions found so far."""
        header, series = self.header, self.series
        weight, height = self._weight_kg(), self._height_m()
        return {
            "modality": series.modality,
            "device": self._device(),
            "series_uid": series.uid,
            "series_description": header.text("SeriesDescription"),
            "protocol_name": header.text("ProtocolName"),
            "body_part": header.text("BodyPartExamined"),
            "image_type": header.texts("ImageType"),
            "started_at": self.started_at,
            "weight_kg": weight,
            "height_m": height,
            "age_a": self._age_a(),
            "sex": self._sex(),
            "rows": _count(header.positive("Rows")),
            "columns": _count(header.positive("Columns")),
            "pixel_spacing_mm": self._pixel_spacing_mm(),
            "slice_thickness_mm": header.positive("SliceThickness"),
            "spacing_between_slices_mm": header.positive("SpacingBetweenSlices"),
            "reconstruction_interval_mm": self._interval_mm(),
            "slice_count": len(self.volume.frames) if self.volume is not None else None,
            "patient_position": header.text("PatientPosition"),
            "contrast_agent": self._contrast_agent(),
            "contrast_started_at": self._contrast_started_at(),
            "contrast_volume_ml": self._contrast("ContrastBolusVolume"),
            "contrast_flow_ml_per_s": self._contrast("ContrastFlowRate"),
            "contrast_concentration_mg_per_ml": self._contrast("ContrastBolusIngredientConcentration"),
            "reconstruction_diameter_mm": header.positive("ReconstructionDiameter"),
            "lossy": self._lossy(),
            "contradictions": tuple(self.contradictions),
        }

    def _device(self) -> Device:
        header = self.header
        return Device(
            vendor=self.vendor.name if self.vendor is not None else None,
            manufacturer=header.text("Manufacturer"),
            model=header.text("ManufacturerModelName"),
            serial_number=header.text("DeviceSerialNumber"),
            software_versions=header.texts("SoftwareVersions"),
            station_name=header.text("StationName"),
            institution=header.text("InstitutionName"),
        )

    def _weight_kg(self) -> float | None:
        weight = self.header.positive("PatientWeight")
        if weight is None or weight <= HEAVIEST_KG:
            return weight
        if 1000 <= weight <= 1000 * HEAVIEST_KG:
            self.note("weight-in-grams", f"{weight:g}")
            return weight / 1000
        self.note("weight-impossible", f"{weight:g}")
        return None

    def _height_m(self) -> float | None:
        height = self.header.positive("PatientSize")
        if height is None or height <= TALLEST_M:
            return height
        for factor, unit in ((100, "centimetres"), (1000, "millimetres")):
            # No person of 30 cm to 2.6 m fits both: 260 cm ends where 300 mm begins.
            if 0.3 <= height / factor <= TALLEST_M:
                self.note(f"height-in-{unit}", f"{height:g}")
                return height / factor
        self.note("height-impossible", f"{height:g}")
        return None

    def _age_a(self) -> float | None:
        match = _AGE.match((self.header.text("PatientAge") or "").upper())
        if match is not None:
            return int(match[1]) * _YEARS[match[2]]
        born, studied = (date_of(self.header.text(keyword)) for keyword in ("PatientBirthDate", "StudyDate"))
        if born is None or studied is None or not 0 <= (studied - born).days < 130 * 365.25:
            return None
        return (studied - born).days / 365.25

    def _sex(self) -> str | None:
        sex = (self.header.text("PatientSex") or "").upper()[:1]
        return sex if sex in ("M", "F", "O") else None

    def _pixel_spacing_mm(self) -> tuple[float, float] | None:
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            spacing = self.header.numbers(keyword)
            if len(spacing) == 2 and min(spacing) > 0:
                return spacing[0], spacing[1]
        return None

    def _interval_mm(self) -> float | None:
        """Distance between neighbouring slices along their normal, from the positions."""
        if self.volume is None or len(self.volume.frames) < 2:
            return None
        geometry = self.volume.geometry
        across_y, across_x = np.asarray(geometry.axes[1]), np.asarray(geometry.axes[2])
        return float(abs(np.dot(geometry.axes[0], np.cross(across_x, across_y)))) * geometry.spacing_mm[0]

    def _contrast_agent(self) -> str | None:
        coded = self.header.code("ContrastBolusAgentSequence")
        return self.header.text("ContrastBolusAgent") or (coded.meaning if coded is not None else None)

    def _contrast(self, keyword: str) -> float | None:
        """A number about the contrast agent: at the top of classic images, with the agent in enhanced ones.

        Of an injection in several phases it is the first phase's (PS3.3 C.7.6.4.1 lists flow rates in order).
        """
        agent = self.header.item("ContrastBolusAgentSequence")  # PS3.3 C.7.6.4b
        profile = agent.item("ContrastAdministrationProfileSequence")
        found = (place.positive(keyword) for place in (self.header, agent, profile))
        return next((number for number in found if number is not None), None)

    def _contrast_started_at(self) -> datetime | None:
        time = time_of(self.header.text("ContrastBolusStartTime"))
        return nearest(time, self.started_at) if time is not None and self.started_at is not None else None

    def _lossy(self) -> bool:
        meta = getattr(self.header.dataset, "file_meta", None)
        syntax = str(getattr(meta, "TransferSyntaxUID", ""))
        return self.header.text("LossyImageCompression") == "01" or syntax in LOSSY_SYNTAXES


def _count(number: float | None) -> int | None:
    return int(number) if number is not None else None
