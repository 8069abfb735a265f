"""Why an exam that was received is not assessed, or one that was assessed not received."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

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
