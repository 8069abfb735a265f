"""Protocol data units in bytes (PS3.8 9.3): those of an established association, written and read without detours.

The two long ones that open an association are in `opening`.
"""

from __future__ import annotations

from struct import Struct

REQUEST, ACCEPT, REJECT, DATA, RELEASE, RELEASED, ABORT = range(1, 8)

HEAD = Struct(">BxI")
"""Type and length of any unit."""
VALUE_HEAD = Struct(">IBB")
"""A presentation data value: its length, context and message control header (PS3.8 9.3.5.1, E.2)."""
_DATA_HEAD = Struct(">BxIIBB")

COMMAND, LAST = 1, 2
"""Bits of the message control header."""


def data_head(length: int, context: int, control: int) -> bytes:
    """What goes before a fragment of `length` bytes that is a unit of its own."""
    return _DATA_HEAD.pack(DATA, length + 6, length + 2, context, control)


def release_request() -> bytes:
    """A-RELEASE-RQ."""
    return HEAD.pack(RELEASE, 4) + bytes(4)


def release_response() -> bytes:
    """A-RELEASE-RP."""
    return HEAD.pack(RELEASED, 4) + bytes(4)


def abort(*, by_provider: bool, reason: int = 0) -> bytes:
    """A-ABORT: `by_provider` when the protocol was violated, for `reason` (PS3.8 Table 9-26)."""
    return HEAD.pack(ABORT, 4) + bytes((0, 0, 2 if by_provider else 0, reason if by_provider else 0))


def reject(result: int, source: int, reason: int) -> bytes:
    """A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""
    return HEAD.pack(REJECT, 4) + bytes((0, result, source, reason))


UNKNOWN_CALLER = (1, 1, 3)
UNKNOWN_CALLED = (1, 1, 7)
OTHER_PROTOCOL = (1, 2, 2)
OTHER_APPLICATION = (1, 1, 2)
CONGESTED = (2, 3, 1)
LIMIT_EXCEEDED = (2, 3, 2)
"""Rejections: permanent (1) or transient (2), by whom, why."""


def titles_of(request: bytes | bytearray) -> tuple[str, str]:
    """Called and calling title of an A-ASSOCIATE-RQ, without the spaces around them (PS3.8 Table 9-11)."""
    return _title(request[10:26]), _title(request[26:42])


def _title(field: bytes | bytearray) -> str:
    # It goes into the audit before anybody knows who wrote it: no line of a log is forged with it.
    title = field.decode("ascii", "replace").strip(" \0")
    return title if title.isprintable() else "".join(one if one.isprintable() else "?" for one in title)


def protocol_version(request: bytes | bytearray) -> int:
    """The versions that an A-ASSOCIATE-RQ offers, a bit each."""
    return int.from_bytes(request[6:8], "big")
