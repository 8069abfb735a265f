"""Scaling filters of orthogonal wavelets: Haar, Daubechies, Symlets and Coiflets."""

from __future__ import annotations

from functools import cache
from math import comb, sqrt

import numpy as np

from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.quantify.filters.filter import bad_parameter
from bingcheng.quantify.filters.rotation import Kernel

MOST_VANISHING_MOMENTS = 10
"""Beyond this the roots of the Daubechies polynomial no longer come out to 1e-9 in double precision."""

# I. Daubechies, Ten Lectures on Wavelets (SIAM, 1992), section 8.2: coiflets of order 2 and 3, in the digits and the
# order that PyWavelets 1.8 (MIT licence) gives them; the tests hold them to their defining equations.
_COIFLETS: dict[int, Kernel] = {
    1: tuple(
        tap / (16 * sqrt(2))
        for tap in (
            1 - sqrt(7),
            5 + sqrt(7),
            14 + 2 * sqrt(7),
            14 - 2 * sqrt(7),
            1 - sqrt(7),
            -3 + sqrt(7),
        )
    )[::-1],
    2: (
        -0.000720549445520347,
        -0.0018232088709110323,
        0.005611434819368834,
        0.02368017194684777,
        -0.05943441864643109,
        -0.07648859907828076,
        0.4170051844232391,
        0.8127236354494135,
        0.3861100668227629,
        -0.0673725547237256,
        -0.04146493678687178,
        0.01638733646320364,
    ),
    3: (
        -3.459977319727278e-05,
        -7.0983302506379e-05,
        0.0004662169598204029,
        0.0011175187708306303,
        -0.0025745176881367972,
        -0.009007976136730624,
        0.015880544863669452,
        0.03455502757329774,
        -0.08230192710629983,
        -0.07179982161915484,
        0.42848347637737,
        0.7937772226260872,
        0.40517690240911824,
        -0.06112339000297255,
        -0.06577191128146936,
        0.023452696142077168,
        0.007782596425672746,
        -0.003793512864380802,
    ),
}

_SYMLETS: dict[int, str] = {
    2: "0",
    3: "0",
    4: "01",
    5: "10",
    6: "101",
    7: "100",
    8: "0101",
    9: "0110",
    10: "10101",
}
"""Which roots of the Daubechies polynomial, by their real parts, give zeros outside the unit circle: the choice whose
phase is nearest to a line (Daubechies 1992, section 8.1), as PyWavelets 1.8 (MIT licence) tabulates it."""

FAMILIES = "haar, db1 to db10, sym2 to sym10, coif1 to coif3"


@cache
def low_pass(name: str) -> Kernel:
    """The scaling (L) filter of a wavelet, by its usual short name (``haar``, ``db3``, ``coif1``).

    Its taps sum to the square root of 2, its norm is 1, and it is orthogonal to itself shifted by an even number of
    taps. Order of taps: as a convolution kernel of decomposition.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """
    if name == "haar":
        return _daubechies(1)
    family = name.rstrip("0123456789")
    written = name[len(family) :]
    # No order of more digits is known, and int() takes no more than some thousand.
    order = int(written) if 0 < len(written) <= 2 else 0
    if family == "db" and 1 <= order <= MOST_VANISHING_MOMENTS:
        return _daubechies(order)
    if family == "sym" and order in _SYMLETS:
        return _half_band(order, _SYMLETS[order])
    if family == "coif" and order in _COIFLETS:
        return _COIFLETS[order]
    raise _unknown(name)


@cache
def high_pass(name: str) -> Kernel:
    """The wavelet (H) filter: the scaling filter reversed, with every other tap negated.

    Raises
    ------
    InputError
        ``quantify.filter-parameter``.
    """
    low = low_pass(name)
    return tuple((-1) ** (k + 1) * tap for k, tap in enumerate(reversed(low)))


def _daubechies(moments: int) -> Kernel:
    """The minimum-phase filter: all zeros inside the unit circle."""
    return _half_band(moments, "0" * (moments // 2))


def _half_band(moments: int, outside: str) -> Kernel:
    """A solution of ``|H(z)|^2 = 2 cos(w/2)^(2N) P(sin(w/2)^2)``, ``P(y) = sum C(N-1+k, k) y^k``.

    I. Daubechies, Orthonormal bases of compactly supported wavelets, Commun. Pure Appl. Math. 1988;41:909-996.

    Parameters
    ----------
    moments : N, how many moments of the wavelet vanish.
    outside : of each root of P (a conjugate pair is one), in the order of their real parts, whether it gives zeros of
        H outside the unit circle (``1``) or inside (``0``).
    """
    filter_taps = np.array([1.0])
    roots = np.roots([comb(moments - 1 + k, k) for k in reversed(range(moments))]) if moments > 1 else np.array([])
    upper = sorted((root for root in roots if root.imag > -1e-9), key=lambda root: float(root.real))
    for root, side in zip(upper, outside, strict=True):
        # y = (2 - z - 1/z) / 4, so each root y gives a pair z, 1/z; one of it is taken.
        half = 1 - 2 * complex(root)
        both = half + np.sqrt(half**2 - 1), half - np.sqrt(half**2 - 1)
        zero = max(both, key=abs) if side == "1" else min(both, key=abs)
        filter_taps = np.convolve(filter_taps, [1, -zero])
        if abs(root.imag) > 1e-9:
            filter_taps = np.convolve(filter_taps, [1, -np.conj(zero)])
    for _ in range(moments):
        filter_taps = np.convolve(filter_taps, [1, 1])
    taps = np.real(filter_taps)
    return tuple(float(tap) for tap in (taps * (sqrt(2) / taps.sum()))[::-1])


def _unknown(name: str) -> InputError:
    return bad_parameter("separable_wavelet", "wavelet", name, text("one of {known}", known=FAMILIES))
