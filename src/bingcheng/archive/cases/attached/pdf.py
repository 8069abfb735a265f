"""A PDF of nothing but its pages as they are seen: made anew of what they are drawn with.

What goes over is told by a closed list of keys; all else stays behind: the Info dictionary and XMP, files, scripts,
links, earlier states, the private data of programs. What would change how a page looks, or what it shows, if it stayed
behind is refused: comments, form fields, layers. Printing makes them a part of the page. ISO 32000-1 (PDF 1.7).
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from bingcheng.archive.cases.attached.colour_profile import nameless
from bingcheng.archive.cases.attached.jpeg import clean_jpeg
from bingcheng.archive.cases.attached.pdf_file import MOST_OBJECTS, PdfFile
from bingcheng.archive.cases.attached.pdf_syntax import DEEPEST, Name, Real, Ref, Stream, Value, damaged, written
from bingcheng.archive.cases.attached.taken import Taken, refuse
from bingcheng.core.wording import text

MOST_PAGES = 5000
_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def _names(words: str) -> frozenset[Name]:
    return frozenset(Name(one.encode()) for one in words.split())


_INHERITED = _names("Resources MediaBox CropBox Rotate")
_PAGE = _INHERITED | _names("Contents BleedBox TrimBox ArtBox Group UserUnit")
_CATEGORIES = _names("ExtGState ColorSpace Pattern Shading XObject Font")
# Tables 5 and 8 to 13 (streams), 40 (functions), 57 to 62 (graphics state, colour spaces), 74 to 84 (patterns and
# shadings), 89 and 95 (pictures and forms), 110 to 124 (fonts), 144 and 147 (transparency).
_DRAWN_WITH = _names("""
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
    FontName FontFamily FontStretch FontWeight Flags ItalicAngle Ascent Descent Leading CapHeight XHeight StemV StemH
    AvgWidth MaxWidth MissingWidth FontFile FontFile2 FontFile3 CharSet CIDSet Style Panose FD Length1 Length2 Length3
    G BC CS I
