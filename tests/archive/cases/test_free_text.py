"""Free text is searched for what tells who the patient is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.cases.free_text import Identifiers, _add_name, found_in


def known(name="Zhang^San=张^三", numbers=("kh-4711",), dates=("20260105", "19600101")):
    found = Identifiers(numbers=set(numbers), dates=set(dates))
    _add_name(found, name)
    return found


def kinds(words, **more):
    return {one.kind for one in found_in({"context": words}, known(**more))}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Mr Zhang complains", "name"),
        ("ZHANGSAN, 58 y", "name"),
        ("患者张三，男，58岁", "name"),
        ("number KH-4711 seen", "number"),
        ("operated on 2026-01-05", "date"),
        ("operated on 5/1/2026", "date"),
        ("2026年1月5日手术", "date"),
        ("20260105", "date"),
        ("another date: 2019.3.14", "date"),
        ("id 11010519491231002X", "number"),
        ("phone 13812345678", "number"),
    ],
)
def test_what_tells_who_it_is_is_found(words, kind):
    assert kind in kinds(words)


@pytest.mark.parametrize(
    "words",
    [
        "58 years, known cirrhosis since 2019, 3 months after TACE",
        "zhangsanitary is another word",
        "lesion 32 x 28 mm, SUV 4.7, b 1000, 1.2.3",
        "患者男，58岁，2019年发现肝硬化",
        "",
    ],
)
def test_what_tells_nobody_may_stay(words):
    assert kinds(words) == set()


def test_the_place_is_told_and_the_words_are_not():
    (place,) = found_in({"title": "", "context": "Mr Zhang"}, known(name="Zhang"))
    assert (place.field, place.position, place.kind) == ("context", 4, "name")


@settings(max_examples=100, deadline=None)
@given(before=st.text(max_size=20), after=st.text(max_size=20), year=st.integers(1900, 2100), month=st.integers(1, 12))
def test_a_written_date_is_found_wherever_it_stands(before, after, year, month):
    if before[-1:].isdecimal() or after[:1].isdecimal():
        return
    assert "date" in kinds(f"{before}{year}-{month:02d}-17{after}")
