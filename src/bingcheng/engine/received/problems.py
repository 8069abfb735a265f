"""Why an exam that was received is not assessed, or one that was assessed not received or not stored."""

from __future__ import annotations

from bingcheng.archive.objects.problems import STORAGE_FAILED
from bingcheng.archive.problems import BUSY, DATABASE_FAILED, DISK_FULL
from bingcheng.core.errors import Owner, Problem
from bingcheng.core.refusal import Refusal
from bingcheng.engine.problems import CANNOT_WRITE
from bingcheng.outputs.source_images import CANNOT_WRITE as CANNOT_WRITE_OBJECT

HELD_ELSEWHERE = Problem(
    code="engine.held-elsewhere",
    says="another hospital sent this study before; its results are kept with that copy",
    remedy="Ask that hospital, or the quality centre, for the results; the images can be viewed here.",
    owner=Owner.ARCHIVE,
)
NOTHING_LEFT = Problem(
    code="engine.nothing-left",
    says="the exam has no objects any more",
    remedy="Send it again if it should be assessed.",
    owner=Owner.ARCHIVE,
)
NOT_ASSESSED = Problem(
    code="engine.not-assessed",
    says="nothing in the exam can be assessed: it holds no CT, MR or PET images that can be read",
    remedy="Send the images of the exam too, not only reports or screenshots.",
    owner=Owner.TECHNOLOGIST,
)
FILES_GONE = Problem(
    code="engine.files-gone",
    says="the exam's files are no longer where they were when it was assessed",
    remedy="Send the exam from your archive, or assess it again from where it is now.",
    owner=Owner.OPERATOR,
)
OWNED_BY_HOSPITAL = Problem(
    code="engine.owned-by-hospital",
    says="the results of this exam are those of the copy that a hospital has in the archive, and these files are not "
    "the same objects; its results were left as they are",
    remedy="Send the files to the archive for that hospital (by DICOM or on its page): what comes is assessed there by "
    "itself. Or assess them into a workspace of their own with --workspace.",
    owner=Owner.OPERATOR,
)

PASSING = frozenset(
    problem.code for problem in (DISK_FULL, BUSY, DATABASE_FAILED, STORAGE_FAILED, CANNOT_WRITE, CANNOT_WRITE_OBJECT)
)
"""What lies at the machine and not at the exam, and may be over in an hour: nothing is lost if it is tried again."""


def may_pass(refusal: Refusal) -> bool:
    """Whether a job that failed for this reason is worth another try without anybody changing the exam."""
    return refusal.code in PASSING
