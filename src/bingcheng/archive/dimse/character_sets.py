"""Texts of an answer in the character set of the question: workstations that know only their own show them as they are.

PS3.4 C.4.1.1.3.2 lets a provider answer in another character set than it was asked in only where it does not support
that one. Terms: PS3.3 C.12.1.1.2; code extensions: PS3.5 6.1.2.5 and annexes H, I and K.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

UTF_8 = "ISO_IR 192"

Encode = Callable[[str], bytes]
"""Raises UnicodeEncodeError for what can't be said."""

_CODECS: Mapping[str, str] = MappingProxyType(
    {
        UTF_8: "utf-8",
        "GB18030": "gb18030",
        "GBK": "gbk",
        "ISO_IR 100": "iso8859_1",
        "ISO_IR 101": "iso8859_2",
        "ISO_IR 109": "iso8859_3",
        "ISO_IR 110": "iso8859_4",
        "ISO_IR 126": "iso8859_7",
        "ISO_IR 127": "iso8859_6",
        "ISO_IR 138": "iso8859_8",
        "ISO_IR 144": "iso8859_5",
        "ISO_IR 148": "iso8859_9",
        "ISO_IR 166": "tis_620",
        "ISO_IR 203": "iso8859_15",
    }
)
"""Of sets that are used without code extensions."""
_EXTENSIONS: Mapping[str, tuple[bytes, str]] = MappingProxyType(
    {"ISO 2022 IR 58": (b"\x1b$)A", "gb2312"), "ISO 2022 IR 149": (b"\x1b$)C", "euc_kr")}
)
"""Sets of two bytes beside ASCII: what designates them, and the codec of what follows."""
_ASCII = frozenset(("", "ISO 2022 IR 6"))
_PART = re.compile(r"[^\\^=\r\n\f\t]+")
"""Behind each of these what was designated is forgotten (PS3.5 6.1.2.5.3)."""


def encoder_of(character_set: str) -> Encode | None:
    """How texts are written in `character_set`; None if it isn't one in which answers are given.

    Parameters
    ----------
    character_set : the values of Specific Character Set, as a data set holds them.
    """
    terms = [one.strip() for one in character_set.split("\\")]
    if len(terms) == 1 and terms[0] in _CODECS:
        codec = _CODECS[terms[0]]
        return lambda text: text.encode(codec)
    if len(terms) == 2 and terms[0] in _ASCII and terms[1] in _EXTENSIONS:
        designation, codec = _EXTENSIONS[terms[1]]
        return lambda text: _extended(text, designation, codec)
    return None


def _extended(text: str, designation: bytes, codec: str) -> bytes:
    made, at = bytearray(), 0
    for part in _PART.finditer(text):
        made += text[at : part.start()].encode("ascii")
        made += part[0].encode("ascii") if part[0].isascii() else designation + part[0].encode(codec)
        at = part.end()
    return bytes(made + text[at:].encode("ascii"))
