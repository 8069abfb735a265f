"""The sheet for the console: everything that a protocol asks is on it, in both languages, and it needs no network."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from bs4 import BeautifulSoup
from reportlab.platypus import Paragraph

from bingcheng.core.errors import InputError
from bingcheng.core.finding import Trust
from bingcheng.outputs.language import Language
from bingcheng.outputs.protocol_sheet import pdf
from bingcheng.outputs.protocol_sheet.pdf import _in_fonts, pdf_sheet
from bingcheng.outputs.protocol_sheet.sheet import SheetFormat, sheet, write_sheet
from bingcheng.protocol.authoring.diff import limit_in_words
from bingcheng.protocol.library import protocol, protocols

DAY = date(2026, 11, 24)
english = Language.of("en")


@pytest.mark.parametrize("one", protocols(), ids=lambda one: one.id)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_each_protocol_has_a_sheet_with_all_that_it_asks(one, code):
    language = Language.of(code)
    page = BeautifulSoup(sheet(one, language, on=DAY), "html.parser")
    said = " ".join(page.get_text(" ").split())
    for criterion in one.criteria:
        assert " ".join(language.say(criterion.title).split()) in said
        assert " ".join(language.say(criterion.remedy).split()) in said
        if criterion.by_vendor is None:
            assert " ".join(language.say(limit_in_words(criterion)).split()) in said
    for role in one.roles:
        assert language.say(role.title) in said
    for source in one.sources.values():
        assert " ".join(source.citation.split()) in said
    assert page.html["lang"] == language.tag


def test_limits_by_vendor_stand_beside_the_vendor():
    page = BeautifulSoup(sheet(protocol("ct_volumetry_cqie"), english, on=DAY), "html.parser")
    values = [" ".join(one.get_text(" ").split()) for one in page.select("p.value")]
    assert "SIEMENS 230 mm" in values
    assert "GE STD" in values


def letters(words):
    """Words without what breaks lines, and without what the two fonts write in different ways."""
    return "".join(raised(words).split())


def raised(words):
    return words.translate(str.maketrans("⁻⁰⁴⁵⁶⁷⁸⁹", "−0456789"))


@pytest.mark.parametrize("one", protocols(), ids=lambda one: one.id)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_pdf_says_all_that_the_page_says(one, code, drawn):
    language = Language.of(code)
    pdf_sheet(one, language, on=DAY)
    said = letters("".join(drawn))
    page = BeautifulSoup(sheet(one, language, on=DAY), "html.parser").body
    for words in page.find_all(["h1", "h2", "p", "th", "span"]):
        part = letters(words.get_text(" "))
        assert part in said or all(letters(one) in said for one in words.stripped_strings), words


@pytest.fixture
def drawn(monkeypatch):
    """All paragraphs that are set, without markup."""
    found = []

    def kept(words, *arguments, **more):
        found.append(unescape(re.sub(r"<[^>]+>", "", words)))
        return Paragraph(words, *arguments, **more)

    monkeypatch.setattr(pdf, "Paragraph", kept)
    return found


def test_the_pdf_is_a4_in_pages_and_the_same_each_time(tmp_path):
    one = protocol("prostate_mpmri_pirads21")
    made = pdf_sheet(one, english, on=DAY)
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", made)) >= 2
    assert b"/MediaBox [ 0 0 595.2756 841.8898 ]" in made
    assert b"/FontFile" not in made  # no font is shipped
    assert pdf_sheet(one, english, on=DAY) == made
    write_sheet(tmp_path / "sheet.PDF", one, english, on=DAY)
    assert (tmp_path / "sheet.PDF").read_bytes() == made
    write_sheet(tmp_path / "sheet.out", one, english, on=DAY, form=SheetFormat.PDF)
    assert (tmp_path / "sheet.out").read_bytes() == made


def test_what_a_protocol_says_is_no_markup_of_the_pdf():
    hostile = protocol("ct_response_recist11").model_copy(update={"title": "<b>a & b</b> <img src='x'/> 10⁻³"})
    assert pdf_sheet(hostile, english, on=DAY).startswith(b"%PDF-")


def test_letters_that_helvetica_lacks_stand_in_a_font_that_has_them():
    assert _in_fonts("b ≥ 1000 s/mm²", "Helvetica") == 'b <font name="Symbol">≥</font> 1000 s/mm²'
    assert _in_fonts("重建 <1", "Helvetica") == '<font name="STSong-Light">重建</font> &lt;1'
    assert "<super>" in _in_fonts("10⁻⁶", "Helvetica")


def test_a_limit_that_was_not_checked_is_marked():
    one = protocol("ct_response_recist11")
    marked = sheet(one, english, on=DAY).count("</span> †")
    assert marked == sum(c.trust is Trust.UNVERIFIED for c in one.criteria)


def test_the_page_asks_the_network_for_nothing_and_escapes_what_it_is_given():
    one = protocol("ct_response_recist11")
    hostile = one.model_copy(update={"title": "<script>alert(1)</script>"})
    page = sheet(hostile, english, on=DAY)
    assert "<script" not in page
    assert "alert(1)" in unescape(page)
    assert not re.search(r"(src|href)\s*=|url\(|@import", page)
    assert "default-src 'none'" in page


def test_a_sheet_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"outputs\.cannot-write"):
        write_sheet(tmp_path / "file" / "sheet.html", protocol("ct_response_recist11"), english, on=DAY)


def test_a_sheet_takes_the_place_of_an_older_one_and_leaves_nothing_beside_it(tmp_path):
    for _ in range(2):
        write_sheet(tmp_path / "sheet.html", protocol("ct_response_recist11"), english, on=DAY)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]
