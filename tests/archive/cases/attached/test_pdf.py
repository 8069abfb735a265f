"""A PDF keeps its pages as they are seen; whatever else it carries stays behind, or it is refused."""

from __future__ import annotations

import io
import time
import zlib

import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from tests.archive.cases.attached.made import CANARY, XMP, jpeg, leaks, picture

from bingcheng.archive.cases.attached import pdf
from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.core.errors import InputError

WORD = CANARY.encode()
WIDE = b"<FEFF" + CANARY.encode("utf-16-be").hex().upper().encode() + b">"
SEEN = b"BT /F1 12 Tf 20 20 Td (A liver) Tj ET"


def stream(about: bytes, data: bytes) -> bytes:
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (about, len(data), data)


def one_page(catalogue: bytes = b"", page: bytes = b"", resources: bytes = b"", **more: bytes) -> dict[int, bytes]:
    """The objects of a file of one page, by their numbers; `more` are others, called o9 and so on."""
    made = {
        1: b"<</Type /Catalog /Pages 2 0 R %s>>" % catalogue,
        2: b"<</Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 200 100] /Rotate 90>>",
        3: b"<</Type /Page /Parent 2 0 R /Contents 4 0 R /Resources <</Font <</F1 5 0 R>> %s>> %s>>"
        % (resources, page),
        4: stream(b"/Filter /FlateDecode", zlib.compress(SEEN)),
        5: b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
        8: b"<</Author (%s) /Title %s /Producer (x)>>" % (WORD, WIDE),
    }
    return made | {int(name[1:]): content for name, content in more.items()}


def filed(objects: dict[int, bytes], *, trailer: bytes = b"/Info 8 0 R", before: bytes = b"", prev: int = 0) -> bytes:
    """A file with a table (7.5.4); after `before`, whose table is at `prev`, as one of its updates."""
    made, places = bytearray(before or b"%PDF-1.4\n"), {}
    for number, content in objects.items():
        places[number] = len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    at = len(made)
    made += b"xref\n0 1\n0000000000 65535 f \n"
    made += b"".join(b"%d 1\n%010d 00000 n \n" % pair for pair in places.items())
    last = b"/Prev %d" % prev if prev else b""
    made += b"trailer\n<</Size 99 /Root 1 0 R %s %s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, last, at)
    return bytes(made)


def packed(objects: dict[int, bytes]) -> bytes:
    """The same with a stream of objects and a table in a stream, told by the row above (7.5.7, 7.5.8, 7.4.4.4)."""
    made = bytearray(b"%PDF-1.7\n")
    inner = {number: one for number, one in objects.items() if b"stream" not in one}
    offsets, body = [], b""
    for number, one in inner.items():
        offsets.append(b"%d %d" % (number, len(body)))
        body += one + b" "
    head = b" ".join(offsets) + b" "
    places = {number: (2, 50, at) for at, number in enumerate(inner)}
    data = zlib.compress(head + body)
    for number, one in {
        **{number: one for number, one in objects.items() if number not in inner},
        50: stream(b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(inner), len(head)), data),
    }.items():
        places[number] = (1, len(made), 0)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    at = len(made)
    rows = [
        bytes((kind,)) + second.to_bytes(3) + bytes((third,))
        for kind, second, third in (places.get(number, (0, 0, 0)) for number in range(51))
    ]
    above, table = bytes(5), b""
    for row in rows:
        table += b"\x02" + bytes((one - other) & 0xFF for one, other in zip(row, above, strict=True))
        above = row
    about = b"/Type /XRef /Size 51 /W [1 3 1] /Root 1 0 R /Info 8 0 R /Filter /FlateDecode"
    about += b" /DecodeParms <</Predictor 12 /Columns 5>>"
    made += b"51 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (stream(about, zlib.compress(table)), at)
    return bytes(made)


TELLING = one_page(
    catalogue=b"/Metadata 9 0 R /Lang (%s) /OpenAction <</S /JavaScript /JS (%s)>> /Outlines 10 0 R"
    b" /Names <</EmbeddedFiles <</Names [(a) 11 0 R]>> /JavaScript <</Names [(x) 13 0 R]>>>>" % (WORD, WORD),
    page=b"/Metadata 9 0 R /PieceInfo <</X <</Private (%s)>>>> /LastModified (D:2024) /Thumb 14 0 R"
    b" /Annots [<</Subtype /Link /A <</S /URI /URI (http://x/%s)>>>>]" % (WORD, WORD.replace(b" ", b"")),
    resources=b"/XObject <</I 14 0 R /J 15 0 R>> /Properties <</P <</T %s>>>> /Private (%s)" % (WIDE, WORD),
    o9=stream(b"/Type /Metadata /Subtype /XML", XMP),
    o10=b"<</First 12 0 R>>",
    o11=b"<</Type /Filespec /F (%s.txt) /EF <</F 16 0 R>>>>" % WORD,
    o12=b"<</Title %s>>" % WIDE,
    o13=b"<</S /JavaScript /JS (%s)>>" % WORD,
    o14=stream(b"/Subtype /Image /Width 24 /Height 48 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode"
               b" /Metadata 9 0 R /Name /%s" % WORD.replace(b" ", b"#20"), jpeg()),
    o15=stream(b"/Subtype /Form /BBox [0 0 9 9] /LastModified (D:1) /PieceInfo <</X (%s)>>" % WORD, b"0 0 m"),
    o16=stream(b"/Type /EmbeddedFile", WORD),
)  # fmt: skip
SAID = {
    *(Taken.DESCRIPTION, Taken.SCRIPTS, Taken.FILES, Taken.LINKS, Taken.HIDDEN, Taken.THUMBNAIL),
    *(Taken.CAMERA, Taken.PLACE, Taken.WORDS),
}


