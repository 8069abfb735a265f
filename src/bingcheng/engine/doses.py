"""The CT dose of an exam as it is stored, and the doses of all exams as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bingcheng.archive.records import ExamRecord, SeriesRecord
from bingcheng.compare.dose_overview import DoseOverview, JudgedDose, dose_overview
from bingcheng.compare.dose_published import dose_rules
from bingcheng.compare.dose_record import DoseRecord, ExamFacts, dose_of_exam
from bingcheng.compare.dose_reference import ReferenceLevel
from bingcheng.compare.dose_verdict import DoseVerdict
from bingcheng.core.finding import Finding
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition
from bingcheng.dicom.dose.read import dose_reports, dose_sources
from bingcheng.dicom.dose.report import DoseReport
from bingcheng.dicom.exam import Exam
from bingcheng.outputs.scanner import without_serial
from bingcheng.protocol.fingerprints import device


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamDose:
    """What an exam says of dose.

    Parameters
    ----------
    records : one for each phantom that its doses refer to; none without CT.
    refusals : its dose reports that can't be used.
    reported : whether it holds a dose report of CT.
    """

    records: tuple[DoseRecord, ...]
    refusals: tuple[Refusal, ...]
    reported: bool


def exam_dose(exam: Exam, series: Sequence[SeriesRecord]) -> ExamDose:
    """The dose of an exam, from its dose reports and from what was read and measured in its image series.

    Only the exam's own reports are read: documents of its study, and a study of two patients is no exam (see
    `bingcheng.dicom.grouping.exams`).
    """
    read = dose_reports(dose_sources(exam))
    own = tuple(report for report in read.reports if report.study_uid == exam.uid)
    acquisitions = tuple(one.acquisition for one in series)
    facts = ExamFacts(
        site=(exam.institution or "").strip(),
        device=_scanner(acquisitions, own),
        exam_uid=exam.uid,
        acquisitions=acquisitions,
        performed_at=exam.performed_at,
    )
    measured = {one.uid: one.measurements for one in series}
    return ExamDose(
        records=dose_of_exam(facts, own, measured, dose_rules().band_of),
        refusals=tuple(replace(refusal, study_uid=exam.uid) for refusal in read.refusals),
        reported=bool(own),
    )


def all_doses(records: Iterable[ExamRecord], *, levels: Iterable[ReferenceLevel] | None = None) -> DoseOverview | None:
    """The doses of all exams, compared and judged; None if not one exam is of CT.

    Parameters
    ----------
    levels : what they are judged by; made of the exams themselves for None.
    """
    doses = tuple(dose for record in records for dose in record.doses)
    return dose_overview(doses, dose_rules(), levels=levels) if doses else None


def dose_findings(overview: DoseOverview | None) -> dict[str, tuple[Finding, ...]]:
    """What somebody should look at or mend, by the UID of the exam.

    They depend on all exams of the workspace, so they are made anew whenever it is shown.
    """
    found: dict[str, list[Finding]] = {}
    for exam in overview.exams if overview is not None else ():
        found.setdefault(exam.record.exam_uid, []).extend(_asking(exam))
    return {uid: tuple(findings) for uid, findings in found.items() if findings}


def _asking(exam: JudgedDose) -> Iterable[Finding]:
    """The findings that ask something; what is missing for several quantities alike is asked for once."""
    asked: set[tuple[str, str]] = set()
    for judgement in exam.asking:
        what = (str(judgement.sentence), str(judgement.remedy))
        if judgement.verdict is DoseVerdict.UNKNOWN and what in asked:
            continue
        asked.add(what)
        yield judgement.finding()


def _scanner(acquisitions: Sequence[Acquisition], reports: Sequence[DoseReport]) -> str:
    """The CT scanner as shown: of the images, else as the report names it; empty if nobody does."""
    for one in acquisitions:
        if isinstance(one, CtAcquisition):
            return device(one) or without_serial(one.device.vendor, one.device.model)
    return next((without_serial(one.manufacturer, one.model) for one in reports), "")
