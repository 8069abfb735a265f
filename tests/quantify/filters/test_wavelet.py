from __future__ import annotations

import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.quantify.filters.wavelet import MOST_VANISHING_MOMENTS, high_pass, low_pass

DAUBECHIES = [f"db{order}" for order in range(1, MOST_VANISHING_MOMENTS + 1)]
SYMLETS = [f"sym{order}" for order in range(2, MOST_VANISHING_MOMENTS + 1)]
COIFLETS = ["coif1", "coif2", "coif3"]


@pytest.mark.parametrize("name", ["haar", *DAUBECHIES, *SYMLETS, *COIFLETS])
def test_scaling_filters_are_orthonormal_to_their_even_shifts(name):
    # The roots of the tenth polynomial cost seven of sixteen digits; the published coiflets carry ten and more.
    low = np.array(low_pass(name))
    assert low.sum() == pytest.approx(np.sqrt(2), abs=1e-9)
    for shift in range(0, low.size, 2):
        assert low[shift:] @ low[: low.size - shift] == pytest.approx(float(shift == 0), abs=1e-8)
        assert low[shift:] @ np.array(high_pass(name))[: low.size - shift] == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("name", [*DAUBECHIES[:6], *SYMLETS[:5], *COIFLETS])
def test_wavelets_have_as_many_vanishing_moments_as_their_order_says(name):
    order = int(name.lstrip("dbcoifsym"))
    moments = 2 * order if name.startswith("coif") else order
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


# PyWavelets 1.8.0 (MIT licence): the decomposition filters of its Symlets.
PYWAVELETS = {
    "sym4": (
        -0.07576571478927333,
        -0.02963552764599851,
        0.49761866763201545,
        0.8037387518059161,
        0.29785779560527736,
        -0.09921954357684722,
        -0.012603967262037833,
        0.0322231006040427,
    ),
    "sym5": (
        0.027333068345077982,
        0.029519490925774643,
        -0.039134249302383094,
        0.1993975339773936,
        0.7234076904024206,
        0.6339789634582119,
        0.01660210576452232,
        -0.17532808990845047,
        -0.021101834024758855,
        0.019538882735286728,
    ),
    "sym8": (
        -0.0033824159510061256,
        -0.0005421323317911481,
        0.03169508781149298,
        0.007607487324917605,
        -0.1432942383508097,
        -0.061273359067658524,
        0.4813596512583722,
        0.7771857517005235,
        0.3644418948353314,
        -0.05194583810770904,
        -0.027219029917056003,
        0.049137179673607506,
        0.003808752013890615,
        -0.01495225833704823,
        -0.0003029205147213668,
        0.0018899503327594609,
    ),
}


@pytest.mark.parametrize("name", PYWAVELETS)
def test_symlets_are_those_of_pywavelets(name):
    # Its table carries twelve digits.
    assert low_pass(name) == pytest.approx(PYWAVELETS[name], abs=1e-11)


@pytest.mark.parametrize("order", range(4, MOST_VANISHING_MOMENTS + 1))
def test_symlets_share_the_spectrum_of_the_daubechies_filter_and_are_more_symmetric(order):
    symlet, daubechies = np.array(low_pass(f"sym{order}")), np.array(low_pass(f"db{order}"))
    same = [np.convolve(low, low[::-1]) for low in (symlet, daubechies)]
    assert same[0] == pytest.approx(same[1], abs=1e-8)
    # Of a symmetric filter the correlation with its mirror image reaches 1; sums of the taps' squares are 1.
    likeness = [np.convolve(low, low).max() for low in (symlet, daubechies)]
    assert likeness[0] > max(0.9, likeness[1])


@pytest.mark.parametrize(
    "name", ["db", "db0", "db11", "coif4", "sym1", "sym11", "", "2", "db-1", "haar2", "db" + "9" * 5000]
)
def test_other_names_are_refused_with_those_that_are_known(name):
    with pytest.raises(InputError) as refused:
        low_pass(name)
    assert "coif1" in str(refused.value)
