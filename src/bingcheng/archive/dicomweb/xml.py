"""DICOM JSON objects as documents of the Native DICOM Model (PS3.19 A.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from bingcheng.archive.dicomweb.attributes import attribute

_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_FORBIDDEN = dict.fromkeys(set(range(32)) - {9, 10, 13})
"""Control characters, which XML 1.0 has no way to write."""


def native_model(found: Mapping[str, Mapping[str, Any]]) -> bytes:
    """One dataset as an XML document in UTF-8."""
    body = "".join(_attributes(found))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">{body}'
        "</NativeDicomModel>"
    ).encode("utf-8", "replace")


def _attributes(found: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for tag, held in sorted(found.items()):
        known = attribute(tag)
        keyword = f" keyword={quoteattr(known.keyword)}" if known is not None else ""
        yield f"<DicomAttribute tag={quoteattr(tag)} vr={quoteattr(str(held['vr']))}{keyword}>"
        yield from _content(held)
        yield "</DicomAttribute>"


def _content(held: Mapping[str, Any]) -> Iterable[str]:
    if "BulkDataURI" in held:
        yield f"<BulkData uri={quoteattr(held['BulkDataURI'])}/>"
    elif "InlineBinary" in held:
        yield f"<InlineBinary>{escape(held['InlineBinary'])}</InlineBinary>"
    else:
        for number, value in enumerate(held.get("Value", ()), start=1):
            if value is None:
                continue
            if held["vr"] == "SQ":
                yield f'<Item number="{number}">{"".join(_attributes(value))}</Item>'
            elif held["vr"] == "PN":
                yield f'<PersonName number="{number}">{"".join(_name(value))}</PersonName>'
            else:
                yield f'<Value number="{number}">{_text(value)}</Value>'


def _name(groups: Mapping[str, str]) -> Iterable[str]:
    for group, written in groups.items():
        parts = zip(_COMPONENTS, written.split("^"), strict=False)
        yield f"<{group}>{''.join(f'<{name}>{_text(part)}</{name}>' for name, part in parts if part)}</{group}>"


def _text(value: object) -> str:
    return escape(str(value).translate(_FORBIDDEN))
