"""An index grouped into exams, their series, and the volumes in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import Exam, Patient, Series
from bingcheng.dicom.facts.placeholders import recorded
from bingcheng.dicom.grouping.duplicates import without_duplicates
from bingcheng.dicom.grouping.slices import Slice, slices_of
from bingcheng.dicom.grouping.sop_classes import IMAGE_CLASSES
from bingcheng.dicom.grouping.volumes import volumes_of
from bingcheng.dicom.index.headers import Header
from bingcheng.dicom.index.scan import Index

MIXED_PATIENTS = Problem(
    code="dicom.mixed-patients",
    says="{count} different patient identifiers stand in one study; it belongs to no one for certain",
    remedy="Correct the patient identity in the archive, and export the study again.",
    owner=Owner.ARCHIVE,
)

LOCALISER_TYPES = frozenset(("LOCALIZER", "SCOUT", "SCREEN SAVE", "DOSE_INFO"))
"""Values of ImageType for overviews and pictures of a screen (PS3.3 C.8.2.1.1.1, and the vendors' for screenshots)."""
PROJECTIONS = frozenset(("MIP", "CSA MIP", "PROJECTION IMAGE", "MINIP"))
"""A projection is no slice: its pixels have no place in depth."""
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """The exams that an index holds, and a refusal for each file, series or exam that could not be used."""

    exams: tuple[Exam, ...]
    refusals: tuple[Refusal, ...]


def exams(index: Index) -> Grouping:
    """The exams in `index`; raises nothing for whatever the headers hold.

    A study with two patients is left out altogether: every number taken from it could be another person's.
    """
    headers, refusals = without_duplicates(index.headers)
    studies: dict[str, list[Header]] = {}
    for header in headers:
        studies.setdefault(header.series.study_uid or "", []).append(header)
    found: list[Exam] = []
    for uid, members in studies.items():
        patients = _patients(members)
        if patients > 1:
            error = InputError(MIXED_PATIENTS, count=patients)
            refusals.append(Refusal.of(error, kind=SubjectKind.EXAM, subject=uid, study_uid=uid))
            continue
        exam, refused = _exam(uid, members)
        found.append(exam)
        refusals.extend(refused)
    return Grouping(exams=tuple(found), refusals=tuple(refusals))


def _patients(headers: Iterable[Header]) -> int:
    """How many people the headers speak of: by identifier and issuer; an absent identifier contradicts nobody."""
    people = {header.series.patient for header in headers}
    named = {(p.patient_id, p.issuer) for p in people if p.patient_id}
    without_issuer = {patient_id for patient_id, issuer in named if issuer is None}
    # The same identifier with and without issuer is one person.
    distinct = {pair for pair in named if pair[1] is None or pair[0] not in without_issuer}
    if distinct:
        births = Counter(p.birth_date for p in people if p.birth_date)
        names = {_folded(p.name) for p in people if p.name}
        # One identifier, yet both another name and another birthday: a number given twice.
        return max(len(distinct), 2 if len(births) > 1 and len(names) > 1 else 1)
    return max(1, len({(_folded(p.name), p.birth_date) for p in people if p.name}))


def _folded(name: str | None) -> str:
    return " ".join((name or "").replace("^", " ").casefold().split())


def _exam(uid: str, headers: Sequence[Header]) -> tuple[Exam, list[Refusal]]:
    groups: dict[str, list[Header]] = {}
    for header in headers:
        groups.setdefault(header.series.series_uid or "", []).append(header)
    made = [_series(series_uid, members) for series_uid, members in groups.items()]
    first = headers[0].series
    exam = Exam(
        uid=uid,
        patient=_fullest(header.series.patient for header in headers),
        institution=_usual(recorded(header.series.institution) for header in headers),
        performed_at=first.study_at or min((h.acquired_at for h in headers if h.acquired_at), default=None),
        description=_usual(header.series.study_description for header in headers),
        accession_number=_usual(header.series.accession_number for header in headers),
        series=tuple(sorted((series for series, _ in made), key=lambda s: (s.number is None, s.number or 0, s.uid))),
    )
    return exam, [refusal for _, refusals in made for refusal in refusals]


def _fullest(patients: Iterable[Patient]) -> Patient:
    """The patient as the instances that say most of him write him."""
    return max(patients, key=lambda p: sum(bool(part) for part in (p.patient_id, p.issuer, p.name, p.birth_date)))


def _usual(values: Iterable[str | None]) -> str | None:
    """The value said most often."""
    counted = Counter(value for value in values if value)
    return counted.most_common(1)[0][0] if counted else None


def _series(uid: str, headers: Sequence[Header]) -> tuple[Series, list[Refusal]]:
    by_number = sorted(headers, key=lambda h: (h.instance_number or 0, h.sop_instance_uid or ""))
    images = [h for h in by_number if h.series.sop_class_uid in IMAGE_CLASSES]
    # Overviews in a series of slices, and series of nothing else, make no volume.
    slices = [s for s in slices_of(images) if not _is_overview(s)]
    divided = volumes_of(slices) if slices else None
    lead = (images or by_number)[0].series
    times = [t for h in headers for t in (h.acquired_at, *(f.acquired_at for f in h.frames)) if t is not None]
    series = Series(
        uid=uid,
        modality=lead.modality or "OT",
        sop_class_uid=lead.sop_class_uid or "",
        number=lead.series_number,
        description=lead.series_description,
        volumes=divided.volumes if divided else (),
        sources=tuple(h.source for h in by_number),
        sop_instance_uids=tuple(h.sop_instance_uid or "" for h in by_number),
        frame_of_reference_uid=lead.frame_of_reference_uid,
        localiser=(bool(images) and not slices) or lead.sop_class_uid == SECONDARY_CAPTURE,
        first_acquired_at=min(times, default=None),
        last_acquired_at=max(times, default=None),
    )
    study = lead.study_uid
    return series, [
        Refusal.of(error, kind=SubjectKind.SERIES, subject=uid, study_uid=study, series_uid=uid)
        for error in (divided.errors if divided else ())
    ]


def _is_overview(member: Slice) -> bool:
    kinds = set(member.component)
    return bool(kinds & LOCALISER_TYPES or kinds & PROJECTIONS)
