"""A header as DICOM JSON (PS3.18 annex F), written from the bytes in one pass.

Values too long for a page of metadata are told by a relative BulkDataURI, ``bulk/<tag>`` or
``bulk/<tag>/<item number>/<tag>``, items counted from 0; `bulk` finds them again.
"""

from __future__ import annotations

import json
import math
import re
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.archive.objects.decoding import decoded
from bingcheng.archive.objects.element_walk import Element, Walk
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import PIXEL_TAGS, Coding

INLINE_BYTES = 1024
BULK = "bulk"
_CHARACTER_SET, _PIXEL_REPRESENTATION = 0x00080005, 0x00280103
_UNICODE = '"00080005":{"vr":"CS","Value":["ISO_IR 192"]}'

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_BINARY = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_WORDS_OF_ONE = frozenset(("LT", "ST", "UT", "UR"))
_IN_CHARACTER_SET = frozenset(("LO", "SH", "UC", "PN", "LT", "ST", "UT"))
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {"FL": "f", "FD": "d", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
)
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def dicom_json(walk: Walk) -> bytes:
    """The JSON object of a dataset, UTF-8, without meta header, group lengths and bulk data.

    Of a damaged dataset, what can be read; a damaged sequence is told as bytes of unknown meaning.
    """
    return _object(walk, f"{BULK}/", None, False).encode("utf-8", "replace")


def _object(walk: Walk, path: str, charset: bytes | None, signed: bool) -> str:
    parts: list[str] = []
    try:
        for element in walk:
            if not element.tag & 0xFFFF:
                continue  # group lengths hold no longer
            if element.tag == _CHARACTER_SET:
                charset = walk.value(element)
                parts.append(_UNICODE)
                continue
            if element.tag == _PIXEL_REPRESENTATION:
                signed = any(walk.value(element)[:2])
            parts.append(_element(walk, element, path, charset, signed))
    except InputError:
        if walk.depth:
            raise
    return "{" + ",".join(parts) + "}"


def _element(walk: Walk, element: Element, path: str, charset: bytes | None, signed: bool) -> str:
    tag = f"{element.tag:08X}"
    vr = _settled(element.vr, signed)
    if element.items is not None:
        try:
            items = [_object(item, f"{path}{tag}/{n}/", charset, signed) for n, item in enumerate(element.items)]
        except InputError:
            return f'"{tag}":{{"vr":"UN","BulkDataURI":"{path}{tag}"}}'
        # What was of unknown VR but has items is a sequence (PS3.5 6.2.2, note 2).
        return f'"{tag}":{{"vr":"SQ"' + (f',"Value":[{",".join(items)}]}}' if items else "}")
    if element.tag in PIXEL_TAGS and vr not in _BINARY:
        vr = "UN"  # a damaged header may call pixels a name, or a sequence; they are bytes (PS3.5 8.2)
    if vr in _BINARY and (element.tag in PIXEL_TAGS or element.length > INLINE_BYTES):
        return f'"{tag}":{{"vr":"{vr}","BulkDataURI":"{path}{tag}"}}'
    raw = walk.value(element)
    if not raw:
        return f'"{tag}":{{"vr":"{vr}"}}'
    if vr in _BINARY:
        return f'"{tag}":{{"vr":"{vr}","InlineBinary":"{b64encode(little(raw, vr, walk.coding)).decode()}"}}'
    values = ",".join(_values(raw, vr, charset, walk.coding))
    return f'"{tag}":{{"vr":"{vr}"' + (f',"Value":[{values}]}}' if values and values != "null" else "}")


def _settled(vr: str, signed: bool) -> str:
    """One VR where the dictionary leaves a choice (PS3.6, note to table 6-1)."""
    if " or " not in vr:
        return vr
    if vr == "US or SS":
        return "SS" if signed else "US"
    return "OW"


