"""A report's bytes, made in one pass.

A report is a deep tree of small items. At each level pydicom looks anew through all that is below for ambiguous
representations, and it opens a stream for each value, which takes much of the time of making a report. The bytes here
are the same: values of most representations are put into bytes here, all others by pydicom.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any, cast

from pydicom import dcmwrite
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian

TEXT = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
"""Representations whose characters are those of the dataset's character set (PS3.5 6.1.2.2, a name apart)."""
PLAIN = {"AE": b" ", "AS": b" ", "CS": b" ", "UI": b"\0"}
"""Representations in the basic character set, and what makes their length even (PS3.5 6.2)."""
LONG = frozenset({"SQ", "UC", "UT"})
"""Of these the length has four bytes (PS3.5 7.1.2)."""

PIXEL_DATA = 0x7FE00010
LONGEST = 0xFFFF
UNDEFINED = 0xFFFFFFFF
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"

SHORT_HEAD, LONG_HEAD, LENGTH = struct.Struct("<HH2sH"), struct.Struct("<HH2sHL"), struct.Struct("<L")


def suits(dataset: Dataset) -> bool:
    """Whether `as_file` can write it: a tree without pixels, in explicit little-endian representation."""
    meta = getattr(dataset, "file_meta", None)
    return meta is not None and meta.get("TransferSyntaxUID") == ExplicitVRLittleEndian and PIXEL_DATA not in dataset


def as_file(dataset: Dataset) -> bytes:
    """The bytes of a file that holds a dataset which `suits`: those that pydicom would write.

    Raises
    ------
    ValueError, TypeError, AttributeError
        as pydicom's, of what can't be written.
    """
    correct_ambiguous_vr(dataset, is_little_endian=True)
    head = Dataset()
    head.file_meta = dataset.file_meta
    head.preamble = getattr(dataset, "preamble", None)
    head.SOPClassUID, head.SOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    stream = io.BytesIO()
    dcmwrite(stream, head, enforce_file_format=True)
    identity = encoded(head, default_encoding)
    return stream.getvalue()[: -len(identity)] + encoded(dataset, default_encoding)


def encoded(dataset: Dataset, outside: str | Sequence[str]) -> bytes:
    """The dataset's elements in the order of their tags; `outside` is the character set of what holds it."""
    own = cast("str | Sequence[str]", dataset.get("SpecificCharacterSet", outside))
    # An own copy: pydicom changes the list that it is given.
    codecs = convert_encodings(own if isinstance(own, str) else list(own))
    # Lengths of groups are retired (PS3.5 7.2).
    kept = [tag for tag in sorted(dataset.keys(), key=int) if tag & 0xFFFF or tag >> 16 <= 6]
    return b"".join([_element(tag, dataset[tag], own, codecs) for tag in kept])


def _element(tag: BaseTag, element: DataElement, charset: str | Sequence[str], codecs: Sequence[str]) -> bytes:
    """One element with its head."""
    vr, value = element.VR, element.value
    if vr == "SQ":
        return _sequence(tag, element, charset)
    body = _value(vr, value, codecs)
    if body is None or (len(body) > LONGEST and vr not in LONG):
        stream = DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, False
        write_data_element(stream, element, charset if isinstance(charset, str) else list(charset))
        return stream.getvalue()
    return _head(tag, vr, len(body)) + body


def _head(tag: BaseTag, vr: str, length: int) -> bytes:
    """Tag, representation and length."""
    if vr in LONG:
        return LONG_HEAD.pack(tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return SHORT_HEAD.pack(tag >> 16, tag & 0xFFFF, vr.encode(), length)


def _sequence(tag: BaseTag, element: DataElement, charset: str | Sequence[str]) -> bytes:
    """A sequence with its items, of known length unless it was read with none (PS3.5 7.5)."""
    parts = []
    for item in element.value or ():
        content = encoded(item, charset)
        if getattr(item, "is_undefined_length_sequence_item", False):
            parts += [ITEM, LENGTH.pack(UNDEFINED), content, ITEM_END]
        else:
            parts += [ITEM, LENGTH.pack(len(content)), content]
    body = b"".join(parts)
    if element.is_undefined_length:
        return _head(tag, "SQ", UNDEFINED) + body + SEQUENCE_END
    return _head(tag, "SQ", len(body)) + body


def _value(vr: str, value: Any, codecs: Sequence[str]) -> bytes | None:
    """The bytes of a value; None of what pydicom writes."""
    if vr in PLAIN:
        return _joined(value, lambda one: one.encode(default_encoding), PLAIN[vr])
    # Several character sets need codes that switch between them; what a set does not hold is replaced with a warning.
    if vr in TEXT and len(codecs) == 1:
        try:
            return _joined(value, lambda one: one.encode(codecs[0]), b" ")
        except UnicodeEncodeError:
            return None
    return None


def _joined(value: Any, encode: Callable[[str], bytes], padding: bytes) -> bytes | None:
    """One or several strings, of even length together; None of anything else."""
    if isinstance(value, str):
        body = encode(value)
    elif isinstance(value, MultiValue | list) and all(isinstance(one, str) for one in value):
        body = b"\\".join([encode(one) for one in value])
    else:
        return None
    return body + padding if len(body) % 2 else body
