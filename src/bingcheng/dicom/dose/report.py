"""Typed dose reports of CT: irradiation events with their dose indices, units normalised. None: the report doesn't say.

This module holds the facts only (no pydicom), so that arithmetic can read them; `bingcheng.dicom.dose.read` fills them.
Dose indices describe the scanner's output in a phantom (IEC 60601-2-44), not the dose to a patient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bingcheng.core.codes import Code
from bingcheng.core.errors import Owner, Problem
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Fact, Text

SAME_EVENT_DIFFERS = Problem(
    code="dicom.dose-event-differs",
    says="two dose reports give the same irradiation event different values of DLP ({first} and {second} mGy·cm)",
    remedy="Compare both reports with the dose page of the scanner; the report that was made last is used.",
    owner=Owner.PHYSICIST,
)


class AcquisitionKind(StrEnum):
    """How the tube and the table moved (PS3.16 CID 10013); the values are those of (0018,9302)."""

    SPIRAL = "SPIRAL"
    SEQUENCED = "SEQUENCED"
    CONSTANT_ANGLE = "CONSTANT_ANGLE"
    STATIONARY = "STATIONARY"
    FREE = "FREE"

    @property
    def images_a_range(self) -> bool:
        """Whether it scans a range of the patient: not a localiser, bolus tracking or fluoroscopy."""
        return self in (AcquisitionKind.SPIRAL, AcquisitionKind.SEQUENCED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRemark:
    """Something in a dose report that contradicts itself or was left out, and who can mend it."""

    code: str
    reason: Text
    remedy: Text
    owner: Owner

    @staticmethod
    def of(problem: Problem, **facts: Fact | Text) -> DoseRemark:
        """The remark that records one occurrence of `problem`."""
        return DoseRemark(
            code=problem.code,
            reason=Text(problem.says, facts),
            remedy=Text(problem.remedy, facts),
            owner=problem.owner,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IrradiationEvent:
    """One continuous irradiation (PS3.16 TID 10013).

    Parameters
    ----------
    uid : irradiation event UID; the images made from it carry it as (0008,3010).
    protocol : name of the acquisition protocol as the console shows it.
    region : coded target region.
    kind : how tube and table moved.
    scanning_length_mm : length of the irradiated range.
    tube_current_ma, maximum_tube_current_ma : the mean and the highest current of the first X-ray source.
    ctdi_vol_mgy : mean CTDIvol in the phantom of `phantom_cm`.
    phantom_cm : 16 (head) or 32 (body); None where the report doesn't say, never guessed.
    dlp_mgy_cm : dose length product in the same phantom.
    ssde_mgy, ssde_method : the scanner's own size-specific dose estimate and its method (PS3.16 CID 10023).
    """

    uid: str | None = None
    protocol: str | None = None
    region: Code | None = None
    kind: AcquisitionKind | None = None
    started_at: datetime | None = None
    scanning_length_mm: float | None = None
    exposure_time_s: float | None = None
    rotation_time_s: float | None = None
    pitch: float | None = None
    single_collimation_mm: float | None = None
    total_collimation_mm: float | None = None
    source_count: int | None = None
    kvp_kv: float | None = None
    tube_current_ma: float | None = None
    maximum_tube_current_ma: float | None = None
    ctdi_vol_mgy: float | None = None
    phantom_cm: float | None = None
    dlp_mgy_cm: float | None = None
    ssde_mgy: float | None = None
    ssde_method: Code | None = None

    @property
    def is_localiser(self) -> bool:
        """Whether it is a projection for planning (scout, topogram, surview)."""
        return self.kind is AcquisitionKind.CONSTANT_ANGLE


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseReport:
    """One CT dose report (PS3.16 TID 10011).

    Parameters
    ----------
    scope : over what its totals are accumulated: STUDY, PROCEDURE_STEP, SERIES, ..., None where it doesn't say.
    made_at : when the document was made; the later of two reports on one study is the more complete one.
    event_count : number of events that it claims to hold.
    dlp_total_mgy_cm : the total that it states, over all its events whatever their phantom.
    from_screen : True where its values were read from a picture of the console's dose page (PS3.16 CID 10021).
    remarks : what in it contradicts itself.
    """

    sop_instance_uid: str | None
    study_uid: str | None
    events: tuple[IrradiationEvent, ...]
    manufacturer: str | None = None
    model: str | None = None
    scope: str | None = None
    made_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    event_count: int | None = None
    dlp_total_mgy_cm: float | None = None
    from_screen: bool = False
    remarks: tuple[DoseRemark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseReports:
    """The dose reports of some files, and which files could not be read as such."""

    reports: tuple[DoseReport, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedEvents:
    """The events of an exam, each once, and the reports' remarks."""

    events: tuple[IrradiationEvent, ...]
    remarks: tuple[DoseRemark, ...]


def merged_events(reports: Iterable[DoseReport]) -> MergedEvents:
    """The irradiation events of all reports on one exam, each counted once.

    Scanners send a report after every part of an exam: some send only what is new, others all since its beginning, and
    a resent report repeats everything. The event UID tells which (PS3.3 C.17.2.3, PS3.16 TID 10013 row 6); events
    without a UID are the same when their facts are the same. Where two reports disagree on one event, the later
    report holds.
    """
    known: dict[object, IrradiationEvent] = {}
    remarks: dict[tuple[str, str], DoseRemark] = {}
    for report in sorted(reports, key=_age):
        for remark in report.remarks:
            remarks[remark.code, str(remark.reason)] = remark
        for event in report.events:
            key = event.uid or event
            before = known.get(key)
            if before is not None and differs(before.dlp_mgy_cm, event.dlp_mgy_cm):
                remark = DoseRemark.of(
                    SAME_EVENT_DIFFERS, first=before.dlp_mgy_cm or 0.0, second=event.dlp_mgy_cm or 0.0
                )
                remarks[remark.code, str(remark.reason)] = remark
            known[key] = event if before is None else _completed(event, before)
    return MergedEvents(events=tuple(known.values()), remarks=tuple(remarks.values()))


def differs(first: float | None, second: float | None, *, relative: float = 0.01) -> bool:
    """Whether two known values differ by more than a rounding to the second decimal and `relative` of the larger."""
    if first is None or second is None:
        return False
    return abs(first - second) > max(0.01, relative * max(abs(first), abs(second)))


def _age(report: DoseReport) -> tuple[bool, str, int, str]:
    return (
        report.made_at is not None,
        report.made_at.isoformat() if report.made_at else "",
        len(report.events),
        report.sop_instance_uid or "",
    )


def _completed(event: IrradiationEvent, before: IrradiationEvent) -> IrradiationEvent:
    missing = {
        name: known
        for name in event.__dataclass_fields__
        if getattr(event, name) is None and (known := getattr(before, name)) is not None
    }
    return replace(event, **missing) if missing else event
