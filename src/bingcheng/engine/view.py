"""From stored records to the assessment that the outputs render: labels, days, changes, the comparison of sites."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import bingcheng
from bingcheng.archive.numbers import Numbers
from bingcheng.archive.records import ExamRecord, LesionRecord, SeriesRecord
from bingcheng.archive.retrieval import exams as stored_exams
from bingcheng.archive.retrieval import stray_refusals
from bingcheng.archive.standing import standing
from bingcheng.archive.summaries import PeerTable, peer_table
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.homogeneity import SiteRow, site_rows
from bingcheng.compare.lesions import lesion_changes
from bingcheng.compare.observation import Condition, Observation
from bingcheng.compare.response_missing import without_response
from bingcheng.compare.response_reading import patient_responses
from bingcheng.compare.tracks import Tracks
from bingcheng.core.finding import Finding, Outcome
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.engine.doses import all_doses, dose_findings
from bingcheng.engine.follow_up.shown import FollowUp, by_uid, followed, in_time_by_patient, matched_exams
from bingcheng.engine.judgement import in_time
from bingcheng.engine.radiomics.cohorts import cohorts
from bingcheng.outputs.acquisition_facts import fact_lines
from bingcheng.outputs.assessment import (
    Assessment,
    ExamView,
    LesionView,
    SeriesView,
    SiteView,
)
from bingcheng.outputs.scanner import without_serial
from bingcheng.outputs.summary import exam_outcome
from bingcheng.protocol.fingerprints import conditions, device
from bingcheng.protocol.quantities.recognition.phase import PHASES
from bingcheng.quality.phase_reading import measured_phase

EDGE = "edge_resolution"
MOST_FAILURES = 5


def assessment(
    workspace: Workspace,
    *,
    identified: bool = False,
    images: bool = True,
    uids: Collection[str] | None = None,
    findings_of: Collection[str] | None = None,
    beside: Numbers | None = None,
) -> Assessment:
    """Everything that the workspace holds, ready to be rendered.

    Parameters
    ----------
    identified : show patients by name and number and exams by date; only for those who may see them.
    images : whether to read the key images, for outputs that show them.
    uids : only these exams, e.g. those of a patient; labels count among them. None for all.
    findings_of : the exams of which the findings are shown; None for all. What is shown of one exam needs its patient's
        others for the lesions' sake, and reading their findings takes longest.
    beside : what was worked out of the whole workspace, to show some of its exams beside: without it hospitals and
        doses are compared among these exams alone.
    """
    with workspace.reading() as connection:
        kept = None if beside is None else standing(connection)
        peers, follow_up = kept or peer_table(connection), FollowUp.stored(connection, uids)
    stored = stored_exams(workspace, images=images, uids=uids, findings_of=findings_of)
    records = {record.uid: _ranked(record, peers) for record in stored}
    people = {uid: workspace.pseudonym(one.patient, one.site, uid) for uid, one in records.items()}
    ordered = _in_order(records.values(), people)
    names = _names(ordered, people) if identified else {person: person for person in people.values()}
    first = _first_exams(ordered, people)
    views = tuple(
        _exam(
            record,
            label=f"E{number:02d}",
            patient=names[people[record.uid]],
            first=first.get(people[record.uid]),
            identified=identified,
        )
        for number, record in enumerate(ordered, start=1)
    )
    shown = {uid: names[person] for uid, person in people.items()}
    patients = in_time_by_patient(ordered, shown)
    holds = follow_up.held(by_uid(patients), people)
    tracks = followed(patients, holds.pairs)
    views = _tracked(_with_refusals(views, follow_up.refusals(holds.lost)), tracks)
    # Dose reference levels are no limits: what they ask stands on the exam's page, not among a hospital's failures.
    sites, dose = _sites(views), all_doses(ordered, levels=None if beside is None else beside.levels)
    seen = [o for record in ordered for o in _observations(record, shown[record.uid])]
    responses = patient_responses(seen, labels=_labels(ordered), tracks=tracks)
    return Assessment(
        version=bingcheng.__version__,
        identified=identified,
        sites=sites,
        exams=_with_findings(views, dose_findings(dose)),
        changes=lesion_changes(seen, labels=_labels(ordered), tracks=tracks),
        responses=responses,
        without_response=without_response(seen, {one.patient for one in responses}),
        comparison=_compared(seen) if beside is None else beside.comparison,
        refusals=stray_refusals(workspace) if uids is None else (),
        dose=dose,
        radiomics=cohorts(ordered, people),
        follow_up=matched_exams(patients, holds, follow_up.decided, {view.uid: view.label for view in views}),
    )


def _with_findings(views: Iterable[ExamView], found: Mapping[str, tuple[Finding, ...]]) -> tuple[ExamView, ...]:
    """The exams with what was found by comparing all of them."""
    return tuple(replace(view, findings=(*view.findings, *found.get(view.uid, ()))) for view in views)


def _with_refusals(views: Iterable[ExamView], found: Mapping[str, tuple[Refusal, ...]]) -> tuple[ExamView, ...]:
    """The exams with what could not be done with pairs of them."""
    return tuple(replace(view, refusals=(*view.refusals, *found.get(view.uid, ()))) for view in views)


def _tracked(views: tuple[ExamView, ...], tracks: Tracks) -> tuple[ExamView, ...]:
    """The exams with what each lesion is called over all exams; where nothing was matched, as they are."""
    if not tracks.names:
        return views

    def lesion(exam_uid: str, view: LesionView) -> LesionView:
        return replace(view, track=tracks.name(exam_uid, view.lesion))

    return tuple(
        replace(
            exam,
            series=tuple(
                replace(series, lesions=tuple(lesion(exam.uid, one) for one in series.lesions))
                for series in exam.series
            ),
        )
        for exam in views
    )


def _ranked(record: ExamRecord, table: PeerTable) -> ExamRecord:
    """The exam with each finding's place among the workspace's other exams."""
    return replace(record, findings=tuple(replace(one, peers=table.peers(one)) for one in record.findings))


def _in_order(records: Iterable[ExamRecord], people: Mapping[str, str]) -> tuple[ExamRecord, ...]:
    """Exams by hospital, there by patient in the order of first visits, then in time.

    Nothing of this depends on the workspace (pseudonyms do), so that the same exams have the same labels in any other,
    and whatever is shown. Exams whose hospital is not named come last.
    """
    earliest: dict[tuple[str, str], ExamRecord] = {}
    for record in sorted(records, key=in_time):
        earliest.setdefault((record.site, people[record.uid]), record)

    def place(record: ExamRecord) -> tuple[bool, str, tuple[bool, datetime, str], tuple[bool, datetime, str]]:
        site = record.site
        return not site, site, in_time(earliest[site, people[record.uid]]), in_time(record)

    return tuple(sorted(records, key=place))


def _compared(seen: Sequence[Observation]) -> tuple[SiteRow, ...]:
    """The hospitals side by side; exams of which none is named stand by themselves, as they may be of any of them."""
    named = site_rows(observation for observation in seen if observation.site)
    return (*named, *site_rows(observation for observation in seen if not observation.site))


def _names(records: Iterable[ExamRecord], people: Mapping[str, str]) -> dict[str, str]:
    """The name and number of each person by pseudonym; who would be taken for another keeps the pseudonym too."""
    shown: dict[str, str] = {}
    for record in records:
        name = (record.patient.name or "").split("=")[0].replace("^", " ").strip()
        number = record.patient.patient_id.strip()
        person = people[record.uid]
        shown.setdefault(person, (f"{name} ({number})" if name and number else name or number) or person)
    counted = Counter(shown.values())
    return {person: name if counted[name] == 1 else f"{name} {person}" for person, name in shown.items()}


def _first_exams(records: Iterable[ExamRecord], people: Mapping[str, str]) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for record in records:
        if record.performed_at is not None:
            person = people[record.uid]
            first[person] = min(first.get(person, record.performed_at), record.performed_at)
    return first


def _exam(record: ExamRecord, *, label: str, patient: str, first: datetime | None, identified: bool) -> ExamView:
    performed = record.performed_at
    return ExamView(
        uid=record.uid,
        label=label,
        patient=patient,
        site=record.site,
        day=None if performed is None or first is None else (performed.date() - first.date()).days,
        performed_on=performed.date() if identified and performed is not None else None,
        description=record.description,
        series=tuple(_series(series) for series in record.series),
        findings=record.findings,
        refusals=record.refusals,
    )


def _series(record: SeriesRecord) -> SeriesView:
    return SeriesView(
        uid=record.uid,
        modality=record.acquisition.modality,
        description=record.acquisition.series_description or "",
        device=_scanner(record.acquisition),
        facts=(*fact_lines(record.acquisition), *_phase(record)),
        measurements=record.measurements,
        lesions=tuple(_lesion(lesion, record.uid) for lesion in record.lesions),
        image=record.image,
    )


def _phase(record: SeriesRecord) -> tuple[tuple[Text, Text], ...]:
    """The contrast phase as the enhancement in the image shows it, where that was measured."""
    reading = measured_phase(record.measurements)
    if reading is None:
        return ()
    shown = text("undecided") if reading.word is None else PHASES[reading.word]
    percent = round(100 * reading.probability)
    return ((text("Contrast phase, by the image"), text("{phase} ({percent} %)", phase=shown, percent=percent)),)


def _scanner(acquisition: Acquisition) -> str:
    """The scanner as shown; without a serial number two of a model can't be told apart, and the text says so."""
    made_by = acquisition.device
    return device(acquisition) or without_serial(made_by.vendor, made_by.model)


