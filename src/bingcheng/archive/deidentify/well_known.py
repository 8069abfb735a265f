"""UIDs that mean the same everywhere: the standard's own, and those that name a kind of object."""

from __future__ import annotations

import re

_ROOT = re.compile(r"1\.2\.840\.10008(?:\.\d{1,4}){1,9}")
"""No part of the standard's own UIDs is as long as a date or somebody's number (PS3.6 annex A)."""
_UID = re.compile(r"[0-2](?:\.\d{1,60}){1,30}")
MOST_CHARACTERS = 64


def is_well_known(uid: str) -> bool:
    """Whether a UID is one of the standard's own."""
    return _ROOT.fullmatch(uid) is not None


def is_uid(words: str) -> bool:
    """Whether words have the form of a UID (PS3.5 9.1)."""
    return len(words) <= MOST_CHARACTERS and _UID.fullmatch(words) is not None
