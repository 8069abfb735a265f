"""Opening the file behind a slice, in a folder or in a zip."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.dataset import Dataset

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.index.inflated import LARGEST_MIB, MIB, TOO_LARGE

UNREADABLE = Problem(
    code="dicom.unreadable",
    says="the file can't be read as DICOM ({error})",
    remedy="Export it from the archive again; if it fails again, the stored copy is damaged.",
    owner=Owner.ARCHIVE,
)


def mode_of(path: Path) -> int:
    """Kind and rights of a file or folder, as `os.stat` tells them; 0 where nothing is or nothing can be seen.

    A name that is too long, a folder that may not be entered and a disk that went are all nothing.
    """
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def open_source(source: FrameSource) -> BinaryIO:
    """The bytes of the file that holds a slice, open for reading from the start; the caller closes it.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.too-large``.
    """
    try:
        if source.member is None:
            return source.path.open("rb")
        with zipfile.ZipFile(source.path) as archive:
            return BytesIO(member_content(archive, source.member))
    except InputError:
        raise
    except Exception as error:  # a file that isn't there, or whatever its archive says of itself
        raise InputError(UNREADABLE, error=type(error).__name__) from error


def member_content(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one file in a zip, unpacked.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.too-large``.
    """
    try:
        # Python reads no more of a member than the archive's directory says.
        fits = archive.getinfo(name).file_size <= LARGEST_MIB * MIB
        content = archive.read(name) if fits else b""
    except Exception as error:  # each compression method of zip has its own error class
        raise InputError(UNREADABLE, error=type(error).__name__) from error
    if not fits:
        raise InputError(TOO_LARGE, limit_mib=LARGEST_MIB)
    return content


def open_dataset(source: FrameSource, *, pixels: bool = False, specific_tags: Sequence[int] | None = None) -> Dataset:
    """The DICOM dataset of the file that holds a slice; without its pixels unless asked for.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.too-large``.
    """
    with open_source(source) as stream, warnings.catch_warnings():
        # pydicom warns of each small rule that a header breaks; what matters becomes a refusal or an absent fact.
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(
                stream,
                force=True,
                stop_before_pixels=not pixels,
                specific_tags=list(specific_tags) if specific_tags is not None else None,
            )
        except Exception as error:  # a mutated file can raise anything from the parser
            raise InputError(UNREADABLE, error=type(error).__name__) from error