def _lesion(record: LesionRecord, series_uid: str) -> LesionView:
    return LesionView(
        lesion=record.lesion,
        label=record.label,
        series_uid=series_uid,
        measurements=record.measurements,
        method=record.method,
        image=record.image,
        radiomics=record.radiomics,
    )


def _observations(record: ExamRecord, patient: str) -> Iterator[Observation]:
    for series in record.series:
        made = _conditions(series)
        for lesion, measurement in _all(series):
            yield Observation(
                site=record.site,
                device=_scanner(series.acquisition),
                patient=patient,
                lesion=lesion,
                exam_uid=record.uid,
                series_uid=series.uid,
                performed_at=record.performed_at,
                measurement=measurement,
                conditions=made,
            )


def _all(series: SeriesRecord) -> Iterator[tuple[str | None, Measurement]]:
    yield from ((None, one) for one in series.measurements)
    for lesion in series.lesions:
        yield from ((lesion.lesion, one) for one in lesion.measurements)


def _conditions(series: SeriesRecord) -> dict[str, Condition]:
    """The declared conditions, and those that were measured on the same images."""
    edge = next((m.value for m in series.measurements if m.key == EDGE), None)
    return {**conditions(series.acquisition), "edge_f50_per_mm": edge, "voxel_mm3": series.voxel_mm3}


def _labels(records: Iterable[ExamRecord]) -> dict[str, str]:
    return {lesion.lesion: lesion.label for record in records for series in record.series for lesion in series.lesions}


def _sites(exams: Iterable[ExamView]) -> tuple[SiteView, ...]:
    by_site: dict[str, list[ExamView]] = defaultdict(list)
    for exam in exams:
        by_site[exam.site].append(exam)
    return tuple(_site(site, mine) for site, mine in sorted(by_site.items()))


def _site(site: str, exams: Sequence[ExamView]) -> SiteView:
    failed = Counter(finding.title for exam in exams for finding in exam.findings if finding.outcome is Outcome.FAIL)
    return SiteView(
        site=site,
        devices=tuple(sorted({series.device for exam in exams for series in exam.series if series.device})),
        exam_count=len(exams),
        outcomes=Counter(outcome.value for exam in exams if (outcome := exam_outcome(exam)) is not None),
        top_failures=tuple(failed.most_common(MOST_FAILURES)),
    )
