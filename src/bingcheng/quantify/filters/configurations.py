"""The filters of the two benchmarks of the IBSI 2, under the names of their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.quantify.filters.boundary import MIRROR, NEAREST, PERIODIC, ZERO, Boundary
from bingcheng.quantify.filters.filter import Filter
from bingcheng.quantify.filters.gabor import Gabor
from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian
from bingcheng.quantify.filters.laws import Laws
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.riesz import RieszTransform
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet
from bingcheng.quantify.filters.spectrum import FrequencyGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One response map with a consensus.

    Parameters
    ----------
    phantom : which digital phantom of the IBSI 2 is filtered (64 voxels of 2 mm a side).
    filter : with what.
    """

    phantom: str
    filter: Filter


def _laws(kernels: str, phantom: str, boundary: Boundary) -> tuple[Benchmark, Benchmark, Benchmark]:
    return (
        Benchmark(phantom=phantom, filter=Laws(kernels=kernels, boundary=boundary)),
        Benchmark(phantom=phantom, filter=Laws(kernels=kernels, boundary=boundary, rotation_invariant=True)),
        Benchmark(
            phantom=phantom,
            filter=Laws(kernels=kernels, boundary=boundary, rotation_invariant=True, energy_distance_voxels=7),
        ),
    )


def _mean(phantom: str, boundary: Boundary, *, by_slice: bool = False) -> Benchmark:
    return Benchmark(phantom=phantom, filter=Mean(support_voxels=15, boundary=boundary, by_slice=by_slice))


def _log(phantom: str, sigma_mm: float, boundary: Boundary, *, by_slice: bool = False) -> Benchmark:
    return Benchmark(
        phantom=phantom, filter=LaplacianOfGaussian(sigma_mm=sigma_mm, boundary=boundary, by_slice=by_slice)
    )


def _wavelet(
    phantom: str, wavelet: str, bands: str, boundary: Boundary, *, invariant: bool, level: int = 1
) -> Benchmark:
    return Benchmark(
        phantom=phantom,
        filter=SeparableWavelet(
            wavelet=wavelet, bands=bands, level=level, rotation_invariant=invariant, boundary=boundary
        ),
    )


def _simoncelli(level: int) -> Benchmark:
    return Benchmark(
        phantom="checkerboard",
        filter=NonseparableWavelet(level=level, boundary=PERIODIC, frequency_grid=FrequencyGrid.IBSI),
    )


def _as_reported(level: int, *, by_slice: bool) -> NonseparableWavelet:
    """Simoncelli's wavelet as the consensus values were reached with: the image as it is, which then repeats."""
    return NonseparableWavelet(level=level, by_slice=by_slice, boundary=PERIODIC, frequency_grid=FrequencyGrid.IBSI)