def contents(content: bytes) -> list[bytes]:
    """What each page is drawn with."""
    return [page.get_contents().get_data() for page in PdfReader(io.BytesIO(content), strict=True).pages]


@pytest.mark.parametrize("make", [filed, packed])
def test_the_pages_stay_and_all_that_tells_stays_behind(make):
    before = make(TELLING)
    assert leaks(before)
    file = cleaned("a", before)
    assert leaks(file.content) == []
    assert file.taken == SAID
    for word in (b"Metadata", b"JavaScript", b"/URI", b"PieceInfo", b"D:", b"Info", b"Exif", b"Photoshop"):
        assert word not in file.content, word
    assert contents(file.content) == [SEEN]
    assert file.content.count(b"/Rotate 90") == 1, "what a page inherits it has itself"
    again = cleaned("a", file.content)
    assert (again.content, again.taken) == (file.content, set())


def test_a_file_that_a_program_made_keeps_what_it_draws_with():
    made = io.BytesIO()
    drawing = canvas.Canvas(made)
    drawing.setAuthor(CANARY)
    drawing.bookmarkPage("a")
    drawing.addOutlineEntry(CANARY, "a")
    drawing.linkURL(f"http://x/{CANARY}", (0, 0, 9, 9))
    see_through = picture("RGBA")
    see_through.putalpha(128)
    drawing.drawImage(ImageReader(see_through), 20, 20, mask="auto")
    drawing.drawImage(ImageReader(io.BytesIO(jpeg())), 60, 60)
    drawing.linearGradient(0, 0, 9, 9, ("#ff0000", "#0000ff"))
    drawing.showPage()
    drawing.drawString(20, 20, "second")
    drawing.showPage()
    drawing.save()
    file = cleaned("a", made.getvalue())
    assert leaks(made.getvalue())
    assert leaks(file.content) == []
    assert contents(file.content) == contents(made.getvalue())
    for needed in (b"/SMask", b"/Shading", b"/DCTDecode", b"/Helvetica", b"/FunctionType"):
        assert needed in file.content, needed


def test_what_an_update_replaced_is_gone():
    first = filed(one_page(o9=b"(%s)" % WORD))
    at = first.rindex(b"xref\n0 1")
    file = cleaned("a", filed({4: stream(b"", SEEN + b" ")}, before=first, prev=at))
    assert contents(file.content) == [SEEN + b" "]
    assert leaks(file.content) == []


IMAGE = b"/XObject <</I 9 0 R>>"
FONT = b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica %s>>"


@pytest.mark.parametrize(
    ("objects", "drawn"),
    [
        (one_page(resources=IMAGE, o9=stream(b"/Subtype 10 0 R", b"%%%s\n0 0 m" % WORD), o10=b"/Form"), b"0 0 m\n"),
        (one_page(resources=IMAGE, o9=stream(b"/Subtype /PS", WORD)), None),
        (one_page(resources=IMAGE, o9=stream(b"", WORD)), None),
        (one_page(o5=FONT % b"/ToUnicode 9 0 R", o9=stream(b"", b"%%!PS %s\n/CMap" % WORD)), b"\n/CMap"),
        (one_page(o5=FONT % b"/Encoding 9 0 R", o9=stream(b"/Type /CMap", b"/C %%%s\r(%%) x" % WORD)), b"/C \r(%) x"),
        (one_page(o5=FONT % b"/CharProcs <</a 9 0 R>>", o9=stream(b"", b"1 0 d0 (%s) x" % WORD)), b"1 0 d0\n"),
        (
            one_page(
                resources=b"/ColorSpace <</C [/Separation /x /DeviceGray 9 0 R]>>",
                o9=stream(b"/FunctionType 4 /Domain [0 1] /Range [0 1]", b"{%%%s\n1 exch}" % WORD),
            ),
            b"{\n1 exch}",
        ),
    ],
    ids=["form", "postscript", "no kind", "letters", "encoding", "glyph", "function"],
)
def test_of_a_stream_goes_over_only_what_draws(objects, drawn):
    file = cleaned("a", filed(objects))
    assert leaks(file.content) == []
    assert Taken.HIDDEN in file.taken
    assert contents(file.content) == [SEEN]
    said = [one.get_data() for one in all_streams(file.content)]
    assert said == [SEEN] if drawn is None else drawn in said


