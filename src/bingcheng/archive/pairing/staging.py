"""Objects on their way in: files of the workspace that grow by pieces, and so survive the end of either side."""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from bingcheng.archive.pairing.manifest import ListedObject, Manifest
from bingcheng.archive.pairing.problems import NOT_COMPLETE
from bingcheng.archive.problems import said_plainly
from bingcheng.core.errors import InputError

FOLDER = "pairing"
PIECE = 4 << 20
"""Bytes that are sent at once."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The folder of one bundle that comes in; made of digests, so that no name of others becomes part of a path.

    Parameters
    ----------
    folder : of the bundle.
    """

    folder: Path

    @staticmethod
    def of(workspace: Path, peer: int, name: str) -> Staging:
        """That of a bundle of a peer."""
        return Staging(workspace / FOLDER / f"{peer}-{name}")

    def have(self, listed: ListedObject) -> int:
        """Bytes of an object that are here."""
        try:
            return min(self._file(listed).stat().st_size, listed.size)
        except FileNotFoundError:
            return 0

    def missing(self, manifest: Manifest) -> dict[str, int]:
        """How many bytes are here of each object that isn't whole, by digest."""
        found = ((one.sha256, one.size, self.have(one)) for one in manifest.objects)
        return {sha256: have for sha256, size, have in found if have < size}

    def add(self, listed: ListedObject, offset: int, piece: bytes) -> int:
        """Put a piece where it belongs, if that is where the file ends; returns how many bytes are here then.

        Two that bring the same piece at once write the same bytes to the same place.

        Raises
        ------
        InputError
            ``archive.disk-full``, ``archive.read-only``.
        """
        have = self.have(listed)
        if offset != have or offset + len(piece) > listed.size:
            return have
        with said_plainly():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._file(listed), os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(handle, "wb") as stream:  # of a descriptor: nothing is cut off
                stream.seek(offset)
                stream.write(piece)
        return offset + len(piece)

    @contextmanager
    def opened(self, listed: ListedObject) -> Iterator[memoryview]:
        """The bytes of an object that is whole, which are read from the disk as they are looked at.

        Raises
        ------
        InputError
            ``archive.not-complete``: it was thrown away meanwhile.
        """
        with self._opened(listed) as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)
        try:
            yield view
        finally:
            view.release()
            with suppress(BufferError):  # somebody still looks at a part of it: closed when that is gone
                mapped.close()

    @contextmanager
    def stream(self, listed: ListedObject) -> Iterator[BinaryIO]:
        """The same as a stream that can seek."""
        with self._opened(listed) as stream:
            yield stream

    def is_true(self, listed: ListedObject) -> bool:
        """Whether the bytes are those that the manifest names; those that are not are thrown away.

        Raises
        ------
        InputError
            As `opened`.
        """
        with self._opened(listed) as stream:
            true = hashlib.file_digest(stream, "sha256").hexdigest() == listed.sha256
        if not true:
            self._file(listed).unlink(missing_ok=True)
        return true

    def touched_at(self) -> datetime | None:
        """When a piece came last, UTC; None if none did."""
        try:
            times = [one.stat().st_mtime for one in self.folder.iterdir()]
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(max(times), UTC).replace(tzinfo=None) if times else None

    def clear(self) -> None:
        """Throw all away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _opened(self, listed: ListedObject) -> BufferedReader:
        try:
            return self._file(listed).open("rb")
        except FileNotFoundError as error:
            raise InputError(NOT_COMPLETE, count=1) from error

    def _file(self, listed: ListedObject) -> Path:
        return self.folder / listed.sha256
