"""The findings of all stored exams: each by the protocols that fit it, and against the patient's first exam."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol as Shape

import bingcheng
from bingcheng.archive.records import ExamFacts, Judged
from bingcheng.archive.retrieval import acquisition, exam_facts
from bingcheng.archive.store import save_judged
from bingcheng.archive.workspace import Workspace
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.conformance import choose, judge_all
from bingcheng.protocol.model import Protocol


class Dated(Shape):
    """What has a time and a UID."""

    @property
    def uid(self) -> str:
        """Its UID."""

    @property
    def performed_at(self) -> datetime | None:
        """When it was made, if known."""


def judge_exams(workspace: Workspace, protocols: Sequence[Protocol], *, asked: Collection[str] = ()) -> int:
    """Judge every stored exam whose findings could have changed, and store them; returns how many that were.

    A new exam may be the baseline of one that was stored before, so the whole workspace is looked through; what an exam
    was judged from is kept as a digest, so that only those are judged for which anything is different. All of it is
    one transaction: no other run can store an exam in between.
    """
    terms = _terms(protocols, asked)
    with workspace.writing() as connection:
        judged = {
            exam.uid: _judged(exam, baseline, protocols, asked, digest)
            for exam, baseline in _with_baselines(exam_facts(connection))
            if (digest := _digest(terms, exam, baseline)) != exam.judged
        }
        save_judged(connection, judged)
    return len(judged)


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


def _judged(
    exam: ExamFacts, baseline: ExamFacts | None, protocols: Iterable[Protocol], asked: Collection[str], digest: str
) -> Judged:
    facts = _facts(exam)
    if not facts:
        return Judged(digest=digest, findings=())
    before = None if baseline is None else _facts(baseline)
    findings = judge_all(choose(protocols, facts, asked=asked), facts, baseline=before, measured_on=exam.measured_on)
    return Judged(digest=digest, findings=findings)


def _facts(exam: ExamFacts) -> tuple[Acquisition, ...]:
    return tuple(acquisition(modality, stored) for modality, stored in exam.acquisitions)


def _terms(protocols: Iterable[Protocol], asked: Collection[str]) -> str:
    """What is the same for all exams: the release, the protocols, and which of them were asked for."""
    parts = [bingcheng.__version__, *sorted(asked), *(one.model_dump_json() for one in protocols)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _digest(terms: str, exam: ExamFacts, baseline: ExamFacts | None) -> str:
    digest = hashlib.sha256(terms.encode())
    for part in (exam, baseline):
        for _, stored in part.acquisitions if part is not None else ():
            digest.update(stored.encode())
        digest.update(b"\x1d")
    digest.update("\x1f".join(exam.measured_on).encode())
    return digest.hexdigest()
