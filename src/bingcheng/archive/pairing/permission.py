"""What one installation allows another; everything else is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.core.wording import Text, text


class Permission(StrEnum):
    """One thing that the other installation may do here."""

    PUSH_CASES = "push-cases"
    PULL_CASES = "pull-cases"
    PUSH_STATISTICS = "push-statistics"
    PULL_STATISTICS = "pull-statistics"


PERMISSION_WORDS: Mapping[Permission, Text] = MappingProxyType(
    {
        Permission.PUSH_CASES: text("It may send cases here"),
        Permission.PULL_CASES: text("It may fetch the cases that are offered to it"),
        Permission.PUSH_STATISTICS: text("It may send its numbers here"),
        Permission.PULL_STATISTICS: text("It may fetch the numbers of this installation"),
    }
)
ALLOWED_WORDS: Mapping[Permission, Text] = MappingProxyType(
    {
        Permission.PUSH_CASES: text("send cases"),
        Permission.PULL_CASES: text("fetch offered cases"),
        Permission.PUSH_STATISTICS: text("send numbers"),
        Permission.PULL_STATISTICS: text("fetch numbers"),
    }
)
"""The same as what the other side allows to this one."""


def written(permissions: Iterable[Permission]) -> str:
    """As they stand in the database."""
    return " ".join(sorted(permissions))


def read(words: str) -> frozenset[Permission]:
    """Those that `written` wrote; words of a later release are left out."""
    known = {one.value: one for one in Permission}
    return frozenset(known[word] for word in words.split() if word in known)
