"""What is in folders, files and archives: the headers of all DICOM instances, without reading their pixels.

Files are recognised by their content, never by their name; a name ending in ``.dcm`` only makes silence about a file
that isn't DICOM impossible.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.grouping.defects import NO_PIXELS, defect_of
from bingcheng.dicom.index.elements import Broken, Elements, NotDicom, Readable, items, read_elements
from bingcheng.dicom.index.headers import PRIVATE_GROUPS, WANTED, Header, Rows, relative
from bingcheng.dicom.index.inflated import LARGEST_MIB, TOO_LARGE, TooLarge
from bingcheng.dicom.index.values import plain

NOT_FOUND = Problem(
    code="dicom.path-not-found",
    says="there is no such file or folder",
    remedy="Check the path, and that the disk or network folder is there.",
    owner=Owner.OPERATOR,
)
NOT_ALLOWED = Problem(
    code="dicom.not-readable",
    says="the operating system doesn't let it be read ({error})",
    remedy="Give the account that runs Bingcheng the right to read it.",
    owner=Owner.OPERATOR,
)
EMPTY = Problem(
    code="dicom.empty-file",
    says="the file has no content",
    remedy="Export it from the archive again; an earlier copy was interrupted.",
    owner=Owner.ARCHIVE,
)
NOT_DICOM = Problem(
    code="dicom.not-dicom",
    says="the file isn't DICOM, whatever its name says",
    remedy="Remove it, or export the image from the archive as DICOM.",
    owner=Owner.ARCHIVE,
)
BROKEN_HEADER = Problem(
    code="dicom.broken-header",
    says="the header is damaged or the file ends within it",
    remedy="Export it from the archive again; if it fails again, the stored copy is damaged.",
    owner=Owner.ARCHIVE,
)
NO_IDENTITY = Problem(
    code="dicom.missing-uid",
    says="the header lacks {missing}, without which it belongs nowhere",
    remedy="Export it from the archive again; if it fails again, ask who wrote or de-identified the files.",
    owner=Owner.ARCHIVE,
)
BROKEN_ARCHIVE = Problem(
    code="dicom.broken-archive",
    says="the zip archive, or a file in it, can't be unpacked ({error})",
    remedy="Make the archive again, without a password.",
    owner=Owner.OPERATOR,
)
MISSING_FILE = Problem(
    code="dicom.missing-file",
    says="the DICOMDIR beside it names a file that is not there",
    remedy="Copy the whole medium again.",
    owner=Owner.ARCHIVE,
)

LINKED_FOLDER = Problem(
    code="dicom.linked-folder",
    says="a link leads to another folder, and what is there was left out",
    remedy="Name that folder too.",
    owner=Owner.OPERATOR,
)
DEAD_LINK = Problem(
    code="dicom.dead-link",
    says="a link leads to nothing that can be found",
    remedy="Look whether the disk or network folder is there that it leads to, or remove it.",
    owner=Owner.OPERATOR,
)

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
FEW_FILES = 5000
"""Below this, starting processes takes longer than reading the headers."""
CHUNK = 250
FOLDED = frozenset(problem.code for problem in (NOT_DICOM, EMPTY, MISSING_FILE, NO_PIXELS, LINKED_FOLDER, DEAD_LINK))
JUNK = frozenset(("thumbs.db", "desktop.ini", "__macosx"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """All headers that could be read, in the order of their paths, and a refusal for each thing that could not."""

    headers: tuple[Header, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A file to look into; `claims` when its name, or the person who gave it, says that it is DICOM."""

    root: Path
    source: FrameSource
    claims: bool


def index(
    paths: Sequence[Path],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    enter: Callable[[Path], bool] | None = None,
) -> Index:
    """The headers of all DICOM instances below `paths`; raises nothing for whatever it finds there.

    Parameters
    ----------
    paths : folders (searched with all that is below), files, zip archives, or a DICOMDIR (its folder is searched).
    workers : processes to use; None takes as many as there are processors, once the files are many enough.
    progress : called with (files done, files in all).
    enter : asked of each folder below `paths`; False leaves it out, and nothing is said of what is in it.
    """
    refusals: list[Refusal] = []
    places = list(_once(_Search(refusals, enter or _everywhere).places(paths)))
    total = len(places)
    tell = progress or (lambda _done, _total: None)
    tell(0, total)
    headers: list[Header] = []
    done = 0
    for found, refused, count in _scanned(places, workers):
        headers.extend(found)
        refusals.extend(refused)
        done += count
        tell(done, total)
    return Index(headers=tuple(headers), refusals=tuple(_folded(refusals)))


