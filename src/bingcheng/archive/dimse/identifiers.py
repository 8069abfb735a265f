"""Identifiers of queries and retrievals: read as they came, answered in their character set (PS3.4 C.4, PS3.7 6.3)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pynetdicom.dsutils import decode

from bingcheng.archive.dimse.association import Message
from bingcheng.archive.dimse.character_sets import UTF_8, Encode, encoder_of
from bingcheng.archive.dimse.negotiation import IMPLICIT
from bingcheng.dicom.index.values import words

_CHARACTER_SET = 0x00080005
_LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
_NUMBERS = {"US": "<H", "SS": "<h", "UL": "<I", "SL": "<i", "FD": "<d", "FL": "<f"}

Value = str | int


class Unreadable(Exception):  # noqa: N818 - what the data set is
    """The identifier is no data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """What was asked with.

    Parameters
    ----------
    keys : by DICOM keyword, what was asked for; empty means any.
    nested : keywords of sequences.
    unknown : tags that have no keyword.
    character_set : that it is written in, as it says it.
    """

    keys: Mapping[str, str]
    nested: frozenset[str]
    unknown: tuple[int, ...]
    character_set: str = ""

    def values(self, keyword: str) -> tuple[str, ...]:
        """The values of a key, without empty ones."""
        return tuple(one.strip() for one in self.keys.get(keyword, "").split("\\") if one.strip())


def read(message: Message) -> Identifier:
    """The identifier of a message.

    Raises
    ------
    Unreadable
    """
    if message.body is None or message.body.too_large:
        raise Unreadable
    keys: dict[str, str] = {}
    nested: set[str] = set()
    unknown: list[int] = []
    try:
        data_set = decode(
            BytesIO(message.body.data()),
            message.context.transfer_syntax == IMPLICIT,
            True,
        )
        raw = {int(tag): data_set.get_item(tag) for tag in list(data_set.keys())}
    except Exception as error:  # whatever pydicom stumbles over in a damaged one
        raise Unreadable from error
    character_set = _bytes(raw.get(_CHARACTER_SET))
    for tag, element in raw.items():
        keyword = keyword_for_tag(tag)
        if not keyword:
            unknown.append(tag)
        elif dictionary_VR(tag) == "SQ":
            nested.add(keyword)
        elif tag & 0xFFFF and tag != _CHARACTER_SET:
            keys[keyword] = _text(dictionary_VR(tag), _bytes(element), character_set)
    said = character_set.decode("ascii", "replace").strip("\0 ")
    return Identifier(keys=keys, nested=frozenset(nested), unknown=tuple(unknown), character_set=said)


def answer(values: Mapping[str, Value], syntax: str, character_set: str) -> bytes:
    """The data set that holds `values` and says its own character set.

    Parameters
    ----------
    character_set : that of the question; where it has no letters for some value, the answer is in Unicode.
    """
    encode = encoder_of(character_set)
    if encode is not None:
        try:
            return written({**values, "SpecificCharacterSet": character_set}, syntax, encode)
        except UnicodeEncodeError:
            pass
    return written({**values, "SpecificCharacterSet": UTF_8}, syntax)


def written(values: Mapping[str, Value], syntax: str, encode: Encode = str.encode) -> bytes:
    """The data set that holds `values`, by keyword; an empty text, or a sequence, has no length.

    What is longer than its length field can say loses its last values, as a list of failed UIDs may.

    Raises
    ------
    UnicodeEncodeError
        What `encode` raises.
    """
    elements = sorted((int(tag_for_keyword(keyword) or 0), keyword) for keyword in values)
    made = bytearray()
    for tag, keyword in elements:
        vr = dictionary_VR(tag)
        data = _encoded(vr, values[keyword], encode)
        if syntax == IMPLICIT:
            made += struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(data)) + data
        elif vr in _LONG:
            made += struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(data)) + data
        else:
            made += struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(data)) + data
    return bytes(made)


def _encoded(vr: str, value: Value, encode: Encode) -> bytes:
    if vr == "SQ":
        return b""
    if vr in _NUMBERS:
        return struct.pack(_NUMBERS[vr], int(value)) if str(value) else b""
    data = encode(str(value))
    if vr not in _LONG and len(data) > 0xFFFE:
        data = data[: data.rfind(b"\\", 0, 0xFFFE)]
    return data + (b"\0" if vr == "UI" else b" ") if len(data) % 2 else data


def _bytes(element: Any) -> bytes:
    value = element.value if isinstance(element, RawDataElement) else None
    return value if isinstance(value, bytes) else b""


def _text(vr: str, raw: bytes, character_set: bytes) -> str:
    if vr in _NUMBERS:
        size = struct.calcsize(_NUMBERS[vr])
        return str(struct.unpack_from(_NUMBERS[vr], raw)[0]) if len(raw) >= size else ""
    return words(raw, character_set) or ""
