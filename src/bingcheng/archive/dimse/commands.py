"""Command sets (PS3.7 6.3, Annex E): always Implicit VR Little Endian, all of group 0000."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.archive.dimse.endings import INVALID_PARAMETER, Ended, Ending

Value = int | str | tuple[int, ...]
Command = Mapping[str, Value]

# PS3.7 Table E.1-1: those that the services offered here use.
_ELEMENTS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "AffectedSOPClassUID": (0x0002, "UI"),
        "RequestedSOPClassUID": (0x0003, "UI"),
        "CommandField": (0x0100, "US"),
        "MessageID": (0x0110, "US"),
        "MessageIDBeingRespondedTo": (0x0120, "US"),
        "MoveDestination": (0x0600, "AE"),
        "Priority": (0x0700, "US"),
        "CommandDataSetType": (0x0800, "US"),
        "Status": (0x0900, "US"),
        "OffendingElement": (0x0901, "AT"),
        "ErrorComment": (0x0902, "LO"),
        "AffectedSOPInstanceUID": (0x1000, "UI"),
        "RequestedSOPInstanceUID": (0x1001, "UI"),
        "EventTypeID": (0x1002, "US"),
        "ActionTypeID": (0x1008, "US"),
        "NumberOfRemainingSuboperations": (0x1020, "US"),
        "NumberOfCompletedSuboperations": (0x1021, "US"),
        "NumberOfFailedSuboperations": (0x1022, "US"),
        "NumberOfWarningSuboperations": (0x1023, "US"),
        "MoveOriginatorApplicationEntityTitle": (0x1030, "AE"),
        "MoveOriginatorMessageID": (0x1031, "US"),
    }
)
_KEYWORDS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {element: (keyword, vr) for keyword, (element, vr) in _ELEMENTS.items()}
)
_HEAD = struct.Struct("<HHI")

C_STORE, C_GET, C_FIND, C_MOVE, C_ECHO = 0x0001, 0x0010, 0x0020, 0x0021, 0x0030
C_CANCEL = 0x0FFF
N_EVENT_REPORT, N_ACTION = 0x0100, 0x0130
RESPONSE = 0x8000
"""The bit that tells the answer from the question."""

NO_DATA_SET, DATA_SET = 0x0101, 0x0001
LONGEST = 16_384
"""Bytes of a command set; the longest that the standard allows are well below a thousand."""

_UID = re.compile(r"[0-9.]{1,64}")


def is_uid(value: object) -> bool:
    """Whether `value` holds only what a UID may (PS3.5 9.1)."""
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def encode(command: Command) -> bytes:
    """The bytes of a command set; its group length is added."""
    body = bytearray()
    for keyword in sorted(command, key=_ELEMENTS.__getitem__):  # elements ascend
        element, vr = _ELEMENTS[keyword]
        value = _written(vr, command[keyword])
        body += _HEAD.pack(0, element, len(value)) + value
    return _HEAD.pack(0, 0, 4) + struct.pack("<I", len(body)) + bytes(body)


def decode(data: bytes | bytearray | memoryview) -> dict[str, Value]:
    """The elements that we know of an encoded command set.

    Raises
    ------
    Ended
        VIOLATED: a length leads beyond the end, another group, no command field.
    """
    found: dict[str, Value] = {}
    position, end = 0, len(data)
    while position < end:
        if end - position < _HEAD.size:
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        group, element, length = _HEAD.unpack_from(data, position)
        position += _HEAD.size
        if group or length > end - position:
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        known = _KEYWORDS.get(element)
        if known is not None and length:
            found[known[0]] = _read(known[1], bytes(data[position : position + length]))
        position += length
    if not isinstance(found.get("CommandField"), int):
        raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
    return found


def number(command: Command, keyword: str) -> int:
    """A number of a command set; 0 when it is absent."""
    value = command.get(keyword, 0)
    return value if isinstance(value, int) else 0


def words(command: Command, keyword: str) -> str:
    """A UID or title of a command set; empty when it is absent."""
    value = command.get(keyword, "")
    return value if isinstance(value, str) else ""


def response(command: Command, status: int, comment: str = "", **more: Value) -> dict[str, Value]:
    """The answer to `command`; `comment` says why it failed (64 characters at most, PS3.7 Table C.1-1)."""
    sop_class = words(command, "AffectedSOPClassUID") or words(command, "RequestedSOPClassUID")
    sop_instance = words(command, "AffectedSOPInstanceUID") or words(command, "RequestedSOPInstanceUID")
    answer: dict[str, Value] = {
        "CommandField": number(command, "CommandField") | RESPONSE,
        "MessageIDBeingRespondedTo": number(command, "MessageID"),
        "CommandDataSetType": NO_DATA_SET,
        "Status": status,
        **more,
    }
    if is_uid(sop_class):
        answer["AffectedSOPClassUID"] = sop_class
    if is_uid(sop_instance):
        answer["AffectedSOPInstanceUID"] = sop_instance
    if comment:
        answer["ErrorComment"] = comment[:64]
    return answer


def _written(vr: str, value: Value) -> bytes:
    if isinstance(value, int):
        return struct.pack("<H", value)
    if isinstance(value, tuple):
        return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
    data = value.encode("ascii", "replace")
    return data + (b"\0" if vr == "UI" else b" ") if len(data) % 2 else data


def _read(vr: str, data: bytes) -> Value:
    if vr == "US":
        if len(data) != 2:
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        return int.from_bytes(data, "little")
    if vr == "AT":
        pairs = struct.iter_unpack("<HH", data[: len(data) // 4 * 4])
        return tuple(group << 16 | element for group, element in pairs)
    return text_of(data)


def text_of(data: bytes) -> str:
    """A UID, title or word, without what it is filled up with."""
    return data.decode("ascii", "replace").strip(" \0")
