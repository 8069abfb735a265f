"""What an API token may be used for. A token never may more than its person, and never manages accounts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.archive.authorisation.action import Action
from bingcheng.core.wording import Text, text


class Scope(StrEnum):
    """One right that a token carries."""

    DICOM_READ = "dicom:read"
    DICOM_WRITE = "dicom:write"
    DICOM_DELETE = "dicom:delete"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    NUMBERS_READ = "numbers:read"
    AUDIT_READ = "audit:read"


SCOPE_ACTIONS: Mapping[Scope, frozenset[Action]] = MappingProxyType(
    {
        Scope.DICOM_READ: frozenset({Action.READ_EXAM}),
        Scope.DICOM_WRITE: frozenset({Action.SEND_OBJECTS}),
        Scope.DICOM_DELETE: frozenset({Action.DELETE_OBJECTS, Action.SETTLE_CONFLICTS}),
        Scope.CASES_READ: frozenset({Action.READ_CASE}),
        Scope.CASES_WRITE: frozenset({Action.PUBLISH_CASE, Action.GRANT_CASE, Action.COMMENT, Action.ASK_OPINION}),
        Scope.NUMBERS_READ: frozenset({Action.READ_NUMBERS, Action.COMPARE_HOSPITALS}),
        Scope.AUDIT_READ: frozenset({Action.READ_AUDIT, Action.VERIFY_AUDIT}),
    }
)
SCOPE_WORDS: Mapping[Scope, Text] = MappingProxyType(
    {
        Scope.DICOM_READ: text("Query and retrieve exams"),
        Scope.DICOM_WRITE: text("Store exams"),
        Scope.DICOM_DELETE: text("Delete exams"),
        Scope.CASES_READ: text("Read cases"),
        Scope.CASES_WRITE: text("Publish cases and comment"),
        Scope.NUMBERS_READ: text("Read numbers of the hospital"),
        Scope.AUDIT_READ: text("Read the audit trail"),
    }
)
