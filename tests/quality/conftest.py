"""How the tests of this floor ask for a measure, and a patient-like object that they share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from bingcheng.core.case import Case, Methods
from bingcheng.core.catalogue import Catalogue
from bingcheng.core.derived import Derived
from bingcheng.core.measure import Measure
from bingcheng.image.volume import Volume
from bingcheng.quality.known_objects import grid


@pytest.fixture(scope="session")
def methods():
    """The measures of this floor; of the other floor only the SUV, which they ask for."""
    return Methods(
        Catalogue.of(Measure, "bingcheng.quality"),
        Catalogue.of(Derived, "bingcheng.quality", "bingcheng.quantify.uptake.suv"),
    )


@pytest.fixture(scope="session")
def measured(methods):
    """The one measurement of a measure on givens, as the engine would get it."""

    def one(key, **givens):
        measure = methods.measures[key]
        case = Case(methods, givens, modality=min(measure.modalities))
        assert case.applies(measure)
        (measurement,) = case.measured(measure)
        return measurement

    return one


@pytest.fixture(scope="session")
def trunk():
    """A trunk on a table: skin, fat, muscle, lungs, spine, arms beside it; every border blurred."""

    def make(*, slices=8, pixel_mm=0.9, blur_mm=0.8, noise_hu=0.0, arms=False, table=True, size=448, shift_mm=0.0):
        geometry = grid((slices, size, size), (3.0, pixel_mm, pixel_mm))
        line = (np.arange(size) - 0.5 * (size - 1)) * pixel_mm
        y, x = line[:, None], line[None, :] - shift_mm
        plane = np.full((size, size), -1000.0)

        def add(centre, half_axes, step_hu):
            u, v = (x - centre[0]) / half_axes[0], (y - centre[1]) / half_axes[1]
            r = np.hypot(u, v)
            steep = np.hypot(u / half_axes[0], v / half_axes[1]) / np.maximum(r, 1e-9)
            # Sums of blurred steps are the blur of their sum, as for a real scanner.
            plane[:] += step_hu * ndtr((1.0 - r) / np.maximum(steep, 1e-9) / blur_mm)

        add((0, 0), (150, 105), 1000.0)
        add((0, 0), (148, 103), -100.0)
        add((0, 0), (132, 88), 150.0)
        for side in (-1, 1):
            add((side * 66, -8), (44, 58), -900.0)
            if arms:
                add((side * 178, 20), (22, 24), 1040.0)
        add((0, 55), (17, 17), 250.0)
        if table:
            top = 106.0 + x**2 / 4000.0
            on_table = np.abs(x) < 200
            plane[(y > top) & (y < top + 2.0) & on_table & (plane < -300)] = -200.0
            plane[(y > top + 2.0) & (y < top + 22.0) & on_table & (plane < -300)] = -960.0
            plane[(y > top + 22.0) & (y < top + 24.0) & on_table] = -200.0
        voxels = np.repeat(plane[None].astype(np.float32), slices, axis=0)
        if noise_hu:
            voxels += noise_hu * np.random.default_rng(7).standard_normal(voxels.shape, dtype=np.float32)
        return Volume(voxels=voxels, geometry=geometry, unit="[hnsf'U]")

    return make
