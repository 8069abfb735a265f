"""Text of an element as characters and back, in the character set of its dataset (PS3.5 6.1)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache

from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

DEFAULT = ("iso8859",)
TEXT_VRS = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
"""Whose repertoire Specific Character Set extends."""
WRITTEN_VRS = TEXT_VRS | {"AE", "CS", "UR"}
_ESCAPES = re.compile(r"\x1b[$(),\-./]*[ -~]?")
"""Escape sequences where no character set of the header has them: they part words that every reader joins."""
_NAMES, _OTHERS = set(PN_DELIMS), set(TEXT_VR_DELIMS)


@lru_cache(64)
def encodings(value: bytes) -> tuple[str, ...]:
    """Python's names of the encodings that a value of Specific Character Set means."""
    named = [part.strip() for part in value.decode("latin-1").strip("\0 ").split("\\")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of misspelt names, which are understood
        try:
            return tuple(convert_encodings(named if len(named) > 1 else named[0] or None))
        except LookupError:
            return DEFAULT


def decoded(value: bytes, known: Sequence[str], vr: str) -> str:
    """The characters of a value; what can't be read becomes question marks."""
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii").strip("\0 ")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            said = decode_bytes(value, list(known), _NAMES if vr == "PN" else _OTHERS)
        except (LookupError, UnicodeError):
            said = value.decode("ascii", "replace")
    return _ESCAPES.sub("", said).strip("\0 ")


def encoded(said: str, known: Sequence[str]) -> bytes:
    """The bytes of a text that was read from this character set, or is ASCII."""
    if said.isascii():
        return said.encode("ascii")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return encode_string(said, list(known))
        except (LookupError, UnicodeError):
            return said.encode("ascii", "ignore")
