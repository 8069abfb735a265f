"""CT dose reports as X-Ray Radiation Dose SR (PS3.3 A.35.8) with the content of PS3.16 TID 10011, 10012 and 10013."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import XRayRadiationDoseSRStorage

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.dose.report import AcquisitionKind, DoseReport, IrradiationEvent
from bingcheng.dicom.write.ct import CTDI_PHANTOMS
from bingcheng.dicom.write.header import StudyHeader, clock, coded, decimal, header, save, sequence, uid_of

NO_EVENT_KIND = Problem(
    code="dicom.dose-event-without-kind",
    says="an irradiation event can't be written without its acquisition type",
    remedy="Give `kind` of every irradiation event.",
    owner=Owner.DEVELOPER,
)

KIND_CODES = {
    AcquisitionKind.SPIRAL: Code("116152004", "SCT", "Spiral Acquisition"),
    AcquisitionKind.SEQUENCED: Code("113804", "DCM", "Sequenced Acquisition"),
    AcquisitionKind.CONSTANT_ANGLE: Code("113805", "DCM", "Constant Angle Acquisition"),
    AcquisitionKind.STATIONARY: Code("113806", "DCM", "Stationary Acquisition"),
    AcquisitionKind.FREE: Code("113807", "DCM", "Free Acquisition"),
}
WHOLE_BODY = Code("38266002", "SCT", "Entire body")
"""Written as target region where an event has none: the item is mandatory (TID 10013 row 3)."""

UNITS = {
    "mGy": Code("mGy", "UCUM", "mGy"),
    "mGy.cm": Code("mGy.cm", "UCUM", "mGy.cm"),
    "mm": Code("mm", "UCUM", "mm"),
    "s": Code("s", "UCUM", "s"),
    "kV": Code("kV", "UCUM", "kV"),
    "mA": Code("mA", "UCUM", "mA"),
    "{ratio}": Code("{ratio}", "UCUM", "ratio"),
    "{events}": Code("{events}", "UCUM", "events"),
    "{sources}": Code("{X-Ray sources}", "UCUM", "X-Ray sources"),
}
_IMAGE_ONLY = (
    "ImageType",
    "BodyPartExamined",
    "Laterality",
    "ProtocolName",
    "PatientPosition",
    "AcquisitionDate",
    "AcquisitionTime",
)


def write_dose_report(
    report: DoseReport, facts: CtAcquisition, study: StudyHeader, path: Path, *, series_number: int = 501
) -> Path:
    """Write one dose report as a file.

    Parameters
    ----------
    report : its events and totals are written as they stand; a total or count of None is computed from the events. Its
        UIDs and device are not used: the study and `facts` give them.
    facts : whose device, times and patient are the report's; `series_uid` is the series of the report.
    study : the study and patient.
    path : of the file; its folder is made if absent.
    series_number : as shown on the console.

    Raises
    ------
    InputError
        ``dicom.no-start-time``, ``dicom.dose-event-without-kind``.
    """
    if any(event.kind is None for event in report.events):
        raise InputError(NO_EVENT_KIND)
    data = header(study, facts, series_number=series_number, sop_class_uid=XRayRadiationDoseSRStorage)
    for keyword in _IMAGE_ONLY:
        if keyword in data:
            delattr(data, keyword)
    _document(data, report, facts)
    _root(data, report, facts, study)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(data, path)
    return path


def _document(data: Dataset, report: DoseReport, facts: CtAcquisition) -> None:
    """What makes it a document (PS3.3 C.17.1, C.17.2) of this equipment (C.7.5.2)."""
    data.Modality = "SR"
    data.SOPInstanceUID = uid_of(facts.series_uid, "dose report", *(event.uid or "" for event in report.events))
    data.SeriesDescription = data.SeriesDescription or "Dose Report"
    data.InstanceNumber = 1
    if report.made_at is not None:
        data.ContentDate, data.ContentTime = report.made_at.strftime("%Y%m%d"), clock(report.made_at)
    data.CompletionFlag, data.VerificationFlag = "COMPLETE", "UNVERIFIED"
    data.PerformedProcedureCodeSequence = sequence()
    data.ReferencedPerformedProcedureStepSequence = sequence()
    device = facts.device
    data.Manufacturer = device.manufacturer or device.vendor or "UNKNOWN"
    for keyword, value in (
        ("ManufacturerModelName", device.model),
        ("DeviceSerialNumber", device.serial_number),
        ("SoftwareVersions", device.software_versions[0] if device.software_versions else None),
    ):
        # Type 1 in the Enhanced General Equipment module
        setattr(data, keyword, value or "UNKNOWN")


def _root(data: Dataset, report: DoseReport, facts: CtAcquisition, study: StudyHeader) -> None:
    """The content tree (TID 10011)."""
    data.ValueType = "CONTAINER"
    data.ConceptNameCodeSequence = sequence(coded(Code("113701", "DCM", "X-Ray Radiation Dose Report")))
    data.ContinuityOfContent = "SEPARATE"
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "10011"
    data.ContentTemplateSequence = sequence(template)
    began = report.started_at or facts.started_at or study.performed_at
    ended = report.ended_at or began
    intent = _code("HAS CONCEPT MOD", "363703001", "SCT", "Has Intent", Code("261004008", "SCT", "Diagnostic Intent"))
    procedure = _code(
        "HAS CONCEPT MOD",
        "121058",
        "DCM",
        "Procedure reported",
        Code("77477000", "SCT", "Computed Tomography X-Ray"),
        intent,
    )
    scope = _code(
        "HAS OBS CONTEXT",
        "113705",
        "DCM",
        "Scope of Accumulation",
        Code("113014", "DCM", "Study"),
        _uid("HAS PROPERTIES", "110180", "Study Instance UID", study.uid),
    )
    data.ContentSequence = sequence(
        _code(
            "HAS CONCEPT MOD",
            "121049",
            "DCM",
            "Language of Content Item and Descendants",
            Code("en", "RFC5646", "English"),
        ),
        procedure,
        _code("HAS OBS CONTEXT", "121005", "DCM", "Observer Type", Code("121007", "DCM", "Device")),
        _uid("HAS OBS CONTEXT", "121012", "Device Observer UID", uid_of(str(facts.device), "device")),
        _moment("HAS OBS CONTEXT", "113809", "Start of X-Ray Irradiation", began),
        _moment("HAS OBS CONTEXT", "113810", "End of X-Ray Irradiation", ended),
        scope,
        _accumulated(report),
        *(_event(event) for event in report.events),
        _code(
            "CONTAINS",
            "113854",
            "DCM",
            "Source of Dose Information",
            Code("113868", "DCM", "Derived From Human-Readable Reports")
            if report.from_screen
            else Code("113856", "DCM", "Automated Data Collection"),
        ),
    )


def _accumulated(report: DoseReport) -> Dataset:
    """The totals (TID 10012)."""
    total, count = report.dlp_total_mgy_cm, report.event_count
    if total is None:
        total = sum(event.dlp_mgy_cm or 0.0 for event in report.events)
    return _container(
        "113811",
        "CT Accumulated Dose Data",
        _number("113812", "Total Number of Irradiation Events", count or len(report.events), "{events}"),
        _number("113813", "CT Dose Length Product Total", total, "mGy.cm"),
    )


def _event(event: IrradiationEvent) -> Dataset:
    """One irradiation event (TID 10013)."""
    assert event.kind is not None
    items = []
    if event.protocol:
        items.append(_text("125203", "Acquisition Protocol", event.protocol))
    items.append(_code("CONTAINS", "123014", "DCM", "Target Region", event.region or WHOLE_BODY))
    items.append(_code("CONTAINS", "113820", "DCM", "CT Acquisition Type", KIND_CODES[event.kind]))
    if event.uid:
        items.append(_uid("CONTAINS", "113769", "Irradiation Event UID", event.uid))
    if event.started_at:
        items.append(_moment("CONTAINS", "111526", "DateTime Started", event.started_at))
    items.append(_parameters(event))
    if not event.is_localiser or event.ctdi_vol_mgy is not None:
        items.append(_dose(event))
    return _container("113819", "CT Acquisition", *items)


def _parameters(event: IrradiationEvent) -> Dataset:
    source = _container(
        "113831",
        "CT X-Ray Source Parameters",
        _text("113832", "Identification of the X-Ray Source", "A"),
        *_numbers(
            ("113733", "KVP", event.kvp_kv, "kV"),
            ("113833", "Maximum X-Ray Tube Current", event.maximum_tube_current_ma, "mA"),
            ("113734", "X-Ray Tube Current", event.tube_current_ma, "mA"),
            ("113834", "Exposure Time per Rotation", event.rotation_time_s, "s"),
        ),
    )
    return _container(
        "113822",
        "CT Acquisition Parameters",
        *_numbers(
            ("113824", "Exposure Time", event.exposure_time_s, "s"),
            ("113825", "Scanning Length", event.scanning_length_mm, "mm"),
            ("113826", "Nominal Single Collimation Width", event.single_collimation_mm, "mm"),
            ("113827", "Nominal Total Collimation Width", event.total_collimation_mm, "mm"),
            ("113828", "Pitch Factor", event.pitch, "{ratio}"),
            ("113823", "Number of X-Ray Sources", event.source_count or 1, "{sources}"),
        ),
        source,
    )


def _dose(event: IrradiationEvent) -> Dataset:
    items = list(_numbers(("113830", "Mean CTDIvol", event.ctdi_vol_mgy, "mGy")))
    items.extend(
        _code("CONTAINS", "113835", "DCM", "CTDIw Phantom Type", phantom)
        for diameter_cm, phantom in CTDI_PHANTOMS
        if diameter_cm == event.phantom_cm
    )
    items.extend(_numbers(("113838", "DLP", event.dlp_mgy_cm, "mGy.cm")))
    for ssde in _numbers(("113930", "Size Specific Dose Estimation", event.ssde_mgy, "mGy")):
        if event.ssde_method is not None:
            method = _code("HAS CONCEPT MOD", "370129005", "SCT", "Measurement Method", event.ssde_method)
            ssde.ContentSequence = sequence(method)
        items.append(ssde)
    return _container("113829", "CT Dose", *items)


def _item(relationship: str, kind: str, name: Code, *children: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = kind
    item.ConceptNameCodeSequence = sequence(coded(name))
    if children:
        item.ContentSequence = sequence(*children)
    return item


def _container(value: str, meaning: str, *children: Dataset) -> Dataset:
    item = _item("CONTAINS", "CONTAINER", Code(value, "DCM", meaning), *children)
    item.ContinuityOfContent = "SEPARATE"
    return item


def _code(relationship: str, value: str, scheme: str, meaning: str, code: Code, *children: Dataset) -> Dataset:
    item = _item(relationship, "CODE", Code(value, scheme, meaning), *children)
    item.ConceptCodeSequence = sequence(coded(code))
    return item


def _text(value: str, meaning: str, words: str) -> Dataset:
    item = _item("CONTAINS", "TEXT", Code(value, "DCM", meaning))
    item.TextValue = words
    return item


def _uid(relationship: str, value: str, meaning: str, uid: str) -> Dataset:
    item = _item(relationship, "UIDREF", Code(value, "DCM", meaning))
    item.UID = uid
    return item


def _moment(relationship: str, value: str, meaning: str, moment: datetime) -> Dataset:
    item = _item(relationship, "DATETIME", Code(value, "DCM", meaning))
    item.DateTime = moment.strftime("%Y%m%d%H%M%S")
    return item


def _numbers(*rows: tuple[str, str, float | None, str]) -> Iterable[Dataset]:
    return [_number(value, meaning, number, unit) for value, meaning, number, unit in rows if number is not None]


def _number(value: str, meaning: str, number: float, unit: str) -> Dataset:
    item = _item("CONTAINS", "NUM", Code(value, "DCM", meaning))
    measured = Dataset()
    measured.NumericValue = decimal(number)
    measured.MeasurementUnitsCodeSequence = sequence(coded(UNITS[unit]))
    item.MeasuredValueSequence = sequence(measured)
    return item
