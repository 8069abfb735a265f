"""The findings of all stored exams: each by the protocols that fit it, and against the patient's earlier exam."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from bingcheng.archive.records import ExamRecord
from bingcheng.archive.store import exams, save_findings
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Finding
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.conformance import choose, judge_all
from bingcheng.protocol.model import Protocol


def judge_exams(workspace: Workspace, protocols: Sequence[Protocol], *, asked: Collection[str] = ()) -> None:
    """Judge every stored exam anew and store the findings; a new exam may be the baseline of one stored before."""
    found: dict[str, tuple[Finding, ...]] = {}

    def whose(record: ExamRecord) -> str:
        return workspace.pseudonym(record.patient, record.site)

    for _, group in groupby(sorted(exams(workspace), key=whose), key=whose):
        history = sorted(group, key=in_time)
        for position, record in enumerate(history):
            found[record.uid] = findings(record, history[:position], protocols, asked=asked)
    save_findings(workspace, found)


def findings(
    record: ExamRecord, earlier: Sequence[ExamRecord], protocols: Iterable[Protocol], *, asked: Collection[str] = ()
) -> tuple[Finding, ...]:
    """The findings on one exam; its baseline is the patient's first exam that shares a modality with it."""
    facts = _facts(record)
    if not facts:
        return ()
    modalities = {fact.modality for fact in facts}
    baseline = next((_facts(e) for e in earlier if modalities & {f.modality for f in _facts(e)}), None)
    chosen = choose(protocols, facts, asked=asked)
    return judge_all(
        chosen, facts, baseline=baseline, measured_on=[series.uid for series in record.series if series.lesions]
    )


def in_time(record: ExamRecord) -> tuple[bool, datetime, str]:
    """A sorting key: exams in time, those without a date last."""
    return record.performed_at is None, record.performed_at or datetime.max, record.uid  # noqa: DTZ901 - a key only


def _facts(record: ExamRecord) -> tuple[Acquisition, ...]:
    return tuple(series.acquisition for series in record.series)
