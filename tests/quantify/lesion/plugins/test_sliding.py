import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.quantify.lesion.plugins.sliding import slid


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(*[st.integers(3, 30)] * 3),
    patch=st.tuples(*[st.integers(4, 16)] * 3),
    overlap=st.floats(0.0, 0.9),
)
def test_a_network_that_looks_at_single_voxels_gives_the_same_in_patches(size, patch, overlap):
    image = np.random.default_rng(0).normal(size=(2, *size)).astype(np.float32)
    found = slid(lambda x: np.stack([x[:, 0] * 2, x[:, 1] - x[:, 0], x[:, 1]], axis=1), image, patch, overlap)
    assert found.shape == (3, *size)
    assert found[0] == pytest.approx(image[0] * 2, abs=1e-4)
    assert found[1] == pytest.approx(image[1] - image[0], abs=1e-4)


def test_each_patch_has_the_size_of_the_network_and_all_voxels_are_seen():
    shapes = []
    image = np.ones((1, 20, 9, 33), dtype=np.float32)

    def network(patch):
        shapes.append(patch.shape)
        return patch

    assert slid(network, image, (8, 12, 16), 0.5) == pytest.approx(image)
    assert set(shapes) == {(1, 1, 8, 12, 16)}
    assert len(shapes) == 4 * 1 * 4


def test_where_patches_disagree_the_nearer_middle_counts_more():
    image = np.zeros((1, 4, 4, 24), dtype=np.float32)
    answers = iter([0.0, 1.0, 0.0])
    found = slid(lambda x: np.full_like(x, next(answers)), image, (4, 4, 16), 0.75)[0, 1, 1]
    # Patches begin at 0, 4 and 8; the middle one's middle is at 11.5.
    assert found.argmax() in (11, 12)
    assert found[0] == 0.0
    assert found[23] == 0.0