def _scanned(places: Sequence[_Place], workers: int | None) -> Iterator[tuple[list[Header], list[Refusal], int]]:
    chunks = [places[at : at + CHUNK] for at in range(0, len(places), CHUNK)]
    count = min(workers or os.cpu_count() or 1, len(chunks))
    done = 0
    if count > 1 and (workers is not None or len(places) >= FEW_FILES):
        try:
            # Not fork: the caller may have threads (a progress bar), whose locks a forked child would inherit.
            with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
                for chunk, answer in zip(chunks, pool.map(_scan_places, chunks), strict=True):
                    yield *answer, len(chunk)
                    done += 1
        except (BrokenProcessPool, OSError):
            # No processes to be had (a sandbox, a script without a main guard): the rest is read in this one.
            pass
    rows = Rows()
    for chunk in chunks[done:]:
        yield *_scan_places(chunk, rows), len(chunk)


def _scan_places(places: Sequence[_Place], rows: Rows | None = None) -> tuple[list[Header], list[Refusal]]:
    """The headers and refusals of some files; what a worker process does."""
    scanner = _Scanner(rows or Rows())
    for archive, group in groupby(places, key=lambda place: place.source.path if place.source.member else None):
        if archive is None:
            for place in group:
                scanner.file(place)
        else:
            scanner.archive(archive, list(group))
    return scanner.headers, scanner.refusals


class _Scanner:
    def __init__(self, rows: Rows) -> None:
        self.headers: list[Header] = []
        self.refusals: list[Refusal] = []
        self._rows = rows

    def file(self, place: _Place) -> None:
        try:
            with place.source.path.open("rb", buffering=0) as stream:
                self._instance(place, stream, os.fstat(stream.fileno()).st_size)
        except OSError as error:
            self._refuse(place, InputError(NOT_ALLOWED, error=type(error).__name__))

    def archive(self, path: Path, places: Sequence[_Place]) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                for place in places:
                    self._member(archive, place)
        except (OSError, zipfile.BadZipFile) as error:
            self._refuse(places[0], InputError(BROKEN_ARCHIVE, error=type(error).__name__))

    def _member(self, archive: zipfile.ZipFile, place: _Place) -> None:
        try:
            entry = archive.getinfo(place.source.member or "")
            with archive.open(entry) as stream:
                self._instance(place, stream, entry.file_size)
        except (OSError, EOFError, KeyError, ValueError, RuntimeError, NotImplementedError) as error:
            self._refuse(place, InputError(BROKEN_ARCHIVE, error=type(error).__name__))
        except Exception as error:  # noqa: BLE001 - each compression method of zip has its own error class
            self._refuse(place, InputError(BROKEN_ARCHIVE, error=type(error).__name__))

    def _instance(self, place: _Place, stream: Readable, size: int) -> None:
        if size == 0:
            if place.claims or not place.source.path.suffix:
                self._refuse(place, InputError(EMPTY))
            return
        try:
            found = read_elements(stream, size, WANTED, PRIVATE_GROUPS)
        except NotDicom:
            if place.claims:
                self._refuse(place, InputError(NOT_DICOM))
            return
        except TooLarge:
            self._refuse(place, InputError(TOO_LARGE, limit_mib=LARGEST_MIB))
            return
        except Broken:
            self._refuse(place, InputError(BROKEN_HEADER))
            return
        if plain(found.values.get(0x00020002)) == DICOMDIR_CLASS:
            self.refusals.extend(_missing_files(place, found))
            return
        header = self._rows.header(place.root, place.source, found)
        missing = _missing_uid(header)
        if missing is not None:
            self._refuse(place, InputError(NO_IDENTITY, missing=missing))
            return
        error = defect_of(header, found)
        if error is not None:
            header = replace(header, defect=self._refuse(place, error, header))
        self.headers.append(header)

    def _refuse(self, place: _Place, error: InputError, header: Header | None = None) -> Refusal:
        refusal = Refusal.of(
            error,
            kind=SubjectKind.FILE,
            subject=relative(place.root, place.source),
            study_uid=header.series.study_uid if header else None,
            series_uid=header.series.series_uid if header else None,
        )
        self.refusals.append(refusal)
        return refusal


def _missing_uid(header: Header) -> str | None:
    if header.series.study_uid is None:
        return "StudyInstanceUID"
    if header.series.series_uid is None:
        return "SeriesInstanceUID"
    return "SOPInstanceUID" if header.sop_instance_uid is None else None


def _missing_files(place: _Place, found: Elements) -> Iterator[Refusal]:
    """A refusal for each file that a DICOMDIR names (0004,1500) and that is not beside it; in archives none."""
    if place.source.member is not None:
        return
    folder = place.source.path.parent
    for record in items(found.values.get(0x00041220), found.coding, frozenset((0x00041500,))):
        named = plain(record.get(0x00041500))
        if named is None:
            continue
        steps = [step.strip() for step in named.split("\\")]
        if not all(step and step not in (".", "..") and "/" not in step for step in steps):
            continue
        # Media written with other file systems come back with names in lower case.
        if not any(folder.joinpath(*way).exists() for way in (steps, [step.lower() for step in steps])):
            yield Refusal.of(InputError(MISSING_FILE), kind=SubjectKind.FILE, subject="/".join(steps))


