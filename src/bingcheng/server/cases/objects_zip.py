"""The objects of a case as one ZIP file, made while it is sent."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, cast

from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects

CHUNK = 1 << 20
ASKED_EVERY_S = 1.0
"""How often it is asked, while a file is sent, whether it still may be: over a slow line that takes an hour."""


class _Pipe:
    """What a ZIP file is written to, piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing to do."""

    def taken(self) -> bytes:
        joined = b"".join(self._pieces)
        self._pieces.clear()
        return joined


def zipped(objects: Objects, stored: Sequence[Instance], check: Callable[[], None]) -> Iterator[bytes]:
    """The file in pieces. It ends in the middle, and the connection with it, once `check` raises.

    Parameters
    ----------
    check : raises if the objects may be taken away no longer.
    """
    pipe, asked = _Pipe(), time.monotonic()
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w", zipfile.ZIP_STORED) as archive:
        for one in stored:
            name = f"{one.study_uid}/{one.series_uid}/{one.sop_uid}.dcm"
            with objects.open_bytes(one) as stream, archive.open(name, "w", force_zip64=True) as entry:
                while chunk := stream.read(CHUNK):
                    if time.monotonic() - asked >= ASKED_EVERY_S:
                        check()
                        asked = time.monotonic()
                    entry.write(chunk)
                    yield pipe.taken()
    yield pipe.taken()
