"""RECIST 1.1 read from what was drawn and measured, and from how lesions were matched between exams.

Nobody has named targets to the program, so it takes those of the first exam that RECIST would allow
(`response_lesions`). All else of that exam is a non-target. What this comes to is a calculation for a reader to check,
and every answer says what it rests on:

- A lesion that the matching calls new, and no reader has to look at, is an unequivocal new lesion. One that needs a
  reader is equivocal, and so is one that is drawn for the first time without any match of the two exams.
- A lesion that the matching calls vanished, and no reader has to look at, measures 0 mm from then on, until it is drawn
  again. One that needs a reader has no size, and so has one whose place the later exam does not show.
- A size over a match that needs a reader counts as unknown: it may be another lesion's.
- That a non-target got clearly worse is for a reader to say; here it is present, gone or unknown.
- Where the targets decide, and their sum lies as near to a limit as its uncertainty, the answer says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bingcheng.compare.changes import in_time
from bingcheng.compare.observation import Observation
from bingcheng.compare.pieces import as_tracks
from bingcheng.compare.response import Answer, NewLesion, NonTargets, Target, TimePoint, responses
from bingcheng.compare.response_lesions import MODALITIES, NODE, RecistLesion, chosen_targets, recist_modality, seen_in
from bingcheng.compare.response_margin import SumOfDiameters, margins, sum_uncertainty_mm
from bingcheng.compare.tracks import Followed, FollowedLink, Tracks
from bingcheng.compare.verdict import modality_of
from bingcheng.core.wording import Text, text
from bingcheng.quantify.lesion.matching import Link, LinkKind

NODE_NORMAL_MM = 10.0
"""A node under 10 mm is normal (section 4.3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAt:
    """The response at one exam of a patient.

    Parameters
    ----------
    exam_uid : which exam.
    seen : what the answer is calculated from; its targets are in the order of `PatientResponse.targets`.
    answer : what the rules come to.
    uncertainty_mm : the standard uncertainty of the sum; None without a sum, or if that of a target is not known.
    reasons : what it rests on.
    questions : what a reader has to decide, and what then would follow; the answer does not stand before.
    """

    exam_uid: str
    seen: TimePoint
    answer: Answer
    uncertainty_mm: float | None
    reasons: tuple[Text, ...]
    questions: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientResponse:
    """RECIST 1.1 over the exams of a patient.

    Parameters
    ----------
    patient, modality : whose, and on which images.
    baseline_uid, baseline_mm : the first exam with a lesion, and the sum of its targets.
    baseline : each target there.
    uncertainty_mm : the standard uncertainty of the sum; None if that of a target is not known.
    targets, non_targets : labels of the lesions there.
    remarks : on how targets were chosen.
    points : one an exam after the baseline, in time.
    """

    patient: str
    modality: str
    baseline_uid: str
    baseline_mm: float
    baseline: tuple[Target, ...]
    uncertainty_mm: float | None
    targets: tuple[str, ...]
    non_targets: tuple[str, ...]
    remarks: tuple[Text, ...]
    points: tuple[ResponseAt, ...]


@dataclass(slots=True)
class _Told:
    """What is to be said of one exam."""

    reasons: list[Text] = field(default_factory=list)
    questions: list[Text] = field(default_factory=list)


def patient_responses(
    observations: Iterable[Observation], *, labels: Mapping[str, str] | None = None, tracks: Tracks | None = None
) -> tuple[PatientResponse, ...]:
    """RECIST 1.1 for each patient with a lesion on CT or MR and a later exam that tells of it; in the patients' order.

    Parameters
    ----------
    observations : in any order; exams without a date have no place in time and are left out.
    labels : what to call a lesion, by tracking identifier.
    tracks : which lesions of which exams are one, and what was matched.
    """
    followed = tracks or Tracks()
    patients: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        if one.performed_at is not None and modality_of(one) in MODALITIES:
            patients[one.patient].append(one)
    found = (_Patient(patient, mine, labels or {}, followed) for patient, mine in sorted(patients.items()))
    return tuple(answer for one in found if (answer := one.answer()) is not None)


class _Patient:
    """One patient's lesions on the modality that RECIST is read from."""

    def __init__(
        self, patient: str, observations: Sequence[Observation], labels: Mapping[str, str], tracks: Tracks
    ) -> None:
        self.patient = patient
        self.tracks = tracks
        drawn = [one for one in observations if one.lesion is not None]
        self.modality = recist_modality(drawn)
        mine = [one for one in drawn if modality_of(one) == self.modality]
        self.exams = self._exams(observations, mine)
        self.place = {uid: number for number, uid in enumerate(self.exams)}
        self.lesions = tuple(self._lesions(mine, labels))

    def answer(self) -> PatientResponse | None:
        """RECIST over the exams; None without a lesion or a later exam."""
        if not self.lesions or len(self.exams) < 2:
            return None
        baseline = self.exams[0]
        here = [one for one in self.lesions if baseline in one.seen]
        targets, remarks = chosen_targets(here, baseline)
        others = [one for one in here if one not in targets]
        told = [_Told() for _ in self.exams[1:]]
        points = [self._point(uid, targets, others, said) for uid, said in zip(self.exams[1:], told, strict=True)]
        first = tuple(Target(size_mm=one.size_mm(baseline), node=one.node) for one in targets)
        total = round(sum(one.size_mm or 0.0 for one in first), 1)
        return PatientResponse(
            patient=self.patient,
            modality=self.modality,
            baseline_uid=baseline,
            baseline_mm=total,
            baseline=first,
            uncertainty_mm=_unsure(targets, baseline),
            targets=tuple(one.label for one in targets),
            non_targets=tuple(one.label for one in others),
            remarks=remarks,
            points=self._answered(targets, first, points, told),
        )

    def _answered(
        self,
        targets: Sequence[RecistLesion],
        first: Sequence[Target],
        points: Sequence[TimePoint],
        told: Sequence[_Told],
    ) -> tuple[ResponseAt, ...]:
        """The answers in time, each with what it rests on."""
        later = self.exams[1:]
        answers = tuple(responses(first, points))
        unsure = [
            None if answer.sum_mm is None else _unsure(targets, uid) for uid, answer in zip(later, answers, strict=True)
        ]
        baseline = SumOfDiameters(
            mm=sum(one.size_mm or 0.0 for one in first), uncertainty_mm=_unsure(targets, self.exams[0])
        )
        sums = [
            None if answer.sum_mm is None else SumOfDiameters(mm=answer.sum_mm, uncertainty_mm=uncertainty)
            for answer, uncertainty in zip(answers, unsure, strict=True)
        ]
        return tuple(
            ResponseAt(
                exam_uid=uid,
                seen=point,
                answer=answer,
                uncertainty_mm=uncertainty,
                reasons=(*said.reasons, *(near if answer.response is answer.targets else ())),
                questions=tuple(dict.fromkeys(said.questions)),
            )
            for uid, point, answer, uncertainty, near, said in zip(
                later, points, answers, unsure, margins(baseline, sums), told, strict=True
            )
        )

    def _exams(self, every: Sequence[Observation], drawn: Sequence[Observation]) -> list[str]:
        """The exams in time, from the first with a lesion: those with lesions, and those that were matched."""
        matched = {
            uid
            for (patient, _), links in self.tracks.links.items()
            if patient == self.patient
            for one in links
            if self._tells(one)
            for uid in (one.earlier_uid, one.later_uid)
        }
        counted = {one.exam_uid for one in drawn} | matched
        ordered = [exam[0].exam_uid for exam in in_time(every) if exam[0].exam_uid in counted]
        with_lesions = {one.exam_uid for one in drawn}
        first = next((number for number, uid in enumerate(ordered) if uid in with_lesions), len(ordered))
        return ordered[first:]

    def _tells(self, one: FollowedLink) -> bool:
        """Whether a link is of this modality, or a person's."""
        return one.modality in ("", self.modality)

    def _lesions(self, drawn: Sequence[Observation], labels: Mapping[str, str]) -> Iterator[RecistLesion]:
        by_track: dict[str, dict[str, dict[str, list[Observation]]]] = defaultdict(lambda: defaultdict(dict))
        names: dict[str, str] = {}
        for one in drawn:
            assert one.lesion is not None
            names.setdefault(self.tracks.name(one.exam_uid, one.lesion), labels.get(one.lesion, one.lesion))
        for one in as_tracks(drawn, self.tracks):
            assert one.lesion is not None
            by_track[one.lesion][one.exam_uid].setdefault(one.series_uid, []).append(one)
        for track, exams in by_track.items():
            key: Followed = (self.patient, track)
            label = self.tracks.labels.get(key) or names.get(track, track)
            yield RecistLesion(
                track=track,
                label=label,
                node=NODE.search(label) is not None,
                seen={uid: seen_in(list(series.values())) for uid, series in exams.items()},
                links=tuple(one for one in self.tracks.links.get(key, ()) if self._tells(one)),
            )

    def _point(
        self, exam_uid: str, targets: Sequence[RecistLesion], others: Sequence[RecistLesion], said: _Told
    ) -> TimePoint:
        sizes = tuple(Target(size_mm=self._size(one, exam_uid, said), node=one.node) for one in targets)
        return TimePoint(
            targets=sizes, non_targets=self._of_others(others, exam_uid, said), new=self._new(exam_uid, said)
        )

    def _size(self, one: RecistLesion, exam_uid: str, said: _Told) -> float | None:
        if exam_uid not in one.seen:
            return 0.0 if self._gone(one, exam_uid, said) else None
        doubts = self.tracks.doubtful((self.patient, one.track), self.exams[0], exam_uid)
        if any(doubt.link.before and doubt.link.after for doubt in doubts):
            said.questions.append(
                text(
                    "A reader has to say whether what is drawn is still {lesion}; until then its size does not count.",
                    lesion=one.label,
                )
            )
            return None
        size = one.size_mm(exam_uid)
        if size is None:
            said.reasons.append(text("{lesion} is drawn, but has no size here.", lesion=one.label))
        return size

    def _gone(self, one: RecistLesion, exam_uid: str, said: _Told) -> bool:
        """Whether a lesion that is not drawn in an exam has vanished for sure."""
        link = self._last_of(one, exam_uid)
        if link is not None and link.kind is LinkKind.VANISHED and not link.needs_reader:
            said.reasons.append(_gone_for_sure(one, link.confidence, decided=link.edited))
            return True
        if link is not None and link.kind is LinkKind.VANISHED:
            said.questions.append(
                text("Whether {lesion} has gone, a reader has to say: if it has, it measures 0 mm.", lesion=one.label)
            )
        elif link is not None and link.kind is LinkKind.OUTSIDE_LATER:
            said.reasons.append(text("The exam does not show the place of {lesion}.", lesion=one.label))
        else:
            said.questions.append(
                text(
                    "{lesion} is not drawn here, and nothing says whether it has gone: a reader has to look.",
                    lesion=one.label,
                )
            )
        return False

    def _last_of(self, one: RecistLesion, exam_uid: str) -> Link | None:
        """What was last said of a lesion's end, since it was last drawn and up to an exam."""
        until = self.place[exam_uid]
        drawn = max(place for uid in one.seen if (place := self.place.get(uid, until + 1)) < until)
        ends = [
            followed.link
            for followed in one.links
            if followed.link.before
            and not followed.link.after
            and drawn < self.place.get(followed.later_uid, -1) <= until
        ]
        return ends[-1] if ends else None

    def _of_others(self, others: Sequence[RecistLesion], exam_uid: str, said: _Told) -> NonTargets:
        if not others:
            return NonTargets.NONE
        states = [self._present(one, exam_uid, said) for one in others]
        if any(state is True for state in states):
            return NonTargets.PRESENT
        return NonTargets.GONE if all(state is False for state in states) else NonTargets.UNKNOWN

    def _present(self, one: RecistLesion, exam_uid: str, said: _Told) -> bool | None:
        if exam_uid not in one.seen:
            return False if self._gone(one, exam_uid, said) else None
        size = one.size_mm(exam_uid)
        return not (one.node and size is not None and size < NODE_NORMAL_MM)

    def _new(self, exam_uid: str, said: _Told) -> NewLesion:
        """Whether the exam shows a lesion that began after the baseline."""
        found = NewLesion.NONE
        for one in self.lesions:
            if exam_uid not in one.seen or self.exams[0] in one.seen:
                continue
            state = self._began(one, said)
            if found is not NewLesion.UNEQUIVOCAL and state is not NewLesion.NONE:
                found = state
        return found

    def _began(self, one: RecistLesion, said: _Told) -> NewLesion:
        begun = [followed.link for followed in one.links if followed.link.after and not followed.link.before]
        kinds = {link.kind for link in begun}
        for link in begun:
            if link.kind is LinkKind.NEW and not link.needs_reader:
                said.reasons.append(_new_for_sure(one, link.confidence, decided=link.edited))
                return NewLesion.UNEQUIVOCAL
        if LinkKind.OUTSIDE_EARLIER in kinds and LinkKind.NEW not in kinds:
            said.questions.append(
                text(
                    "No earlier exam shows the place of {lesion}: if a reader says that it is new, this is PD.",
                    lesion=one.label,
                )
            )
        else:
            said.questions.append(
                text("Whether {lesion} is new, a reader has to say: if it is, this is PD.", lesion=one.label)
            )
        return NewLesion.EQUIVOCAL


def _unsure(targets: Sequence[RecistLesion], exam_uid: str) -> float | None:
    return sum_uncertainty_mm([one.uncertainty_mm(exam_uid) for one in targets])


def _gone_for_sure(one: RecistLesion, confidence: float, *, decided: bool) -> Text:
    if decided:
        return text("{lesion} has gone, as a person decided: it measures 0 mm.", lesion=one.label)
    percent = round(100.0 * confidence)
    return text(
        "{lesion} has gone, by the images ({percent} % sure): it measures 0 mm.", lesion=one.label, percent=percent
    )


def _new_for_sure(one: RecistLesion, confidence: float, *, decided: bool) -> Text:
    if decided:
        return text("{lesion} is new, as a person decided.", lesion=one.label)
    percent = round(100.0 * confidence)
    return text("{lesion} is new, by the images ({percent} % sure).", lesion=one.label, percent=percent)
