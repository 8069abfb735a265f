"""In which attributes two objects differ that came with the same UID."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydicom.datadict import dictionary_description

from bingcheng.archive.objects.dicom_json import dicom_json
from bingcheng.archive.objects.element_walk import Walk
from bingcheng.archive.objects.header import HEADER_LIMIT, dataset

MOST = 500
LONGEST = 300
"""Characters of a value that are shown."""
DEEPEST = 8
"""Sequences within sequences that are looked into; deeper ones are compared as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One attribute.

    Parameters
    ----------
    path : tags, and the numbers of items counted from 1: ``(0008,1140)[2] (0008,1155)``.
    name : of the attribute, as the standard calls it; empty for a private one.
    stored, received : its value on either side, shortened; None where it is absent.
    """

    path: str
    name: str
    stored: str | None
    received: str | None


def differences(stored: BinaryIO, received: BinaryIO) -> list[Difference]:
    """The attributes in which two objects differ, by their tags, `MOST` at most; large values are left out.

    An empty list says that the headers agree and something else differs: the pixels, or how it is all written.

    Raises
    ------
    InputError
        ``archive.not-dicom`` and its like: one of the two can't be read any more.
    """
    before, after = dict(_flat(_read(stored))), dict(_flat(_read(received)))
    found: list[Difference] = []
    for path in sorted(before.keys() | after.keys()):
        one, other = before.get(path), after.get(path)
        if one != other:
            found.append(Difference(path=path, name=_name(path), stored=_short(one), received=_short(other)))
        if len(found) == MOST:
            break
    return found


def _read(stream: BinaryIO) -> Mapping[str, Any]:
    # Pixels come last, so that the header of all but the oddest objects lies within this.
    try:
        data, at, coding = dataset(stream.read(HEADER_LIMIT))
    except zlib.error:
        return {}  # the header is longer than what was read
    found: Mapping[str, Any] = json.loads(dicom_json(Walk(data, at, len(data), coding)))
    return found


def _flat(attributes: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    for tag, element in attributes.items():
        path = f"{before}({tag[:4]},{tag[4:]})"
        if "BulkDataURI" in element:
            continue
        values = element.get("Value", ())
        if element["vr"] == "SQ" and depth < DEEPEST:
            yield path, str(len(values))
            for number, item in enumerate(values, 1):
                yield from _flat(item, f"{path}[{number}] ", depth + 1)
        else:
            yield path, element.get("InlineBinary") or "\\".join(map(_word, values))


def _word(value: object) -> str:
    if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
        return "=".join(value.values())  # a person's name by its groups
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= LONGEST else f"{value[:LONGEST]}…"


def _name(path: str) -> str:
    tag = path[path.rindex("(") + 1 : -1].replace(",", "")
    try:
        return dictionary_description(int(tag, 16))
    except KeyError:
        return ""
