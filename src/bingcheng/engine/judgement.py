"""The findings of all stored exams: each by the protocols that fit it, and against the patient's first exam."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cached_property
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
from bingcheng.engine.local import seldom_interrupted
from bingcheng.engine.stated import Stated
from bingcheng.protocol.attributes import ImageValues, attributes
from bingcheng.protocol.conformance import judge_fitting
from bingcheng.protocol.fingerprints import device
from bingcheng.protocol.measured import MeasuredIn, with_measured
from bingcheng.protocol.model import Protocol
from bingcheng.protocol.supplied import Correction, Supplied

STORED_TOGETHER = 50
"""Exams whose findings are stored at once: fewer statements, and yet no whole workspace of findings in memory."""


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
    with workspace.writing() as connection, seldom_interrupted():
        stated = Stated.of(statements(connection))
        exams = exam_facts(connection, measures=_measures_asked())
        judged = 0
        waiting: dict[str, Judged] = {}
        for case in _cases(exams, stated, today):
            digest, exam = case.digest(terms), case.exam.stored
            if digest != exam.judged:
                waiting[exam.uid] = Judged(digest=digest, findings=case.findings(protocols, asked))
                judged += 1
            if len(waiting) == STORED_TOGETHER:
                save_judged(connection, waiting)
                waiting.clear()
        save_judged(connection, waiting)
    return judged


def would_come_to(
    workspace: Workspace, protocols: Sequence[Protocol], *, today: date
) -> Iterator[tuple[ExamFacts, tuple[Finding, ...]]]:
    """What each stored exam would come to by `protocols`, wherever they fit it; nothing is stored."""
    with workspace.reading() as connection:
        stated = Stated.of(statements(connection))
        exams = exam_facts(connection, measures=_measures_asked())
    for case in _cases(exams, stated, today):
        yield case.exam.stored, case.findings(protocols, ())


def evidence(workspace: Workspace) -> Iterator[tuple[ExamFacts, tuple[Acquisition, ...], Supplied]]:
    """The facts of each stored exam, with what was measured in its images and answered about it."""
    with workspace.reading() as connection:
        stated = Stated.of(statements(connection))
        exams = exam_facts(connection, measures=_measures_asked())
    for exam in exams:
        known = _Known(exam, stated)
        yield exam, known.facts, known.supplied


def in_time(exam: Dated) -> tuple[bool, datetime, str]:
    """A sorting key: exams in time, those without a date last."""
    return exam.performed_at is None, exam.performed_at or datetime.max, exam.uid  # noqa: DTZ901 - a key only


class _Known:
    """A stored exam with what is known of it, each read from its stored form when it is first asked for.

    A baseline is asked for with every later exam of its patient.
    """

    def __init__(self, stored: ExamFacts, stated: Stated) -> None:
        self.stored = stored
        self._stated = stated

    @cached_property
    def facts(self) -> tuple[Acquisition, ...]:
        return tuple(acquisition(modality, one) for modality, one in self.stored.acquisitions)

    @cached_property
    def devices(self) -> frozenset[str]:
        return frozenset(scanner for one in self.facts if (scanner := device(one)) is not None)

    @cached_property
    def supplied(self) -> Supplied:
        """What was measured in its images, and what people answered about it."""
        answered = Supplied(
            exam=self._stated.answers_to(self.stored, self.devices),
            series=self._stated.answers_of_series(self.stored, self.facts),
        )
        return with_measured(answered, _measured(self.stored, self.facts))

    def told(self) -> dict[str, list[Correction]]:
        """What people said about its series."""
        return self._stated.told_of(self.facts, self.stored.uid)


def _with_baselines(exams: Iterable[ExamFacts]) -> Iterator[tuple[ExamFacts, ExamFacts | None]]:
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


def _cases(exams: Iterable[ExamFacts], stated: Stated, today: date) -> Iterator[_Case]:
    """One case an exam, those of one patient after each other; what was read of a patient's exams is read once."""
    patient, known = None, dict[str, _Known]()
    for exam, baseline in _with_baselines(exams):
        if exam.patient != patient:
            patient, known = exam.patient, {}
        of_exam = known.setdefault(exam.uid, _Known(exam, stated))
        before = None if baseline is None else known.setdefault(baseline.uid, _Known(baseline, stated))
        yield _Case(of_exam, before, stated, today)


class _Case:
    """One exam with all that its judgement rests on."""

    def __init__(self, exam: _Known, baseline: _Known | None, stated: Stated, today: date) -> None:
        self.exam = exam
        self.baseline = baseline
        self.stated = stated
        self.today = today

    def digest(self, terms: str) -> str:
        """A digest of everything that the findings depend on."""
        digest = hashlib.sha256(terms.encode())
        for known in (self.exam, self.baseline):
            part = None if known is None else known.stored
            for _, stored in part.acquisitions if part is not None else ():
                digest.update(stored.encode())
            digest.update(encoded(part.values if part is not None else ()).encode())
            digest.update(b"\x1d")
        digest.update("\x1f".join(self.exam.stored.measured_on).encode())
        # Of waivers the ones that hold today, so that one that runs out changes the digest; of the rest, all.
        held = [one for one in self.stated.waivers if one.until is None or self.today <= one.until]
        digest.update(encoded([*held, *self.stated.corrections, *self.stated.answers]).encode())
        return digest.hexdigest()

    def findings(self, protocols: Iterable[Protocol], asked: Collection[str]) -> tuple[Finding, ...]:
        """The findings by all protocols that fit the exam, or that someone asked for."""
        exam, before = self.exam, self.baseline
        if not exam.facts:
            return ()
        return judge_fitting(
            protocols,
            exam.facts,
            asked=asked,
            baseline=None if before is None else before.facts,
            supplied=exam.supplied,
            supplied_at_baseline=None if before is None else before.supplied,
            measured_on=exam.stored.measured_on,
            told=exam.told() if before is None else exam.told() | before.told(),
            waivers=self.stated.waivers_of(exam.stored, exam.devices, self.today),
        )


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


def _terms(protocols: Iterable[Protocol], asked: Collection[str]) -> str:
    """What is the same for all exams: the release, the protocols, and which of them were asked for."""
    parts = [bingcheng.__version__, *sorted(asked), *(one.model_dump_json() for one in protocols)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
