"""The dose of one exam: CTDIvol, DLP and SSDE with where each number comes from, or the reason why there is none.

Reported (dose report), read from image headers, and estimated numbers are told apart and never mixed silently.

- CTDIvol: mean over the scans of a range, weighted with their lengths, of the reported mean CTDIvol; localisers, bolus
  tracking and fluoroscopy are left out, because they irradiate no range.
- DLP: sum over all scans but localisers. Without a dose report it is estimated as CTDIvol times the scanned length.
- SSDE: as measured from the images slice by slice (AAPM Reports 204 and 220); where the images don't state their
  CTDIvol, the reported CTDIvol times the conversion factor at the measured Dw.

An exam whose scans refer to different phantoms (head and body in one session) has one record a phantom: numbers of the
16 cm and the 32 cm phantom can't be added (PS3.16 TID 10012 row 3a).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from statistics import median
from types import MappingProxyType

from bingcheng.compare.dose_groups import (
    UNKNOWN_SIZE,
    BodyRegion,
    Procedure,
    SizeBand,
    SizeScheme,
    regions_of_words,
)
from bingcheng.compare.dose_scans import Scan, scans_of_exam, unreported
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition
from bingcheng.dicom.dose.report import DoseRemark, DoseReport
from bingcheng.quality.dose_conversion import BODY_16, BODY_32, HEAD_16

NO_DOSE = Problem(
    code="compare.no-dose",
    says="neither a dose report nor the images state {quantity}",
    remedy="Send the dose report (RDSR) with the images; switch it on in the scanner's DICOM settings.",
    owner=Owner.TECHNOLOGIST,
)
DOSE_INCOMPLETE = Problem(
    code="compare.dose-incomplete",
    says="{missing} of {scans} scans of the exam state no {quantity}, so there is none for the exam",
    remedy="Send the complete dose report of the scanner.",
    owner=Owner.TECHNOLOGIST,
)
SCANS_UNREPORTED = Problem(
    code="compare.dose-scans-unreported",
    says="the dose report leaves out scans that {series} image series of the exam were made from",
    remedy="Send the complete dose report of the scanner.",
    owner=Owner.TECHNOLOGIST,
)
NO_MEASURED_SIZE = Problem(
    code="compare.no-size-for-ssde",
    says="the patient's size could not be measured in the images, so there is no SSDE",
    remedy="Send the axial images in which the whole body outline lies.",
    owner=Owner.TECHNOLOGIST,
)
SSDE_NEEDS_PHANTOM = Problem(
    code="compare.no-phantom-for-ssde",
    says="it is not known which phantom the CTDIvol refers to, so there is no SSDE",
    remedy="Ask the vendor to write the CTDI phantom type into images and dose reports.",
    owner=Owner.VENDOR,
)

SSDE_KEY = "size_specific_dose_estimate"
DIAMETER_KEY = "water_equivalent_diameter"
CONVERSION_RELATIVE = 0.10
"""AAPM Report 204: SSDE is within 20 %, taken as an expanded uncertainty (k = 2)."""


class DoseQuantity(StrEnum):
    """What is compared: CTDIvol and DLP, the output in a phantom, and SSDE, corrected for the patient's size."""

    CTDI_VOL = "ctdi_vol"
    DLP = "dlp"
    SSDE = "ssde"

    @property
    def unit(self) -> str:
        """UCUM code."""
        return "mGy.cm" if self is DoseQuantity.DLP else "mGy"

    @property
    def symbol(self) -> str:
        """As people write it."""
        return {"ctdi_vol": "CTDIvol", "dlp": "DLP", "ssde": "SSDE"}[self.value]


