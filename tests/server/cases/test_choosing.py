"""Numbers of images as people write them."""

from __future__ import annotations

import pytest

from bingcheng.core.errors import InputError
from bingcheng.server.cases.choosing import numbers_of


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("3", (3,)),
        ("1, 3", (1, 3)),
        ("2-4", (2, 3, 4)),
        ("2 - 4;9", (2, 3, 4, 9)),
        ("2–4、1，2", (2, 3, 4, 1)),
        ("2至4 10", (2, 3, 4, 10)),
        ("1-10", tuple(range(1, 11))),
    ],
)
def test_numbers_and_ranges_are_understood_in_either_language(words, numbers):
    assert numbers_of(words, 10) == numbers


@pytest.mark.parametrize("words", ["0", "11", "4-2", "9-11", "a", "1-2-3", "--", "1,,b", "1" * 30])
def test_what_names_no_image_is_told_with_the_words(words):
    with pytest.raises(InputError) as told:
        numbers_of(words, 10)
    assert told.value.code == "archive.case-wrong-images"
