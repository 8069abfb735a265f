"""Units are UCUM codes, and convert only within their quantity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.core.errors import CatalogueError
from bingcheng.core.units import UNITS, convert, unit

known = st.sampled_from(sorted(UNITS))


@pytest.mark.parametrize(
    ("value", "source", "target", "expect"),
    [
        (15000.0, "G", "T", 1.5),
        (370e6, "Bq", "MBq", 370.0),
        (65.0, "min", "s", 3900.0),
        (1000.0, "mm3", "ml", 1.0),
        (1.0, "ml", "cm3", 1.0),
        (1.2e-3, "mm2/s", "10-3.mm2/s", 1.2),
        (50.0, "%", "1", 0.5),
    ],
)
def test_conversions_that_exams_need(value, source, target, expect):
    assert convert(value, source, target) == pytest.approx(expect, rel=1e-12)


@given(st.floats(-1e6, 1e6), known, known)
def test_there_and_back_is_the_same_and_other_quantities_are_refused(value, source, target):
    if unit(source).quantity == unit(target).quantity:
        assert convert(convert(value, source, target), target, source) == pytest.approx(value, rel=1e-12, abs=1e-300)
    else:
        with pytest.raises(CatalogueError) as refused:
            convert(value, source, target)
        assert refused.value.code == "core.incompatible-units"


def test_an_unknown_unit_is_named():
    with pytest.raises(CatalogueError, match="furlong") as refused:
        unit("furlong")
    assert refused.value.code == "core.unknown-unit"


def test_each_unit_stands_under_its_own_code():
    assert all(code == one.code for code, one in UNITS.items())
