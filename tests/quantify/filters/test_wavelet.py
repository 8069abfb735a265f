from __future__ import annotations

import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.wavelet import MOST_VANISHING_MOMENTS, high_pass, low_pass

DAUBECHIES = [f"db{order}" for order in range(1, MOST_VANISHING_MOMENTS + 1)]
COIFLETS = ["coif1", "coif2", "coif3"]


@pytest.mark.parametrize("name", ["haar", *DAUBECHIES, *COIFLETS])
def test_scaling_filters_are_orthonormal_to_their_even_shifts(name):
    # The roots of the tenth polynomial cost seven of sixteen digits; the published coiflets carry ten and more.
    low = np.array(low_pass(name))
    assert low.sum() == pytest.approx(np.sqrt(2), abs=1e-9)
    for shift in range(0, low.size, 2):
        assert low[shift:] @ low[: low.size - shift] == pytest.approx(float(shift == 0), abs=1e-8)
        assert low[shift:] @ np.array(high_pass(name))[: low.size - shift] == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("name", [*DAUBECHIES[:6], *COIFLETS])
def test_wavelets_have_as_many_vanishing_moments_as_their_order_says(name):
    order = int(name.lstrip("dbcoif"))
    moments = order if name.startswith("db") else 2 * order
    high = np.array(high_pass(name))
    place = (np.arange(high.size) - high.size // 2) / high.size
    for power in range(moments):
        assert (high * place**power).sum() == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("name", COIFLETS)
def test_scaling_filters_of_coiflets_have_vanishing_moments_about_a_tap(name):
    order = int(name[-1])
    low = np.array(low_pass(name))
    centre = round((low * np.arange(low.size)).sum() / np.sqrt(2))
    for power in range(1, 2 * order):
        assert (low * ((np.arange(low.size) - centre) / low.size) ** power).sum() == pytest.approx(0, abs=1e-8)


def test_the_second_daubechies_filter_has_its_closed_form():
    # I. Daubechies 1988: (1 + s, 3 + s, 3 - s, 1 - s) / (4 sqrt 2) with s the root of 3; reversed as a kernel.
    s = np.sqrt(3)
    expected = np.array([1 - s, 3 - s, 3 + s, 1 + s]) / (4 * np.sqrt(2))
    assert low_pass("db2") == pytest.approx(expected, abs=1e-12)
    assert low_pass("haar") == low_pass("db1") == pytest.approx([np.sqrt(0.5)] * 2)


@pytest.mark.parametrize("name", ["db", "db0", "db11", "coif4", "sym4", "", "2", "db-1", "haar2"])
def test_other_names_are_refused_with_those_that_are_known(name):
    with pytest.raises(InputError) as refused:
        low_pass(name)
    assert "coif1" in str(refused.value)
