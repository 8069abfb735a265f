"""``bingcheng protocol learn``: a draft of a protocol from exams in folders or in a workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bingcheng.archive.workspace import Workspace
from bingcheng.cli.authoring import save_text
from bingcheng.cli.exam_names import exam_named
from bingcheng.cli.exits import OK
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import text
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams as grouped
from bingcheng.dicom.index.scan import index
from bingcheng.engine.judgement import evidence
from bingcheng.engine.plan import image_series
from bingcheng.engine.view import assessment
from bingcheng.outputs.language import Language
from bingcheng.protocol.authoring.clusters import GoodExam
from bingcheng.protocol.authoring.learn import Draft, learn

MODALITIES = ("CT", "MR", "PT")
NO_GOOD_EXAM = Problem(
    code="cli.no-exam-to-learn-from",
    says="there is no exam to learn from in what was given ({device})",
    remedy="Give folders of exams, or labels of exams of a workspace; --device leaves out other scanners.",
    owner=Owner.OPERATOR,
)
WHICH_MODALITY = Problem(
    code="cli.which-modality",
    says="these exams have series of {found}, and a draft is about one modality",
    remedy="Say of which with --modality.",
    owner=Owner.OPERATOR,
)
NO_SUCH_MODALITY = Problem(
    code="cli.no-such-modality",
    says="no protocol is about '{modality}'",
    remedy="Write CT, MR or PT.",
    owner=Owner.OPERATOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """From what to learn; see the options of ``bingcheng protocol learn``."""

    exams: tuple[str, ...]
    modality: str | None
    device: str | None
    output: Path | None
    identifier: str | None
    title: str | None
    least: int
    workspace: Path
    database: str | None


def run_learn(lesson: Lesson, language: Language) -> int:
    """Write the draft, or print it; returns the exit code.

    Raises
    ------
    InputError
        ``cli.no-exam-to-learn-from``, ``cli.which-modality``, ``cli.no-such-modality``, ``engine.no-such-exam``,
        ``archive.no-workspace``, ``outputs.cannot-write``; what `learn` raises.
    """
    found = [exam for exam in (_of_device(one, lesson.device) for one in _good_exams(lesson)) if exam.acquisitions]
    if not found:
        raise InputError(NO_GOOD_EXAM, device=lesson.device or "-")
    draft = learn(
        found,
        modality=_modality(lesson.modality, found),
        on=date.today(),  # noqa: DTZ011 - the department's day
        key=lesson.identifier,
        title=lesson.title,
        least=lesson.least,
        say=language.say,
    )
    if lesson.output is None:
        sys.stdout.write(draft.text)
        return OK
    save_text(lesson.output, draft.text)
    _tell(draft, lesson.output, language)
    return OK


def _tell(draft: Draft, path: Path, language: Language) -> None:
    said = text(
        "Draft from {exams} exams (scanners: {scanners}; series: {roles}; criteria: {criteria}): {file}",
        exams=draft.exams,
        scanners=draft.scanners,
        roles=len(draft.protocol.roles),
        criteria=len(draft.protocol.criteria),
        file=str(path),
    )
    Console().print(escape(language.say(said)), highlight=False, soft_wrap=True)


def _good_exams(lesson: Lesson) -> Iterator[GoodExam]:
    """The exams that were named: those in folders, and those of the workspace; without any name, all of the latter."""
    folders = [Path(name) for name in lesson.exams if Path(name).exists()]
    names = [name for name in lesson.exams if not Path(name).exists()]
    if folders:
        yield from _in_folders(folders)
    if names or not folders:
        yield from _in_workspace(lesson, names)


def _in_folders(folders: Iterable[Path]) -> Iterator[GoodExam]:
    for exam in grouped(index(list(folders))).exams:
        facts = []
        for series in image_series(exam):
            try:
                facts.append(acquisition(series))
            except InputError:
                continue  # one series that can't be read is no fault of the others, and teaches nothing
        yield GoodExam(acquisitions=tuple(facts))


def _in_workspace(lesson: Lesson, names: Iterable[str]) -> Iterator[GoodExam]:
    workspace = Workspace.look_into(lesson.workspace, lesson.database)
    try:
        asked = tuple(names)
        exams = assessment(workspace, images=False).exams if asked else ()
        wanted = {exam_named(exams, name).uid for name in asked}
        for exam, facts, supplied in evidence(workspace):
            if not wanted or exam.uid in wanted:
                yield GoodExam(acquisitions=facts, supplied=supplied)
    finally:
        workspace.close()


def _of_device(exam: GoodExam, device: str | None) -> GoodExam:
    """The exam with its series of the scanners that were asked for."""
    if device is None:
        return exam
    kept = tuple(
        one
        for one in exam.acquisitions
        if device.casefold() in " ".join(filter(None, (one.device.vendor, one.device.model))).casefold()
    )
    return GoodExam(acquisitions=kept, supplied=exam.supplied)


def _modality(asked: str | None, exams: Iterable[GoodExam]) -> str:
    if asked is not None:
        if asked.upper() not in MODALITIES:
            raise InputError(NO_SUCH_MODALITY, modality=asked)
        return asked.upper()
    present = {one.modality for exam in exams for one in exam.acquisitions}
    found = [one for one in MODALITIES if one in present]
    if len(found) != 1:
        raise InputError(WHICH_MODALITY, found=", ".join(found or sorted(present)))
    return found[0]
