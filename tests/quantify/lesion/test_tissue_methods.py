"""Methods for lesions in tissue against ellipsoids of liver-like contrast, and what they do to a real sarcoma."""

import numpy as np
import pytest

from bingcheng.core.errors import Undefined
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.ball import Ball
from bingcheng.quantify.lesion.prompt import Click, RecistLine
from bingcheng.quantify.lesion.segment import segment

SEEING = ("tissue_cut", "grow_cut", "region_growing", "active_contour")


@pytest.mark.parametrize("key", SEEING)
def test_a_metastasis_of_usual_contrast_is_drawn_better_than_a_ball(drawn, key):
    for seed in range(3):
        volume, truth, _ = drawn.in_tissue(28.0, seed=seed)
        line = drawn.line_of(truth)
        ball = drawn.dice(segment(volume, line, "ball"), truth)
        assert drawn.dice(segment(volume, line, key), truth) > max(0.9, ball)


def test_the_random_walker_does_where_the_image_is_quiet(drawn):
    volume, truth, _ = drawn.in_tissue(28.0, sd=4.0)
    assert drawn.dice(segment(volume, drawn.line_of(truth), "random_walker"), truth) > 0.85


@pytest.mark.parametrize("key", [*SEEING, "random_walker"])
def test_bright_and_dark_lesions_are_alike(drawn, key):
    volume, truth, _ = drawn.in_tissue(28.0)
    mirrored = Volume(voxels=160.0 - volume.voxels, geometry=volume.geometry, unit=volume.unit)
    line = drawn.line_of(truth)
    one, other = (segment(image, line, key) for image in (volume, mirrored))
    assert drawn.dice(one, other) > 0.97


@pytest.mark.parametrize("key", [*SEEING, "random_walker"])
def test_the_unit_of_a_magnetic_resonance_image_does_not_matter(drawn, key):
    volume, truth, _ = drawn.in_tissue(28.0)
    scaled = Volume(voxels=volume.voxels * 7.0 + 300.0, geometry=volume.geometry, unit="{arbitrary}")
    one, other = (segment(image, drawn.line_of(truth), key) for image in (volume, scaled))
    assert drawn.dice(one, other) > 0.97


def test_a_click_into_even_tissue_leaks_and_says_so(drawn):
    volume, _, centre = drawn.in_tissue(20.0)
    with pytest.raises(Undefined, match=r"quantify\.segmentation-leaks"):
        segment(volume, Click(position_mm=(centre[0] + 20.0, *centre[1:])), "region_growing")


def test_a_bridge_to_other_tissue_of_the_same_value_comes_off(drawn):
    volume, truth, centre = drawn.in_tissue(28.0, sd=6.0)
    voxels = np.array(volume.voxels)
    z, y, x = (int(i) for i in np.rint(volume.geometry.to_index(centre)))
    voxels[z, y - 2 : y + 3, x:] = 60.0  # a vessel of one slice, 4 mm wide, to the edge of the image
    bridged = Volume(voxels=voxels, geometry=volume.geometry, unit=volume.unit)
    line = drawn.line_of(truth)
    assert drawn.dice(segment(bridged, line, "region_growing"), truth) > 0.9


def test_a_ball_has_the_volume_of_its_diameter_whatever_the_grid(drawn):
    for spacing_mm in ((1.0, 1.0, 1.0), (5.0, 0.7, 0.7)):
        volume, _, centre = drawn.in_tissue(30.0, spacing_mm=spacing_mm)
        line = RecistLine(start_mm=(centre[0] - 13.0, *centre[1:]), end_mm=(centre[0] + 13.0, *centre[1:]))
        expected = np.pi / 6.0 * 26.0**3 / 1000.0
        # A voxel's share is counted on 64 points.
        assert drawn.volume_ml(segment(volume, line, "ball")) == pytest.approx(expected, rel=0.01)
        half = segment(volume, line, "ball", Ball(scale=0.5))
        assert drawn.volume_ml(half) == pytest.approx(expected / 8.0, rel=0.02)


@pytest.mark.parametrize(("modality", "unit"), [("CT", "[hnsf'U]"), ("MR_T1", "{arbitrary}")])
def test_on_a_real_sarcoma_nothing_clearly_beats_the_ball(sarcoma, drawn, modality, unit):
    volume, truth = sarcoma(modality, unit)
    line = drawn.line_of(truth)
    ball = drawn.dice(segment(volume, line, "ball"), truth)
    assert ball > 0.75
    cut = drawn.dice(segment(volume, line, "tissue_cut"), truth)
    # What is promised of it: about as good as the ball, and no better.
    assert ball - 0.1 < cut < ball + 0.1
