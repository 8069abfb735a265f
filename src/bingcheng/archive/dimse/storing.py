"""C-STORE: the data set is kept as the bytes that came, and success is said only of what is durable."""

from __future__ import annotations

import struct

from bingcheng.archive.dimse.association import Context, Message
from bingcheng.archive.dimse.commands import Command, is_uid, response, words
from bingcheng.archive.dimse.negotiation import IMPLEMENTATION_NAME, implementation_uid
from bingcheng.archive.dimse.peers import May
from bingcheng.archive.dimse.session import Answer, Session
from bingcheng.archive.objects.received import Origin, ReceivedStatus
from bingcheng.core.errors import BingchengError

SUCCESS = 0x0000
NOT_AUTHORISED = 0x0124
INVALID_INSTANCE = 0x0117
OUT_OF_RESOURCES = 0xA700
NOT_OF_ITS_CLASS = 0xA900
CANNOT_UNDERSTAND = 0xC000
OTHER_HELD = 0xC010
"""PS3.4 Table B.2-1, PS3.7 9.1.1.1.9; of the range "cannot understand" the standard leaves the last digits to us."""

_STATUS_OF = {
    "archive.disk-full": (OUT_OF_RESOURCES, "The disk is full"),
    "archive.too-large": (OUT_OF_RESOURCES, "The object is too large"),
    "archive.storage-failed": (OUT_OF_RESOURCES, "The storage failed"),
    "archive.database-failed": (OUT_OF_RESOURCES, "The index failed"),
    "archive.busy": (OUT_OF_RESOURCES, "The index is busy"),
    "archive.read-only": (OUT_OF_RESOURCES, "The index is read-only"),
    "archive.uids-disagree": (NOT_OF_ITS_CLASS, "UIDs differ between command and data set"),
    "archive.not-dicom": (CANNOT_UNDERSTAND, "The data set can't be read"),
    "archive.truncated-object": (CANNOT_UNDERSTAND, "The data set is truncated"),
    "archive.wrong-uid": (CANNOT_UNDERSTAND, "A UID is malformed"),
    "archive.missing-uid": (CANNOT_UNDERSTAND, "A UID is missing"),
}


def file_head(context: Context, command: Command) -> bytes:
    """Preamble and meta header of the file that a received data set becomes (PS3.10 7.1).

    It names no sender: the same data set from the scanner and from its archive makes the same file.
    """
    body = b"".join(
        (
            _element(0x01, b"OB", b"\0\1"),
            _element(0x02, b"UI", words(command, "AffectedSOPClassUID").encode("ascii", "replace")),
            _element(0x03, b"UI", words(command, "AffectedSOPInstanceUID").encode("ascii", "replace")),
            _element(0x10, b"UI", context.transfer_syntax.encode("ascii")),
            _element(0x12, b"UI", implementation_uid().encode("ascii")),
            _element(0x13, b"SH", IMPLEMENTATION_NAME.encode("ascii")),
        )
    )
    return bytes(128) + b"DICM" + _element(0x00, b"UL", struct.pack("<I", len(body))) + body


def stored(session: Session, message: Message) -> Answer:
    """The answer to a C-STORE, after the object is durable or was refused."""
    refused = _refusal(session, message)
    status, comment = refused or _kept(session, message)
    if status != SUCCESS:
        session.tally.failed[status] += 1
    return Answer(command=response(message.command, status, comment))


def _refusal(session: Session, message: Message) -> tuple[int, str] | None:
    """Why the object is not even looked at."""
    sop_class, sop_uid = (words(message.command, f"AffectedSOP{which}UID") for which in ("Class", "Instance"))
    if May.STORE not in session.peer.may:
        return NOT_AUTHORISED, "This peer may not store"
    if not (is_uid(sop_class) and is_uid(sop_uid)):
        return INVALID_INSTANCE, "A UID is malformed"
    if sop_class != message.context.abstract_syntax:
        return NOT_OF_ITS_CLASS, "The class is not the one of the context"
    if message.body is None:
        return CANNOT_UNDERSTAND, "There is no data set"
    return _STATUS_OF["archive.too-large"] if message.body.too_large else None


def _kept(session: Session, message: Message) -> tuple[int, str]:
    body = message.body
    if body is None:
        return CANNOT_UNDERSTAND, "There is no data set"
    try:
        received = session.house.objects.receive(
            body.data(),
            space=session.peer.space,
            origin=Origin(kind="dimse", peer=f"{session.peer.ae_title}@{session.address}"),
        )
    except BingchengError as error:
        return _STATUS_OF.get(error.code, (CANNOT_UNDERSTAND, "The object can't be kept"))
    except OSError:
        return _STATUS_OF["archive.storage-failed"]
    session.house.on_received(received)
    if received.status is ReceivedStatus.CONFLICT:
        return OTHER_HELD, "Another object with this UID is held; kept aside"
    session.tally.completed[received.study_instance_uid] += 1
    return SUCCESS, ""


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    """An element of the meta header, always Explicit VR Little Endian."""
    if len(value) % 2:
        value += b"\0" if vr in (b"UI", b"OB") else b" "
    if vr == b"OB":
        return struct.pack("<HH2sHI", 2, element, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value
