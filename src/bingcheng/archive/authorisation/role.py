"""Who a person is to the platform. A person may have several roles; what each may do is data, see `rights`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.core.wording import Text, text


class Role(StrEnum):
    """What a person does."""

    TECHNOLOGIST = "technologist"
    RADIOLOGIST = "radiologist"
    PHYSICIST = "physicist"
    SITE_ADMIN = "site-admin"
    PROVINCE = "province"
    GUEST = "guest"
    OPERATOR = "operator"


ROLE_WORDS: Mapping[Role, Text] = MappingProxyType(
    {
        Role.TECHNOLOGIST: text("Technologist"),
        Role.RADIOLOGIST: text("Radiologist"),
        Role.PHYSICIST: text("Medical physicist"),
        Role.SITE_ADMIN: text("Hospital administrator"),
        Role.PROVINCE: text("Provincial quality centre"),
        Role.GUEST: text("Guest"),
        Role.OPERATOR: text("Operator of the installation"),
    }
)
ROLE_MEANINGS: Mapping[Role, Text] = MappingProxyType(
    {
        Role.TECHNOLOGIST: text("Sends and sees the exams of the hospital, reads cases and comments on them."),
        Role.RADIOLOGIST: text("Sees the exams of the hospital, measures, publishes cases and gives second opinions."),
        Role.PHYSICIST: text("Sees the exams, quality and numbers of the hospital, shares protocols."),
        Role.SITE_ADMIN: text("Manages the people and settings of the hospital and reads its audit. Sees no exams."),
        Role.PROVINCE: text("Sees the numbers of all hospitals and the cases given to it, the identity of nobody."),
        Role.GUEST: text("Reads the cases that are given to the hospital, and comments on them."),
        Role.OPERATOR: text("Makes hospitals and their first administrators. Sees no exams."),
    }
)
OF_NO_HOSPITAL = frozenset({Role.PROVINCE, Role.OPERATOR})
"""Roles of people who belong to no hospital."""
