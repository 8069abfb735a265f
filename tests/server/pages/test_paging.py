"""Whatever stands in an address, it asks for a page that there can be."""

from __future__ import annotations

import pytest

from bingcheng.server.pages.paging import page_asked


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1),
        ("12", 12),
        ("999999", 999_999),
        ("0", 1),
        ("", 1),
        ("-3", 1),
        ("two", 1),
        ("1000000", 1),
        ("9" * 5000, 1),
    ],
)
def test_a_number_of_a_page_or_the_first(written, number):
    assert page_asked(written) == number
