"""What in a dose report can't be true as it stands: said, and left out where it can't be told which value is wrong."""

from __future__ import annotations

from dataclasses import replace

from bingcheng.core.errors import Owner, Problem
from bingcheng.dicom.dose.report import DoseRemark, DoseReport, IrradiationEvent

NO_PHANTOM = Problem(
    code="dicom.dose-no-phantom",
    says="irradiation event {number} of the dose report does not say which phantom its CTDIvol refers to",
    remedy="Ask the vendor to write the CTDIw phantom type; 16 cm and 32 cm differ by about a factor of two.",
    owner=Owner.VENDOR,
)
IMPOSSIBLE_CTDI = Problem(
    code="dicom.dose-ctdi-impossible",
    says="irradiation event {number} states a CTDIvol of {ctdi} mGy, which no scan of a patient has;"
    " its DLP and length give {expected} mGy, so the CTDIvol is left out",
    remedy="Ask the vendor to write CTDIvol in mGy; the dose page of the scanner shows the value.",
    owner=Owner.VENDOR,
)
DLP_DOES_NOT_FIT = Problem(
    code="dicom.dose-dlp-does-not-fit",
    says="irradiation event {number} states a DLP of {dlp} mGy·cm,"
    " but its CTDIvol times its length is {expected} mGy·cm",
    remedy="Compare the report with the dose page of the scanner; tell the vendor if the page is right.",
    owner=Owner.PHYSICIST,
)
TOTAL_DOES_NOT_ADD_UP = Problem(
    code="dicom.dose-total-does-not-add-up",
    says="the dose report states a total DLP of {total} mGy·cm, but its events add up to {sum} mGy·cm",
    remedy="Compare the report with the dose page of the scanner; an event may be missing from the report.",
    owner=Owner.PHYSICIST,
)
EVENTS_MISSING = Problem(
    code="dicom.dose-events-missing",
    says="the dose report states {stated} irradiation events but holds {held}",
    remedy="Send the dose report of the scanner again.",
    owner=Owner.TECHNOLOGIST,
)
NO_EVENT_UID = Problem(
    code="dicom.dose-no-event-uid",
    says="irradiation event {number} of the dose report has no UID, so it can't be matched with its images"
    " or with the same event in another report",
    remedy="Ask the vendor to write the irradiation event UID.",
    owner=Owner.VENDOR,
)

LEAST_MGY, MOST_MGY = 0.1, 300.0
"""CTDIvol of a scan of a patient: the lowest screening and attenuation-correction scans have about 0.2 mGy, a brain
perfusion scan a few hundred."""
FIT = 2.0
"""How far DLP and CTDIvol times length may be apart, as a factor. Scanners count the run-up and run-down of a spiral,
the collimation or the reconstructed range as length, which makes up to 1.5; a wrong unit makes at least 10."""
LENGTH_FROM_MM = 50.0
"""Shorter ranges are not compared: there the collimation, not the travel, makes the DLP."""


def checked_event(event: IrradiationEvent, number: int) -> tuple[IrradiationEvent, tuple[DoseRemark, ...]]:
    """An event without what can't be true, and what was found; `number` is its place in the report, from 1."""
    remarks = []
    if event.uid is None:
        remarks.append(DoseRemark.of(NO_EVENT_UID, number=number))
    if event.phantom_cm is None and event.ctdi_vol_mgy is not None:
        remarks.append(DoseRemark.of(NO_PHANTOM, number=number))
    # A zero is how scanners write that nothing was recorded.
    event = replace(event, ctdi_vol_mgy=event.ctdi_vol_mgy or None, ssde_mgy=event.ssde_mgy or None)
    expected = _ctdi_expected(event)
    ctdi, dlp = event.ctdi_vol_mgy, event.dlp_mgy_cm
    if expected is None or ctdi is None or dlp is None or 1 / FIT <= ctdi / expected <= FIT:
        return event, tuple(remarks)
    if not LEAST_MGY <= ctdi <= MOST_MGY and LEAST_MGY <= expected <= MOST_MGY:
        remarks.append(DoseRemark.of(IMPOSSIBLE_CTDI, number=number, ctdi=ctdi, expected=expected))
        return replace(event, ctdi_vol_mgy=None), tuple(remarks)
    remarks.append(DoseRemark.of(DLP_DOES_NOT_FIT, number=number, dlp=dlp, expected=dlp * ctdi / expected))
    return event, tuple(remarks)


def checked_report(report: DoseReport) -> DoseReport:
    """A report with the remarks on its totals."""
    remarks = list(report.remarks)
    if report.event_count is not None and report.event_count != len(report.events):
        remarks.append(DoseRemark.of(EVENTS_MISSING, stated=report.event_count, held=len(report.events)))
    total, known = report.dlp_total_mgy_cm, [e.dlp_mgy_cm for e in report.events if e.dlp_mgy_cm is not None]
    silent = any(e.dlp_mgy_cm is None and not e.is_localiser for e in report.events)
    if total is not None and not silent and _apart(total, sum(known), report):
        remarks.append(DoseRemark.of(TOTAL_DOES_NOT_ADD_UP, total=total, sum=sum(known)))
    return replace(report, remarks=tuple(remarks))


def _apart(total: float, added: float, report: DoseReport) -> bool:
    """Whether a total is not the sum of the events.

    Each DLP is written to 0.1 mGy·cm or finer, so n events and their total add up within (n + 1) x 0.05. A localiser
    without a DLP of its own may be counted in the total: at 0.15 mGy (32 cm) it has up to 15 mGy·cm a metre.
    """
    localisers_mm = sum(e.scanning_length_mm or 0.0 for e in report.events if e.is_localiser and e.dlp_mgy_cm is None)
    rounding = 0.05 * (len(report.events) + 1)
    return not -rounding <= total - added <= rounding + 0.15 * localisers_mm / 10.0


def _ctdi_expected(event: IrradiationEvent) -> float | None:
    """The CTDIvol that DLP and length give, in mGy; None where that can't be said."""
    length, dlp = event.scanning_length_mm, event.dlp_mgy_cm
    if event.kind is None or not event.kind.images_a_range or not dlp or length is None or length < LENGTH_FROM_MM:
        return None
    return dlp / (length / 10.0)
