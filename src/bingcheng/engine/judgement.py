"""The findings of all stored exams: each by the protocols that fit it, and against the patient's first exam."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Protocol as Shape

import bingcheng
from bingcheng.archive.codec import encoded
from bingcheng.archive.records import ExamFacts, Judged
from bingcheng.archive.retrieval import acquisition, exam_facts
from bingcheng.archive.statements import statements
from bingcheng.archive.store import save_judged
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Finding
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.engine.stated import Stated
from bingcheng.protocol.attributes import ImageValues, attributes
from bingcheng.protocol.conformance import choose, judge_all
from bingcheng.protocol.fingerprints import device
from bingcheng.protocol.measured import MeasuredIn, with_measured
from bingcheng.protocol.model import Protocol
from bingcheng.protocol.supplied import Supplied


class Dated(Shape):
    """What has a time and a UID."""

    @property
    def uid(self) -> str:
        """Its UID."""

    @property
    def performed_at(self) -> datetime | None:
        """When it was made, if known."""


def judge_exams(
    workspace: Workspace, protocols: Sequence[Protocol], *, asked: Collection[str] = (), today: date
) -> int:
    """Judge every stored exam whose findings could have changed, and store them; returns how many that were.

    What was measured in its images and what people stated about it counts too; `today` tells which waivers hold. A new
    exam may be the baseline of one that was stored before, so the whole workspace is looked through; what an exam
    was judged from is kept as a digest, so that only those are judged for which anything is different. All of it is
    one transaction: no other run can store an exam in between.
    """
    terms = _terms(protocols, asked)
    with workspace.writing() as connection:
        stated = Stated.of(statements(connection))
        exams = exam_facts(connection, measures=_measures_asked())
        judged = 0
        for exam, baseline in _with_baselines(exams):
            case = _Case(exam, baseline, stated, today)
            digest = case.digest(terms)
            if digest != exam.judged:
                # One by one: the findings of a whole workspace are not held in memory.
                found = Judged(digest=digest, findings=case.findings(protocols, asked))
                save_judged(connection, {exam.uid: found})
                judged += 1
    return judged


def would_come_to(
    workspace: Workspace, protocols: Sequence[Protocol], *, today: date
) -> Iterator[tuple[ExamFacts, tuple[Finding, ...]]]:
    """What each stored exam would come to by `protocols`, wherever they fit it; nothing is stored."""
    with workspace.reading() as connection:
        stated = Stated.of(statements(connection))
        exams = exam_facts(connection, measures=_measures_asked())
    for exam, baseline in _with_baselines(exams):
        yield exam, _Case(exam, baseline, stated, today).findings(protocols, ())


def evidence(workspace: Workspace) -> Iterator[tuple[ExamFacts, tuple[Acquisition, ...], Supplied]]:
    """The facts of each stored exam, with what was measured in its images and answered about it."""
    with workspace.reading() as connection:
        stated = Stated.of(statements(connection))
        exams = exam_facts(connection, measures=_measures_asked())
    for exam in exams:
        facts = _facts(exam)
        yield exam, facts, _supplied(exam, facts, stated)


def in_time(exam: Dated) -> tuple[bool, datetime, str]:
    """A sorting key: exams in time, those without a date last."""
    return exam.performed_at is None, exam.performed_at or datetime.max, exam.uid  # noqa: DTZ901 - a key only


def _with_baselines(exams: Iterable[ExamFacts]) -> Iterable[tuple[ExamFacts, ExamFacts | None]]:
    """Each exam with its baseline: the patient's first exam before it that shares a modality with it.

    An exam without a date has none, and is none: whether it came before or after is not known.
    """
    histories: dict[str, list[ExamFacts]] = defaultdict(list)
    for exam in exams:
        histories[exam.patient].append(exam)
    for history in histories.values():
        first: dict[str, ExamFacts] = {}
        for exam in sorted(history, key=in_time):
            modalities = {modality for modality, _ in exam.acquisitions}
            if exam.performed_at is None:
                yield exam, None
                continue
            candidates = [first[modality] for modality in modalities if modality in first]
            yield exam, min(candidates, key=in_time, default=None)
            first = dict.fromkeys(modalities, exam) | first


class _Case:
    """One exam with all that its judgement rests on; facts are read from their stored form only if they are needed."""

    def __init__(self, exam: ExamFacts, baseline: ExamFacts | None, stated: Stated, today: date) -> None:
        self.exam = exam
        self.baseline = baseline
        self.stated = stated
        self.today = today

    def digest(self, terms: str) -> str:
        """A digest of everything that the findings depend on."""
        digest = hashlib.sha256(terms.encode())
        for part in (self.exam, self.baseline):
            for _, stored in part.acquisitions if part is not None else ():
                digest.update(stored.encode())
            digest.update(encoded(part.values if part is not None else ()).encode())
            digest.update(b"\x1d")
        digest.update("\x1f".join(self.exam.measured_on).encode())
        # Of waivers the ones that hold today, so that one that runs out changes the digest; of the rest, all.
        held = [one for one in self.stated.waivers if one.until is None or self.today <= one.until]
        digest.update(encoded([*held, *self.stated.corrections, *self.stated.answers]).encode())
        return digest.hexdigest()

    def findings(self, protocols: Iterable[Protocol], asked: Collection[str]) -> tuple[Finding, ...]:
        """The findings by all protocols that fit the exam, or that someone asked for."""
        facts = _facts(self.exam)
        if not facts:
            return ()
        before = None if self.baseline is None else _facts(self.baseline)
        told = self.stated.told_of(facts, self.exam.uid)
        if self.baseline is not None:
            told |= self.stated.told_of(before or (), self.baseline.uid)
        devices = _devices(facts)
        return judge_all(
            choose(protocols, facts, asked=asked),
            facts,
            baseline=before,
            supplied=_supplied(self.exam, facts, self.stated),
            supplied_at_baseline=None if self.baseline is None else _supplied(self.baseline, before or (), self.stated),
            measured_on=self.exam.measured_on,
            told=told,
            waivers=self.stated.waivers_of(self.exam, devices, self.today),
        )


def _supplied(exam: ExamFacts, facts: Sequence[Acquisition], stated: Stated) -> Supplied:
    answered = Supplied(exam=stated.answers_to(exam, _devices(facts)))
    return with_measured(answered, _measured(exam, facts))


def _devices(facts: Iterable[Acquisition]) -> frozenset[str]:
    return frozenset(scanner for one in facts if (scanner := device(one)) is not None)


def _measured(exam: ExamFacts, facts: Iterable[Acquisition]) -> Iterable[MeasuredIn]:
    acquisitions = {one.series_uid: one for one in facts}
    groups: dict[tuple[str, str | None], dict[str, float]] = defaultdict(dict)
    labels: dict[tuple[str, str | None], str | None] = {}
    for one in exam.values:
        groups[one.series_uid, one.lesion][one.key] = one.value
        labels[one.series_uid, one.lesion] = one.label
    for (series_uid, lesion), values in groups.items():
        if series_uid in acquisitions:
            label = labels[series_uid, lesion]
            image = ImageValues(acquisition=acquisitions[series_uid], values=values, label=label)
            yield MeasuredIn(image=image, lesion=lesion)


def _measures_asked() -> frozenset[str]:
    """Keys of the measures that tell a quantity of protocols."""
    return frozenset(key for one in attributes() for key in one.measures)


def _facts(exam: ExamFacts) -> tuple[Acquisition, ...]:
    return tuple(acquisition(modality, stored) for modality, stored in exam.acquisitions)


def _terms(protocols: Iterable[Protocol], asked: Collection[str]) -> str:
    """What is the same for all exams: the release, the protocols, and which of them were asked for."""
    parts = [bingcheng.__version__, *sorted(asked), *(one.model_dump_json() for one in protocols)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
