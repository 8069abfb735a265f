"""The table of rights: which role may do what, and to whose things. All that is not in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.role import Role


class Reach(StrEnum):
    """Whose things a right reaches."""

    SELF = "self"
    """What belongs to the person."""
    OWN = "own"
    """What belongs to the person's hospital."""
    GRANTED = "granted"
    """Own cases, and those granted to the hospital or the province."""
    EMERGENCY = "emergency"
    """Own exams, and those of hospitals that allow it in an emergency."""
    INSTALLATION = "installation"
    """What belongs to no hospital."""
    ANY = "any"


_EVERYBODY = {Action.OWN_ACCOUNT: Reach.SELF}
_READER_OF_CASES = {Action.READ_CASE: Reach.GRANTED, Action.COMMENT: Reach.GRANTED}
_AT_THE_SCANNER = {
    Action.READ_EXAM: Reach.OWN,
    Action.JUDGE_EXAM: Reach.OWN,
    Action.SEND_OBJECTS: Reach.OWN,
    Action.READ_NUMBERS: Reach.OWN,
    Action.ASK_OPINION: Reach.OWN,
}

RIGHTS: Mapping[Role, Mapping[Action, Reach]] = MappingProxyType(
    {
        Role.TECHNOLOGIST: {**_EVERYBODY, **_READER_OF_CASES, **_AT_THE_SCANNER},
        Role.RADIOLOGIST: {
            **_EVERYBODY,
            **_READER_OF_CASES,
            **_AT_THE_SCANNER,
            Action.LINK_LESIONS: Reach.OWN,
            Action.BREAK_GLASS: Reach.EMERGENCY,
            Action.PUBLISH_CASE: Reach.OWN,
            Action.GRANT_CASE: Reach.OWN,
            Action.MODERATE: Reach.OWN,
            Action.SHARE_PROTOCOL: Reach.OWN,
        },
        Role.PHYSICIST: {
            **_EVERYBODY,
            **_READER_OF_CASES,
            **_AT_THE_SCANNER,
            Action.LINK_LESIONS: Reach.OWN,
            Action.SHARE_PROTOCOL: Reach.OWN,
        },
        Role.SITE_ADMIN: {
            **_EVERYBODY,
            Action.READ_NUMBERS: Reach.OWN,
            Action.BREAK_GLASS: Reach.OWN,
            Action.DELETE_OBJECTS: Reach.OWN,
            Action.SETTLE_CONFLICTS: Reach.OWN,
            Action.GRANT_CASE: Reach.OWN,
            Action.MODERATE: Reach.OWN,
            Action.MANAGE_PEOPLE: Reach.OWN,
            Action.MANAGE_HOSPITAL: Reach.OWN,
            Action.READ_AUDIT: Reach.OWN,
            Action.VERIFY_AUDIT: Reach.ANY,
        },
        Role.PROVINCE: {
            **_EVERYBODY,
            **_READER_OF_CASES,
            Action.READ_NUMBERS: Reach.ANY,
            Action.COMPARE_HOSPITALS: Reach.ANY,
            Action.SHARE_PROTOCOL: Reach.INSTALLATION,
        },
        Role.GUEST: {**_EVERYBODY, **_READER_OF_CASES},
        Role.OPERATOR: {
            **_EVERYBODY,
            Action.MANAGE_HOSPITALS: Reach.ANY,
            Action.MANAGE_PEOPLE: Reach.ANY,
            Action.MANAGE_HOSPITAL: Reach.ANY,
            Action.PAIR: Reach.ANY,
            Action.READ_AUDIT: Reach.INSTALLATION,
            Action.VERIFY_AUDIT: Reach.ANY,
        },
    }
)
"""What each role may do, and to whose things."""

GIVES: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.SITE_ADMIN: frozenset({Role.TECHNOLOGIST, Role.RADIOLOGIST, Role.PHYSICIST, Role.SITE_ADMIN, Role.GUEST}),
        Role.OPERATOR: frozenset({Role.SITE_ADMIN, Role.PROVINCE, Role.OPERATOR}),
    }
)
"""Which roles may be given to people by whom. The operator gives none that sees patients."""
