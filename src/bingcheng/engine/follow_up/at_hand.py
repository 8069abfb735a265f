"""The files of exams that were assessed in an earlier run, found again where they were then."""

from __future__ import annotations

from collections.abc import Collection

from bingcheng.archive.exam_sources import sources
from bingcheng.archive.workspace import Workspace
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.sources import mode_of
from bingcheng.engine.nifti_masks import mask_files
from bingcheng.engine.plan import DICOM_FOLDER, Task, foreign_index, plan


def found_again(workspace: Workspace, uids: Collection[str]) -> dict[str, Task]:
    """Exams by UID, of those asked for whose files are still there; nothing is raised for what is gone.

    Only their headers are read. What they hold now need not be what was assessed: who reads them has to compare.
    """
    known = sources(workspace)
    places = sorted({path for uid in uids for path in known.get(uid, ()) if mode_of(path)})
    if not places:
        return {}
    outputs = workspace.folder / DICOM_FOLDER
    scanned = foreign_index(places, outputs)
    wanted = plan(exams(scanned), scanned.refusals, mask_files(places), "", outputs)
    return {task.exam.uid: task for task in wanted.tasks if task.exam.uid in uids}
