"""The sheet for the console: everything that a protocol asks is on it, in both languages, and it needs no network."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from bs4 import BeautifulSoup

from bingcheng.core.errors import InputError
from bingcheng.core.finding import Trust
from bingcheng.outputs.language import Language
from bingcheng.outputs.protocol_sheet.sheet import sheet, write_sheet
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
