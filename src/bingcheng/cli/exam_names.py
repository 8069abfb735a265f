"""The exam that a person means by its label or UID."""

from __future__ import annotations

from collections.abc import Sequence

from bingcheng.cli.nearest import nearest
from bingcheng.core.errors import InputError
from bingcheng.engine.problems import NO_SUCH_EXAM
from bingcheng.outputs.assessment import ExamView


def exam_named(exams: Sequence[ExamView], name: str) -> ExamView:
    """The one of `exams` with that label or UID.

    Raises
    ------
    InputError
        ``engine.no-such-exam``.
    """
    for one in exams:
        if name.upper() == one.label or name == one.uid:
            return one
    raise InputError(NO_SUCH_EXAM, exam=name, near=nearest(name, [one.label for one in exams]))