""")
_NAMED = _names("CharProcs Colorants")
"""Dictionaries whose keys are names of things, and not of a closed list."""
_PACKED = _names("FlateDecode LZWDecode RunLengthDecode CCITTFaxDecode JBIG2Decode ASCII85Decode ASCIIHexDecode")
_JPEG = (b"DCTDecode", b"DCT")
_FLATE, _ICC = Name(b"FlateDecode"), Name(b"ICCBased")
_DEVICE = MappingProxyType({1: Name(b"DeviceGray"), 3: Name(b"DeviceRGB"), 4: Name(b"DeviceCMYK")})
_RESOURCES, _FREE, _CLOSED = "resources", "free", "closed"
_LEFT: Mapping[str, Taken] = MappingProxyType(
    {
        **dict.fromkeys(("Metadata", "PieceInfo", "LastModified", "SpiderInfo", "Info"), Taken.DESCRIPTION),
        **dict.fromkeys(("OpenAction", "AA", "JavaScript"), Taken.SCRIPTS),
        **dict.fromkeys(("AF", "EmbeddedFiles"), Taken.FILES),
        **dict.fromkeys(("Outlines", "Dests", "Threads", "URI", "B"), Taken.LINKS),
        **dict.fromkeys(("StructTreeRoot", "Properties", "Alternates", "OPI", "Measure", "VP"), Taken.HIDDEN),
        "Thumb": Taken.THUMBNAIL,
    }
)
"""What may stay behind without anybody seeing it, and what is told of that."""
_LINK, _POPUP = Name(b"Link"), Name(b"Popup")


def clean_pdf(content: bytes) -> tuple[bytes, frozenset[Taken]]:
    """The pages alone, and what stayed behind.

    Raises
    ------
    InputError
        ``archive.attachment-not-cleaned``.
    """
    made = _Copy(PdfFile(content))
    return made.written(), frozenset(made.taken)


class _Copy:
    """The pages of one file on their way into another."""

    def __init__(self, file: PdfFile) -> None:
        self._file = file
        self._numbers: dict[tuple[int, str], int] = {}
        self._waiting: deque[tuple[int, Value, str]] = deque()
        self._made: dict[int, Value] = {}
        self._last = 2
        self.taken: set[Taken] = set()
        self._note(file.trailer)
        catalogue = file.get(file.trailer.get(Name(b"Root")))
        if not isinstance(catalogue, dict):
            damaged()
        self._check(catalogue)
        pages = [self._page(page) for page in self._pages(catalogue.get(Name(b"Pages")), {}, set())]
        if not pages:
            damaged()
        kids: list[Value] = [self._new(page) for page in pages]
        self._made[1] = {Name(b"Type"): Name(b"Catalog"), Name(b"Pages"): Ref(2)}
        self._made[2] = {Name(b"Type"): Name(b"Pages"), Name(b"Kids"): kids, Name(b"Count"): len(kids)}
        while self._waiting:
            number, value, way = self._waiting.popleft()
            self._made[number] = self._value(file.get(value), way)

    def written(self) -> bytes:
        """The file."""
        parts, at, places = [_HEADER], len(_HEADER), []
        for number in range(1, self._last + 1):
            places.append(at)
            part = b"%d 0 obj\n%s\nendobj\n" % (number, b"".join(written(self._made[number])))
            parts.append(part)
            at += len(part)
        size = self._last + 1
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        trailer: Value = {Name(b"Size"): size, Name(b"Root"): Ref(1)}
        parts.append(b"xref\n0 %d\n0000000000 65535 f \n%strailer\n" % (size, table))
        parts.append(b"".join(written(trailer)) + b"\nstartxref\n%d\n%%%%EOF\n" % at)
        return b"".join(parts)

    def _check(self, catalogue: dict[Name, Value]) -> None:
        """Refuse what would look different, or show what was hidden, without what stays behind."""
        layers = self._file.entry(catalogue.get(Name(b"OCProperties")), b"OCGs")
        fields = self._file.entry(catalogue.get(Name(b"AcroForm")), b"Fields")
        if layers:
            refuse(text("it has layers, which may hide something"))
        if fields:
            refuse(text("it has comments or fields of a form"))
        if Name(b"Collection") in catalogue:
            refuse(text("it is a folder of other files"))
        self._note(catalogue)
        names = self._file.get(catalogue.get(Name(b"Names")))
        self._note(names if isinstance(names, dict) else {})

    def _note(self, about: dict[Name, Value]) -> None:
        self.taken |= {_LEFT[one] for key in about if (one := key.decode("latin-1")) in _LEFT}

    def _pages(
        self, value: Value, above: dict[Name, Value], seen: set[int], depth: int = 0
    ) -> Iterator[dict[Name, Value]]:
        """The pages in their order, each with what it inherits (7.7.3.4)."""
        if isinstance(value, Ref):
            if value.number in seen:
                damaged()
            seen.add(value.number)
        node = self._file.get(value)
        if not isinstance(node, dict) or depth > DEEPEST or len(seen) > 4 * MOST_PAGES:
            damaged()
        inherited = above | {key: one for key, one in node.items() if key in _INHERITED}
        kids = self._file.get(node.get(Name(b"Kids")))
        if isinstance(kids, list):
            for kid in kids:
                yield from self._pages(kid, inherited, seen, depth + 1)
        else:
            yield inherited | node

    def _page(self, page: dict[Name, Value]) -> dict[Name, Value]:
        self._note(page)
        notes = self._file.get(page.get(Name(b"Annots")))
        kinds = [self._file.entry(one, b"Subtype") for one in notes] if isinstance(notes, list) else []
        if set(kinds) - {_LINK, _POPUP}:
            refuse(text("it has comments or fields of a form"))
        self.taken |= {Taken.LINKS} if kinds else set()
        kept = {key: self._value(one, _way(key)) for key, one in page.items() if key in _PAGE}
        return {Name(b"Type"): Name(b"Page"), Name(b"Parent"): Ref(2), **kept}

    def _new(self, value: Value) -> Ref:
        self._last += 1
        if self._last > MOST_OBJECTS:
            damaged()
        self._made[self._last] = value
        return Ref(self._last)

    def _value(self, value: Value, way: str) -> Value:
        """A value as it goes over, of a dictionary what its way lets pass; what is referred to goes over later."""
        match value:
            case Ref():
                key = (value.number, way)
                if key not in self._numbers:
                    self._numbers[key] = self._new(None).number
                    self._waiting.append((self._numbers[key], value, way))
                return Ref(self._numbers[key])
            case Stream():
                return self._stream(value)
            case dict():
                return self._dictionary(value, way)
            case [Name() as kind, profile] if kind == _ICC:
                return self._colours(profile)
            case list():
                return [self._value(one, _CLOSED) for one in value]
            case _:
                return value

    def _dictionary(self, about: dict[Name, Value], way: str) -> dict[Name, Value]:
        self._note(about)
        if way == _FREE:
            return {key: self._value(one, _CLOSED) for key, one in about.items()}
        if way == _RESOURCES:
            return {key: self._value(one, _FREE) for key, one in about.items() if key in _CATEGORIES}
        return {key: self._value(one, _way(key)) for key, one in about.items() if key in _DRAWN_WITH}

    def _stream(self, stream: Stream) -> Stream:
        if Name(b"F") in stream.about:
            refuse(text("a part of it is in another file"))
        filters, about, data = self._file.filters(stream.about), self._dictionary(stream.about, _CLOSED), stream.data
        if filters and filters[-1] in _JPEG:
            data, found = clean_jpeg(self._file.unpacked(stream, filters[:-1]), bare=True)
            self.taken |= found
            about[Name(b"Filter")] = Name(_JPEG[0])
            about |= _last_parameters(self._file, stream.about, about)
        elif set(filters) - _PACKED:
            refuse(text("a part of it is packed in a way that isn't understood"))
        return Stream(about, data)

    def _colours(self, profile: Value) -> Value:
        """A colour space by its profile (8.6.5.5); without one that is understood, by how many colours it has."""
        stream, count = self._file.get(profile), self._file.entry(profile, b"N")
        if not isinstance(stream, Stream) or not isinstance(count, int) or count not in _DEVICE:
            damaged()
        held = (profile.number, "profile") if isinstance(profile, Ref) else None
        if held is not None and held in self._numbers:
            return [_ICC, Ref(self._numbers[held])]
        before = self._file.unpacked(stream, self._file.filters(stream.about))
        after = nameless(before)
        self.taken |= {Taken.PROFILE} if after != before else set()
        if after is None:
            return _DEVICE[count]
        about: dict[Name, Value] = {Name(b"N"): count, Name(b"Filter"): _FLATE}
        made = self._new(Stream(about, zlib.compress(after)))
        if held is not None:
            self._numbers[held] = made.number
        return [_ICC, made]


def _way(key: Name) -> str:
    """What passes of a dictionary that stands under a key."""
    if key == b"Resources":
        return _RESOURCES
    return _FREE if key in _NAMED else _CLOSED


def _last_parameters(file: PdfFile, before: dict[Name, Value], about: dict[Name, Value]) -> dict[Name, Value]:
    """How the last filter unpacks; those before it are gone."""
    about.pop(Name(b"DecodeParms"), None)
    said = file.get(before.get(Name(b"DecodeParms")))
    last = file.get(said[-1]) if isinstance(said, list) and said else said
    change = file.entry(last, b"ColorTransform")
    return {Name(b"DecodeParms"): {Name(b"ColorTransform"): change}} if isinstance(change, int | Real) else {}
