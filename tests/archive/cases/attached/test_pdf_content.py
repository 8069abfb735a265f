"""What draws goes over as it is; what is never drawn, whatever it says, does not."""

from __future__ import annotations

import pytest
from tests.archive.cases.attached.made import CANARY, jpeg, leaks

from bingcheng.archive.cases.attached.pdf_content import clean_drawing, without_comments
from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.core.errors import InputError

WORD = CANARY.encode()
HIDDEN = {Taken.HIDDEN}


@pytest.mark.parametrize(
    "drawing",
    [
        b"",
        b"q 1 0 0 RG .5 -2. 10 50 re B*\r\nQ\tS",
        b"BT /F1 12 Tf (50% of (it) \\(x\\) \\\\) Tj T* [(A) -200 <42 43>]TJ (x) ' 1 2 (y)\" ET",
        b"/P <</MCID 0>> BDC (A)Tj EMC /Artifact BMC EMC",
        b"[3 2] 0 d /Cs1 cs 0.1 scn /Im0 Do /Sh sh BX EX",
    ],
)
def test_plain_drawing_goes_over_byte_for_byte(drawing):
    assert clean_drawing(drawing) == (drawing, frozenset())


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        (b"0 0 m % %s\n1 1 l S", [b"0 0 m", b"1 1 l", b"S"]),
        (b"/Span <</ActualText (%s) /MCID 1>> BDC (A) Tj EMC", [b"<41> Tj"]),
        (b"/Span <</Alt (%s)>> DP 0 0 m", [b"0 0 m"]),
        (b"(%s) foo 0 0 m", [b"0 0 m"]),
        (b"0 0 m (%s) 1 1 l S (%s)", [b"0 0 m", b"1 1 l", b"S"]),
        (b"[(%s)] 0 d (%s) n (%s) /F1 2 Tf", [b"0 d", b"n", b"/F1 2 Tf"]),
        (b"<</T (%s)>> (A) Tj", [b"<41> Tj"]),
        (b"[[(%s)] 3] TJ S", [b"TJ", b"S"]),
        (b"q true (%s) false Q", [b"q", b"Q"]),
    ],
)
def test_words_that_nobody_sees_are_taken_out(hidden, left):
    before = hidden.replace(b"%s", WORD)
    after, _ = clean_drawing(before)
    assert leaks(before)
    assert leaks(after) == []
    assert [b" ".join(line.split()) for line in after.splitlines()] == left
    assert clean_drawing(after)[0] == after, "a second time nothing is left to do"


@pytest.mark.parametrize(
    "told", [b"%x\n0 0 m", b"/Span <</Alt (x)>> BDC EMC", b"/Span /P1 BDC (x) foo EMC", b"1 foo S"]
)
def test_what_was_taken_out_is_told(told):
    assert clean_drawing(told)[1] == HIDDEN


def test_only_marks_with_words_are_told_not_a_percent_sign_that_is_shown():
    assert clean_drawing(b"/P <</MCID 0 >> BDC (50%) Tj /A#20B gs EMC q") == (
        b"<353025> Tj\n/A#20B gs\nq\n",
        frozenset(),
    )


def inline(about: bytes, data: bytes) -> bytes:
    return b"q\nBI %s ID %s\nEI\nQ\n" % (about, data)


@pytest.mark.parametrize(
    "data", [bytes(range(0, 192, 4)), b"EI Q(" * 9 + b"%ab"], ids=["pixels", "looks like operators"]
)
def test_a_picture_among_the_operators_keeps_its_bytes_and_loses_its_words(data):
    about = b"/W 4 /H 4 /CS /RGB /BPC 8 /D [0 1 0 1 0 1]"
    more = b"/Nam (%s) /Intent (%s) /DP <</K -1 /X (%s)>>" % (WORD, WORD, WORD)
    after, _ = clean_drawing(inline(about + more, data))
    assert leaks(after) == []
    assert b"ID " + data in after
    assert all(word in after for word in (b"/W 4", b"/CS /RGB", b"/BPC 8", b"/K -1"))
    assert clean_drawing(after)[0] == after


def test_of_a_pictures_colours_the_table_stays():
    table = b"\xfe\xff\xd8()\x80"  # no text, though it begins as one
    about = b"/W 1 /H 1 /BPC 8 /CS [/I /RGB 1 <%s>] /D [(%s) 1]" % (table.hex().encode(), WORD)
    after, _ = clean_drawing(inline(about, b"\1"))
    assert leaks(after) == []
    assert table.hex().encode() in after.lower()


def test_a_jpeg_among_the_operators_loses_what_it_tells():
    before = jpeg()
    before = before[: before.rindex(b"\xff\xd9") + 2]
    after, taken = clean_drawing(inline(b"/W 24 /H 48 /CS /RGB /BPC 8 /F /DCT", before))
    assert leaks(before)
    assert leaks(after) == []
    assert b"ID \xff\xd8" in after
    assert {Taken.CAMERA, Taken.WORDS, Taken.PLACE} <= taken


@pytest.mark.parametrize("filters", [b"/JPX", b"[/A85 /DCT]", b"[/Fl /Unknown]", b"(x)", b"[(x)]"])
def test_a_picture_that_is_packed_as_nobody_knows_is_refused(filters):
    with pytest.raises(InputError) as refused:
        clean_drawing(inline(b"/W 1 /H 1 /CS /G /BPC 8 /F %s" % filters, b"\xff\xd8\xff\xd9~>"))
    assert refused.value.code == "archive.attachment-not-cleaned"
    assert "packed" in str(refused.value)


def test_a_program_keeps_its_strings_and_loses_its_comments():
    before = b"%%!PS %s\n/A (50%% (x%%y) \\) %%) def %%%s\r<0041> <25>" % (WORD, WORD)
    assert without_comments(before) == b"\n/A (50% (x%y) \\) %) def \r<0041> <25>"
