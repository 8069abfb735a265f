"""A PDF's objects, found as its tables say, and never by looking around (ISO 32000-1, 7.5).

What is encrypted, damaged, or packed in a way that isn't understood is refused: nothing of it could be vouched for.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from bingcheng.archive.cases.attached.pdf_syntax import Name, Reader, Ref, Stream, Value, damaged
from bingcheng.archive.cases.attached.taken import refuse
from bingcheng.core.wording import text

MOST_OBJECTS = 200_000
LARGEST_STREAM = 100_000_000
_TAIL, _MOST_TABLES, _MOST_STEPS = 2048, 200, 30
_START = re.compile(rb"startxref\s+(\d{1,10})")
_ENTRY = re.compile(rb"\s*(\d{1,10})\s+(\d{1,5})\s+([fn])")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an object stands: at a byte, or (`within`) as which one of a stream of objects. None: nowhere."""

    at: int
    within: int | None = None


class PdfFile:
    """The objects of one file, as its last state says.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._places: dict[int, _Place | None] = {}
        self._read: dict[int, Value] = {}
        self._streams: dict[int, tuple[dict[int, int], bytes]] = {}
        self.trailer = self._tables()

    def get(self, value: Value) -> Value:
        """An object, whether it is told directly or by reference; None of one that isn't there (7.3.10)."""
        for _ in range(_MOST_STEPS):
            if not isinstance(value, Ref):
                return value
            if value.number not in self._read:
                self._read[value.number] = None  # until it is read: nothing can be a part of itself
                self._read[value.number] = self._object(value.number)
            value = self._read[value.number]
        return damaged()

    def entry(self, holder: Value, key: bytes) -> Value:
        """What a dictionary, or that of a stream, says under a key; None of all else."""
        found = self.get(holder)
        about = found.about if isinstance(found, Stream) else found
        return self.get(about.get(Name(key))) if isinstance(about, dict) else None

    def filters(self, about: dict[Name, Value]) -> list[bytes]:
        """How a stream is packed, outermost first."""
        said = self.get(about.get(Name(b"Filter")))
        names = [self.get(one) for one in said] if isinstance(said, list) else [] if said is None else [said]
        return [bytes(one) if isinstance(one, Name) else damaged() for one in names]

    def unpacked(self, stream: Stream, packing: list[bytes]) -> bytes:
        """The data of a stream without these outermost filters."""
        data = stream.data
        for number, name in enumerate(packing):
            match name:
                case b"FlateDecode" | b"Fl":
                    data = self._predicted(_inflated(data), self._parameters(stream, number))
                case b"ASCII85Decode" | b"A85":
                    data = _of_ascii85(data)
                case b"ASCIIHexDecode" | b"AHx":
                    data = _of_hex(data)
                case _:
                    refuse(text("a part of it is packed in a way that isn't understood"))
        return data

    def _parameters(self, stream: Stream, number: int) -> Value:
        said = self.get(stream.about.get(Name(b"DecodeParms")))
        if isinstance(said, list):
            return self.get(said[number]) if number < len(said) else None
        return said if number == 0 else None

    def _predicted(self, data: bytes, parameters: Value) -> bytes:
        """Rows told by what stands above them (7.4.4.4): of tables and object streams these are always PNG's."""
        said = {key: self._whole(parameters, key, default) for key, default in _PREDICTION.items()}
        if said[b"Predictor"] == 1:
            return data
        if said[b"Predictor"] < 10:
            refuse(text("a part of it is packed in a way that isn't understood"))
        step = max(1, said[b"Colors"] * said[b"BitsPerComponent"] // 8)
        return _of_png_rows(data, (said[b"Columns"] * said[b"Colors"] * said[b"BitsPerComponent"] + 7) // 8, step)

    def _whole(self, holder: Value, key: bytes, default: int) -> int:
        found = self.entry(holder, key)
        found = default if found is None else found
        return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else damaged()

    def _tables(self) -> dict[Name, Value]:
        found = list(_START.finditer(self._content, max(0, len(self._content) - _TAIL)))
        waiting, seen = [int(found[-1][1])] if found else [], set[int]()
        trailer: dict[Name, Value] | None = None
        while waiting:
            at = waiting.pop(0)
            if at in seen:
                continue
            seen.add(at)
            about = self._table(at)
            trailer = about if trailer is None else trailer
            if Name(b"Encrypt") in about:
                refuse(text("it is encrypted"))
            for key in (b"XRefStm", b"Prev"):
                following = about.get(Name(key))
                waiting += [following] if isinstance(following, int) else []
            if len(seen) > _MOST_TABLES:
                damaged()
        return damaged() if trailer is None else trailer

    def _table(self, at: int) -> dict[Name, Value]:
        reader = Reader(self._content, at)
        if not reader.word(b"xref"):
            return self._table_stream(at)
        while not reader.word(b"trailer"):
            first, count = reader.integer(), reader.integer()
            for number in range(first, first + count):
                one = _ENTRY.match(self._content, reader.at)
                if one is None or len(self._places) > MOST_OBJECTS:
                    damaged()
                reader.at = one.end()
                self._places.setdefault(number, _Place(int(one[1])) if one[3] == b"n" else None)
        found = reader.value()
        return found if isinstance(found, dict) else damaged()

    def _table_stream(self, at: int) -> dict[Name, Value]:
        """A table in a stream (7.5.8)."""
        _, found = self._indirect(at)
        if not isinstance(found, Stream) or found.about.get(Name(b"Type")) != Name(b"XRef"):
            damaged()
        data = self.unpacked(found, self.filters(found.about))
        widths, index = found.about.get(Name(b"W")), found.about.get(Name(b"Index"))
        wide = _integers(widths)
        spans = _integers(index) if index is not None else [0, self._whole(found.about, b"Size", 0)]
        if len(wide) != 3 or len(spans) % 2 or not 0 < sum(wide) <= 24:
            damaged()
        rows = iter(range(0, len(data) - sum(wide) + 1, sum(wide)))
        for first, count in zip(spans[::2], spans[1::2], strict=True):
            for number, begin in zip(range(first, first + min(count, MOST_OBJECTS)), rows, strict=False):
                self._keep_row(number, data[begin : begin + sum(wide)], wide)
        return found.about

    def _keep_row(self, number: int, row: bytes, wide: list[int]) -> None:
        a, b, _ = wide
        kind = int.from_bytes(row[:a]) if a else 1
        second, third = int.from_bytes(row[a : a + b]), int.from_bytes(row[a + b :])
        place = {1: _Place(second), 2: _Place(third, within=second)}.get(kind)
        self._places.setdefault(number, place)
        if len(self._places) > MOST_OBJECTS:
            damaged()

    def _object(self, number: int) -> Value:
        place = self._places.get(number)
        if place is None:
            return None
        if place.within is not None:
            return self._of_stream(place.within, number)
        told, found = self._indirect(place.at)
        return found if told == number else damaged()

    def _indirect(self, at: int) -> tuple[int, Value]:
        """The object at a byte, and its number."""
        reader = Reader(self._content, at)
        number, _ = reader.integer(), reader.integer()
        if not reader.word(b"obj"):
            damaged()
        found = reader.value()
        if isinstance(found, dict) and reader.word(b"stream"):
            return number, self._stream(found, reader)
        return number, found if reader.word(b"endobj") else damaged()

    def _stream(self, about: dict[Name, Value], reader: Reader) -> Stream:
        # After the word comes one end of a line, of two characters or one (7.3.8.1).
        begin = reader.at + (2 if self._content.startswith(b"\r\n", reader.at) else 1)
        size = self._whole(about, b"Length", -1)
        after = Reader(self._content, begin + size)
        if not after.word(b"endstream"):
            damaged()
        return Stream(about, self._content[begin : begin + size])

    def _of_stream(self, stream: int, number: int) -> Value:
        """An object within a stream of objects (7.5.7)."""
        if stream not in self._streams:
            held = self._places.get(stream)
            if held is None or held.within is not None:
                damaged()
            _, found = self._indirect(held.at)
            if not isinstance(found, Stream):
                damaged()
            data = self.unpacked(found, self.filters(found.about))
            reader, first = Reader(data), self._whole(found.about, b"First", -1)
            count = min(self._whole(found.about, b"N", -1), MOST_OBJECTS)
            pairs = [(reader.integer(), reader.integer()) for _ in range(count)]
            self._streams[stream] = ({one: first + offset for one, offset in pairs}, data)
        places, data = self._streams[stream]
        return Reader(data, places[number]).value() if number in places else damaged()


_PREDICTION = {b"Predictor": 1, b"Colors": 1, b"BitsPerComponent": 8, b"Columns": 1}


def _integers(value: Value) -> list[int]:
    if not isinstance(value, list):
        damaged()
    return [one if isinstance(one, int) and one >= 0 else damaged() for one in value]


def _inflated(data: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(data, LARGEST_STREAM)
    except zlib.error:
        damaged()
    return found if not unpacking.unconsumed_tail else damaged()


def _of_ascii85(data: bytes) -> bytes:
    from base64 import a85decode  # noqa: PLC0415 - seldom needed

    try:
        return a85decode(data.strip().removeprefix(b"<~").removesuffix(b"~>"), ignorechars=b" \t\n\r\v\f\0")
    except ValueError:
        damaged()


def _of_hex(data: bytes) -> bytes:
    digits = b"".join(data.partition(b">")[0].split())
    try:
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    except ValueError:
        damaged()


def _of_png_rows(data: bytes, width: int, step: int) -> bytes:
    made, above = bytearray(), bytes(width)
    for at in range(0, len(data), width + 1):
        row = bytearray(data[at + 1 : at + 1 + width])
        _undo(data[at], row, above, step)
        made += row
        above = bytes(row)
    return bytes(made)


def _undo(kind: int, row: bytearray, above: bytes, step: int) -> None:
    """PNG, third edition, 9.2."""
    for at in range(len(row)):
        left, up = (row[at - step] if at >= step else 0), above[at]
        corner = above[at - step] if at >= step else 0
        match kind:
            case 0:
                return
            case 1:
                more = left
            case 2:
                more = up
            case 3:
                more = (left + up) // 2
            case 4:
                more = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            case _:
                damaged()
        row[at] = (row[at] + more) & 0xFF