def _everywhere(_folder: Path) -> bool:
    return True


class _Search:
    """Where files are to be looked into; what can't be looked at is refused, and the rest goes on."""

    def __init__(self, refusals: list[Refusal], enter: Callable[[Path], bool]) -> None:
        self._refusals = refusals
        self._enter = enter
        self._roots: list[Path] = []
        self._links: list[tuple[Path, Path]] = []

    def places(self, paths: Iterable[Path]) -> Iterator[_Place]:
        for given in paths:
            path = Path(os.path.abspath(given))  # noqa: PTH100 - a link must stay the name that was given
            try:
                mode = path.stat().st_mode
            except (FileNotFoundError, NotADirectoryError, ValueError):
                mode = 0
            except OSError as error:
                self._refuse(InputError(NOT_ALLOWED, error=type(error).__name__), path.name)
                continue
            if stat.S_ISDIR(mode):
                yield from self._in_folder(path)
            elif not stat.S_ISREG(mode):
                self._refuse(InputError(NOT_FOUND), path.name or "/")
            elif path.name.upper() == "DICOMDIR":
                yield from self._in_folder(path.parent)
            else:
                yield from self._in_file(path, path, claims=True)
        self._tell_links()

    def _tell_links(self) -> None:
        """Refuse links to folders that aren't looked into: those to what was given would be read twice, or for ever."""
        for root, path in self._links:
            target = path.resolve()
            below = [target.relative_to(one).parts for one in self._roots if target.is_relative_to(one)]
            if all(any(map(_is_junk, steps)) for steps in below):
                self._refuse(InputError(LINKED_FOLDER), relative(root, FrameSource(path=path)))

    def _in_folder(self, root: Path) -> Iterator[_Place]:
        self._roots.append(root.resolve())

        def unreadable(error: OSError) -> None:
            self._not_allowed(root, Path(error.filename), error)

        for folder, inside, names in os.walk(root, onerror=unreadable):
            inside[:] = sorted(name for name in inside if not _is_junk(name) and self._enter(Path(folder, name)))
            found = (Path(folder, name) for name in inside)
            self._links += ((root, path) for path in found if path.is_symlink())
            for name in sorted(names):
                if not _is_junk(name):
                    path = Path(folder, name)
                    if self._is_file(root, path):
                        yield from self._in_file(root, path, claims=_claims(name))

    def _is_file(self, root: Path, path: Path) -> bool:
        """Whether there is a file, and no pipe or socket."""
        try:
            if path.is_file():
                return True
            if path.is_symlink() and not path.exists():
                self._refuse(InputError(DEAD_LINK), relative(root, FrameSource(path=path)))
        except OSError as error:  # a folder that may be listed, but not entered; a disk that went
            self._not_allowed(root, path, error)
        return False

    def _in_file(self, root: Path, path: Path, *, claims: bool) -> Iterator[_Place]:
        if path.suffix.lower() != ".zip":
            yield _Place(root, FrameSource(path=path), claims)
            return
        try:
            with zipfile.ZipFile(path) as archive:
                names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
            failed = InputError(BROKEN_ARCHIVE, error=type(error).__name__)
            self._refuse(failed, relative(root, FrameSource(path=path)))
            return
        for name in sorted(names):
            if not any(_is_junk(step) for step in name.split("/")):
                yield _Place(root, FrameSource(path=path, member=name), _claims(name))

    def _not_allowed(self, root: Path, path: Path, error: OSError) -> None:
        failed = InputError(NOT_ALLOWED, error=type(error).__name__)
        self._refuse(failed, relative(root, FrameSource(path=path)))

    def _refuse(self, error: InputError, subject: str) -> None:
        self._refusals.append(Refusal.of(error, kind=SubjectKind.FILE, subject=subject))


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK


def _claims(name: str) -> bool:
    return name.lower().endswith((".dcm", ".dicom"))


def _once(places: Iterable[_Place]) -> Iterator[_Place]:
    """Each file once, even where the given paths overlap."""
    seen: set[tuple[Path, str | None]] = set()
    for place in places:
        key = (place.source.path, place.source.member)
        if key not in seen:
            seen.add(key)
            yield place


def _folded(refusals: Iterable[Refusal]) -> Iterator[Refusal]:
    """One refusal a kind, and a series where it is known, with the first file's path and the count.

    Not folded are those whose reason differs from file to file.
    """
    first: dict[tuple[str, str | None], Refusal] = {}
    for refusal in refusals:
        key = (refusal.code, refusal.series_uid)
        if refusal.code not in FOLDED:
            yield refusal
        elif key in first:
            first[key] = replace(first[key], count=first[key].count + 1)
        else:
            first[key] = refusal
    yield from first.values()