def _response_maps() -> dict[str, Benchmark]:
    spots, edges, levels = (
        _laws("E5L5S5", "impulse", ZERO),
        _laws("E3W5R5", "checkerboard", MIRROR),
        _laws("L5S5", "checkerboard", MIRROR),
    )
    fine = Gabor(sigma_mm=10, wavelength_mm=4, aspect_ratio=0.5, theta_deg=60, boundary=ZERO)
    fine_pooled = Gabor(
        sigma_mm=10, wavelength_mm=4, aspect_ratio=0.5, theta_step_deg=45, orthogonal_planes=True, boundary=ZERO
    )
    coarse = Gabor(sigma_mm=20, wavelength_mm=8, aspect_ratio=2.5, theta_deg=225)
    coarse_pooled = Gabor(sigma_mm=20, wavelength_mm=8, aspect_ratio=2.5, theta_step_deg=22.5, orthogonal_planes=True)
    blob = LaplacianOfGaussian(sigma_mm=3, boundary=ZERO)
    ring = NonseparableWavelet(frequency_grid=FrequencyGrid.IBSI)
    return {
        "1.a.1": _mean("checkerboard", ZERO),
        "1.a.2": _mean("checkerboard", NEAREST),
        "1.a.3": _mean("checkerboard", PERIODIC),
        "1.a.4": _mean("checkerboard", MIRROR),
        "1.b.1": _mean("impulse", ZERO, by_slice=True),
        "2.a": _log("impulse", 3, ZERO),
        "2.b": _log("checkerboard", 5, MIRROR),
        "2.c": _log("checkerboard", 5, MIRROR, by_slice=True),
        **{f"3.a.{place}": one for place, one in enumerate(spots, start=1)},
        **{f"3.b.{place}": one for place, one in enumerate(edges, start=1)},
        **{f"3.c.{place}": one for place, one in enumerate(levels, start=1)},
        "4.a.1": Benchmark(phantom="impulse", filter=fine),
        "4.a.2": Benchmark(phantom="impulse", filter=fine_pooled),
        "4.b.1": Benchmark(phantom="sphere", filter=coarse),
        "4.b.2": Benchmark(phantom="sphere", filter=coarse_pooled),
        "5.a.1": _wavelet("impulse", "db2", "LHL", ZERO, invariant=False),
        "5.a.2": _wavelet("impulse", "db2", "LHL", ZERO, invariant=True),
        "6.a.1": _wavelet("sphere", "coif1", "HHL", PERIODIC, invariant=False),
        "6.a.2": _wavelet("sphere", "coif1", "HHL", PERIODIC, invariant=True),
        "7.a.1": _wavelet("checkerboard", "haar", "LLL", MIRROR, invariant=True, level=2),
        "7.a.2": _wavelet("checkerboard", "haar", "HHH", MIRROR, invariant=True, level=2),
        **{f"8.a.{level}": _simoncelli(level) for level in (1, 2, 3)},
        "9.a": Benchmark(phantom="impulse", filter=RieszTransform(of=blob, order=(1, 0, 0))),
        "9.b.1": Benchmark(phantom="sphere", filter=RieszTransform(of=blob, order=(0, 2, 0))),
        "10.b.1": Benchmark(phantom="pattern_1", filter=RieszTransform(of=ring, order=(0, 2, 0))),
    }


def _ct_filters() -> dict[str, Filter | None]:
    found: dict[str, Filter | None] = {}
    for letter, by_slice in (("A", True), ("B", False)):
        low, fine = ("LH", "HH") if by_slice else ("LLH", "HHH")
        found |= {
            f"1.{letter}": None,
            f"2.{letter}": Mean(support_voxels=5, by_slice=by_slice),
            f"3.{letter}": LaplacianOfGaussian(sigma_mm=1.5, by_slice=by_slice),
            f"4.{letter}": Laws(
                kernels="L5E5" if by_slice else "L5E5E5", rotation_invariant=True, energy_distance_voxels=7
            ),
            f"5.{letter}": Gabor(
                sigma_mm=5.0,
                wavelength_mm=2.0,
                aspect_ratio=1.5,
                theta_step_deg=22.5,
                orthogonal_planes=not by_slice,
            ),
            f"6.{letter}": SeparableWavelet(wavelet="db3", bands=low, rotation_invariant=True),
            f"7.{letter}": SeparableWavelet(wavelet="db3", bands=fine, level=2, rotation_invariant=True),
            f"8.{letter}": _as_reported(1, by_slice=by_slice),
            f"9.{letter}": _as_reported(2, by_slice=by_slice),
        }
    return dict(sorted(found.items()))


RESPONSE_MAPS: Mapping[str, Benchmark] = MappingProxyType(_response_maps())
"""Phase 1: the 33 tests with a consensus response map; reached within 1 % of its range at each voxel."""

CT_FILTERS: Mapping[str, Filter | None] = MappingProxyType(_ct_filters())
"""Phase 2: filters of the CT phantom. A by slice on the image's own voxels; B in voxels of 1 mm (tricubic, rounded).

Only intensities from -1000 to 400 HU count, by the unfiltered image.
"""
