"""A named refusal: what could not be read or used, why, and who can mend it. The rest goes on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.core.errors import BingchengError, Owner
from bingcheng.core.wording import Text


class SubjectKind(StrEnum):
    """What a refusal speaks of."""

    FILE = "file"
    SERIES = "series"
    EXAM = "exam"
    REGION = "region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was left out, and why.

    Parameters
    ----------
    code : stable code of the problem.
    reason, remedy : for people; translated at the edge.
    owner : who can mend it.
    kind : what `subject` is.
    subject : a path relative to the folder that was given, or a UID; never a patient's name or identifier.
    study_uid, series_uid : where it belongs, if known.
    count : how many like it were folded into this one.
    """

    code: str
    reason: Text
    remedy: Text
    owner: Owner
    kind: SubjectKind
    subject: str
    study_uid: str | None = None
    series_uid: str | None = None
    count: int = 1

    @staticmethod
    def of(
        error: BingchengError,
        *,
        kind: SubjectKind,
        subject: str,
        study_uid: str | None = None,
        series_uid: str | None = None,
    ) -> Refusal:
        """The refusal that records `error` for one subject."""
        return Refusal(
            code=error.code,
            reason=error.reason,
            remedy=Text(error.problem.remedy, error.reason.facts),
            owner=error.problem.owner,
            kind=kind,
            subject=subject,
            study_uid=study_uid,
            series_uid=series_uid,
        )
