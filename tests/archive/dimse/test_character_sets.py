"""Texts in the character set of the question, as the standard's own examples write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.dimse.character_sets import encoder_of

CHINESE = "\\ISO 2022 IR 58"


def test_chinese_with_code_extensions_is_written_as_in_the_standard():
    # PS3.5 K.2: the designation comes anew in each component.
    encode = encoder_of(CHINESE)
    assert encode("Zhang^XiaoDong=张^小东=") == b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="


def test_korean_with_code_extensions_is_written_as_in_the_standard():
    # PS3.5 I.2
    assert encoder_of("\\ISO 2022 IR 149")("Hong^Gildong=洪^吉洞=홍^길동") == (
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
    )


def test_chinese_without_code_extensions_is_written_as_in_the_standard():
    # PS3.5 J.3 (GB18030) and J.4 (GBK)
    written = b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab="
    assert encoder_of("GB18030")("Wang^XiaoDong=王^小东=") == encoder_of("GBK")("Wang^XiaoDong=王^小东=") == written


@pytest.mark.parametrize("line", ["\\", "\r\n", "\f", "\t"])
def test_behind_what_resets_the_designation_it_comes_anew(line):
    assert encoder_of(CHINESE)(f"胸{line}平扫 A") == b"\x1b$)A\xd0\xd8" + line.encode() + b"\x1b$)A\xc6\xbd\xc9\xa8 A"


@pytest.mark.parametrize(
    "character_set",
    [
        "",
        "\\",
        "NONE SUCH",
        "ISO 2022 IR 58",
        "\\GB18030",
        "GB18030\\GBK",
        "ISO_IR 192\\GBK",
        "\\ISO 2022 IR 58\\X",
        "ISO_IR 13",
    ],
)
def test_what_is_none_or_can_not_be_used_so_has_no_encoder(character_set):
    assert encoder_of(character_set) is None


@pytest.mark.parametrize(
    ("character_set", "text"), [("GBK", "ö"), (CHINESE, "홍"), ("ISO_IR 100", "王"), ("ISO_IR 144", "ö")]
)
def test_a_letter_that_is_lacking_is_never_replaced(character_set, text):
    with pytest.raises(UnicodeEncodeError):
        encoder_of(character_set)(text)


@given(st.text(st.characters(codec="gb18030", exclude_categories=("Cc", "Co", "Cs")), max_size=20))
def test_all_that_gb18030_says_comes_back(text):
    assert encoder_of(" GB18030 ")(text).decode("gb18030") == text
