"""The weights against numerical derivatives of the signal equations; the null of an inversion against its own."""

from __future__ import annotations

from math import cos, exp, inf, log, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.protocol.quantities.recognition.relaxation import (
    nulled_t1,
    spin_echo_t1_weight,
    spoiled_t1_weight,
    t1_at,
)

STEP = 1e-5
ROOM = 1e-4
"""A central difference of relative step 1e-5 errs by the order of its square and by rounding of 1e-16/1e-5."""


def derivative(signal, t1):
    up, down = signal(t1 * (1 + STEP)), signal(t1 * (1 - STEP))
    return abs(log(up) - log(down)) / (2 * STEP)


@given(tr=st.floats(50.0, 8000.0), t1=st.floats(200.0, 4000.0))
def test_the_spin_echo_weight_is_the_derivative_of_its_signal(tr, t1):
    assert spin_echo_t1_weight(tr, t1) == pytest.approx(derivative(lambda t: 1 - exp(-tr / t), t1), abs=ROOM)


@given(tr=st.floats(3.0, 400.0), flip=st.floats(2.0, 90.0), t1=st.floats(200.0, 4000.0))
def test_the_spoiled_weight_is_the_derivative_of_its_signal(tr, flip, t1):
    def signal(t):
        e = exp(-tr / t)
        return sin(radians(flip)) * (1 - e) / (1 - e * cos(radians(flip)))

    assert spoiled_t1_weight(tr, flip, t1) == pytest.approx(derivative(signal, t1), abs=ROOM)


@given(ti=st.floats(80.0, 3000.0), ratio=st.floats(2.1, 60.0))
def test_what_is_nulled_has_no_signal(ti, ratio):
    tr = ti * ratio
    t1 = nulled_t1(ti, tr)
    # 24 halvings of 20 TR leave 20 TR / 2**24; the signal changes by less than its argument does, relative to T1.
    assert 1 - 2 * exp(-ti / t1) + exp(-tr / t1) == pytest.approx(0.0, abs=1e-3)


def test_at_long_repetition_the_null_is_at_ti_over_ln_2_and_at_short_there_is_none():
    assert nulled_t1(160.0, 1e5) == pytest.approx(160.0 / log(2), rel=1e-3)
    assert nulled_t1(450.0, 8.0) == inf


def test_t1_is_a_fifth_longer_at_twice_the_field():
    assert t1_at(1000.0, 3.0) == pytest.approx(1210.0, rel=2e-3)  # de Bazelaire et al. 2004: 21 %
    assert t1_at(1000.0, None) == 1000.0
