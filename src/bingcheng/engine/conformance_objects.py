"""The findings on each exam as a structured report in the workspace, written when they have changed.

What an exam was judged from is in the report's name, so that a look at the names tells which are up to date. Patient
and study come from the images; where they are not at hand (something was stated later), from the report before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bingcheng.archive.findings import findings_of, judged_from
from bingcheng.archive.store import save_refusals
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.finding import Finding
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import Exam
from bingcheng.dicom.sources import mode_of
from bingcheng.engine.plan import DICOM_FOLDER, image_series, short
from bingcheng.engine.replacing import staying, writing
from bingcheng.outputs.conformance_source import GARBLED, JudgedExam, report_at
from bingcheng.outputs.conformance_sr import conformance_uid, write_conformance_sr
from bingcheng.outputs.language import Language
from bingcheng.protocol.model import Protocol

PREFIX = "conformance-"
NO_REPORT = Problem(
    code="engine.no-conformance-report",
    says="the findings on this exam have no structured report, for its header holds what no DICOM object can inherit "
    "({error})",
    remedy="Correct patient and study in the header of the images, then assess the exam again. "
    "The findings themselves are complete.",
    owner=Owner.ARCHIVE,
)
"""An exam that goes without its structured report. `error` is the kind of error, which tells nothing of the patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renewed:
    """What became of the report of one exam."""

    written: bool = False
    refusal: Refusal | None = None


def write_conformance_objects(
    workspace: Workspace,
    protocols: Sequence[Protocol],
    given: Mapping[str, Exam] | None = None,
    language: Language | None = None,
) -> int:
    """Write the report of every exam whose findings changed since its last one; returns how many were written.

    It is written anew in another language too. An exam without findings has no report. One that has none yet and whose
    images are not at hand gets its report when it is given again. One whose header no report can inherit is refused by
    name (``engine.no-conformance-report``) until its report can be written.

    Parameters
    ----------
    protocols : those by which exams are judged.
    given : exams whose images are at hand, by UID.
    language : of the sentences; English unless given.

    Raises
    ------
    InputError
        ``outputs.cannot-write``, ``engine.cannot-write``, ``archive.damaged-row``.
    """
    spoken = language or Language.of("en")
    with workspace.reading() as connection:
        judged = judged_from(connection)
    renewed: dict[str, _Renewed] = {}
    for uid, digest in judged.items():
        path = _path(workspace, uid, digest, spoken)
        if mode_of(path):
            continue
        with staying(path.parent), writing(DICOM_FOLDER):
            # Another run may have judged the exam anew meanwhile; what it wrote is not replaced by what was before.
            latest = _standing(workspace, uid)
            if latest is not None:
                path = _path(workspace, uid, latest.digest, spoken)
                renewed[uid] = _renewed(uid, path, latest.findings, protocols, (given or {}).get(uid), spoken)
    if renewed:
        with workspace.writing() as connection:
            here = judged_from(connection).keys()  # an exam may have been deleted
            told = {uid: one.refusal for uid, one in renewed.items() if uid in here}
            save_refusals(connection, NO_REPORT.code, told)
    return sum(one.written for one in renewed.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """The findings on an exam at this moment, and the digest of what they were judged from."""

    digest: str
    findings: tuple[Finding, ...]


def _standing(workspace: Workspace, uid: str) -> _Standing | None:
    """The findings on an exam; None where it is not judged, or gone."""
    with workspace.reading() as connection:
        digest = judged_from(connection, uid).get(uid)
        return None if digest is None else _Standing(digest=digest, findings=findings_of(connection, uid))


def _path(workspace: Workspace, uid: str, digest: str, language: Language) -> Path:
    said = digest if language.code == "en" else f"{digest} {language.tag}"
    return workspace.folder / DICOM_FOLDER / short(uid) / f"{PREFIX}{short(said)}.dcm"


def _renewed(
    uid: str,
    path: Path,
    findings: tuple[Finding, ...],
    protocols: Iterable[Protocol],
    exam: Exam | None,
    language: Language,
) -> _Renewed:
    """Bring the report of one exam up to date."""
    earlier = sorted(path.parent.glob(f"{PREFIX}*.dcm"))
    outcome = _Renewed()
    try:
        source = _source(exam, earlier) if findings else None
        if source is not None:
            asked = {finding.protocol for finding in findings}
            judges = [one for one in protocols if one.id in asked]
            same = _same(earlier, conformance_uid(findings, source, judges, language))
            if same is not None:
                same.replace(path)
            else:
                write_conformance_sr(path, findings, source, judges, language=language)
                outcome = _Renewed(written=True)
    except GARBLED as error:
        # A header that no DICOM object can inherit costs this exam its report, and no other exam anything.
        refused = InputError(NO_REPORT, error=type(error).__name__)
        outcome = _Renewed(refusal=Refusal.of(refused, kind=SubjectKind.EXAM, subject=uid, study_uid=uid))
    for old in earlier:
        if old != path:  # what it says no longer holds
            with suppress(OSError):  # one that can't be taken away is not up to date by its name
                old.unlink()
    return outcome


def _source(exam: Exam | None, earlier: Iterable[Path]) -> JudgedExam | None:
    """What the report is about, from the images or else from an earlier report; None if neither can be read."""
    if exam is not None and (series := image_series(exam)):
        with suppress(InputError):
            return JudgedExam.of_images(series)
    for path in earlier:
        with suppress(InputError):
            return JudgedExam.of_report(path)
    return None


def _same(earlier: Iterable[Path], uid: str) -> Path | None:
    """The earlier report that says the same."""
    for path in earlier:
        with suppress(InputError):
            if report_at(path).SOPInstanceUID == uid:
                return path
    return None