def all_streams(content: bytes) -> list[StreamObject]:
    """The streams of a file, in the order of their numbers."""
    file = PdfReader(io.BytesIO(content), strict=True)
    found = [file.get_object(number) for number in sorted(file.xref[0])]
    return [one for one in found if isinstance(one, StreamObject)]


def test_words_stay_only_where_something_is_drawn_by_them():
    table = b"<FEFFD82829>"  # begins like text, and is none
    described = b"/FontDescriptor <</FontFamily (%s) /CharSet (%s) /Flags (%s)>>" % (WORD, WORD, WORD)
    objects = one_page(
        page=b"/MediaBox [(%s) 0 9 9] /UserUnit (%s) /Group <</I [(%s)] /S %s>>" % (WORD, WORD, WORD, WIDE),
        resources=b"/ColorSpace <</C [/Indexed /DeviceRGB 1 %s]>>" % table,
        o5=FONT % (described + b" /CIDSystemInfo <</Registry (Adobe) /Ordering (GB1)>>"),
    )
    file = cleaned("a", filed(objects))
    assert leaks(file.content) == []
    resources = PdfReader(io.BytesIO(file.content), strict=True).pages[0]["/Resources"]
    assert resources["/ColorSpace"]["/C"][3].original_bytes == b"\xfe\xff\xd8\x28\x29"
    assert resources["/Font"]["/F1"]["/CIDSystemInfo"] == {"/Registry": "Adobe", "/Ordering": "GB1"}


LAYER = b"/OCProperties <</OCGs [9 0 R] /D <<>>>>"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (filed(one_page(page=b"/Annots [<</Subtype /FreeText /Contents (x)>>]")), "comments"),
        (filed(one_page(page=b"/Annots [<</Subtype /Link>> 9 0 R]", o9=b"<</Subtype /Widget>>")), "comments"),
        (filed(one_page(catalogue=b"/AcroForm <</Fields [9 0 R]>>")), "comments"),
        (filed(one_page(catalogue=LAYER, o9=b"<</Type /OCG>>")), "layers"),
        (filed(one_page(catalogue=b"/Collection <<>>")), "folder"),
        (filed(one_page(), trailer=b"/Encrypt <<>>"), "encrypted"),
        (filed(one_page(resources=b"/XObject <</I 9 0 R>>", o9=stream(b"/Filter /JPXDecode", b"x"))), "packed"),
        (filed(one_page(resources=b"/XObject <</I 9 0 R>>", o9=stream(b"/F (a.jpg)", b""))), "another file"),
        (filed(one_page(o4=b"<</Length 9 0 R>>\nstream\nx\nendstream", o9=b"9 0 R")), "damaged"),
        (filed(one_page(o2=b"<</Kids [2 0 R]>>")), "damaged"),
        (filed(one_page(o5=b"[" * 5000)), "damaged"),
        (b"%PDF-1.4\n", "damaged"),
        (filed(one_page(o4=stream(b"/Filter /FlateDecode", zlib.compress(bytes(25_000_000), 1)))), "too large"),
        (filed(one_page(o4=stream(b"/Filter /FlateDecode", b"\x78\x9c" + b"\xff" * 9))), "damaged"),
    ],
)
def test_what_could_not_be_vouched_for_is_refused_with_a_reason(content, why):
    with pytest.raises(InputError) as refused:
        cleaned("a", content)
    assert refused.value.code == "archive.attachment-not-cleaned"
    assert why in str(refused.value)


@pytest.mark.parametrize("make", [filed, packed])
def test_whatever_is_wrong_with_a_file_it_is_refused_or_clean(make):
    whole = make(TELLING)
    for at in range(10, len(whole), max(1, len(whole) // 150)):
        for broken in (whole[:at], whole[:at] + b"\xff" + whole[at + 1 :], whole[:at] + b"9" + whole[at + 1 :]):
            try:
                made = cleaned("a", broken).content
            except InputError as error:
                assert error.code == "archive.attachment-not-cleaned"  # noqa: PT017 - either will do
            else:
                assert CANARY.encode() not in made


def test_time_is_up_also_while_objects_are_looked_for(monkeypatch):
    monkeypatch.setattr(pdf, "LONGEST_S", 0.1)
    many = b"".join(b"%d 0 obj<</Length 9>>stream\nendobj\n" % number for number in range(4000))
    begin_s = time.thread_time()
    with pytest.raises(InputError, match="too large"):
        cleaned("a", b"%PDF-1.4\n" + many)
    assert time.thread_time() - begin_s < 1.5, "looking for all takes three times as long"