def _values(raw: bytes, vr: str, charset: bytes | None, coding: Coding) -> Iterator[str]:
    if vr in _NUMBERS:
        return map(_number, _unpacked(raw, _NUMBERS[vr], coding))
    if vr == "AT":
        pairs = _unpacked(raw, "H", coding)
        return (
            f'"{int(group):04X}{int(element):04X}"' for group, element in zip(pairs[::2], pairs[1::2], strict=False)
        )
    text = decoded(raw, charset) if vr in _IN_CHARACTER_SET else raw.decode("ascii", "replace")
    if vr in _WORDS_OF_ONE:
        return iter((_quoted(text.rstrip("\0 ")),))
    return map(_WRITERS.get(vr, _text), text.rstrip("\0 ").split("\\"))


def _unpacked(raw: bytes, kind: str, coding: Coding) -> tuple[float, ...]:
    size = struct.calcsize(f"={kind}")
    return struct.unpack_from(f"{coding.order}{len(raw) // size}{kind}", raw)


def _number(value: float) -> str:
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    # JSON has no such numbers; these words are those that other writers and readers of DICOM JSON use.
    return '"NaN"' if math.isnan(value) else '"inf"' if value > 0 else '"-inf"'


def _text(value: str) -> str:
    value = value.strip("\0 ")
    return _quoted(value) if value else "null"


def _decimal(value: str) -> str:
    value = value.strip("\0 ")
    if not value:
        return "null"
    if _JSON_NUMBER.fullmatch(value):
        return value
    try:
        return _number(float(value))
    except ValueError:
        return _quoted(value)  # PS3.18 table F.2.3-1 allows a string


def _whole(value: str) -> str:
    value = value.strip("\0 ")
    try:
        return str(int(value)) if value else "null"
    except ValueError:
        return _decimal(value)


_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def _name(value: str) -> str:
    groups = (
        f'"{key}":{_quoted(part)}' for key, part in zip(_GROUPS, map(str.strip, value.split("=")), strict=False) if part
    )
    written = ",".join(groups)
    return f"{{{written}}}" if written else "null"


_WRITERS: Mapping[str, Callable[[str], str]] = MappingProxyType({"DS": _decimal, "IS": _whole, "PN": _name})


_WIDTHS: Mapping[str, int] = MappingProxyType({"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bulk:
    """A value that metadata only refer to, as a place in the bytes that are walked through."""

    walk: Walk
    element: Element

    @property
    def as_told(self) -> bool:
        """Whether it stands there byte for byte as it is told: in little endian order."""
        return self.walk.coding.little or self._vr not in _WIDTHS

    def value(self) -> bytes:
        """Its bytes, in little endian order."""
        return little(self.walk.value(self.element), self._vr, self.walk.coding)

    @property
    def _vr(self) -> str:
        return _settled(self.element.vr, False)


def little(raw: bytes, vr: str, coding: Coding) -> bytes:
    """Bulk bytes in little endian order, which is that of the web services."""
    width = _WIDTHS.get(vr, 1)
    if coding.little or width == 1:
        return raw
    count = len(raw) // width
    kind = {2: "H", 4: "I", 8: "Q"}[width]
    return struct.pack(f"<{count}{kind}", *struct.unpack_from(f">{count}{kind}", raw))


def bulk(walk: Walk, path: str) -> Bulk | None:
    """Where the value stands that a relative BulkDataURI names; None if there is none of this name."""
    steps = path.removeprefix(f"{BULK}/").split("/")
    return _found(walk, steps) if all(_STEP.fullmatch(step) for step in steps) else None


_STEP = re.compile(r"[0-9A-F]{8}|[0-9]{1,6}")


def _is_damaged(items: Sequence[Walk]) -> bool:
    """Whether a sequence was told as bytes."""
    try:
        for item in items:
            _object(item, "", None, False)
    except InputError:
        return True
    return False


def _found(walk: Walk, steps: list[str]) -> Bulk | None:
    for element in walk:
        if f"{element.tag:08X}" != steps[0]:
            continue
        if len(steps) == 1:
            if element.items is not None and not _is_damaged(element.items):
                return None
            return Bulk(walk=walk, element=element)
        if element.items is None or len(steps) < 3:
            return None
        for number, item in enumerate(element.items):
            if number == int(steps[1]):
                return _found(item, steps[2:])
    return None
