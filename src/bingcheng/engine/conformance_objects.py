"""The findings on each exam as a structured report in the workspace, written when they have changed.

What an exam was judged from is in the report's name, so that a look at the names tells which are up to date. Patient
and study come from the images; where they are not at hand (something was stated later), from the report before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bingcheng.archive.findings import findings_of, judged_from
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Finding
from bingcheng.dicom.exam import Exam
from bingcheng.engine.plan import DICOM_FOLDER, image_series, short
from bingcheng.outputs.conformance_source import JudgedExam, report_at
from bingcheng.outputs.conformance_sr import conformance_uid, write_conformance_sr
from bingcheng.protocol.model import Protocol

PREFIX = "conformance-"

log = logging.getLogger("bingcheng")


def write_conformance_objects(
    workspace: Workspace, protocols: Sequence[Protocol], given: Mapping[str, Exam] | None = None
) -> int:
    """Write the report of every exam whose findings changed since its last one; returns how many were written.

    An exam without findings has no report. One that has none yet and whose images are not at hand gets its report when
    it is given again.

    Parameters
    ----------
    protocols : those by which exams are judged.
    given : exams whose images are at hand, by UID.

    Raises
    ------
    InputError
        ``outputs.cannot-write``, ``archive.damaged-row``.
    """
    with workspace.reading() as connection:
        stale = {
            uid: wanted
            for uid, digest in judged_from(connection).items()
            if not (wanted := _path(workspace, uid, digest)).exists()
        }
        found = {uid: findings_of(connection, uid) for uid in stale}
    return sum(_renewed(path, found[uid], protocols, (given or {}).get(uid)) for uid, path in stale.items())


def _path(workspace: Workspace, uid: str, digest: str) -> Path:
    return workspace.folder / DICOM_FOLDER / short(uid) / f"{PREFIX}{short(digest)}.dcm"


def _renewed(path: Path, findings: tuple[Finding, ...], protocols: Iterable[Protocol], exam: Exam | None) -> bool:
    """Bring the report of one exam up to date; returns whether it was written."""
    earlier = sorted(path.parent.glob(f"{PREFIX}*.dcm"))
    source = _source(exam, earlier) if findings else None
    written = False
    if source is not None:
        asked = {finding.protocol for finding in findings}
        judges = [one for one in protocols if one.id in asked]
        same = _same(earlier, conformance_uid(findings, source, judges))
        if same is not None:
            same.replace(path)
        else:
            written = _written(path, findings, source, judges)
    for old in earlier:
        if old != path:  # what it says no longer holds
            with suppress(FileNotFoundError):
                old.unlink()
    return written


def _written(path: Path, findings: tuple[Finding, ...], source: JudgedExam, judges: Sequence[Protocol]) -> bool:
    """Write a report; a header that no DICOM object can inherit costs this exam its report, and no other exam anything.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    try:
        write_conformance_sr(path, findings, source, judges)
    except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError) as error:
        # Neither the folder's name nor the kind of error tells anything about the patient.
        log.warning("no structured report of findings in %s: %s", path.parent.name, type(error).__name__)
        return False
    return True


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
