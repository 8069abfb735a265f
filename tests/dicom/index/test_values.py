"""Values are what the bytes say, or None."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.dicom.index.elements import Coding
from bingcheng.dicom.index.values import (
    beside,
    binary,
    doubles,
    floats,
    integer,
    moment,
    moment_of,
    number,
    parts,
    plain,
    words,
)

LITTLE = Coding(explicit=True, little=True)


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("20240301", "101530.25", datetime(2024, 3, 1, 10, 15, 30, 250000)),  # noqa: DTZ001
        ("20240301", "1015", datetime(2024, 3, 1, 10, 15)),  # noqa: DTZ001
        ("2024.03.01", "10:15:30", datetime(2024, 3, 1, 10, 15, 30)),  # noqa: DTZ001
        ("20240301", "101560", datetime(2024, 3, 1, 10, 16)),  # noqa: DTZ001 - a leap second
        ("20240230", "101530", None),
        ("00010101", "010101", None),
        (None, "101530", None),
        ("20240301", None, None),
        ("20240301", "noon", None),
    ],
)
def test_moments(date: str | None, time: str | None, expected: datetime | None) -> None:
    assert moment(date, time) == expected


@pytest.mark.parametrize(
    ("found", "series", "day"),
    [
        ("000300", "235500", 2),
        ("235500", "001000", 29),
        ("100000", "153000", 1),
        ("020000", "210000", 1),
        ("235500", "235000", 1),
    ],
)
def test_a_time_without_a_date_lies_on_the_side_of_midnight_where_its_series_is(
    found: str, series: str, day: int
) -> None:
    mended = beside(moment("20240301", found), moment("20240301", series))
    assert mended is not None
    assert mended.day == day


def test_a_time_without_a_series_stays() -> None:
    assert beside(moment("20240301", "000300"), None) == moment("20240301", "000300")
    assert beside(None, moment("20240301", "000300")) is None


def test_a_stamp_with_a_zone_is_its_local_time() -> None:
    assert moment_of("20240301101530.5+0800") == datetime(2024, 3, 1, 10, 15, 30, 500000)  # noqa: DTZ001
    assert moment_of("2024") is None


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_decimal_strings_come_back(value: float) -> None:
    assert number(f" {value!r} ".encode()) == value


@pytest.mark.parametrize("raw", [None, b"", b"  ", b"nan", b"inf", b"1,5", b"one", b"\0"])
def test_what_is_no_number_is_none(raw: bytes | None) -> None:
    assert number(raw) is None
    assert integer(raw) is None
    assert floats(raw, 1) is None


def test_a_count_that_is_wrong_is_none() -> None:
    assert floats(b"1\\2\\3", 3) == (1.0, 2.0, 3.0)
    assert floats(b"1\\2", 3) is None
    assert doubles(b"1234567", 1, LITTLE) is None
    assert binary(b"\1", "H", LITTLE) is None


def test_a_whole_number_may_carry_a_point() -> None:
    assert integer(b"12.0") == 12
    assert integer(b"12.5") is None


@given(st.binary(max_size=40), st.binary(max_size=20) | st.none())
def test_no_bytes_make_a_text_fail(raw: bytes, character_set: bytes | None) -> None:
    assert words(raw, character_set) is None or isinstance(words(raw, character_set), str)
    plain(raw)
    parts(raw)


def test_empty_values_of_a_list_stay() -> None:
    assert parts(b"DERIVED\\PRIMARY\\\\MIP ") == ("DERIVED", "PRIMARY", "", "MIP")


def test_names_in_chinese_after_an_escape_sequence_hold_none_of_it() -> None:
    # PS3.5 annex K.2: "Zhang^XiaoDong=张^小东", each component of the second group begun by the escape sequence anew.
    raw = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    assert words(raw, b"\\ISO 2022 IR 58") == "Zhang^XiaoDong=张^小东="
    assert words(b"\x1b$)A", b"\\ISO 2022 IR 58") is None


def test_the_dummy_that_de_identification_writes_is_no_moment():
    assert moment_of("19000101000000") is None
    assert moment_of("19000101083045") == datetime(1900, 1, 1, 8, 30, 45)  # noqa: DTZ001
