"""UIDs that mean the same everywhere: the standard's own, and those that name a kind of object."""

from __future__ import annotations

import re

from pydicom._uid_dict import UID_dictionary

_UID = re.compile(r"[0-2](?:\.\d{1,60}){1,30}")
_CLASS = re.compile(r"[0-2](?:\.\d{1,6}){1,30}")
"""Of makers' kinds of objects: no part as long as a date."""
MOST_CHARACTERS = 64


def is_well_known(uid: str) -> bool:
    """Whether a UID is one of the standard's own (PS3.6 annex A)."""
    return uid in UID_dictionary


def is_uid(words: str) -> bool:
    """Whether words have the form of a UID (PS3.5 9.1)."""
    return len(words) <= MOST_CHARACTERS and _UID.fullmatch(words) is not None


def is_class(words: str) -> bool:
    """Whether words have the form of a UID that names a kind of object, of the standard or of a maker."""
    return len(words) <= MOST_CHARACTERS and _CLASS.fullmatch(words) is not None