class Basis(StrEnum):
    """Where a dose value comes from."""

    REPORTED = "dose report"
    HEADER = "image header"
    ESTIMATED = "CTDIvol times the length of the images"
    MEASURED = "measured in the images"
    DERIVED = "reported CTDIvol at the measured size"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseValue:
    """One dose value in the unit of its quantity; the standard uncertainty is None where it is not known."""

    value: float
    basis: Basis
    standard_uncertainty: float | None = None

    @property
    def is_estimate(self) -> bool:
        """Whether it was computed here although the scanner would have reported it."""
        return self.basis is Basis.ESTIMATED


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRecord:
    """The dose of one exam in one phantom.

    Parameters
    ----------
    site, device : as shown; `exam_uid` : study instance UID.
    procedure, band : what it may be compared with.
    phantom_cm : 16 or 32; None where nobody says, and then nothing is compared.
    values : the quantities that have a value.
    absent : for the others, why they have none.
    water_equivalent_diameter_cm, weight_kg, age_a : the patient's size and age.
    scan_count : scans that were added up.
    remarks : what the dose reports contradict themselves in.
    """

    site: str
    device: str
    exam_uid: str
    performed_at: datetime | None = None
    procedure: Procedure
    band: SizeBand = UNKNOWN_SIZE
    phantom_cm: float | None = None
    values: Mapping[DoseQuantity, DoseValue] = field(default_factory=dict)
    absent: Mapping[DoseQuantity, NoValue] = field(default_factory=dict)
    water_equivalent_diameter_cm: float | None = None
    weight_kg: float | None = None
    age_a: float | None = None
    scan_count: int = 0
    remarks: tuple[DoseRemark, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "absent", MappingProxyType(dict(self.absent)))

    def __reduce__(self) -> tuple[object, ...]:
        stored = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return _again, (stored | {"values": dict(self.values), "absent": dict(self.absent)},)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamFacts:
    """What of an exam its dose depends on.

    Parameters
    ----------
    acquisitions : of its image series, localisers and other modalities included.
    protocol : the protocol by which its dose is compared, if hospitals compare by protocol.
    """

    site: str
    device: str
    exam_uid: str
    acquisitions: tuple[Acquisition, ...]
    performed_at: datetime | None = None
    protocol: str | None = None


BandOf = Callable[[SizeScheme, float | None], SizeBand]


def dose_of_exam(
    facts: ExamFacts,
    reports: Sequence[DoseReport],
    measurements: Mapping[str, Iterable[Measurement]],
    band_of: BandOf,
) -> tuple[DoseRecord, ...]:
    """The dose of an exam: one record for each phantom; none for an exam without CT.

    Parameters
    ----------
    facts : the exam.
    reports : its CT dose reports; empty where it has none.
    measurements : by series UID, those of the image series; SSDE and water-equivalent diameter are used.
    band_of : the size bands, `DoseRules.band_of`.
    """
    images = tuple(one for one in facts.acquisitions if isinstance(one, CtAcquisition))
    scans = scans_of_exam(reports, images)
    groups: dict[float | None, list[Scan]] = {}
    for scan in scans:
        groups.setdefault(scan.phantom_cm, []).append(scan)
    remarks = _remarks(reports, images)
    return tuple(
        _record(facts, tuple(group), _made_from(images, group, alone=len(groups) == 1), measurements, band_of, remarks)
        for _, group in sorted(groups.items(), key=lambda item: (item[0] is None, item[0] or 0.0))
        # a group of bolus tracking alone says nothing that could be compared
        if any(scan.images_a_range for scan in group)
    )


