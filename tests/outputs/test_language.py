"""A reader gets sentences, numbers and units in the reader's own language and habit."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import CatalogueError
from bingcheng.core.finding import Outcome
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language, several

EN, ZH = Language.of("en"), Language.of("zh")


@pytest.mark.parametrize("code", ["zh", "zh_CN", "zh-CN", "zh_CN.UTF-8", "ZH", "zh_Hans_CN", "zh_CN.UTF-8@pinyin"])
def test_chinese_is_found_by_any_of_its_names(code: str) -> None:
    assert Language.of(code).tag == "zh-CN"


@pytest.mark.parametrize("code", ["en", "en_GB.UTF-8", "C", "POSIX", "", "fr_FR", "xx"])
def test_every_other_language_falls_back_to_english(code: str) -> None:
    assert Language.of(code).code == "en"


def test_the_places_of_a_translated_sentence_are_filled_in() -> None:
    sentence = text("{failed} of {exams} broke the protocol.", failed=2, exams=several("1 exam", "{count} exams", 3))
    assert EN.say(sentence) == "2 of 3 exams broke the protocol."
    said = ZH.say(sentence)
    assert "2" in said
    assert "3" in said
    assert re.search(r"[\u4e00-\u9fff]", said)
    assert "protocol" not in said


def test_a_bare_string_with_braces_is_said_as_it_stands() -> None:
    assert EN.say("b = {0}") == "b = {0}"


def test_the_empty_sentence_stays_empty_in_chinese() -> None:
    # gettext answers the empty message with the header of its catalogue.
    assert ZH.say("") == ""


def test_every_outcome_has_a_chinese_word() -> None:
    assert all(re.search(r"[\u4e00-\u9fff]", ZH.say(outcome.value)) for outcome in Outcome)


def test_plural_follows_the_count() -> None:
    assert EN.plural("1 lesion", "{count} lesions", 1) == "1 lesion"
    assert EN.plural("1 lesion", "{count} lesions", 0) == "0 lesions"


@pytest.mark.parametrize(
    ("value", "unit", "expanded", "said"),
    [
        (12.34, "ml", 0.82, "12.3 ± 0.8 ml"),
        (12.345, "ml", 0.142, "12.35 ± 0.14 ml"),
        (12.3, "ml", 0.97, "12.3 ± 1.0 ml"),
        (-850.2, "[hnsf'U]", 12.3, "−850 ± 12 HU"),
        (1234.5, "mm", 345.0, "1230 ± 340 mm"),
        (1.124, "10-3.mm2/s", 0.062, "(1.12 ± 0.06) × 10⁻³ mm²/s"),
        (0.00000124, "mm2/s", 0.00000006, "(1.24 ± 0.06) × 10⁻⁶ mm²/s"),
        (3.25, "1", 0.2, "3.25 ± 0.20"),
        (3.25, "ml", None, "3.25 ml"),
        (30.0, "deg", None, "30°"),
        (-3.0, "[hnsf'U]", None, "−3 HU"),
        (1.12, "10-3.mm2/s", None, "1.12 × 10⁻³ mm²/s"),
    ],
)
def test_a_value_shows_the_digits_that_its_uncertainty_allows(
    value: float, unit: str, expanded: float | None, said: str
) -> None:
    assert EN.quantity(value, unit, expanded) == said


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e4))
def test_the_shown_value_and_uncertainty_are_true_within_the_last_shown_digit(value: float, expanded: float) -> None:
    shown = EN.quantity(value, "1", expanded).replace("−", "-")
    number, plus_minus = (float(part) for part in shown.split(" ± "))
    # Rounding moves the value by half a last digit; the coarsest last digit is 1 of 3.55, so at most 0.5/3.55 of U.
    assert abs(number - value) <= expanded * 0.142
    assert abs(plus_minus - expanded) <= expanded * 0.142


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(CatalogueError) as caught:
        EN.quantity(1.0, "furlong")
    assert caught.value.code == "core.unknown-unit"


@pytest.mark.parametrize(
    ("value", "signed", "said"),
    [(23.4, True, "+23%"), (-4.25, True, "−4.2%"), (9.96, True, "+10%"), (0.01, True, "0.0%"), (4.26, False, "4.3%")],
)
def test_percentages_carry_one_decimal_below_ten(value: float, said: str, *, signed: bool) -> None:
    assert EN.percent(value, signed=signed) == said


def test_a_value_is_rounded_to_the_grain_of_its_spread() -> None:
    assert EN.rounded(11.1903, "[hnsf'U]", 0.95) == "11.2 HU"
    assert EN.rounded(4.827, "[hnsf'U]", 0.95, signed=True) == "+4.8 HU"
    assert EN.rounded(1234.0, "mm", 200.0) == "1230 mm"


@pytest.mark.parametrize("value", [1.25e-9, 3.0e12])
def test_extreme_numbers_are_powers_of_ten_without_an_e(value: float) -> None:
    assert "e" not in EN.number(value)
    assert "× 10" in EN.number(value)


def test_dates_are_written_as_each_language_writes_them() -> None:
    day = date(2026, 11, 4)
    assert EN.date(day) == "4 Nov 2026"
    assert ZH.date(day) == "2026年11月4日"
