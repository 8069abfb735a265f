"""Regions with given intensities."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.quantify.radiomics.conformance import digital_phantom, expectations
from bingcheng.quantify.radiomics.roi import Levels, Roi


def levels_of(index, *, count=None, first_value=1.0, step=1.0):
    index = np.ascontiguousarray(index, dtype=np.int32)
    return Levels(
        index=index,
        count=int(index.max(initial=0)) if count is None else count,
        lowest=1.0,
        width=1.0,
        first_value=first_value,
        step=step,
    )


@pytest.fixture(scope="session")
def roi_of():
    """A region of values in a row, or of an image; whole numbers may be its levels too."""

    def make(values, *, inside=None, levels=None, spacing_mm=(1.0, 1.0, 1.0), surroundings=None, start=(0, 0, 0)):
        values = np.asarray(values)
        box = values if values.ndim == 3 else values.reshape(1, 1, -1)
        inside = np.ones(box.shape, dtype=bool) if inside is None else inside
        return Roi(
            intensity=box,
            morphological=np.ones(box.shape, dtype=bool),
            intensity_mask=inside,
            spacing_mm=spacing_mm,
            surroundings=box if surroundings is None else surroundings,
            surroundings_start=start,
            levels=levels,
            volume_histogram_levels=lambda: levels,
        )

    return make


@pytest.fixture(scope="session")
def levels():
    """Levels of an index, 0 outside: levels(index, count=..., first_value=..., step=...)."""
    return levels_of


@pytest.fixture(scope="session")
def phantom():
    """The digital phantom of the IBSI, whose levels are its intensities."""
    volume, lesion = digital_phantom()
    box = np.ascontiguousarray(volume.voxels[lesion.box()])
    inside = np.ascontiguousarray(lesion.inside)
    found = levels_of(np.where(inside, box, 0))
    return Roi(
        intensity=box,
        morphological=inside,
        intensity_mask=inside,
        spacing_mm=(2.0, 2.0, 2.0),
        surroundings=volume.voxels,
        surroundings_start=lesion.start,
        levels=found,
        volume_histogram_levels=lambda: found,
    )


@pytest.fixture(scope="session")
def agrees():
    """All values of the digital phantom with a consensus whose tags begin so; returns how many there are."""

    def check(prefix, values):
        wanted = [e for e in expectations("digital phantom") if e.tag.startswith(prefix) and e.expect is not None]
        for one in wanted:
            assert one.accepts(values[one.tag]), (one.tag, values[one.tag], one.expect)
        return len(wanted)

    return check
