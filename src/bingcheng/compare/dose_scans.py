"""The scans of an exam as its dose is added up: from dose reports, else from the headers of its images.

Images carry the UID of the irradiation event that they were made from (0008,3010), which tells exactly which images
belong to which event of a report, and whether a report leaves a scan out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bingcheng.compare.dose_groups import BodyRegion, regions_of_code, regions_of_words
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.dose.report import AcquisitionKind, DoseReport, IrradiationEvent, merged_events

WIDEST_HELICAL_MM = 40.0
"""Collimation that is assumed for the run-up of a spiral where the header has none: that of common 64-row scanners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One irradiation, localisers left out.

    Parameters
    ----------
    regions : body regions that it names.
    images_a_range : whether it counts for CTDIvol: not bolus tracking, fluoroscopy or a test bolus.
    length_mm : of the irradiated range, or of the images where `dlp_is_estimate`.
    events : UIDs of its irradiation events; empty where nobody tells.
    reported : whether a dose report states it, rather than images.
    dlp_uncertainty_mgy_cm : standard uncertainty of an estimated DLP; None for a reported one.
    """

    regions: frozenset[BodyRegion] = frozenset()
    images_a_range: bool = True
    phantom_cm: float | None = None
    ctdi_vol_mgy: float | None = None
    dlp_mgy_cm: float | None = None
    dlp_uncertainty_mgy_cm: float | None = None
    length_mm: float | None = None
    events: frozenset[str] = frozenset()
    reported: bool = False

    @property
    def dlp_is_estimate(self) -> bool:
        """Whether its DLP was computed from images rather than reported."""
        return self.dlp_uncertainty_mgy_cm is not None


def scans_of_reports(reports: Iterable[DoseReport]) -> tuple[Scan, ...]:
    """The scans that dose reports state, each once, without localisers."""
    return tuple(_reported(event) for event in merged_events(reports).events if not event.is_localiser)


def unreported(reports: Sequence[DoseReport], acquisitions: Iterable[CtAcquisition]) -> tuple[CtAcquisition, ...]:
    """The image series whose irradiation no report states, without localisers.

    Nothing can be said, and nothing is returned, where an event of a report has no UID, or where not one series was
    made from an event that is reported: de-identification may have given images and reports UIDs that no longer belong
    together.
    """
    stated = {event.uid for event in merged_events(reports).events}
    told = [one for one in acquisitions if one.irradiation_event_uids and not _is_localiser(one)]
    absent = tuple(one for one in told if stated.isdisjoint(one.irradiation_event_uids))
    return () if None in stated or len(absent) == len(told) else absent


def scans_of_exam(reports: Sequence[DoseReport], acquisitions: Sequence[CtAcquisition]) -> tuple[Scan, ...]:
    """The scans that reports state, else those of the images' headers; what a report leaves out is a scan without dose.

    Reported and other numbers of one phantom are never mixed: a scan that the report leaves out has no dose there, and
    so the exam has no total. Where it is not known to which phantom it refers, that holds for each.
    """
    reported = scans_of_reports(reports)
    if not reported:
        return scans_of_headers(acquisitions)
    phantoms = {scan.phantom_cm for scan in reported}
    found = list(reported)
    for scan in scans_of_headers(unreported(reports, acquisitions)):
        silent = replace(scan, ctdi_vol_mgy=None, dlp_mgy_cm=None, dlp_uncertainty_mgy_cm=None, length_mm=None)
        if scan.phantom_cm in phantoms:
            found.append(silent)
        elif scan.phantom_cm is None:
            found.extend(replace(silent, phantom_cm=phantom_cm) for phantom_cm in phantoms)
        else:
            found.append(scan)
    return tuple(found)


def scans_of_headers(acquisitions: Iterable[CtAcquisition]) -> tuple[Scan, ...]:
    """The scans from which CT image series were made, without localisers.

    Series that were reconstructed from the same scan have the same irradiation event, or where that is not told start
    at the same moment; they count once, with the longest range. A series of which neither is known is a scan of its
    own.
    """
    made_from: dict[object, list[CtAcquisition]] = defaultdict(list)
    for place, one in enumerate(acquisitions):
        if not _is_localiser(one):
            made_from[_irradiation(one, place)].append(one)
    return tuple(_from_headers(series) for series in made_from.values())


def estimated_dlp(acquisition: CtAcquisition) -> tuple[float, float, float] | None:
    """DLP from an image header: (DLP in mGy·cm, its standard uncertainty in mGy·cm, length in mm); None without facts.

    DLP = CTDIvol x L. L is the range of the images: (n - 1) x interval + thickness. A spiral is irradiated beyond it,
    by at least nothing and at most one more rotation's travel (pitch x collimation) at either end, which are needed to
    interpolate its first and last slice; the middle of that is added, and half its width over the square root of 3 is
    the uncertainty (JCGM 100:2008, 4.3.7).
    """
    ctdi, count = acquisition.ctdi_vol_mgy, acquisition.slice_count
    thickness, interval = acquisition.slice_thickness_mm, acquisition.reconstruction_interval_mm
    if ctdi is None or count is None or count < 1 or (count > 1 and interval is None):
        return None
    range_mm = (count - 1) * (interval or 0.0) + (thickness or interval or 0.0)
    extra_mm = 0.0 if acquisition.acquisition_type == AcquisitionKind.SEQUENCED else _travel_mm(acquisition)
    return (
        ctdi * (range_mm + extra_mm) / 10.0,
        ctdi * extra_mm / 10.0 / math.sqrt(3.0),
        range_mm + extra_mm,
    )


def _reported(event: IrradiationEvent) -> Scan:
    return Scan(
        regions=regions_of_code(event.region),
        images_a_range=event.kind is None or event.kind.images_a_range,
        phantom_cm=event.phantom_cm,
        ctdi_vol_mgy=event.ctdi_vol_mgy,
        dlp_mgy_cm=event.dlp_mgy_cm,
        length_mm=event.scanning_length_mm,
        events=frozenset() if event.uid is None else frozenset({event.uid}),
        reported=True,
    )


def _from_headers(series: Sequence[CtAcquisition]) -> Scan:
    """One scan from all series that were made from it."""
    estimates = [(estimate, one) for one in series if (estimate := estimated_dlp(one)) is not None]
    (dlp, uncertainty, length), chosen = max(estimates, key=lambda pair: pair[0][2], default=((None, None, None), None))
    ctdi = [one.ctdi_vol_mgy for one in series if one.ctdi_vol_mgy is not None]
    phantoms = {one.ctdi_phantom_cm for one in series if one.ctdi_phantom_cm is not None}
    regions = frozenset[BodyRegion]().union(*(regions_of_words(one.body_part) for one in series))
    return Scan(
        regions=regions,
        phantom_cm=phantoms.pop() if len(phantoms) == 1 else None,
        ctdi_vol_mgy=chosen.ctdi_vol_mgy if chosen is not None else next(iter(ctdi), None),
        dlp_mgy_cm=dlp,
        dlp_uncertainty_mgy_cm=uncertainty,
        length_mm=length,
        events=frozenset(uid for one in series for uid in one.irradiation_event_uids),
    )


def _irradiation(acquisition: CtAcquisition, place: int) -> object:
    if acquisition.irradiation_event_uids:
        return acquisition.irradiation_event_uids[0]
    started: datetime | None = acquisition.started_at
    return place if started is None else started.replace(microsecond=0)


def _is_localiser(acquisition: CtAcquisition) -> bool:
    return "LOCALIZER" in acquisition.image_type or acquisition.acquisition_type == AcquisitionKind.CONSTANT_ANGLE


def _travel_mm(acquisition: CtAcquisition) -> float:
    return (acquisition.pitch or 1.0) * (acquisition.total_collimation_mm or WIDEST_HELICAL_MM)
