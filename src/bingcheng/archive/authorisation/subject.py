"""What is acted on, with all that a decision about it needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SubjectKind(StrEnum):
    """What kind of thing is acted on."""

    EXAM = "exam"
    CASE = "case"
    COMMENT = "comment"
    PERSON = "person"
    HOSPITAL = "hospital"
    NUMBERS = "numbers"
    AUDIT = "audit"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that is acted on.

    Parameters
    ----------
    hospital : number of the hospital that it belongs to; None for what is the installation's.
    case : number of the case that it is or belongs to.
    person : number of the person that it is or belongs to (an account, the writer of a comment).
    study_uid : of an exam; opens what was opened in an emergency.
    granted : of a case: it is granted now to the hospital (or the province) of the one who asks. Whoever makes the
        subject looks that up; `decide` asks no database.
    emergency : of an exam: its hospital lets radiologists of others open it in an emergency.
    """

    kind: SubjectKind
    hospital: int | None = None
    case: int | None = None
    person: int | None = None
    study_uid: str | None = None
    granted: bool = False
    emergency: bool = False
