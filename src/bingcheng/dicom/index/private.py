"""The private elements of one scanned file, for whoever knows where a vendor writes what."""

from __future__ import annotations

import math
import struct

from bingcheng.dicom.index.elements import Elements
from bingcheng.dicom.index.values import looks_decimal


class RawPrivate:
    """Private elements by creator, in whichever block the creator reserved (PS3.5 7.8.1).

    A `PrivateHeader` of `bingcheng.dicom.vendors.diffusion`.
    """

    def __init__(self, found: Elements) -> None:
        self._elements = found.private
        self._order = found.coding.order
        # Creators stand in elements 10 to FF of their group; the block is the creator's element number.
        self._blocks: dict[tuple[int, str], int] = {}
        for tag, raw in found.private.items():
            if tag & 0xFFFF < 0x100:
                creator = raw.decode("ascii", "replace").strip("\0 ").upper()
                self._blocks.setdefault((tag >> 16, creator), tag & 0xFFFF)

    def private_bytes(self, group: int, creator: str, element: int) -> bytes | None:
        """The raw value; None if the creator reserved no block, or wrote no such element."""
        block = self._blocks.get((group, creator.upper()))
        return None if block is None else self._elements.get(group << 16 | block << 8 | element)

    def private_numbers(self, group: int, creator: str, element: int, *, form: str = "") -> tuple[float, ...]:
        """The numbers of an element: binary ones of struct format `form`, or decimal text (also where binary was due).

        Empty if any part is no finite number. UIH's binary numbers come as text after a round trip through a reader
        without its dictionary.
        """
        raw = self.private_bytes(group, creator, element)
        if not raw:
            return ()
        if form and not looks_decimal(raw):
            count = len(raw) // struct.calcsize("<" + form)
            found: tuple[float, ...] = struct.unpack_from(f"{self._order}{count}{form}", raw)
        else:
            try:
                found = tuple(map(float, raw.strip(b"\0 ").split(b"\\")))
            except ValueError:
                return ()
        return found if all(map(math.isfinite, found)) else ()
