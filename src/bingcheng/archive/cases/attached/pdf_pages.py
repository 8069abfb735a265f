"""The pages of a PDF on their way into a new one: what goes over is told by a closed list of keys.

All else stays behind: the Info dictionary and XMP, files, scripts, links, earlier states, the private data of programs.
What would change how a page looks, or what it shows, if it stayed behind is refused: comments, form fields, layers.
Printing makes them a part of the page. ISO 32000-1 (PDF 1.7).
"""

from __future__ import annotations

import io
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pypdf.errors import PdfReadError
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from bingcheng.archive.cases.attached.colour_profile import nameless
from bingcheng.archive.cases.attached.jpeg import clean_jpeg
from bingcheng.archive.cases.attached.pdf_content import clean_drawing, without_comments
from bingcheng.archive.cases.attached.pdf_file import DEEPEST, MOST_OBJECTS, PdfFile, names, too_much
from bingcheng.archive.cases.attached.taken import Taken, refuse
from bingcheng.core.wording import text

MOST_PAGES, LARGEST = 5000, 30_000_000
_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"

_INHERITED = names("Resources MediaBox CropBox Rotate")
_PAGE = _INHERITED | names("BleedBox TrimBox ArtBox Group UserUnit")
_CATEGORIES = names("ExtGState ColorSpace Pattern Shading XObject Font")
# Tables 5 and 8 to 13 (streams), 40 (functions), 57 to 62 (graphics state, colour spaces), 74 to 84 (patterns and
# shadings), 89 and 95 (pictures and forms), 110 to 124 (fonts), 144 and 147 (transparency).
_DRAWN_WITH = names("""
    Type Subtype S Filter DecodeParms
    Predictor Colors BitsPerComponent Columns EarlyChange K EndOfLine EncodedByteAlign Rows EndOfBlock BlackIs1
    DamagedRowsBeforeError JBIG2Globals ColorTransform
    FunctionType Domain Range Size BitsPerSample Order Encode Decode C0 C1 N Functions Bounds
    LW LC LJ ML D RI OP op OPM Font BG BG2 UCR UCR2 TR TR2 FL SM SA BM SMask CA ca AIS TK
    WhitePoint BlackPoint Gamma Matrix Alternate Colorants Process ColorSpace Components
    PatternType PaintType TilingType BBox XStep YStep Resources Shading ExtGState
    ShadingType Background AntiAlias Function Coords Extend BitsPerCoordinate BitsPerFlag VerticesPerRow
    Width Height Intent ImageMask Mask Interpolate SMaskInData Matte FormType Group
    BaseFont FirstChar LastChar Widths FontDescriptor Encoding ToUnicode DescendantFonts FontBBox FontMatrix CharProcs
    CIDSystemInfo DW W DW2 W2 CIDToGIDMap Registry Ordering Supplement CMapName WMode UseCMap BaseEncoding Differences
    FontName FontStretch FontWeight Flags ItalicAngle Ascent Descent Leading CapHeight XHeight StemV StemH
    AvgWidth MaxWidth MissingWidth FontFile FontFile2 FontFile3 Style Panose FD Length1 Length2 Length3
    G BC CS I
""")
_PACKED = names("FlateDecode LZWDecode RunLengthDecode CCITTFaxDecode JBIG2Decode ASCII85Decode ASCIIHexDecode")
_JPEG = ("/DCTDecode", "/DCT")
_UNPACKED = names("FlateDecode ASCII85Decode ASCIIHexDecode LZWDecode RunLengthDecode")
"""How a stream may be packed of which not only the bytes go over, but what they say."""
_DEVICE = MappingProxyType({1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"})
_RESOURCES, _FREE, _CLOSED, _GLYPHS = "resources", "free", "closed", "glyphs"
"""What passes of a dictionary: categories; any name, as pages call things; the closed list; glyphs, by any name."""
_DRAWING, _PROGRAM, _DATA = "drawing", "program", "data"
"""What a stream is where it stands, if it doesn't say so itself: operators; PostScript; nothing but numbers and bytes,
as which alone a string passes too."""
_WAYS: Mapping[str, str] = MappingProxyType(
    {
        "/Resources": _RESOURCES,
        "/Colorants": _FREE,
        "/CharProcs": _GLYPHS,
        **dict.fromkeys(names("ToUnicode Encoding UseCMap"), _PROGRAM),
        **dict.fromkeys(names("FontFile FontFile2 FontFile3 CIDToGIDMap JBIG2Globals"), _DATA),
        **dict.fromkeys(names("Registry Ordering Panose"), _DATA),
    }
)
_LEFT: Mapping[str, Taken] = MappingProxyType(
    {
        **dict.fromkeys(names("Metadata PieceInfo LastModified SpiderInfo Info"), Taken.DESCRIPTION),
        **dict.fromkeys(names("OpenAction AA JavaScript"), Taken.SCRIPTS),
        **dict.fromkeys(names("AF EmbeddedFiles"), Taken.FILES),
        **dict.fromkeys(names("Outlines Dests Threads URI B"), Taken.LINKS),
        **dict.fromkeys(names("StructTreeRoot Properties Alternates OPI Measure VP"), Taken.HIDDEN),
        "/Thumb": Taken.THUMBNAIL,
    }
)
"""What may stay behind without anybody seeing it, and what is told of that."""


def pages_alone(file: PdfFile) -> tuple[bytes, frozenset[Taken]]:
    """A new file of the pages, and what stayed behind.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    made = _Copy(file)
    return made.written(), frozenset(made.taken)


class _Copy:
    """The pages of one file on their way into another."""

    def __init__(self, file: PdfFile) -> None:
        self._file = file
        self._numbers: dict[tuple[int, int, str], int] = {}
        self._waiting: deque[tuple[int, IndirectObject, str]] = deque()
        self._made: dict[int, PdfObject] = {}
        self._last = 2
        self.taken: set[Taken] = set()
        self._note(file.trailer)
        catalogue = file.entry(file.trailer, "/Root")
        if not isinstance(catalogue, DictionaryObject):
            raise PdfReadError("no catalogue")
        self._check(catalogue)
        pages = [self._page(page) for page in self._pages(catalogue.get("/Pages"), {}, set())]
        if not pages:
            raise PdfReadError("no pages")
        kids = ArrayObject([self._new(page) for page in pages])
        self._made[1] = _dictionary({"/Type": NameObject("/Catalog"), "/Pages": _reference(2)})
        self._made[2] = _dictionary({"/Type": NameObject("/Pages"), "/Kids": kids, "/Count": NumberObject(len(kids))})
        while self._waiting:
            number, value, way = self._waiting.popleft()
            self._made[number] = self._value(file.get(value), way)

    def written(self) -> bytes:
        """The file (7.5): the same objects make the same bytes, and it has no identifier.

        Raises
        ------
        InputError
            ``archive.attachment-not-cleaned``: it would be too large.
        """
        stream, places = io.BytesIO(_HEADER), []
        stream.seek(0, io.SEEK_END)
        for number in range(1, self._last + 1):
            places.append(stream.tell())
            stream.write(b"%d 0 obj\n" % number)
            self._made[number].write_to_stream(stream)
            stream.write(b"\nendobj\n")
            if stream.tell() > LARGEST:
                too_much()
        at, size = stream.tell(), self._last + 1
        stream.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        stream.writelines(b"%010d 00000 n \n" % place for place in places)
        stream.write(b"trailer\n")
        _dictionary({"/Size": NumberObject(size), "/Root": _reference(1)}).write_to_stream(stream)
        stream.write(b"\nstartxref\n%d\n%%%%EOF\n" % at)
        return stream.getvalue()

    def _check(self, catalogue: DictionaryObject) -> None:
        """Refuse what would look different, or show what was hidden, without what stays behind."""
        if self._file.entry(catalogue.get("/OCProperties"), "/OCGs"):
            refuse(text("it has layers, which may hide something"))
        if self._file.entry(catalogue.get("/AcroForm"), "/Fields"):
            refuse(text("it has comments or fields of a form"))
        if "/Collection" in catalogue:
            refuse(text("it is a folder of other files"))
        self._note(catalogue)
        names = self._file.entry(catalogue, "/Names")
        self._note(names if isinstance(names, DictionaryObject) else {})

    def _note(self, about: Mapping[str, object]) -> None:
        self.taken |= {_LEFT[key] for key in about if key in _LEFT}

    def _pages(
        self, value: object, above: dict[str, PdfObject], seen: set[int], depth: int = 0
    ) -> Iterator[dict[str, PdfObject]]:
        """The pages in their order, each with what it inherits (7.7.3.4)."""
        if isinstance(value, IndirectObject):
            if value.idnum in seen:
                raise PdfReadError("a page within itself, or twice")
            seen.add(value.idnum)
        node = self._file.get(value)
        if not isinstance(node, DictionaryObject) or depth > DEEPEST:
            raise PdfReadError("no page")
        if len(seen) > 4 * MOST_PAGES:
            too_much()
        inherited = above | {key: one for key, one in node.items() if key in _INHERITED}
        kids = self._file.entry(node, "/Kids")
        if isinstance(kids, ArrayObject):
            for kid in kids:
                yield from self._pages(kid, inherited, seen, depth + 1)
        else:
            yield inherited | node

    def _page(self, page: dict[str, PdfObject]) -> DictionaryObject:
        self._note(page)
        notes = self._file.get(page.get("/Annots"))
        kinds = [self._file.entry(one, "/Subtype") for one in notes] if isinstance(notes, ArrayObject) else []
        if set(map(str, kinds)) - {"/Link", "/Popup"}:
            refuse(text("it has comments or fields of a form"))
        self.taken |= {Taken.LINKS} if kinds else set()
        kept = {key: self._value(one, _way(key)) for key, one in page.items() if key in _PAGE}
        if "/Contents" in page:
            kept["/Contents"] = self._contents(page["/Contents"])
        return _dictionary({"/Type": NameObject("/Page"), "/Parent": _reference(2), **kept})

    def _contents(self, value: PdfObject) -> PdfObject:
        """What a page is drawn by: a stream, or several that are one (7.8.2), which is what they become."""
        found = self._file.get(value)
        if not isinstance(found, ArrayObject):
            return self._value(value, _DRAWING)
        if len(found) == 1:
            return self._value(found[0], _DRAWING)
        parts = [one for part in found if isinstance(one := self._file.get(part), StreamObject)]
        return self._new(self._drawn(b"\n".join(self._unpacked(one) for one in parts)))

    def _new(self, value: PdfObject) -> IndirectObject:
        self._last += 1
        if self._last > MOST_OBJECTS:
            too_much()
        self._made[self._last] = value
        return _reference(self._last)

    def _value(self, value: object, way: str, depth: int = 0) -> PdfObject:
        """A value as it goes over, of a dictionary what its way lets pass; what is referred to goes over later."""
        if depth > DEEPEST:
            raise PdfReadError("too deep")
        match value:
            case IndirectObject():
                key = (value.idnum, value.generation, way)
                if key not in self._numbers:
                    self._numbers[key] = self._new(NullObject()).idnum
                    self._waiting.append((self._numbers[key], value, way))
                return _reference(self._numbers[key])
            case StreamObject():
                return self._stream(value, way)
            case DictionaryObject():
                return self._kept(value, way, depth)
            case ArrayObject():
                return self._list(value, depth)
            case TextStringObject() | ByteStringObject():
                return ByteStringObject(value.original_bytes) if way == _DATA else NullObject()
            case _:
                return value if isinstance(value, PdfObject) else NullObject()

    def _list(self, values: ArrayObject, depth: int) -> PdfObject:
        if values[:1] == ["/ICCBased"] and len(values) == 2:
            return self._colours(values[1])
        ways = [_CLOSED] * len(values)
        if values[:1] == ["/Indexed"]:  # its table is the last, a string or a stream (8.6.6.3)
            ways[-1] = _DATA
        return ArrayObject([self._value(one, way, depth + 1) for one, way in zip(values, ways, strict=True)])

    def _kept(self, about: DictionaryObject, way: str, depth: int = 0) -> DictionaryObject:
        under = {_RESOURCES: _FREE, _GLYPHS: _DRAWING, _FREE: _CLOSED}.get(way)
        kept: Mapping[str, object] = about
        if way not in (_FREE, _GLYPHS):
            self._note(about)
            passes = _CATEGORIES if way == _RESOURCES else _DRAWN_WITH
            kept = {key: one for key, one in about.items() if key in passes}
        return _dictionary({key: self._value(one, under or _way(key), depth + 1) for key, one in kept.items()})

    def _stream(self, stream: StreamObject, way: str) -> PdfObject:
        """A stream as what it is: where nothing is drawn with it, it stays behind."""
        if "/F" in stream:
            refuse(text("a part of it is in another file"))
        filters = self._file.filters(stream)
        if filters and filters[-1] in _JPEG:
            return self._picture(stream)
        if set(filters) - _PACKED:
            refuse(text("a part of it is packed in a way that isn't understood"))
        match self._role(stream, way):
            case "drawing":
                return self._drawn(self._unpacked(stream), self._kept(stream, _CLOSED))
            case "program":
                before = self._unpacked(stream)
                after = without_comments(before)
                self.taken |= {Taken.HIDDEN} if after != before else set()
                return _packed(self._kept(stream, _CLOSED), after)
            case "data":
                return _stream(self._kept(stream, _CLOSED), StreamObject.get_data(stream))
        self.taken.add(Taken.HIDDEN)
        return NullObject()

    def _role(self, stream: StreamObject, way: str) -> str:
        """What a stream is: forms, patterns and glyphs are drawn like pages (8.10, 8.7.3, 9.6.5)."""
        said = {key: str(self._file.entry(stream, key)) for key in ("/Subtype", "/PatternType", "/FunctionType")}
        if said["/Subtype"] == "/Form" or said["/PatternType"] == "1":
            return _DRAWING
        if said["/FunctionType"] == "4":
            return _PROGRAM
        if said["/Subtype"] == "/Image" or said["/FunctionType"] == "0" or "/ShadingType" in stream:
            return _DATA
        return way

    def _drawn(self, before: bytes, about: DictionaryObject | None = None) -> StreamObject:
        after, found = clean_drawing(before)
        self.taken |= found
        return _packed(about or {}, after)

    def _picture(self, stream: StreamObject) -> StreamObject:
        """A JPEG, unpacked of all that it is packed in; how its colours are coded stays."""
        if set(self._file.filters(stream)[:-1]) - _UNPACKED:
            refuse(text("a part of it is packed in a way that isn't understood"))
        said = self._file.entry(stream, "/DecodeParms")
        last = self._file.get(said[-1]) if isinstance(said, ArrayObject) and said else said
        change = self._file.entry(last, "/ColorTransform")
        data, found = clean_jpeg(stream.get_data(), bare=True)
        self.taken |= found
        about = {**self._kept(stream, _CLOSED), "/Filter": NameObject(_JPEG[0])}
        about.pop("/DecodeParms", None)
        if isinstance(change, NumberObject):
            about["/DecodeParms"] = _dictionary({"/ColorTransform": change})
        return _stream(about, data)

    def _unpacked(self, stream: StreamObject) -> bytes:
        if set(self._file.filters(stream)) - _UNPACKED:
            refuse(text("a part of it is packed in a way that isn't understood"))
        return stream.get_data()

    def _colours(self, profile: object) -> PdfObject:
        """A colour space by its profile (8.6.5.5); without one that is understood, by how many colours it has."""
        stream, count = self._file.get(profile), self._file.entry(profile, "/N")
        if not isinstance(stream, StreamObject) or not isinstance(count, NumberObject) or count not in _DEVICE:
            raise PdfReadError("no colour profile")
        held = (profile.idnum, profile.generation, "profile") if isinstance(profile, IndirectObject) else None
        if held is not None and held in self._numbers:
            return ArrayObject([NameObject("/ICCBased"), _reference(self._numbers[held])])
        before = self._unpacked(stream)
        after = nameless(before)
        self.taken |= {Taken.PROFILE} if after != before else set()
        if after is None:
            return NameObject(_DEVICE[count])
        made = self._new(_packed({"/N": count}, after))
        if held is not None:
            self._numbers[held] = made.idnum
        return ArrayObject([NameObject("/ICCBased"), made])


def _way(key: str) -> str:
    """What passes of a dictionary that stands under a key."""
    return _WAYS.get(key, _CLOSED)


def _reference(number: int) -> IndirectObject:
    return IndirectObject(number, 0, None)


def _dictionary(about: Mapping[str, PdfObject]) -> DictionaryObject:
    return DictionaryObject({NameObject(key): one for key, one in about.items()})


def _packed(about: Mapping[str, PdfObject], data: bytes) -> StreamObject:
    kept = {key: one for key, one in about.items() if key not in ("/Filter", "/DecodeParms")}
    return _stream({**kept, "/Filter": NameObject("/FlateDecode")}, zlib.compress(data))


def _stream(about: Mapping[str, PdfObject], data: bytes) -> StreamObject:
    """A stream of data as it is packed; its length is written with it."""
    made = StreamObject()
    made.update(_dictionary(about))
    made.set_data(data)
    return made
