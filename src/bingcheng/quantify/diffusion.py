"""The apparent diffusion coefficient: its map from a series with several b-values, and its statistics in a lesion."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bingcheng.core.codes import Code
from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Component, Part, Reference, ReferenceKind, measure
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume
from bingcheng.quantify import reference_cases as known
from bingcheng.quantify.intensity.hounsfield import lesion_values

TOO_FEW_B_VALUES = Problem(
    code="quantify.too-few-b-values",
    says="an ADC needs at least two b-values up to {highest} s/mm2; there is {count}",
    remedy="Acquire b = 0 or 50 and b = 800 s/mm2 in the same series.",
    owner=Owner.TECHNOLOGIST,
)
NARROW_B_RANGE = Problem(
    code="quantify.narrow-b-range",
    says="the b-values span only {span} s/mm2: the signal decays by perfusion and noise rather than by diffusion",
    remedy="Acquire a b-value of 800 s/mm2 beside b = 0 or 50.",
    owner=Owner.TECHNOLOGIST,
)
NO_SIGNAL = Problem(
    code="quantify.no-diffusion-signal",
    says="{share} of the lesion's voxels have no signal from which an ADC can be fitted",
    remedy="Check the outline on the lowest b-value, and the signal-to-noise ratio of the series.",
    owner=Owner.RADIOLOGIST,
)

MOST_B_S_PER_MM2 = 1500.0
LEAST_SPAN_S_PER_MM2 = 300.0
LARGEST_MM2_PER_S = 1e-2
"""Three times the diffusivity of free water at body temperature (3.0e-3 mm2/s): beyond it there was no signal."""

_SOURCE = (
    "Stejskal & Tanner, J Chem Phys 1965;42:288-292; Le Bihan et al., Radiology 1986;161:401-407; "
    "QIBA Profile: Diffusion-Weighted MRI, 2022"
)
_SLOPE = Component(
    name="gradient calibration and nonlinearity",
    source="QIBA DWI Profile: ADC of an ice-water phantom at the isocentre within +-3.6 %, as rectangular 3.6/sqrt(3)",
    relative=0.036 / np.sqrt(3.0),
)


@derived
def adc(
    diffusion: Stack,
    *,
    most_b_s_per_mm2: float = MOST_B_S_PER_MM2,
    least_span_s_per_mm2: float = LEAST_SPAN_S_PER_MM2,
) -> Volume:
    """The apparent diffusion coefficient of each voxel in mm2/s, from S(b) = S0 exp(-b ADC).

    Least squares in the signal itself (not in its logarithm, which would give noise at high b the same weight as
    signal): started by a log-linear fit weighted by the squared signal, and refined by Gauss-Newton steps.

    Parameters
    ----------
    diffusion : trace-weighted volumes along b-value in s/mm2.
    most_b_s_per_mm2 : b-values above are left out: the decay is no longer mono-exponential there (kurtosis).
    least_span_s_per_mm2 : smallest difference between the highest and lowest b-value used.

    Returns
    -------
    Volume in mm2/s; `valid` is False where there is no signal (fewer than two b-values with signal, or a fit outside
    of +-1e-2 mm2/s).

    Raises
    ------
    Undefined
        ``quantify.too-few-b-values``, ``quantify.narrow-b-range``.

    Notes
    -----
    Every b-value up to the highest is used, b = 0 included: perfusion then raises the ADC above the diffusivity of
    tissue, by some percent in well perfused organs. Only series with the same b-values can be compared. Where the
    signal at high b reaches the noise floor, the ADC comes out too low.
    """
    used = [(b, volume) for b, volume in diffusion if b <= most_b_s_per_mm2]
    if len(used) < 2:
        raise Undefined(TOO_FEW_B_VALUES, highest=most_b_s_per_mm2, count=len(used))
    b_values = np.array([b for b, _ in used], dtype=np.float64)
    if b_values[-1] - b_values[0] < least_span_s_per_mm2:
        raise Undefined(NARROW_B_RANGE, span=float(b_values[-1] - b_values[0]))
    geometry = diffusion.geometry
    found = np.zeros(geometry.shape, dtype=np.float32)
    valid = np.zeros(geometry.shape, dtype=np.bool_)
    for z in range(geometry.shape[0]):
        signals = np.stack([np.asarray(volume.voxels[z], dtype=np.float32).ravel() for _, volume in used])
        _fit(signals, b_values, LARGEST_MM2_PER_S, found[z].reshape(-1), valid[z].reshape(-1))
    for _, volume in used:
        if volume.valid is not None:
            valid &= volume.valid
    return Volume(voxels=found, geometry=geometry, unit="mm2/s", valid=valid)


@measure(
    label="Mean ADC",
    order=20,
    unit="10-3.mm2/s",
    modalities={"MR"},
    source=_SOURCE,
    code=Code("113041", "DCM", "Apparent Diffusion Coefficient"),
    budget=[_SLOPE],
    references=[
        Reference(
            name="sphere of 1.1e-3 mm2/s without noise",
            case=known.diffusion_lesion,
            expect=1.1,
            rtol=1e-5,
            kind=ReferenceKind.ANALYTIC,
            source="closed form",
            why="The signals are exact to float32 (6e-8), which the span of b D = 0.9 turns into less than 1e-6.",
        ),
    ],
)
def adc_mean(adc: Volume, lesion: Region) -> float:
    """The mean apparent diffusion coefficient over the lesion's voxels, in 10-3 mm2/s.

    Parameters
    ----------
    adc : map in mm2/s.
    lesion : on the same grid; voxels without signal are left out.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``; ``quantify.no-diffusion-signal``: more than half have no signal.
    """
    return 1000.0 * float(lesion_values(adc, lesion, missing=NO_SIGNAL).mean(dtype=np.float64))


@measure(
    label="Distribution of the ADC",
    order=22,
    unit="10-3.mm2/s",
    modalities={"MR"},
    source=_SOURCE,
    budget=[_SLOPE],
    references=[
        Reference(
            name="sphere of 1.1e-3 mm2/s without noise",
            case=known.diffusion_lesion,
            expect=1.1,
            rtol=1e-5,
            kind=ReferenceKind.ANALYTIC,
            source="closed form",
            why="All voxels of the lesion are equal up to float32.",
            part=part,
        )
        for part in ("p10", "median", "p90")
    ],
    parts={
        "p10": Part(label="10th percentile of the ADC", unit="10-3.mm2/s"),
        "median": Part(label="Median ADC", unit="10-3.mm2/s"),
        "p90": Part(label="90th percentile of the ADC", unit="10-3.mm2/s"),
    },
)
def adc_distribution(adc: Volume, lesion: Region) -> dict[str, float]:
    """The tenths and median of the apparent diffusion coefficient in the lesion; percentiles interpolate linearly.

    Parameters
    ----------
    adc : map in mm2/s.
    lesion : on the same grid.

    Raises
    ------
    Undefined
        as `adc_mean`.
    """
    values = lesion_values(adc, lesion, missing=NO_SIGNAL)
    p10, median, p90 = 1000.0 * np.percentile(values.astype(np.float64), (10, 50, 90))
    return {"p10": float(p10), "median": float(median), "p90": float(p90)}


@numba.njit(cache=True, nogil=True)
def _fit(
    signals: NDArray[np.float32],
    b_values: NDArray[np.float64],
    largest: float,
    found: NDArray[np.float32],
    valid: NDArray[Any],
) -> None:
    """Fit each column of `signals` (b, voxel); writes ADC and whether there is one."""
    n_b, n = signals.shape
    for v in range(n):
        # Log-linear start, weighted by S^2: the variance of ln S is (sigma / S)^2.
        w_sum, b_sum, l_sum, bb_sum, bl_sum, with_signal = 0.0, 0.0, 0.0, 0.0, 0.0, 0
        for k in range(n_b):
            s = np.float64(signals[k, v])
            if s > 0.0:
                w, log_s, b = s * s, np.log(s), b_values[k]
                w_sum += w
                b_sum += w * b
                l_sum += w * log_s
                bb_sum += w * b * b
                bl_sum += w * b * log_s
                with_signal += 1
        spread = bb_sum * w_sum - b_sum * b_sum
        if with_signal < 2 or spread <= 0.0:
            continue
        d = (b_sum * l_sum - bl_sum * w_sum) / spread
        s0 = np.exp((l_sum + d * b_sum) / w_sum)
        if n_b > 2:
            d = _refined(signals, v, b_values, s0, d, largest)
        if -largest < d < largest:
            found[v] = d
            valid[v] = True


@numba.njit(cache=True, nogil=True)
def _refined(
    signals: NDArray[np.float32], v: int, b_values: NDArray[np.float64], s0: float, d: float, largest: float
) -> float:
    """Gauss-Newton on (S0, D) from a close start; two b-values are met exactly and need none."""
    for _ in range(12):
        ee, eb, bb, re, rb = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(b_values.size):
            e = np.exp(-b_values[k] * d)
            j = -b_values[k] * s0 * e
            r = signals[k, v] - s0 * e
            ee += e * e
            eb += e * j
            bb += j * j
            re += r * e
            rb += r * j
        determinant = ee * bb - eb * eb
        if determinant <= 0.0:
            return d
        step = (rb * ee - re * eb) / determinant
        s0 += (re * bb - rb * eb) / determinant
        d = min(max(d + step, -largest), largest)
        if abs(step) < 2e-7:  # the next step would be some thirty times smaller
            break
    return d
