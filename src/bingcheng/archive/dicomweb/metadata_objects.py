"""Objects made of metadata in JSON or XML and of bulk data beside it (PS3.18 10.5.1.4; Content-Location)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bingcheng.archive.dicomweb.frames import STORED_AS
from bingcheng.archive.dicomweb.incoming import MIB, IncomingPart
from bingcheng.archive.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON, OCTETS, MediaType, media_type
from bingcheng.archive.dicomweb.pixel_map import EXPLICIT_LITTLE
from bingcheng.archive.dicomweb.problems import BAD_METADATA, TOO_LARGE
from bingcheng.archive.dicomweb.store_answer import Refused
from bingcheng.archive.dicomweb.xml import json_of
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

LONGEST_METADATA = 64 * MIB
"""Bytes of metadata in one body."""
DEEPEST = 64
"""Levels of nesting that are followed; each sequence takes four."""
_PIXEL_DATA = "7FE00010"
_AVAILABLE_SYNTAX = "00083002"


@dataclass(slots=True, eq=False)
class MetadataObjects:
    """Gathers the parts of a body, then makes objects of them."""

    _described: list[Mapping[str, Any]] = field(default_factory=list)
    _bulk: dict[str, IncomingPart] = field(default_factory=dict)
    _read: int = 0

    def take(self, part: IncomingPart) -> None:
        """Keep a part.

        Raises
        ------
        InputError
            ``archive.bad-metadata``, ``archive.bad-accept``, ``archive.body-too-large``.
        """
        kind = media_type(part.fields.get("content-type", OCTETS)).kind
        if kind in (DICOM_JSON, JSON, DICOM_XML):
            self._describe(part, xml=kind == DICOM_XML)
            return
        name = part.fields.get("content-location") or part.fields.get("content-id", "").strip("<>")
        if not name or name in self._bulk:
            part.close()
            raise InputError(BAD_METADATA, what="bulk data without a location of its own")
        self._bulk[name] = part

    def objects(self) -> Iterator[bytes | Refused]:
        """Each object as a file, or why it can't be made."""
        for described in self._described:
            try:
                yield self._file(described)
            except InputError as error:
                yield Refused.by(error)

    def close(self) -> None:
        """Give back what the parts hold."""
        for part in self._bulk.values():
            part.close()
        self._bulk.clear()

    def _describe(self, part: IncomingPart, *, xml: bool) -> None:
        self._read += part.length
        form = "XML" if xml else "JSON"
        try:
            if self._read > LONGEST_METADATA:
                raise InputError(TOO_LARGE, what="metadata", limit=LONGEST_METADATA)
            with part.content() as data:
                found = json_of(bytes(data)) if xml else json.loads(bytes(data))
        except (ValueError, RecursionError) as error:
            raise InputError(BAD_METADATA, what=form) from error
        finally:
            part.close()
        found = found if isinstance(found, list) else [found]
        if not all(isinstance(one, dict) for one in found):
            raise InputError(BAD_METADATA, what=form)
        self._described.extend(found)

    def _file(self, described: Mapping[str, Any]) -> bytes:
        """One object as a file of PS3.10."""
        from pydicom import Dataset, dcmwrite  # noqa: PLC0415 - only where objects come as metadata
        from pydicom.dataset import FileMetaDataset  # noqa: PLC0415 - only where objects come as metadata

        plain = {tag: held for tag, held in described.items() if not tag.startswith("0002")}
        if _depth(plain) > DEEPEST:
            raise InputError(BAD_METADATA, what="JSON")
        try:
            made = Dataset.from_json(plain, self._bulk_value)
            syntax = self._pixels(made, plain)
            # What is written in JSON is Unicode, whatever the source was (annex F.2.1).
            made.SpecificCharacterSet = "ISO_IR 192"
            made.file_meta = FileMetaDataset()
            made.file_meta.TransferSyntaxUID = syntax  # type: ignore[assignment]
            made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
            made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
            written = io.BytesIO()
            dcmwrite(written, made, enforce_file_format=True)
        except InputError:
            raise
        except Exception as error:
            # The reader of JSON raises whatever it stumbles over.
            raise InputError(BAD_METADATA, what=type(error).__name__) from error
        return written.getvalue()

    def _bulk_value(self, tag: str, vr: str, uri: str) -> bytes:
        del tag, vr
        with self._part(uri).content() as data:
            return bytes(data)

    def _part(self, uri: str) -> IncomingPart:
        part = self._bulk.get(uri) or self._bulk.get(uri.removeprefix("cid:"))
        if part is None:
            raise InputError(BAD_METADATA, what="bulk data is missing")
        return part

    def _pixels(self, made: Dataset, described: Mapping[str, Any]) -> str:
        """Encapsulate a compressed pixel value; the transfer syntax that the object then has (table 10.5.2-1)."""
        pixels = described.get(_PIXEL_DATA, {})
        uri = pixels.get("BulkDataURI")
        kind = MediaType(kind=OCTETS)
        if uri is not None:
            kind = media_type(self._part(uri).fields.get("content-type", OCTETS))
        syntax = kind.parameters.get("transfer-syntax") or _syntax_of(described) or EXPLICIT_LITTLE
        if kind.kind == OCTETS and syntax not in STORED_AS:
            return EXPLICIT_LITTLE
        if syntax not in STORED_AS or int(made.get("NumberOfFrames", 1) or 1) != 1:
            raise InputError(BAD_METADATA, what="pixels")
        from pydicom.encaps import encapsulate  # noqa: PLC0415 - only where objects come as metadata

        made.PixelData = encapsulate([made.PixelData])
        made["PixelData"].VR = "OB"
        return syntax


def _syntax_of(described: Mapping[str, Any]) -> str | None:
    values = described.get(_AVAILABLE_SYNTAX, {}).get("Value") or [None]
    return values[0] if isinstance(values[0], str) else None


def _depth(found: object) -> int:
    """Levels of nesting, counted without recursion."""
    level, depth = [found], 0
    while level and depth <= DEEPEST:
        depth += 1
        inner: list[object] = []
        for one in level:
            if isinstance(one, Mapping):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        level = inner
    return depth
