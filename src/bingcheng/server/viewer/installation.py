"""An installed viewer: files that are ready to be served, listed with their checksums, in one folder.

What can be compressed is stored compressed only, as it goes over the wire; a file that is not in the list is not
served, whatever lies in the folder.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from bingcheng.core.errors import InputError
from bingcheng.server.viewer import adaptation, package

LIST = "viewer.json"
LICENCE = "LICENSE.txt"
COMPRESSED_KINDS = frozenset({".js", ".css", ".wasm", ".svg", ".txt", ".html"})
MOST_FILE_BYTES = 100 * 2**20
BUNDLED = Path(__file__).with_name("app")
"""Where a wheel that was built with the viewer holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """One file of the viewer.

    Parameters
    ----------
    name : below the viewer's address.
    path : where it lies.
    gzipped : whether it is stored compressed.
    size_bytes : as stored.
    sha256 : of the content, uncompressed.
    """

    name: str
    path: Path
    gzipped: bool
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A viewer in a folder."""

    folder: Path
    version: str
    files: Mapping[str, ServedFile]

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        return sum(file.size_bytes for file in self.files.values())


def installed(folder: Path) -> Installation | None:
    """The viewer in `folder`, None if there is none, or none that this version of Bingcheng made."""
    try:
        stored = json.loads((folder / LIST).read_text("utf-8"))
        files = {
            str(name): ServedFile(
                name=str(name),
                path=folder / str(one["stored"]),
                gzipped=bool(one["gzipped"]),
                size_bytes=int(one["size_bytes"]),
                sha256=str(one["sha256"]),
            )
            for name, one in stored["files"].items()
        }
        made_of = (stored["integrity"], stored["revision"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if made_of != (package.INTEGRITY, adaptation.REVISION):
        return None
    return Installation(folder=folder, version=str(stored["version"]), files=MappingProxyType(files))


def found(folders: Sequence[Path]) -> Installation | None:
    """The first viewer in `folders`."""
    return next((one for folder in folders if (one := installed(folder)) is not None), None)


def default_folder(home: Path, environment: Mapping[str, str]) -> Path:
    """Where a person's programs keep their data, and the viewer in it, by the custom of the system."""
    if sys.platform == "win32":
        data = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "bingcheng" / "viewer" / package.VERSION


def install(folder: Path, file: Path | None = None) -> Installation:
    """Bring the viewer, or take it from `file`, and make it ready in `folder`; nothing is done if it is there.

    The folder appears whole or not at all.

    Raises
    ------
    InputError
        ``server.viewer-no-npm``, ``server.viewer-no-file``, ``server.viewer-other-package``,
        ``server.viewer-not-as-expected``.
    RemoteError
        ``server.viewer-not-brought``.
    """
    if there := installed(folder):
        return there
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".viewer-", dir=folder.parent) as temporary:
        brought_to, made = Path(temporary) / "package", Path(temporary) / "app"
        brought_to.mkdir()
        made.mkdir()
        archive = package.checked(package.brought(brought_to) if file is None else file)
        _unpack(archive, made)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    ready = installed(folder)
    assert ready is not None, "what was just written is a viewer"
    return ready


def _unpack(archive: Path, folder: Path) -> None:
    files: dict[str, dict[str, object]] = {}
    start, moved = None, False
    for name, content in _kept(archive):
        if name == adaptation.PAGE:
            start = adaptation.entry(content)
            continue
        fit = adaptation.adapted(PurePosixPath(name), content)
        moved = moved or fit != content
        files[name] = _stored(folder, name, fit)
    if start is None or LICENCE not in files or start.script not in files or not moved:
        raise InputError(adaptation.NOT_AS_EXPECTED, part=adaptation.PAGE)
    needed = {mode: adaptation.first_pieces(mode, files) for mode in adaptation.MODES}
    for mode, pieces in needed.items():
        name = adaptation.page_of(mode)
        files[name] = _stored(folder, name, adaptation.page(start, pieces))
    kept = dict.fromkeys([start.script, *(piece for pieces in needed.values() for piece in pieces)])
    files[adaptation.KEEPER] = _stored(folder, adaptation.KEEPER, adaptation.keeper(kept))
    files[adaptation.BOOT] = _stored(folder, adaptation.BOOT, adaptation.boot())
    files[adaptation.NARROW] = _stored(folder, adaptation.NARROW, adaptation.narrow())
    described = {
        "package": package.NAME,
        "version": package.VERSION,
        "integrity": package.INTEGRITY,
        "revision": adaptation.REVISION,
        "files": files,
    }
    (folder / LIST).write_text(json.dumps(described, indent=1, sort_keys=True), "utf-8")


def _kept(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of all that is kept. Only contents are read from the archive, no path or mode of it."""
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            name = _kept_name(member)
            stream = None if name is None else opened.extractfile(member)
            if name is not None and stream is not None:
                yield name, stream.read()


def _kept_name(member: tarfile.TarInfo) -> str | None:
    """What a member of the package is called below the viewer's address, None if it is not kept."""
    if not member.isreg() or member.size > MOST_FILE_BYTES:
        return None
    top, _, inner = member.name.removeprefix("package/").partition("/")
    if top == "LICENSE" and not inner:
        return LICENCE
    if top == "dist" and (inner == adaptation.PAGE or adaptation.wanted(PurePosixPath(inner))):
        return inner
    return None


def _stored(folder: Path, name: str, content: bytes) -> dict[str, object]:
    gzipped = PurePosixPath(name).suffix in COMPRESSED_KINDS
    # Without a time in its head the same content gives the same bytes.
    data = gzip.compress(content, 9, mtime=0) if gzipped else content
    stored = f"{name}.gz" if gzipped else name
    target = folder / stored
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return {
        "stored": stored,
        "gzipped": gzipped,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
