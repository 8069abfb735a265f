"""What a form answers: an error as the person should read it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.errors import BingchengError
from bingcheng.core.wording import Text

Told = tuple[Text, Text]
"""What is wrong, and what to do."""

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "archive.wrong-setup-code": "code",
        "archive.wrong-login-name": "login",
        "archive.login-taken": "login",
        "archive.no-name": "name",
        "archive.short-password": "password",
        "archive.long-password": "password",
        "archive.easy-password": "password",
        "archive.wrong-hospital-code": "code",
        "archive.hospital-code-taken": "code",
        "archive.wrong-issuer": "issuer",
    }
)
"""In which field of the forms of accounts and hospitals a mistake was made, by its code."""


def field_of(error: BingchengError) -> str:
    """Where the cursor belongs after a mistake; empty if no field is to blame."""
    return FIELDS.get(error.code, "")


def told(error: BingchengError) -> Told:
    """An error of ours in two sentences for the head of a form."""
    return error.reason, Text(error.problem.remedy, error.reason.facts)
