"""An object as the index needs it, read in one pass; whether its bytes are whole; nothing is read that is not needed.

Encodings: PS3.5 section 7 and annex A; meta header: PS3.10 section 7.1.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from bingcheng.archive.objects.attributes import LEVELS, Attribute, Comparison, Level, keys_of
from bingcheng.archive.objects.decoding import decoded
from bingcheng.archive.objects.element_walk import Bytes, Walk
from bingcheng.archive.objects.file_bytes import FileBytes
from bingcheng.archive.objects.fragments import behind_fragments
from bingcheng.archive.objects.problems import (
    MISSING_UID,
    NOT_DICOM,
    TOO_LARGE,
    TRUNCATED,
    UIDS_DISAGREE,
    WRONG_UID,
)
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import (
    BIG_ENDIAN,
    DEFLATED,
    IMPLICIT,
    PREFIXES,
    Broken,
    Coding,
    Elements,
    NeedMore,
    NotDicom,
    first_item,
    scan,
)
from bingcheng.dicom.index.inflated import pieces
from bingcheng.dicom.index.values import integer, plain

EXPLICIT = "1.2.840.10008.1.2.1"
MIB = 1 << 20
HEADER_LIMIT = 64 * MIB
"""A deflated header longer than this is none: it is inflated in memory."""
INFLATED_LIMIT = 1024 * MIB
"""Deflated bytes that grow beyond this are an attack; they are counted, not kept."""

_CHARACTER_SET = 0x00080005
_META_CLASS, _META_INSTANCE, _META_SYNTAX = 0x00020002, 0x00020003, 0x00020010
_CLASS, _INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_WANTED = frozenset(
    (
        *(_CHARACTER_SET, _CLASS, _INSTANCE, _STUDY, _SERIES),
        *(a.tag for attributes in LEVELS.values() for a in attributes if a.tag is not None),
    )
)
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """What one level of the index keeps: columns to compare by, and all attributes as JSON."""

    keys: Mapping[str, str | int | None]
    attributes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """An object as the index needs it; `pixel_offset` is None where no seek can reach the pixels."""

    sop_class_uid: str
    sop_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax_uid: str
    modality: str
    study: LevelFacts
    series: LevelFacts
    instance: LevelFacts
    pixel_offset: int | None
    pixel_length: int | None

    @property
    def patient(self) -> tuple[object, ...]:
        """What must be the same in all objects of a study."""
        keys = self.study.keys
        return tuple(keys[name] for name in PATIENT_KEYS)


PATIENT_KEYS = ("patient_id_key", "issuer_key", "name_alphabetic_key", "name_ideographic_key", "birth_date_key")


def header(data: memoryview) -> Header:
    """The header of a whole file, whose every length was followed to its end.

    Raises
    ------
    InputError
        ``archive.not-dicom``, ``archive.truncated-object``, ``archive.missing-uid``, ``archive.wrong-uid``,
        ``archive.uids-disagree``, ``archive.too-large`` (what deflated bytes grow to).
    """
    start, meta = _meta(data)
    syntax = plain(meta.get(_META_SYNTAX))
    deflated = syntax == DEFLATED
    elements = _deflated(data[start:]) if deflated else _plain(data, syntax)
    values = elements.values
    if not deflated:
        _whole(data, start, elements)
    sop_uid = _uid(values.get(_INSTANCE), "SOPInstanceUID")
    sop_class_uid = _uid(values.get(_CLASS) or meta.get(_META_CLASS), "SOPClassUID")
    for tag, found, attribute in (
        (_META_INSTANCE, sop_uid, "SOPInstanceUID"),
        (_META_CLASS, sop_class_uid, "SOPClassUID"),
    ):
        if meta.get(tag) and _uid(meta[tag], attribute) != found:
            raise InputError(UIDS_DISAGREE, attribute=attribute)
    study = _facts(Level.STUDY, _raw(Level.STUDY, values), values.get(_CHARACTER_SET), elements.coding)
    series = _facts(Level.SERIES, _raw(Level.SERIES, values), values.get(_CHARACTER_SET), elements.coding)
    return Header(
        sop_class_uid=sop_class_uid,
        sop_uid=sop_uid,
        study_uid=_uid(values.get(_STUDY), "StudyInstanceUID"),
        series_uid=_uid(values.get(_SERIES), "SeriesInstanceUID"),
        transfer_syntax_uid=_uid(meta[_META_SYNTAX], "TransferSyntaxUID") if syntax else _syntax(elements.coding),
        modality=str(series.keys["modality_key"]),
        study=study,
        series=series,
        instance=_facts.__wrapped__(
            Level.INSTANCE, _raw(Level.INSTANCE, values), values.get(_CHARACTER_SET), elements.coding
        ),
        pixel_offset=None if deflated else elements.pixels_at,
        pixel_length=None if deflated else elements.pixels_length,
    )


def _meta(data: memoryview) -> tuple[int, dict[int, bytes]]:
    """Where the dataset starts, and the meta elements, always explicit VR little endian."""
    at = 132 if bytes(data[128:132]) == b"DICM" else 0
    size = len(data)
    found: dict[int, bytes] = {}
    while at + 8 <= size and bytes(data[at : at + 2]) == b"\x02\x00":
        _, element, vr, length = struct.unpack_from("<HH2sH", data, at)
        at += 8
        if vr in _LONG_VRS:
            if at + 4 > size:
                raise InputError(TRUNCATED)
            (length,) = struct.unpack_from("<I", data, at)
            at += 4
        if at + length > size:
            raise InputError(TRUNCATED)
        if element in (0x0002, 0x0003, 0x0010):
            found[0x00020000 | element] = bytes(data[at : at + length])
        at += length
    return at, found


def start_of(data: memoryview) -> int:
    """Where the data set of a file begins.

    Raises
    ------
    InputError
        ``archive.truncated-object``: `data` ends within the meta header.
    """
    return _meta(data)[0]


def _plain(data: memoryview, syntax: str | None) -> Elements:
    size = len(data)
    try:
        for limit in (*PREFIXES, size):
            try:
                found = scan(bytes(data[:limit]), size, _WANTED)
            except NeedMore:
                continue
            if found.coding.little != (syntax != BIG_ENDIAN) and syntax:
                raise InputError(NOT_DICOM)
            return found
    except Broken:
        raise InputError(TRUNCATED) from None
    except NotDicom:
        raise InputError(NOT_DICOM) from None
    raise InputError(TRUNCATED)


def _deflated(data: memoryview) -> Elements:
    """The header of a deflated dataset (PS3.5 A.5), whose end was reached without keeping what it grows to."""
    kept, size = [], 0
    try:
        for piece in pieces(data, whole=True):
            if size < HEADER_LIMIT:
                kept.append(piece)
            size += len(piece)
            if size > INFLATED_LIMIT:
                raise InputError(TOO_LARGE, limit_mib=INFLATED_LIMIT // MIB)
        found = scan(b"".join(kept), size, _WANTED)
    except NeedMore:
        raise InputError(TOO_LARGE, limit_mib=HEADER_LIMIT // MIB) from None
    except Broken:
        raise InputError(TRUNCATED) from None
    except NotDicom:
        raise InputError(NOT_DICOM) from None
    if found.pixels_cut_off:
        raise InputError(TRUNCATED)
    return found


def _whole(data: memoryview, start: int, elements: Elements) -> None:
    """Follow the elements to the end of the file; zeros that pad it are no fault."""
    at, coding = elements.pixels_at, elements.coding
    if at is None:
        at = start
        for element in Walk(data, start, len(data), coding):
            at = element.at + element.length
    else:
        at = _after_fragments(data, at) if elements.pixels_length is None else at + elements.pixels_length
        while at + 8 <= len(data):
            at = _after(data, at, coding)
    if at > len(data) or any(data[at:]):
        raise InputError(TRUNCATED)


def _after_fragments(data: memoryview, at: int) -> int:
    try:
        return behind_fragments(lambda first, last: data[first:last], at, len(data))
    except Broken:
        raise InputError(TRUNCATED) from None


def _after(data: memoryview, at: int, coding: Coding) -> int:
    """The offset behind one element; of an undefined length, which nothing behind pixels has a use for, the end."""
    value = at + 8
    if not coding.explicit:
        length = struct.unpack_from(coding.order + "I", data, at + 4)[0]
    elif bytes(data[at + 4 : at + 6]) not in _LONG_VRS:
        length = struct.unpack_from(coding.order + "H", data, at + 6)[0]
    elif value + 4 <= len(data):
        length = struct.unpack_from(coding.order + "I", data, value)[0]
        value += 4
    else:
        raise InputError(TRUNCATED)
    return len(data) if length == 0xFFFFFFFF else value + int(length)


def _syntax(coding: Coding) -> str:
    if not coding.little:
        return BIG_ENDIAN
    return EXPLICIT if coding.explicit else IMPLICIT


def _uid(raw: bytes | None, attribute: str) -> str:
    # The padding is a zero (PS3.5 9.1); a blank is a common mistake that hides nothing.
    found = plain(raw)
    if found is None:
        raise InputError(MISSING_UID, attribute=attribute)
    return checked_uid(found, attribute)


def checked_uid(uid: str, attribute: str) -> str:
    """`uid` itself.

    Raises
    ------
    InputError
        ``archive.wrong-uid``.
    """
    if len(uid) > 64 or not _UID.fullmatch(uid) or not uid.isascii():
        raise InputError(WRONG_UID, attribute=attribute)
    return uid


_TAGS = {level: tuple(attribute.tag or 0 for attribute in attributes) for level, attributes in LEVELS.items()}
"""0, which no element bears, for what is no element."""


def _raw(level: Level, values: Mapping[int, bytes]) -> tuple[bytes | None, ...]:
    return tuple(map(values.get, _TAGS[level]))


# A series' objects bear the same study and series: what was decoded and written once is found by its bytes.
@lru_cache(maxsize=64)
def _facts(level: Level, raw: tuple[bytes | None, ...], charset: bytes | None, coding: Coding) -> LevelFacts:
    keys: dict[str, str | int | None] = {}
    attributes: dict[str, str | int] = {}
    for attribute, found in zip(LEVELS[level], raw, strict=True):
        if attribute.tag is None:
            continue
        if attribute.comparison is Comparison.NUMBER:
            number = _number(attribute, found, coding)
            keys[str(attribute.column)] = number
            if number is not None:
                attributes[attribute.keyword] = number
            continue
        value = _value(attribute, found, charset, coding)
        keys.update(keys_of(attribute, value))
        if value:
            attributes[attribute.keyword] = value
    return LevelFacts(MappingProxyType(keys), _written(attributes))


def study_facts(attributes: Mapping[str, str]) -> LevelFacts:
    """What the index keeps of a study with these attributes, by keyword."""
    keys: dict[str, str | int | None] = {}
    for attribute in LEVELS[Level.STUDY]:
        if attribute.tag is not None:
            keys.update(keys_of(attribute, attributes.get(attribute.keyword, "")))
    return LevelFacts(MappingProxyType(keys), _written(attributes))


def _written(attributes: Mapping[str, str | int]) -> str:
    return json.dumps(attributes, ensure_ascii=False, separators=(",", ":"))


_LARGEST = (1 << 31) - 1


def _number(attribute: Attribute, raw: bytes | None, coding: Coding) -> int | None:
    if attribute.binary is None:
        found = integer(raw)
        return found if found is not None and abs(found) <= _LARGEST else None
    return struct.unpack_from(coding.order + attribute.binary, raw)[0] if raw and len(raw) >= 2 else None


def _value(attribute: Attribute, raw: bytes | None, charset: bytes | None, coding: Coding) -> str:
    if attribute.nested is not None:
        raw = first_item(raw, coding, (attribute.nested,)).get(attribute.nested)
    return decoded(raw, charset).strip()


def dataset(data: Bytes) -> tuple[Bytes, int, Coding]:
    """The bytes in which the dataset of a stored file is, inflated if it is deflated; where it begins; its coding.

    Parameters
    ----------
    data : the file, or its beginning.
    """
    start, meta = _meta(memoryview(data[:MIB] if isinstance(data, FileBytes) else data))
    if plain(meta.get(_META_SYNTAX)) == DEFLATED:
        head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:], HEADER_LIMIT)
        return head, 0, Coding(explicit=True, little=True)
    syntax = plain(meta.get(_META_SYNTAX))
    # Of a file without meta header, a first group that reads as 0800 is 0008 in the other order.
    begun = bytes(data[start : start + 6])
    little = syntax != BIG_ENDIAN if syntax else begun[:1] != b"\0"
    return data, start, Coding(explicit=begun[4:].isalpha(), little=little)
