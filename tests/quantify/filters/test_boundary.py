from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.boundary import MIRROR, NEAREST, NUMPY_MODES, PERIODIC, ZERO, Beyond, Boundary


@settings(max_examples=60, deadline=None)
@given(
    beyond=st.sampled_from(Beyond),
    size=st.integers(1, 6),
    before=st.integers(0, 15),
    after=st.integers(0, 15),
)
def test_lines_go_on_as_numpy_pads_them(beyond, size, before, after):
    line = np.arange(1.0, size + 1)
    boundary = Boundary(beyond=beyond, constant=7.0 if beyond is Beyond.CONSTANT else 0.0)
    options = {"constant_values": 7.0} if beyond is Beyond.CONSTANT else {}
    source = boundary.indices(size, before, after)
    found = np.where(source < 0, boundary.constant, line[np.maximum(source, 0)])
    assert np.array_equal(found, np.pad(line, (before, after), mode=NUMPY_MODES[beyond], **options))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("zero", ZERO),
        ("constant", ZERO),
        ("nearest", NEAREST),
        ("periodize", PERIODIC),
        ("mirror", MIRROR),
        ({"constant": -1000}, Boundary(beyond=Beyond.CONSTANT, constant=-1000.0)),
    ],
)
def test_plain_forms_are_read_and_written_again(given, expected):
    assert Boundary.of(given) == expected
    assert Boundary.of(expected.plain()) == expected
    assert Boundary.of(expected) is expected


@pytest.mark.parametrize(
    "given", ["reflect", 3, None, {}, {"constant": "air"}, {"constant": True}, {"constant": 1, "x": 2}]
)
def test_unknown_forms_are_refused(given):
    with pytest.raises(InputError) as refused:
        Boundary.of(given)
    assert refused.value.code == "quantify.unknown-boundary"
    assert "mirror" in str(refused.value)


@pytest.mark.parametrize(("beyond", "constant"), [(Beyond.MIRROR, 1.0), (Beyond.CONSTANT, float("nan"))])
def test_a_constant_is_finite_and_belongs_to_constant_alone(beyond, constant):
    with pytest.raises(InputError):
        Boundary(beyond=beyond, constant=constant)
