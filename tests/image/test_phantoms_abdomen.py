"""The enhanced trunk: what was put in stands where it should."""

import numpy as np
import pytest

from bingcheng.image.phantoms.abdomen import Build, enhanced_abdomen
from bingcheng.image.phantoms.bolus import Injection, ct_numbers

LATE = ct_numbers(Injection(), 35.0)
COARSE = {"spacing_mm": (6.0, 2.0, 2.0), "levels_mm": (-60.0, 120.0)}


def at(volume, left, back, up):
    z, y, x = np.rint(volume.geometry.to_index((left, back, up))).astype(int)
    return float(volume.voxels[z, y, x])


@pytest.mark.parametrize(
    ("tissue", "place"),
    [
        ("aorta", (12.0, 25.0, 0.0)),
        ("vena cava", (-24.0, 27.0, 20.0)),
        ("liver", (-110.0, 0.0, 75.0)),
        ("spleen", (104.0, 42.0, 80.0)),
        ("cortex", (91.0, 44.0, 8.0)),
    ],
)
def test_tissues_have_the_ct_numbers_that_were_put_in(tissue, place):
    # Two voxels inside of a border that is blurred by 0.8 mm nothing else is seen.
    assert at(enhanced_abdomen(LATE, **COARSE), *place) == pytest.approx(LATE[tissue], abs=2.0)


def test_a_kidney_that_was_removed_is_not_there():
    without = enhanced_abdomen(LATE, build=Build(kidneys=("left",)), **COARSE)
    assert at(without, -91.0, 44.0, -8.0) < 0.0


def test_the_noise_has_its_strength_and_depends_on_the_seed():
    clean, one, two = (
        enhanced_abdomen(LATE, noise_hu=noise_hu, seed=seed, **COARSE).voxels
        for noise_hu, seed in ((0.0, 0), (20.0, 1), (20.0, 2))
    )
    # 10^5 and more values, correlated over a few pixels, fix a standard deviation to 1 %.
    assert np.std(one - clean) == pytest.approx(20.0, rel=0.03)
    assert not np.array_equal(one, two)
