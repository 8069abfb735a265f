"""Who may do what to whose things: one table, one decision."""

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import NOBODY, Actor, glass
from bingcheng.archive.authorisation.decision import (
    Decision,
    Ground,
    check,
    check_taken_away,
    decide,
    may_give,
    opens,
)
from bingcheng.archive.authorisation.rights import RIGHTS, Reach
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.authorisation.scope import SCOPE_ACTIONS, Scope
from bingcheng.archive.authorisation.spaces import case_space, hospital_space, readable_spaces
from bingcheng.archive.authorisation.subject import Subject, SubjectKind

__all__ = [
    "NOBODY",
    "RIGHTS",
    "SCOPE_ACTIONS",
    "Action",
    "Actor",
    "Decision",
    "Ground",
    "Reach",
    "Role",
    "Scope",
    "Subject",
    "SubjectKind",
    "case_space",
    "check",
    "check_taken_away",
    "decide",
    "glass",
    "hospital_space",
    "may_give",
    "opens",
    "readable_spaces",
]
