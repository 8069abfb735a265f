"""Items of the two units that open an association: of kinds that are not known here they are passed over (PS3.8 9.3).

A later edition may add items, and a vendor its own; nobody is turned away for them (PS3.8 D.2). What pynetdicom would
read and nobody here asks for is passed over too: names of versions that are too long, identities of users.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

_HEAD = Struct(">BxH")
_FIXED = 74
"""Bytes before the first item: head, version, titles, and what is reserved (PS3.8 Table 9-11)."""
_TITLES = slice(10, 42)
_CONTEXT, _PROPOSED, _RESULT, _USER = 0x10, 0x20, 0x21, 0x50
_MAXIMUM_LENGTH, _ROLE, _EXTENDED = 0x51, 0x54, 0x56
_OTHERS = frozenset((_CONTEXT, _PROPOSED, _RESULT))
_OF_USER = frozenset((_MAXIMUM_LENGTH, _ROLE, _EXTENDED))


def plain(unit: bytes) -> bytes:
    """An A-ASSOCIATE-RQ or -AC without the items that nobody here asks for, its titles padded with spaces.

    Raises
    ------
    ValueError
        A length leads beyond the end.
    """
    made = bytearray()
    for kind, value in _items(unit[_FIXED:]):
        if kind == _USER:
            made += _item(kind, b"".join(_item(inner, said) for inner, said in _items(value) if inner in _OF_USER))
        elif kind in _OTHERS:
            made += _item(kind, value)
    fixed = bytearray(unit[:_FIXED])
    # Some devices fill a title up with zeros, for which the standard has spaces.
    fixed[_TITLES] = fixed[_TITLES].replace(b"\0", b" ")
    fixed[2:6] = (_FIXED - 6 + len(made)).to_bytes(4, "big")
    return bytes(fixed + made)


def _item(kind: int, value: bytes) -> bytes:
    return _HEAD.pack(kind, len(value)) + value


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
