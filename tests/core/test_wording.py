"""Sentences keep their template and facts until the reader's language is known."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.wording import Text, plain_number, text

names = st.text("abcdefgh", min_size=1, max_size=5)
facts = st.dictionaries(names, st.one_of(st.text(max_size=8), st.integers(), st.floats(allow_nan=False)), max_size=3)


def test_a_text_fills_its_places_in_english_by_itself():
    assert str(text("{count} slices of {thickness} mm", count=12, thickness=1.25)) == "12 slices of 1.25 mm"


def test_a_text_in_a_text_is_translated_too():
    translate = {"{what} is missing": "缺少{what}", "slice thickness": "层厚"}.__getitem__
    sentence = text("{what} is missing", what=text("slice thickness"))
    assert sentence.in_words(translate, plain_number) == "缺少层厚"


def test_numbers_are_written_by_the_reader():
    assert text("{value} mm", value=1234.5).in_words(str, lambda n: f"{n:.1f}".replace(".", ",")) == "1234,5 mm"


@given(st.text("abc", max_size=5), facts)
def test_json_and_copies_give_the_same_text_back(template, filled):
    sentence = Text(template, {**filled, "inner": Text("x", filled)})
    assert Text.from_json(sentence.as_json()) == sentence
    assert copy.deepcopy(sentence) == sentence


def test_facts_can_not_be_changed_afterwards():
    with pytest.raises(TypeError):
        text("{a}", a=1).facts["a"] = 2


def test_equal_texts_are_one_in_a_set():
    assert len({text("{a}", a=1), text("{a}", a=1), text("{a}", a=2)}) == 2


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (3, "3"), (1.23456, "1.235"), (123456.7, "123457"), (1e-7, "1e-07"), (-0.5, "-0.5"), (2e9, "2e+09")],
)
def test_a_plain_number_has_four_digits_and_an_exponent_only_where_it_must(value, written):
    assert plain_number(value) == written
