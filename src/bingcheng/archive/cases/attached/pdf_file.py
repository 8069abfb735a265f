"""A PDF's objects as pypdf reads them, within bounds of size and time (ISO 32000-1, 7.5).

What is encrypted is refused, and so is what can be read in two ways: another program may show of it what isn't known
here. Whatever pypdf raises of a damaged file goes up to `pdf.clean_pdf`.
"""

from __future__ import annotations

import io
import re
import time
from contextlib import AbstractContextManager
from typing import NoReturn, cast

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import PdfReadError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, PdfObject, StreamObject

from bingcheng.archive.cases.attached.taken import refuse
from bingcheng.core.wording import text

MOST_OBJECTS, DEEPEST = 200_000, 60
LARGEST_STRUCTURE, LARGEST_STREAM = 12_000_000, 24_000_000
"""Bytes, unpacked: of all streams that hold objects together, and of any other stream."""
_LARGEST_OF_RUNS = 3_000_000
"""The same of a stream of runs: joining them takes ninety bytes of memory for each, be it of a single byte."""
TOO_MUCH = text("it is too large, or too involved, to be looked through")
_READS_BETWEEN, _MOST_STEPS = 256, 30
_SPACE = rb"[\x00\t\n\f\r ]"
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,10})" + _SPACE + rb"+[0-9]{1,5}" + _SPACE + rb"+obj(?![a-z])")
_NO_TABLE = b"\nstartxref\n0\n%%EOF\n"


class _Timed(io.BytesIO):
    """The bytes of a file, as long as there is time; pypdf comes back here for each object that it reads."""

    def __init__(self, content: bytes, until_s: float) -> None:
        super().__init__(content)
        self._until_s, self._reads, self._late = until_s, 0, False

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._late or self._reads % _READS_BETWEEN == 0:
            # While it looks for objects pypdf catches what is raised of one and goes on to the next: each is refused.
            self._late = True
            check_time(self._until_s)
            self._late = False
        return super().read(size)


class _Reader(PdfReader):
    """A reader that never decrypts, not even with the empty password."""

    @property
    def is_encrypted(self) -> bool:
        """Whether it is; then it is refused, before any object is read."""
        if super().is_encrypted:
            refuse(text("it is encrypted"))
        return False


class PdfFile:
    """The objects of one file.

    Parameters
    ----------
    content : the bytes that its tables point into; empty if they were made of the objects themselves.
    until_s : when its thread's own time is up.
    """

    def __init__(self, reader: PdfReader, content: bytes, until_s: float) -> None:
        self._reader, self._content, self._until_s = reader, content, until_s
        reader.strict = True  # tables may have been mended; of objects, what isn't right has two readings
        self.trailer = reader.trailer
        self._unpack_objects()

    def get(self, value: object) -> PdfObject | None:
        """An object, whether it is told directly or by reference; None of one that isn't there (7.3.10).

        Raises
        ------
        InputError
            ``archive.attachment-not-cleaned``: it takes too long.
        """
        check_time(self._until_s)
        for _ in range(_MOST_STEPS):
            if not isinstance(value, IndirectObject):
                return value if isinstance(value, PdfObject) else None
            value = self._reader.get_object(value) if self._is_told(value) else None
        raise PdfReadError("references without an end")

    def entry(self, holder: object, key: str) -> PdfObject | None:
        """What a dictionary, or that of a stream, says under a key; None of all else."""
        found = self.get(holder)
        return self.get(found.raw_get(key)) if isinstance(found, DictionaryObject) and key in found else None

    def filters(self, stream: StreamObject) -> list[str]:
        """How a stream is packed, outermost first."""
        said = self.entry(stream, "/Filter")
        names = [self.get(one) for one in said] if isinstance(said, ArrayObject) else [said] if said else []
        return [str(one) if isinstance(one, NameObject) else "" for one in names]

    def _is_told(self, reference: IndirectObject) -> bool:
        """Whether the tables tell of an object, and tell right: pypdf would look around for it."""
        number, generation = reference.idnum, reference.generation
        if generation == 0 and number in self._reader.xref_objStm:
            return True
        at = self._reader.xref.get(generation, {}).get(number)
        if at is None:
            return False
        if self._content:
            here = re.compile(rb"%s*%d%s+%d%s+obj" % (_SPACE, number, _SPACE, generation, _SPACE))
            if here.match(self._content, at) is None:
                raise PdfReadError("an object isn't where the table says")
        return True

    def _unpack_objects(self) -> None:
        """Unpack the streams of objects (7.5.7) once, so that their size is known before anything is read of them."""
        if sum(map(len, self._reader.xref.values())) + len(self._reader.xref_objStm) > MOST_OBJECTS:
            too_much()
        size = 0
        for number in sorted({cast("int", held) for held, _ in self._reader.xref_objStm.values()}):
            stream = self.get(IndirectObject(number, 0, self._reader))
            if isinstance(stream, StreamObject):
                size += len(stream.get_data())
            if size > LARGEST_STRUCTURE:
                too_much()


def names(words: str) -> frozenset[str]:
    """Names (7.3.5) as pypdf has them, of words without their slash."""
    return frozenset(f"/{one}" for one in words.split())


def limits() -> AbstractContextManager[Configuration]:
    """What pypdf may do in the thread that reads a file; it never asks another program to unpack something."""
    return apply_configuration(
        maximum_declared_stream_length=LARGEST_STREAM,
        zlib_maximum_output_length=LARGEST_STREAM,
        zlib_maximum_recovery_input_length=0,
        lzw_maximum_output_length=LARGEST_STRUCTURE,
        run_length_maximum_output_length=_LARGEST_OF_RUNS,
        array_maximum_element_count=MOST_OBJECTS,
        image_maximum_buffer_size=LARGEST_STREAM,
        stream_filters_maximum_length=4,
        stream_decoding_work_maximum_length=3 * LARGEST_STREAM,
        stream_parsing_work_maximum_count=1_000_000,
        jbig2dec_binary=None,
        disable_legacy_handling=True,
    )


def read_as_told(content: bytes, until_s: float) -> PdfFile:
    """The objects of a file's last state, as its tables tell.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``: it is encrypted, too large, or takes too long.
    """
    with apply_configuration(zlib_maximum_output_length=LARGEST_STRUCTURE):
        return PdfFile(_reader(content, until_s, strict=True), content, until_s)


def read_without_tables(content: bytes, until_s: float) -> PdfFile:
    """The objects of a file that has only one state and each object once, wherever they are.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``: also of a file of more than one state, since its last one isn't known.
    """
    numbers = [one[1] for one in _OBJECT.finditer(content)]
    if len(set(numbers)) < len(numbers) or content.count(b"startxref") > 1:
        refuse(text("it is damaged"))
    with apply_configuration(zlib_maximum_output_length=LARGEST_STRUCTURE):
        # A table at 0, where none can be, makes pypdf look for the objects.
        return PdfFile(_reader(content + _NO_TABLE, until_s, strict=False), b"", until_s)


def check_time(until_s: float) -> None:
    """Refuse a file that took too long.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    if time.thread_time() > until_s:
        too_much()


def too_much() -> NoReturn:
    """Refuse a file that would take too much time or memory.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    refuse(TOO_MUCH)


def _reader(content: bytes, until_s: float, *, strict: bool) -> PdfReader:
    return _Reader(
        _Timed(content, until_s), strict=strict, root_object_recovery_limit=0, xref_stream_maximum_entries=MOST_OBJECTS
    )
