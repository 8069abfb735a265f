"""Reading CT dose reports: X-Ray Radiation Dose SR, and Enhanced or Comprehensive SR with the same content."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import starmap

from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.dose.content import Item, Number, concept, first_of
from bingcheng.dicom.dose.doubts import checked_event, checked_report
from bingcheng.dicom.dose.report import AcquisitionKind, DoseRemark, DoseReport, DoseReports, IrradiationEvent
from bingcheng.dicom.dose.units import UNKNOWN_DOSE_UNIT, in_unit
from bingcheng.dicom.exam import Exam, FrameSource
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import date_of, joined, moment_of, time_of
from bingcheng.dicom.sources import open_dataset

NOT_CT_DOSE = Problem(
    code="dicom.dose-not-of-ct",
    says="the dose report is not of CT ({procedure})",
    remedy="Nothing needs mending: dose reports of other equipment are not read.",
    owner=Owner.OPERATOR,
)
NO_DOSE_EVENTS = Problem(
    code="dicom.dose-without-events",
    says="the dose report holds no irradiation event",
    remedy="Send the dose report of the scanner again; if it is empty again, ask the vendor.",
    owner=Owner.VENDOR,
)
UNREADABLE_DOSE = Problem(
    code="dicom.dose-unreadable",
    says="the dose report is damaged and could not be read ({error})",
    remedy="Export it from the archive again; if it fails again, the stored copy is damaged.",
    owner=Owner.ARCHIVE,
)

XRAY_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
DOSE_CLASSES = frozenset(
    {
        XRAY_DOSE_SR,
        "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR, which scanners wrote before there was a class for dose
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    }
)
"""SOP classes in which dose reports come."""

DOSE_REPORT, PROCEDURE_REPORTED, CT = "113701", "121058", "77477000"
ACQUISITION, ACCUMULATED = "113819", "113811"
FROM_PICTURE = "113868"
"""Derived From Human-Readable Reports (PS3.16 CID 10021): read off a picture of the dose page."""
SCOPES = {
    "113014": "STUDY",
    "113015": "SERIES",
    "113016": "PROCEDURE_STEP",
    "113017": "IRRADIATION_EVENT",
}
"""PS3.16 CID 10000."""
KINDS = {
    "116152004": AcquisitionKind.SPIRAL,
    "113804": AcquisitionKind.SEQUENCED,
    "113805": AcquisitionKind.CONSTANT_ANGLE,
    "113806": AcquisitionKind.STATIONARY,
    "113807": AcquisitionKind.FREE,
}
"""PS3.16 CID 10013."""
PHANTOMS_CM = {"113690": 16.0, "113691": 32.0}
"""PS3.16 CID 4052: IEC head and body dosimetry phantoms."""


def dose_sources(exam: Exam) -> tuple[FrameSource, ...]:
    """The files of an exam that may hold a dose report: all documents of the classes in which dose reports come."""
    return tuple(source for one in exam.series if one.sop_class_uid in DOSE_CLASSES for source in one.sources)


def dose_reports(sources: Iterable[FrameSource]) -> DoseReports:
    """The CT dose reports among some structured reports.

    Nothing is raised for what stands in the data: a report that can't be read is a refusal, and the others go on.
    Documents that are no dose report at all (measurements, text) are passed over.

    Parameters
    ----------
    sources : files of structured reports, see `dose_sources`.
    """
    found: list[DoseReport] = []
    refused: list[Refusal] = []
    for source in sources:
        study, uid = None, ""
        try:
            header = Tags(open_dataset(source))
            study, uid = first_of(header, "StudyInstanceUID"), first_of(header, "SOPInstanceUID") or ""
            if is_dose_report(header):
                found.append(dose_report(header))
        except BingchengError as error:
            refused.append(_refusal(error, source, uid, study))
        except Exception as error:  # noqa: BLE001 - a mutated object can raise anything from the parser
            refused.append(_refusal(InputError(UNREADABLE_DOSE, error=type(error).__name__), source, uid, study))
    return DoseReports(reports=tuple(found), refusals=tuple(refused))


def is_dose_report(header: Tags) -> bool:
    """Whether a structured report is an X-ray radiation dose report, of CT or not."""
    title = header.code("ConceptNameCodeSequence")
    if title is None:
        return first_of(header, "SOPClassUID") == XRAY_DOSE_SR
    return concept(title) == DOSE_REPORT


def dose_report(header: Tags) -> DoseReport:
    """The dose report that a document holds.

    Raises
    ------
    InputError
        ``dicom.dose-not-of-ct``, ``dicom.dose-without-events``.
    """
    root = Item(header.dataset)
    procedure = root.code(PROCEDURE_REPORTED)
    acquisitions = tuple(root.children(ACQUISITION))
    # some converters leave the procedure out; CT acquisitions tell as much
    if procedure is not None and concept(procedure) != CT and not acquisitions:
        raise InputError(NOT_CT_DOSE, procedure=procedure.meaning or procedure.value)
    if not acquisitions:
        raise InputError(NO_DOSE_EVENTS)
    remarks: list[DoseRemark] = []
    events = tuple(starmap(_checked, ((item, number, remarks) for number, item in enumerate(acquisitions, 1))))
    totals = next(root.children(ACCUMULATED), Item(_empty()))
    scope = root.code("113705")
    count = totals.number("113812")
    report = DoseReport(
        sop_instance_uid=first_of(header, "SOPInstanceUID"),
        study_uid=first_of(header, "StudyInstanceUID"),
        manufacturer=first_of(header, "Manufacturer"),
        model=first_of(header, "ManufacturerModelName"),
        scope=None if scope is None else SCOPES.get(concept(scope)),
        made_at=_made_at(header),
        started_at=moment_of(root.moment("113809")),
        ended_at=moment_of(root.moment("113810")),
        event_count=None if count is None else round(count.value),
        dlp_total_mgy_cm=_quantity(totals, "113813", "mGy.cm", remarks),
        from_screen=any(item.value is not None and concept(item.value) == FROM_PICTURE for item in root.children()),
        events=events,
        remarks=tuple(remarks),
    )
    return checked_report(report)


def _checked(item: Item, number: int, remarks: list[DoseRemark]) -> IrradiationEvent:
    event, doubts = checked_event(_event(item, remarks), number)
    remarks.extend(doubts)
    return event


def _event(item: Item, remarks: list[DoseRemark]) -> IrradiationEvent:
    """One item of TID 10013, its numbers in our units."""
    scan = item.child("113822") or Item(_empty())
    source = scan.child("113831") or Item(_empty())
    dose = item.child("113829") or Item(_empty())
    kind = item.code("113820")
    sources = scan.number("113823")

    def of(place: Item, name: str, unit: str) -> float | None:
        return _quantity(place, name, unit, remarks)

    return IrradiationEvent(
        uid=item.uid("113769"),
        protocol=item.words("125203"),
        region=_region(item),
        kind=None if kind is None else KINDS.get(concept(kind)),
        started_at=moment_of(item.moment("111526")),
        scanning_length_mm=of(scan, "113825", "mm"),
        exposure_time_s=of(scan, "113824", "s"),
        single_collimation_mm=of(scan, "113826", "mm"),
        total_collimation_mm=of(scan, "113827", "mm"),
        pitch=_positive(scan.number("113828")),
        source_count=None if sources is None else round(sources.value),
        kvp_kv=of(source, "113733", "kV"),
        tube_current_ma=of(source, "113734", "mA"),
        maximum_tube_current_ma=of(source, "113833", "mA"),
        rotation_time_s=of(source, "113834", "s"),
        ctdi_vol_mgy=of(dose, "113830", "mGy"),
        phantom_cm=_phantom_cm(dose),
        dlp_mgy_cm=of(dose, "113838", "mGy.cm"),
        ssde_mgy=of(dose, "113930", "mGy"),
        ssde_method=_method(dose),
    )


def _region(item: Item) -> Code | None:
    region = item.code("123014")
    # one vendor writes a code of its own whose meaning is 'Unknown'
    return None if region is None or region.meaning.strip().lower() in ("unknown", "") else region


def _phantom_cm(dose: Item) -> float | None:
    phantom = dose.code("113835")
    return None if phantom is None else PHANTOMS_CM.get(concept(phantom))


def _method(dose: Item) -> Code | None:
    """The method of the scanner's own SSDE: under the value, the concept's modifier (PS3.16 TID 10013 row 23b)."""
    value = dose.child("113930")
    if value is None:
        return None
    return next((code for child in value.children() if (code := child.value) is not None), None)


def _quantity(place: Item, name: str, unit: str, remarks: list[DoseRemark]) -> float | None:
    written = place.number(name)
    if written is None or written.value < 0:
        return None
    value = in_unit(written.value, written.unit, unit)
    if value is None:
        remark = DoseRemark.of(UNKNOWN_DOSE_UNIT, unit=written.unit, expected=unit)
        if remark not in remarks:
            remarks.append(remark)
    return value


def _positive(written: Number | None) -> float | None:
    return None if written is None or written.value <= 0 else written.value


def _made_at(header: Tags) -> datetime | None:
    return joined(date_of(first_of(header, "ContentDate")), time_of(first_of(header, "ContentTime")))


def _empty() -> Dataset:
    return Dataset()


def _refusal(error: BingchengError, source: FrameSource, uid: str, study_uid: str | None) -> Refusal:
    return Refusal.of(
        error, kind=SubjectKind.FILE, subject=uid or source.member or source.path.name, study_uid=study_uid
    )
