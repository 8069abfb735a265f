"""How lesions were matched between exams, as the outputs show it, and the tracks that the changes follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection

from bingcheng.archive.matchings import Decision, DrawnExam, Proposal, decisions, proposals
from bingcheng.archive.records import ExamRecord
from bingcheng.compare.tracks import MatchedPair, NamedLesions, Tracks, tracks
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.engine.follow_up.held import Held, held
from bingcheng.engine.judgement import in_time
from bingcheng.outputs.assessment import LinkView, MatchedExams
from bingcheng.quantify.lesion.matching import Edit, Link

DECISION_LOST = Problem(
    code="engine.lesion-decision-lost",
    says="decision {number} about lesions of this exam speaks of one that is no longer there",
    remedy="Decide again by the lesion's present name, and take the old decision back: in the list of the patient's "
    "lesions on the server, or with `bingcheng lesions undo`.",
    owner=Owner.RADIOLOGIST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What is known of lesions over a workspace's exams, as it is stored."""

    proposed: tuple[Proposal, ...] = ()
    decided: tuple[Decision, ...] = ()

    @staticmethod
    def stored(connection: Connection, among: Collection[str] | None = None) -> FollowUp:
        """All of it, or what speaks of two exams of `among`."""
        return FollowUp(proposed=proposals(connection, among), decided=decisions(connection, among))

    def held(self, exams: Mapping[str, NamedLesions], whose: Mapping[str, str] = MappingProxyType({})) -> Held:
        """What holds, of exams by UID, each patient's in time, who are whose; empty where all are of one."""
        if not (self.proposed or self.decided):
            return Held(pairs=(), lost=())
        return held(exams, self.proposed, self.decided, whose)

    def refusals(self, lost: Sequence[Decision]) -> dict[str, tuple[Refusal, ...]]:
        """What could not be matched, and decisions that speak of nothing any more, by the UID of the later exam."""
        found: dict[str, list[Refusal]] = {}
        for one in self.proposed:
            if one.refusal is not None:
                found.setdefault(one.pair.later_uid, []).append(one.refusal)
        for decision in lost:
            error = InputError(DECISION_LOST, number=decision.number)
            uid = decision.later_uid
            refusal = Refusal.of(error, kind=SubjectKind.EXAM, subject=uid, study_uid=uid)
            found.setdefault(uid, []).append(refusal)
        return {uid: tuple(refusals) for uid, refusals in found.items()}


def named_lesions(record: ExamRecord) -> NamedLesions:
    """The lesions of an exam, each once, whatever number of series it was drawn on."""
    labels: dict[str, str] = {}
    for series in record.series:
        for lesion in series.lesions:
            labels.setdefault(lesion.lesion, lesion.label)
    return NamedLesions(exam_uid=record.uid, labels=labels)


def named(exam: DrawnExam) -> NamedLesions:
    """The lesions of an exam by name, whatever number of series each was drawn on."""
    return NamedLesions(exam_uid=exam.uid, labels={one.lesion: one.label for one in reversed(exam.lesions)})


def in_time_by_patient(records: Sequence[ExamRecord], people: Mapping[str, str]) -> dict[str, list[NamedLesions]]:
    """The exams of each patient in time, as `people` (by exam UID) call the patient."""
    found: dict[str, list[NamedLesions]] = {}
    for record in sorted(records, key=in_time):
        found.setdefault(people[record.uid], []).append(named_lesions(record))
    return found


def by_uid(patients: Mapping[str, Sequence[NamedLesions]]) -> dict[str, NamedLesions]:
    """All exams by UID, each patient's in time."""
    return {exam.exam_uid: exam for exams in patients.values() for exam in exams}


def followed(patients: Mapping[str, Sequence[NamedLesions]], pairs: Sequence[MatchedPair]) -> Tracks:
    """The tracks of all patients' lesions."""
    return tracks(patients, pairs) if pairs else Tracks()


def matched_exams(
    patients: Mapping[str, Sequence[NamedLesions]],
    holds: Held,
    decided: Sequence[Decision],
    labels: Mapping[str, str],
) -> tuple[MatchedExams, ...]:
    """The matched pairs as they are shown; `labels` are the exams' by UID."""
    whose = {exam.exam_uid: patient for patient, exams in patients.items() for exam in exams}
    exams = by_uid(patients)
    shown = (
        MatchedExams(
            patient=whose[pair.earlier_uid],
            earlier=labels[pair.earlier_uid],
            later=labels[pair.later_uid],
            earlier_uid=pair.earlier_uid,
            later_uid=pair.later_uid,
            modality=pair.modality,
            links=tuple(
                _link(link, exams[pair.earlier_uid], exams[pair.later_uid], _edits(pair, decided))
                for link in pair.matching.links
                if pair.modality or link.edited
            ),
            contradictions=pair.matching.contradictions,
        )
        for pair in holds.pairs
    )
    return tuple(one for one in shown if one.links)


def _edits(pair: MatchedPair, decided: Sequence[Decision]) -> list[Edit]:
    """The decisions about a pair, the latest first."""
    of = (pair.earlier_uid, pair.later_uid)
    return [one.edit for one in reversed(decided) if (one.earlier_uid, one.later_uid) == of]


def _link(link: Link, earlier: NamedLesions, later: NamedLesions, edits: Sequence[Edit]) -> LinkView:
    edit = None
    if link.edited:
        mine, theirs = set(link.before), set(link.after)
        edit = next((one for one in edits if mine <= set(one.before) and theirs <= set(one.after)), None)
    return LinkView(
        link=link,
        before=tuple(earlier.labels.get(name, name) for name in link.before),
        after=tuple(later.labels.get(name, name) for name in link.after),
        by="" if edit is None else edit.by,
        why="" if edit is None else edit.why,
    )
