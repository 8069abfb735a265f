"""The content of a structured report (PS3.3 C.17.3), as a tree of items and as text for people (PS3.18 8.7.4)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bingcheng.archive.dicomweb.problems import NO_PICTURE
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

HTML, PLAIN, XML, PDF = "text/html", "text/plain", "text/xml", "application/pdf"
PDF_VALUE = "bulk/00420011"
"""Encapsulated Document."""
DEEPEST = 64
"""Levels of a content tree that are read; TID 1500 needs seven."""
MOST = 20_000
"""Content items of one document that are read."""
_TEXT_OF: Mapping[str, str] = MappingProxyType(
    {
        "TEXT": "TextValue",
        "DATE": "Date",
        "TIME": "Time",
        "DATETIME": "DateTime",
        "UIDREF": "UID",
        "PNAME": "PersonName",
        "SCOORD": "GraphicType",
        "SCOORD3D": "GraphicType",
        "TCOORD": "TemporalRangeType",
    }
)
"""Where each value type keeps its value (PS3.3 table C.17.3-5 and following)."""
_HEADING = (
    ("Patient", "PatientName"),
    ("Patient ID", "PatientID"),
    ("Study date", "StudyDate"),
    ("Study", "StudyDescription"),
    ("Document date", "ContentDate"),
    ("Completion", "CompletionFlag"),
    ("Verification", "VerificationFlag"),
)
_REFERENCES = frozenset(("IMAGE", "COMPOSITE", "WAVEFORM"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """One item of a document.

    Parameters
    ----------
    kind : value type, e.g. ``NUM``.
    code, name : of the concept that the item states; empty where it has none.
    value : in words; of a number as it stands in the document.
    value_code : of a value that is a code.
    unit : code of the unit (UCUM) of a number.
    refers_to : SOP instance UID of the object that is referred to.
    items : those below it.
    """

    kind: str
    code: str = ""
    name: str = ""
    value: str = ""
    value_code: str = ""
    unit: str = ""
    refers_to: str = ""
    items: tuple[ContentItem, ...] = ()

    def below(self) -> Iterator[ContentItem]:
        """The item and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting.extend(reversed(one.items))


def is_document(header: Dataset) -> bool:
    """Whether an object is a structured report."""
    return "ValueType" in header and "ContentSequence" in header


def content(header: Dataset) -> ContentItem:
    """The content tree of a structured report.

    Raises
    ------
    InputError
        ``archive.no-picture``: it has no content, or more than a document may have, or is damaged.
    """
    if not is_document(header):
        raise InputError(NO_PICTURE, why="no document")
    with _reading():
        return _item(header, DEEPEST, [MOST])


def encapsulated_pdf(told: bytes) -> str | None:
    """Where the PDF stands that an object is the envelope of, as a relative BulkDataURI; None if it is none.

    Parameters
    ----------
    told : the DICOM JSON object of it.
    """
    found = json.loads(told)
    kind = found.get("00420012", {}).get("Value")
    return PDF_VALUE if kind == [PDF] and PDF_VALUE.rpartition("/")[2] in found else None


@contextmanager
def _reading() -> Iterator[None]:
    """While it lasts, what the parser raises is said of the document: it reads an element only when asked for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of small rules that others break, such as how long a code may be
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # a damaged dataset can raise anything from the parser
            raise InputError(NO_PICTURE, why="damaged") from error


def plain(header: Dataset) -> str:
    """The document as text, a line for each item, indented by its level; raises what `content` raises."""
    lines: list[str] = []
    waiting = [(content(header), 0)]
    while waiting:
        one, level = waiting.pop()
        lines.append("  " * level + _line(one))
        waiting.extend((item, level + 1) for item in reversed(one.items))
    return "\n".join((*(f"{name}: {value}" for name, value in _heading(header)), "", *lines, ""))


def html(header: Dataset) -> str:
    """The document as a page, without script and style; raises what `content` raises."""
    found = content(header)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in _heading(header)
    )
    title = escape(found.name or "Structured report")
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><table>{rows}</table>{_list(found)}</body></html>"
    )


def _list(item: ContentItem) -> str:
    if not item.items:
        return ""
    return f"<ul>{''.join(f'<li>{escape(_line(one))}{_list(one)}</li>' for one in item.items)}</ul>"


def _line(item: ContentItem) -> str:
    said = " ".join(part for part in (item.value, item.unit if item.unit != "1" else "") if part)
    if item.name and said:
        return f"{item.name}: {said}"
    return item.name or said or item.kind


def _heading(header: Dataset) -> list[tuple[str, str]]:
    with _reading():
        found = [(name, str(header.get(keyword) or "")) for name, keyword in _HEADING]
    return [(name, value) for name, value in found if value]


def _item(found: Dataset, deepest: int, left: list[int]) -> ContentItem:
    left[0] -= 1
    if deepest <= 0 or left[0] <= 0:
        raise InputError(NO_PICTURE, why="too large")
    kind = str(found.get("ValueType") or "")
    code, name = _concept(found.get("ConceptNameCodeSequence"))
    value, unit = _value(found, kind)
    return ContentItem(
        kind=kind,
        code=code,
        name=name,
        value=value,
        value_code=_concept(found.get("ConceptCodeSequence"))[0] if kind == "CODE" else "",
        unit=unit,
        refers_to=_reference(found) if kind in _REFERENCES else "",
        items=tuple(_item(one, deepest - 1, left) for one in found.get("ContentSequence") or ()),
    )


def _value(found: Dataset, kind: str) -> tuple[str, str]:
    if kind == "NUM":
        return _number(found)
    if kind == "CODE":
        return _concept(found.get("ConceptCodeSequence"))[1], ""
    if kind in _TEXT_OF:
        return str(found.get(_TEXT_OF[kind]) or ""), ""
    return "", ""


def _number(found: Dataset) -> tuple[str, str]:
    measured = _first(found.get("MeasuredValueSequence"))
    if measured is None:
        # A number may be absent for a reason that is said (C.18.1).
        return _concept(found.get("NumericValueQualifierCodeSequence"))[1], ""
    return str(measured.get("NumericValue", "")), _concept(measured.get("MeasurementUnitsCodeSequence"))[0]


def _reference(found: Dataset) -> str:
    referred = _first(found.get("ReferencedSOPSequence"))
    return "" if referred is None else str(referred.get("ReferencedSOPInstanceUID") or "")


def _concept(sequence: Any) -> tuple[str, str]:
    coded = _first(sequence)
    if coded is None:
        return "", ""
    code = coded.get("CodeValue") or coded.get("LongCodeValue") or coded.get("URNCodeValue") or ""
    return str(code), str(coded.get("CodeMeaning") or code)


def _first(sequence: Any) -> Dataset | None:
    return sequence[0] if sequence else None
