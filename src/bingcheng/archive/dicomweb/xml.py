"""DICOM JSON objects as documents of the Native DICOM Model (PS3.19 A.1), and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.sax.saxutils import escape, quoteattr

from bingcheng.archive.dicomweb.attributes import attribute
from bingcheng.archive.dicomweb.problems import BAD_METADATA
from bingcheng.core.errors import InputError

_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_FORBIDDEN = dict.fromkeys(set(range(32)) - {9, 10, 13})
"""Control characters, which XML 1.0 has no way to write."""
_TAG = re.compile(r"[0-9A-F]{8}")
_NUMBERS: Mapping[str, Callable[[str], int | float]] = MappingProxyType(
    {
        **dict.fromkeys(("IS", "SL", "SS", "SV", "UL", "US", "UV"), int),
        **dict.fromkeys(("DS", "FD", "FL"), float),
    }
)
DEEPEST = 16
"""Sequences within sequences that are read."""
FIRST_BLOCK, LAST_BLOCK = 0x10, 0xFF
"""Blocks that private elements may stand in (PS3.5 7.8.1)."""


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
        owner = _creator(found, tag)
        creator = f" privateCreator={quoteattr(owner)}" if owner else ""
        yield f"<DicomAttribute tag={quoteattr(tag)} vr={quoteattr(str(held['vr']))}{keyword}{creator}>"
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


def _creator(found: Mapping[str, Mapping[str, Any]], tag: str) -> str:
    """Who reserved the block that a private element stands in; empty where it isn't one, or nobody did."""
    if tag[3] not in "13579BDF" or tag[4:6] == "00":
        return ""
    values = found.get(f"{tag[:4]}00{tag[4:6]}", {}).get("Value") or [""]
    return str(values[0] or "").translate(_FORBIDDEN)


class _Plain(TreeBuilder):
    """Builds a tree of a document that defines nothing of its own: no entity can grow, or name a file."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse a document type declaration, before what stands in it is read."""
        del name, pubid, system
        raise InputError(BAD_METADATA, what="XML")


def json_of(document: bytes) -> dict[str, dict[str, Any]]:
    """The DICOM JSON object of one document.

    Raises
    ------
    InputError
        ``archive.bad-metadata``.
    """
    parser = XMLParser(target=_Plain())  # noqa: S314 - declarations are refused
    try:
        parser.feed(document)
        root: Element = parser.close()
    except (ParseError, LookupError, ValueError) as error:
        raise InputError(BAD_METADATA, what="XML") from error
    if _local(root) != "NativeDicomModel":
        raise InputError(BAD_METADATA, what="XML")
    return _dataset(root, DEEPEST)


def _dataset(node: Element, deepest: int) -> dict[str, dict[str, Any]]:
    if deepest <= 0:
        raise InputError(BAD_METADATA, what="XML")
    found: dict[str, dict[str, Any]] = {}
    blocks: dict[tuple[str, str], int] = {}
    for one in node:
        if _local(one) != "DicomAttribute":
            continue
        tag, vr = one.get("tag", "").upper(), one.get("vr", "")
        if not _TAG.fullmatch(tag) or len(vr) != 2:
            raise InputError(BAD_METADATA, what="XML")
        creator = one.get("privateCreator")
        if creator and tag[4:6] == "00":
            tag = _placed(found, blocks, tag, creator)
        found[tag] = {"vr": vr, **_held(one, vr, deepest)}
    return found


def _placed(found: dict[str, dict[str, Any]], blocks: dict[tuple[str, str], int], tag: str, creator: str) -> str:
    """A private element's tag in the block of its creator; some write all of them as of block 00."""
    group = tag[:4]
    block = blocks.get((group, creator))
    if block is None:
        taken = {int(other[6:], 16) for other in found if other.startswith(f"{group}00")}
        block = next((free for free in range(FIRST_BLOCK, LAST_BLOCK + 1) if free not in taken), None)
        if block is None:
            raise InputError(BAD_METADATA, what="XML")
        blocks[group, creator] = block
        found[f"{group}00{block:02X}"] = {"vr": "LO", "Value": [creator]}
    return f"{group}{block:02X}{tag[6:]}"


def _held(node: Element, vr: str, deepest: int) -> dict[str, Any]:
    """What an attribute holds: values in their order, bytes in Base64, or where they are."""
    values: list[tuple[int, Any]] = []
    for place, one in enumerate(node, start=1):
        kind = _local(one)
        if kind == "BulkData":
            return {"BulkDataURI": one.get("uri") or one.get("uuid") or ""}
        if kind == "InlineBinary":
            return {"InlineBinary": "".join((one.text or "").split())}
        made = _made(one, kind, vr, deepest)
        if made is not None:
            number = one.get("number", "")
            values.append((int(number) if number.isdecimal() and len(number) < 6 else place, made))
    return {"Value": [made for _, made in sorted(values, key=lambda one: one[0])]} if values else {}


def _made(node: Element, kind: str, vr: str, deepest: int) -> Any:
    if kind == "Item":
        return _dataset(node, deepest - 1)
    if kind == "PersonName":
        return {_local(group): "^".join(_parts(group)).rstrip("^") for group in node}
    if kind != "Value":
        return None
    text = node.text or ""
    try:
        return _NUMBERS[vr](text) if vr in _NUMBERS else text
    except ValueError:
        return text  # IS and DS may be told as text (PS3.18 F.2.3.1)


def _parts(group: Element) -> Iterable[str]:
    parts = {_local(part): part.text or "" for part in group}
    return (parts.get(name, "") for name in _COMPONENTS)


def _local(node: Element) -> str:
    """The name without its namespace, which some leave out."""
    return node.tag.rpartition("}")[2]
