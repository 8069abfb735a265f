"""Where the bytes of objects lie: a folder, or S3. A key is a short path made of digests, with nothing of a patient."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from bingcheng.archive.free_space import demand_room
from bingcheng.archive.objects.file_system import flushes_names
from bingcheng.archive.objects.presence import Presence
from bingcheng.archive.objects.problems import NO_FILE, damaged, storage_failed
from bingcheng.core.errors import RemoteError

INCOMING = ".incoming"
PIECE = 1 << 19
"""Bytes that are read at once of what may have gigabytes."""


class Storage(Protocol):
    """A place for bytes under keys, ``a/b/c``; what is under a key never changes."""

    def put(self, key: str | Callable[[], str], data: memoryview) -> None:
        """Keep `data`; when this returns it is on the disk, and until then nothing is under the key.

        Parameters
        ----------
        key : or what tells it, called while the disk takes the bytes already: a digest takes as long as they do.

        Raises
        ------
        RemoteError
            ``archive.disk-full``, ``archive.storage-failed``.
        """

    def open(self, key: str) -> BinaryIO:
        """The bytes as a stream that can seek; ``archive.object-lost`` if they are gone."""

    def path(self, key: str) -> Path:
        """A local file that holds the bytes; ``archive.object-lost`` if they are gone."""

    def size(self, key: str) -> int | None:
        """How many bytes are under the key; None if there is nothing."""

    def remove(self, keys: Iterable[str]) -> None:
        """Forget them; none need be there."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that begin with whole parts `prefix`."""

    def folder(self, prefix: str) -> Path:
        """A local folder that holds the files whose keys begin with `prefix`."""

    def left(self) -> list[Path]:
        """What killed processes left: their bytes may lie here without a row. To be removed once that is put right."""

    def close(self) -> None:
        """Give back what is held."""


class Folder:
    """A folder of files, one for each key.

    A file is written under a name of its own beside the others, moved to its place, and only then is made durable
    together with its place: the row that makes it visible is written after both.

    Parameters
    ----------
    flush_folders : whether a file's folder is flushed after the file, for the name; None to ask the file system
        (`flushes_names`).
    """

    def __init__(self, root: Path, *, flush_folders: bool | None = None) -> None:
        self.root = root
        try:
            self._presence = Presence(root / INCOMING)
            self._flush_folders = not flushes_names(root) if flush_folders is None else flush_folders
            if self._flush_folders:
                _sync_folder(root.parent)  # the root may be new itself
        except OSError as error:
            raise storage_failed(error) from error
        self._made: set[str] = set()
        self._numbers = iter(range(1 << 62))
        self._guard = threading.Lock()

    def put(self, key: str | Callable[[], str], data: memoryview) -> None:  # noqa: D102 - see Storage
        with self._guard:
            temporary = f"{self._presence.own}/{next(self._numbers)}"
        try:
            demand_room(self.root, len(data))
            self._put(temporary, key, data)
        except BaseException as error:
            _forget(temporary)
            if isinstance(error, OSError):
                raise storage_failed(error) from error
            raise

    def _put(self, temporary: str, key: str | Callable[[], str], data: memoryview) -> None:
        file = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)
        try:
            rest = data
            while len(rest):
                rest = rest[os.write(file, rest) :]
            _begin_writing(file)
            final = self._settle(temporary, told(key))
            try:
                # After the rename, and not fdatasync, which leaves the new name out if the data was written before.
                os.fsync(file)
                if self._flush_folders:
                    _sync_folder(Path(final).parent)
            except OSError:
                _forget(final)
                raise
        finally:
            os.close(file)

    def _settle(self, temporary: str, key: str) -> str:
        """Move a file to its place; where that is. In words: to take paths apart takes as long as to move it."""
        folder = key.rpartition("/")[0]
        final = f"{self.root}/{key}"
        if folder in self._made:
            try:
                os.rename(temporary, final)  # noqa: PTH104 - see above
            except FileNotFoundError:
                self._made.discard(folder)  # emptied and removed meanwhile: made again below
            else:
                return final
        self._make(self.root / folder)
        os.rename(temporary, final)  # noqa: PTH104
        if len(self._made) > 10_000:
            self._made.clear()
        self._made.add(folder)
        return final

    def _make(self, folder: Path) -> None:
        """Make a folder with all above it, each durable no later than the first file in it.

        Where flushing a file makes its name durable it does so for the folders above, too (`NAMES_WITH_FILES`).
        """
        if not self._flush_folders:
            folder.mkdir(parents=True, exist_ok=True)
            return
        wanted = []
        while folder != self.root:
            wanted.append(folder)
            folder = folder.parent
        for one in reversed(wanted):
            one.mkdir(parents=True, exist_ok=True)
            _sync_folder(one.parent)  # also where it was there: another thread may have made it, and not flushed it yet

    def open(self, key: str) -> BinaryIO:  # noqa: D102
        try:
            return (self.root / key).open("rb")
        except FileNotFoundError:
            raise RemoteError(NO_FILE) from None
        except OSError as error:
            raise storage_failed(error) from error

    def path(self, key: str) -> Path:  # noqa: D102
        found = self.root / key
        if not found.is_file():
            raise RemoteError(NO_FILE)
        return found

    def size(self, key: str) -> int | None:  # noqa: D102
        try:
            return (self.root / key).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_failed(error) from error

    def remove(self, keys: Iterable[str]) -> None:  # noqa: D102
        try:
            for key in keys:
                path = self.root / key
                path.unlink(missing_ok=True)
                self._remove_empty(path.parent)
        except OSError as error:
            raise storage_failed(error) from error

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty, or gone
            self._made.discard(folder.relative_to(self.root).as_posix())
            folder = folder.parent

    def keys(self, prefix: str = "") -> Iterator[str]:  # noqa: D102
        top = self.root / prefix
        for folder, below, files in os.walk(top):
            if INCOMING in below:
                below.remove(INCOMING)
            below.sort()
            relative = Path(folder).relative_to(self.root).as_posix()
            for name in sorted(files):
                yield f"{relative}/{name}"

    def folder(self, prefix: str) -> Path:  # noqa: D102
        found = self.root / prefix
        if not found.is_dir():
            raise RemoteError(NO_FILE)
        return found

    def left(self) -> list[Path]:  # noqa: D102
        found = self._presence.left()
        if found:
            os.sync()  # what a killed process wrote is made durable before anything is said of it
        return found

    def close(self) -> None:  # noqa: D102
        self._presence.close()


def pieces_between(stream: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """The bytes from one place of a stream to another, a piece at a time.

    Raises
    ------
    RemoteError
        ``archive.object-damaged``: the file ends before; ``archive.storage-failed``.
    """
    stream.seek(start)
    for at in range(start, stop, PIECE):
        try:
            piece = stream.read(min(PIECE, stop - at))
        except OSError as error:
            raise storage_failed(error) from error
        if len(piece) < min(PIECE, stop - at):
            raise damaged()  # what is sent so far must not pass for the whole
        yield piece


def told(key: str | Callable[[], str]) -> str:
    """The key itself, which may have to be asked for."""
    return key if isinstance(key, str) else key()


def _begin_writing(file: int) -> None:
    """Have the disk take what was written so far, without waiting for it."""
    with suppress(OSError, AttributeError):  # no system must know of it, and no file depends on it
        # Linux starts to write what is to be dropped from memory, and drops only what the disk has (mm/fadvise.c).
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def _forget(file: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(file)  # noqa: PTH108 - see `Folder._settle`


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
