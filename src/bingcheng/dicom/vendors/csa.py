"""One field of a Siemens CSA header: the binary list that older software writes into (0029,xx10) and (0029,xx20).

The layout of its second version: ``SV10``, four bytes, the number of fields, four bytes; then for each field a name of
64 bytes, VM, VR, type and the number of items (each 4 bytes) and a check of 4 bytes; then the items, each with a header
of four numbers, of which the second is its length, and padded to a multiple of four bytes. All little endian.
Source: as documented in Nibabel's description of the format (https://nipy.org/nibabel/dicom/siemens_csa.html).
"""

from __future__ import annotations

import struct

_START = b"SV10"
_FIRST_FIELD = 16
_FIELD = struct.Struct("<64s i 4s i i i")
_ITEM = struct.Struct("<4i")
MOST_FIELDS, MOST_ITEMS, LONGEST_ITEM = 1000, 1000, 1 << 20
"""No honest header has more; a damaged one ends the search."""


def csa_values(raw: bytes, name: str) -> tuple[str, ...]:
    """The values of the field `name`, without empty ones; empty if it is not there, or the header is damaged.

    Parameters
    ----------
    raw : the value of the private element.
    """
    wanted = name.encode("ascii")
    if not raw.startswith(_START) or wanted not in raw:
        return ()
    try:
        return _found(raw, wanted)
    except struct.error:
        return ()


def _found(raw: bytes, wanted: bytes) -> tuple[str, ...]:
    (count,) = struct.unpack_from("<I", raw, 8)
    at = _FIRST_FIELD
    for _ in range(min(count, MOST_FIELDS)):
        field, _, _, _, items, _ = _FIELD.unpack_from(raw, at)
        at += _FIELD.size
        if not 0 <= items <= MOST_ITEMS:
            return ()
        ours = field.split(b"\0", 1)[0] == wanted
        values: list[str] = []
        for _ in range(items):
            length = _ITEM.unpack_from(raw, at)[1]
            at += _ITEM.size
            if not 0 <= length <= LONGEST_ITEM:
                return ()
            if ours:
                values.append(raw[at : at + length].split(b"\0", 1)[0].decode("ascii", "replace").strip())
            at += -(-length // 4) * 4
        if ours:
            return tuple(value for value in values if value)
    return ()
