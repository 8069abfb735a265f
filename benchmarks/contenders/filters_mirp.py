"""The response maps of the IBSI 2 by MIRP. Arguments: folder of phantoms as NIfTI, answer (an .npz of the maps).

MIRP reads files and prepares image and mask at each call; what a call without a filter takes is told as ``base_s``.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mirp import extract_images
from stopwatch import timed

BASES = 3
NONE, MIRROR, PERIODIC = "constant", "reflect", "wrap"


def asked() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name in the IBSI's table, phantom, settings."""
    yield from _mean()
    yield from _laplacian()
    yield from _laws()
    yield from _gabor()
    yield from _wavelets()
    yield from _riesz()


def _mean() -> Iterator[tuple[str, str, dict[str, Any]]]:
    size = {"filter_kernels": "mean", "mean_filter_kernel_size": 15}
    for number, beyond in enumerate((NONE, "nearest", PERIODIC, MIRROR), start=1):
        yield f"1.a.{number}", "checkerboard", {**size, "mean_filter_boundary_condition": beyond}
    yield "1.b.1", "impulse", {**size, "mean_filter_boundary_condition": NONE, "by_slice": True}


def _log(sigma_mm: float, beyond: str) -> dict[str, Any]:
    return {
        "filter_kernels": "laplacian_of_gaussian",
        "laplacian_of_gaussian_sigma": sigma_mm,
        "laplacian_of_gaussian_boundary_condition": beyond,
    }


def _laplacian() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "2.a", "impulse", _log(3.0, NONE)
    yield "2.b", "checkerboard", _log(5.0, MIRROR)
    yield "2.c", "checkerboard", {**_log(5.0, MIRROR), "by_slice": True}


def _laws() -> Iterator[tuple[str, str, dict[str, Any]]]:
    kernels = (
        ("3.a", "E5L5S5", "impulse", NONE, False),
        ("3.b", "E3W5R5", "checkerboard", MIRROR, False),
        ("3.c", "L5S5", "checkerboard", MIRROR, True),
    )
    for name, kernel, phantom, beyond, by_slice in kernels:
        for number, (rotated, energy) in enumerate(((False, False), (True, False), (True, True)), start=1):
            yield (
                f"{name}.{number}",
                phantom,
                {
                    "by_slice": by_slice,
                    "filter_kernels": "laws",
                    "laws_kernel": kernel,
                    "laws_compute_energy": energy,
                    "laws_rotation_invariance": rotated,
                    "laws_delta": 7,
                    "laws_pooling_method": "max",
                    "laws_boundary_condition": beyond,
                },
            )


def _gabor() -> Iterator[tuple[str, str, dict[str, Any]]]:
    sets = (
        ("4.a", "impulse", NONE, (10.0, 0.5, 4.0, 60.0, 45.0)),
        ("4.b", "sphere", MIRROR, (20.0, 2.5, 8.0, 225.0, 22.5)),
    )
    for name, phantom, beyond, (sigma_mm, gamma, wavelength_mm, theta_deg, step_deg) in sets:
        shared = {
            "filter_kernels": "gabor",
            "gabor_sigma": sigma_mm,
            "gabor_gamma": gamma,
            "gabor_lambda": wavelength_mm,
            "gabor_response": "modulus",
            "gabor_boundary_condition": beyond,
        }
        yield f"{name}.1", phantom, {**shared, "gabor_theta": theta_deg, "gabor_rotation_invariance": False}
        turned = {"gabor_theta": 0.0, "gabor_theta_step": step_deg, "gabor_rotation_invariance": True}
        yield f"{name}.2", phantom, {**shared, **turned, "gabor_pooling_method": "mean"}


def _wavelet(family: str, bands: str, beyond: str, level: int, *, rotated: bool) -> dict[str, Any]:
    return {
        "filter_kernels": "separable_wavelet",
        "separable_wavelet_families": family,
        "separable_wavelet_set": bands,
        "separable_wavelet_rotation_invariance": rotated,
        "separable_wavelet_pooling_method": "mean",
        "separable_wavelet_decomposition_level": level,
        "separable_wavelet_boundary_condition": beyond,
    }


def _simoncelli(level: int, beyond: str, kernel: str = "nonseparable_wavelet") -> dict[str, Any]:
    return {
        "filter_kernels": kernel,
        "nonseparable_wavelet_families": "simoncelli",
        "nonseparable_wavelet_decomposition_level": level,
        "nonseparable_wavelet_boundary_condition": beyond,
    }


def _wavelets() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, rotated in enumerate((False, True), start=1):
        yield f"5.a.{number}", "impulse", _wavelet("db2", "LHL", NONE, 1, rotated=rotated)
        yield f"6.a.{number}", "sphere", _wavelet("coif1", "HHL", PERIODIC, 1, rotated=rotated)
    for number, bands in enumerate(("LLL", "HHH"), start=1):
        yield f"7.a.{number}", "checkerboard", _wavelet("haar", bands, MIRROR, 2, rotated=True)
    for level in (1, 2, 3):
        yield f"8.a.{level}", "checkerboard", _simoncelli(level, PERIODIC)


def _riesz() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Experimental in MIRP, which wants to be told that it is."""
    # A width is demanded although only steered transforms use it.
    loose = {"ibsi_compliant": False, "riesz_filter_tensor_sigma": 1.0}
    log = {**_log(3.0, NONE), "filter_kernels": "riesz_laplacian_of_gaussian", **loose}
    yield "9.a", "impulse", {**log, "riesz_filter_order": [1, 0, 0]}
    yield "9.b.1", "sphere", {**log, "riesz_filter_order": [0, 2, 0]}
    wavelet = _simoncelli(1, MIRROR, "riesz_nonseparable_wavelet")
    yield "10.b.1", "pattern_1", {**wavelet, **loose, "riesz_filter_order": [0, 2, 0]}


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    folder, answer = Path(sys.argv[1]), Path(sys.argv[2])

    def call(phantom: str, settings: dict[str, Any]) -> list[np.ndarray]:
        image, mask = str(folder / f"{phantom}.nii.gz"), str(folder / "mask.nii.gz")
        with contextlib.redirect_stdout(io.StringIO()):
            found = extract_images(
                image=image, mask=mask, image_export_format="numpy", write_images=False, export_images=True, **settings
            )
        return list(found[0][0])

    bases_s = []
    for _ in range(BASES):
        start_s = time.perf_counter()
        call("sphere", {})
        bases_s.append(time.perf_counter() - start_s)
    maps = {}

    def work() -> dict[str, float]:
        for name, phantom, settings in asked():
            maps[name] = call(phantom, settings)[-1]
        return {"maps": len(maps), "base_s": min(bases_s) * len(maps)}

    timed(work)
    np.savez(answer, **maps)


if __name__ == "__main__":
    main()
