"""The two units that open an association, read and written: A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2, 9.3.3, annex D).

What is not known here is passed over: a later edition may add items, and a vendor its own (PS3.8 D.2). What is asked
for and can't be had, as a class whose name is no UID, is left for the negotiation to refuse: the rest of what a device
asks for is as good as ever. Only a length that leads beyond the end makes a unit unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.commands import is_uid, text_of

DICOM = "1.2.840.10008.3.1.1.1"
"""The application context of DICOM, the only one there is (PS3.7 A.2.1)."""

_HEAD = Struct(">BxH")
_VERSION = Struct(">HH")
_FIXED = 74
"""Bytes before the first item: head, version, titles, and what is reserved (PS3.8 Table 9-11)."""
_TITLES = slice(10, _FIXED)
_APPLICATION, _PROPOSED, _RESULT, _ABSTRACT, _TRANSFER, _USER = 0x10, 0x20, 0x21, 0x30, 0x40, 0x50
_MAXIMUM_LENGTH, _IMPLEMENTATION, _ROLE, _VERSION_NAME, _EXTENDED = 0x51, 0x52, 0x54, 0x55, 0x56


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A presentation context that is asked for.

    Parameters
    ----------
    number : as the caller gave it. It shall be odd; dcmtk and Orthanc take even ones as well, and so do we.
    abstract_syntax : empty where none is named by a UID.
    transfer_syntaxes : those that are UIDs.
    """

    number: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a presentation context that was asked for is answered with.

    Parameters
    ----------
    result : 0 if it is accepted (PS3.8 Table 9-18).
    transfer_syntax : of no meaning where it is refused.
    """

    number: int
    result: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who may be what for a class (PS3.7 D.3.3.4): the caller its user, the caller its provider."""

    sop_class_uid: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An A-ASSOCIATE-RQ or -AC.

    Parameters
    ----------
    titles : called and calling title and what is reserved after them, 64 bytes.
    contexts : of a request, each number once.
    results : of an acceptance, each number once.
    longest : bytes of a unit's values that its sender takes; 0 for any length.
    options : of classes, as bytes (extended negotiation, PS3.7 D.3.3.5).
    implementation_uid, implementation_name : of its sender; written only.
    """

    titles: bytes
    application: str = DICOM
    contexts: tuple[Asked, ...] = ()
    results: tuple[Answered, ...] = ()
    longest: int = 0
    roles: tuple[Role, ...] = ()
    options: tuple[tuple[str, bytes], ...] = ()
    implementation_uid: str = ""
    implementation_name: str = ""


def titles(called: str, calling: str) -> bytes:
    """The field of titles of a request."""
    return called.encode("ascii").ljust(16) + calling.encode("ascii").ljust(16) + bytes(32)


def read(unit: bytes) -> Opening:
    """What an A-ASSOCIATE-RQ or -AC says.

    Raises
    ------
    ValueError
        A length leads beyond the end.
    """
    application, longest = DICOM, 0
    contexts: dict[int, Asked] = {}
    results: dict[int, Answered] = {}
    roles, options = [], []
    for kind, value in _all(unit[_FIXED:]):
        if kind == _APPLICATION:
            application = text_of(value)
        elif kind == _PROPOSED:
            asked = _asked(value)
            contexts.setdefault(asked.number, asked)
        elif kind == _RESULT:
            answered = _answered(value)
            results.setdefault(answered.number, answered)
        elif kind == _MAXIMUM_LENGTH:
            longest = _length(value)
        elif kind == _ROLE:
            roles += _role(value)
        elif kind == _EXTENDED:
            options += _option(value)
    return Opening(
        titles=unit[_TITLES],
        application=application,
        contexts=tuple(contexts.values()),
        results=tuple(results.values()),
        longest=longest,
        roles=tuple(roles),
        options=tuple(options),
    )


def written(kind: int, opening: Opening) -> bytes:
    """The bytes of `opening`, a unit of this kind."""
    user = _item(_MAXIMUM_LENGTH, opening.longest.to_bytes(4, "big"))
    if opening.implementation_uid:
        user += _item(_IMPLEMENTATION, opening.implementation_uid.encode("ascii"))
    for role in opening.roles:
        user += _item(_ROLE, _named(role.sop_class_uid) + bytes((role.scu, role.scp)))
    if opening.implementation_name:
        user += _item(_VERSION_NAME, opening.implementation_name.encode("ascii"))
    for name, said in opening.options:
        user += _item(_EXTENDED, _named(name) + said)
    items = [_item(_APPLICATION, opening.application.encode("ascii"))]
    for asked in opening.contexts:
        syntaxes = [_item(_TRANSFER, one.encode("ascii")) for one in asked.transfer_syntaxes]
        value = bytes((asked.number, 0, 0, 0)) + _item(_ABSTRACT, asked.abstract_syntax.encode("ascii"))
        items.append(_item(_PROPOSED, b"".join((value, *syntaxes))))
    for answered in opening.results:
        syntax = _item(_TRANSFER, answered.transfer_syntax.encode("ascii"))
        items.append(_item(_RESULT, bytes((answered.number, 0, answered.result, 0)) + syntax))
    body = b"".join((_VERSION.pack(1, 0), opening.titles, *items, _item(_USER, user)))
    return pdus.HEAD.pack(kind, len(body)) + body


def _asked(value: bytes) -> Asked:
    names = [(kind, _uid(name)) for kind, name in _within(value)]
    return Asked(
        number=value[0],
        abstract_syntax=next((name for kind, name in names if kind == _ABSTRACT), ""),
        transfer_syntaxes=tuple(name for kind, name in names if kind == _TRANSFER and name),
    )


def _answered(value: bytes) -> Answered:
    syntax = next((_uid(name) for kind, name in _within(value) if kind == _TRANSFER), "")
    return Answered(number=value[0], result=value[2], transfer_syntax=syntax)


def _within(value: bytes) -> Iterator[tuple[int, bytes]]:
    """The items of a context, behind its number."""
    if len(value) < 4:
        raise ValueError("a context without a number")
    return _items(value[4:])


def _length(value: bytes) -> int:
    if len(value) != 4:
        raise ValueError("a length that is no number of four bytes")
    return int.from_bytes(value, "big")


def _role(value: bytes) -> list[Role]:
    name, said = _name_and_rest(value)
    if len(said) < 2:
        raise ValueError("a role without its two answers")
    return [Role(sop_class_uid=name, scu=said[0] == 1, scp=said[1] == 1)] if name else []


def _option(value: bytes) -> list[tuple[str, bytes]]:
    name, said = _name_and_rest(value)
    return [(name, said)] if name else []


def _name_and_rest(value: bytes) -> tuple[str, bytes]:
    end = 2 + int.from_bytes(value[:2], "big")
    if not 2 <= end <= len(value):
        raise ValueError("a name is longer than its item")
    return _uid(value[2:end]), value[end:]


def _uid(value: bytes) -> str:
    """A UID, however it is filled up; empty if it is none."""
    name = text_of(value)
    return name if is_uid(name) else ""


def _named(uid: str) -> bytes:
    return len(uid).to_bytes(2, "big") + uid.encode("ascii")


def _item(kind: int, value: bytes) -> bytes:
    return _HEAD.pack(kind, len(value)) + value


def _all(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The items of a unit, with those of its user in their place."""
    for kind, value in _items(data):
        if kind == _USER:
            yield from _items(value)
        else:
            yield kind, value


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise ValueError("an item ends within its head")
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if length > len(data) - at:
            raise ValueError("an item is longer than its unit")
        yield kind, data[at : at + length]
        at += length