def _remarks(reports: Sequence[DoseReport], images: Sequence[CtAcquisition]) -> tuple[DoseRemark, ...]:
    """What the reports contradict themselves in or leave out, each once."""
    found = {(remark.code, str(remark.reason)): remark for report in reports for remark in report.remarks}
    absent = len(unreported(reports, images)) if reports else 0
    extra = (DoseRemark.of(SCANS_UNREPORTED, series=absent),) if absent else ()
    return (*found.values(), *extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Images:
    """The image series of a group of scans, and whether it is certain that they were made from these scans."""

    series: tuple[CtAcquisition, ...]
    certain: bool


def _made_from(images: tuple[CtAcquisition, ...], scans: Sequence[Scan], *, alone: bool) -> _Images:
    """All series of an exam with one group of scans; else those of its events, else those of its phantom."""
    if alone:
        return _Images(series=images, certain=True)
    events = frozenset[str]().union(*(scan.events for scan in scans))
    exact = tuple(one for one in images if not events.isdisjoint(one.irradiation_event_uids))
    if exact:
        return _Images(series=exact, certain=True)
    phantom_cm = scans[0].phantom_cm
    return _Images(series=tuple(one for one in images if one.ctdi_phantom_cm == phantom_cm), certain=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Medians over the image series of what was measured in them."""

    diameter_cm: float | None
    ssde: DoseValue | None


def _record(
    facts: ExamFacts,
    scans: tuple[Scan, ...],
    images: _Images,
    measurements: Mapping[str, Iterable[Measurement]],
    band_of: BandOf,
    remarks: tuple[DoseRemark, ...],
) -> DoseRecord:
    regions = _regions(scans, images.series if images.certain else ())
    measured = _measured(images.series, measurements)
    age = _known(one.age_a for one in facts.acquisitions)
    weight = _known(one.weight_kg for one in facts.acquisitions)
    phantom_cm = scans[0].phantom_cm
    basis = Basis.REPORTED if any(scan.reported for scan in scans) else Basis.HEADER
    values: dict[DoseQuantity, DoseValue] = {}
    absent: dict[DoseQuantity, NoValue] = {}
    ways: tuple[tuple[DoseQuantity, Callable[[], DoseValue]], ...] = (
        (DoseQuantity.CTDI_VOL, lambda: DoseValue(value=_mean_ctdi_mgy(scans), basis=basis)),
        (DoseQuantity.DLP, lambda: _total_dlp(scans)),
        (DoseQuantity.SSDE, lambda: _ssde(values.get(DoseQuantity.CTDI_VOL), phantom_cm, regions, measured)),
    )
    for quantity, way in ways:
        try:
            values[quantity] = way()
        except Undefined as error:
            absent[quantity] = NoValue.of(error)
    return DoseRecord(
        site=facts.site,
        device=facts.device,
        exam_uid=facts.exam_uid,
        performed_at=facts.performed_at,
        procedure=Procedure.of(
            regions, hybrid=any(one.modality == "PT" for one in facts.acquisitions), protocol=facts.protocol
        ),
        band=_band(regions, measured.diameter_cm, weight, age, band_of),
        phantom_cm=phantom_cm,
        values=values,
        absent=absent,
        water_equivalent_diameter_cm=measured.diameter_cm,
        weight_kg=weight,
        age_a=age,
        scan_count=len(scans),
        remarks=remarks,
    )


def _band(
    regions: Iterable[BodyRegion], diameter_cm: float | None, weight_kg: float | None, age_a: float | None, of: BandOf
) -> SizeBand:
    """By Dw, else by weight; heads, whose size follows age, by age (ICRP Publication 135, 2017)."""
    if set(regions) == {BodyRegion.HEAD}:
        return of(SizeScheme.AGE, age_a)
    band = of(SizeScheme.DIAMETER, diameter_cm)
    return of(SizeScheme.WEIGHT, weight_kg) if band == UNKNOWN_SIZE else band


def _regions(scans: Iterable[Scan], images: Iterable[CtAcquisition]) -> frozenset[BodyRegion]:
    """What the scans name as their target, together with the body parts of the images."""
    found = frozenset[BodyRegion]().union(*(scan.regions for scan in scans if scan.images_a_range))
    parts = (regions_of_words(one.body_part) for one in images)
    return found.union(*parts)


def _mean_ctdi_mgy(scans: Iterable[Scan]) -> float:
    ranges = [scan for scan in scans if scan.images_a_range]
    known = [(scan.ctdi_vol_mgy, _weight(scan)) for scan in ranges if scan.ctdi_vol_mgy is not None]
    if not known:
        raise Undefined(NO_DOSE, quantity=DoseQuantity.CTDI_VOL.symbol)
    if len(known) < len(ranges):
        raise Undefined(
            DOSE_INCOMPLETE,
            missing=len(ranges) - len(known),
            scans=len(ranges),
            quantity=DoseQuantity.CTDI_VOL.symbol,
        )
    weights = [weight or 0.0 for _, weight in known]
    if len(known) == 1 or not all(weights):
        # scans whose lengths are unknown have the same weight
        weights = [1.0] * len(known)
    return math.fsum(ctdi * weight for (ctdi, _), weight in zip(known, weights, strict=True)) / math.fsum(weights)


def _weight(scan: Scan) -> float | None:
    """The length in mm that a scan has in the mean: as stated, else DLP over CTDIvol."""
    if scan.length_mm:
        return scan.length_mm
    return 10.0 * scan.dlp_mgy_cm / scan.ctdi_vol_mgy if scan.dlp_mgy_cm and scan.ctdi_vol_mgy else None


def _total_dlp(scans: Sequence[Scan]) -> DoseValue:
    known = [scan.dlp_mgy_cm for scan in scans if scan.dlp_mgy_cm is not None]
    if not known:
        raise Undefined(NO_DOSE, quantity=DoseQuantity.DLP.symbol)
    if len(known) < len(scans):
        raise Undefined(
            DOSE_INCOMPLETE, missing=len(scans) - len(known), scans=len(scans), quantity=DoseQuantity.DLP.symbol
        )
    if not any(scan.dlp_is_estimate for scan in scans):
        return DoseValue(value=math.fsum(known), basis=Basis.REPORTED)
    # the same run-up is unknown in every scan, so the uncertainties add up linearly
    uncertainty = math.fsum(scan.dlp_uncertainty_mgy_cm or 0.0 for scan in scans)
    return DoseValue(value=math.fsum(known), basis=Basis.ESTIMATED, standard_uncertainty=uncertainty)


def _ssde(
    ctdi: DoseValue | None, phantom_cm: float | None, regions: frozenset[BodyRegion], measured: _Measured
) -> DoseValue:
    if measured.ssde is not None:
        return measured.ssde
    if ctdi is None:
        raise Undefined(NO_DOSE, quantity=DoseQuantity.CTDI_VOL.symbol)
    if measured.diameter_cm is None:
        raise Undefined(NO_MEASURED_SIZE)
    if phantom_cm not in (16.0, 32.0):
        raise Undefined(SSDE_NEEDS_PHANTOM)
    head = regions == {BodyRegion.HEAD}
    factor, per_cm = BODY_32 if phantom_cm == 32.0 else HEAD_16 if head else BODY_16
    value = ctdi.value * factor * math.exp(-per_cm * measured.diameter_cm)
    return DoseValue(value=value, basis=Basis.DERIVED, standard_uncertainty=CONVERSION_RELATIVE * value)


def _measured(images: Iterable[CtAcquisition], measurements: Mapping[str, Iterable[Measurement]]) -> _Measured:
    """The medians over the series."""
    diameters, doses, uncertainties = [], [], []
    for one in images:
        for measurement in measurements.get(one.series_uid, ()):
            if measurement.value is None:
                continue
            if measurement.key == DIAMETER_KEY:
                diameters.append(measurement.value)
            elif measurement.key == SSDE_KEY:
                doses.append(measurement.value)
                uncertainties.append(measurement.standard_uncertainty or CONVERSION_RELATIVE * measurement.value)
    ssde = None
    if doses:
        ssde = DoseValue(value=median(doses), basis=Basis.MEASURED, standard_uncertainty=median(uncertainties))
    return _Measured(diameter_cm=median(diameters) if diameters else None, ssde=ssde)


def _known(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _again(stored: dict[str, object]) -> DoseRecord:
    return DoseRecord(**stored)  # type: ignore[arg-type]
