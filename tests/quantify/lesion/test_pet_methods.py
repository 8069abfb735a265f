"""PET methods against spheres whose threshold and volume are known, and one real sarcoma as a bound."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.pet_by_size import BySize
from bingcheng.quantify.lesion.pet_threshold import (
    AdaptedPeak,
    BackgroundCorrected,
    FixedUptake,
    PercentOfMax,
    PercentOfPeak,
    Percist,
)
from bingcheng.quantify.lesion.pet_vote import MajorityVote
from bingcheng.quantify.lesion.prompt import Click
from bingcheng.quantify.lesion.segment import methods_for, segment


def steps(*levels):
    """Nested cubes of falling uptake about the middle, the first one innermost, in a background of 1."""
    geometry = VolumeGeometry(shape=(41, 41, 41), spacing_mm=(3.0, 3.0, 3.0))
    voxels = np.full(geometry.shape, 1.0, dtype=np.float32)
    for shell, level in reversed(list(enumerate(levels))):
        reach = 3 * (shell + 1)
        voxels[20 - reach : 21 + reach, 20 - reach : 21 + reach, 20 - reach : 21 + reach] = level
    return Volume(voxels=voxels, geometry=geometry, unit="g/ml"), Click(position_mm=tuple(geometry.to_mm((20, 20, 20))))


def edge(region):
    sizes = set(region.mask.shape)
    assert len(sizes) == 1
    return sizes.pop()


def test_a_percentage_of_the_maximum_ends_at_that_percentage():
    volume, click = steps(10.0, 4.2, 4.0)
    assert edge(segment(volume, click, "pet_percent_of_max")) == 13
    assert edge(segment(volume, click, "pet_percent_of_max", PercentOfMax(fraction=0.5))) == 7
    assert edge(segment(volume, click, "pet_percent_of_max", PercentOfMax(fraction=0.39))) == 19


def test_a_fixed_threshold_ends_there_and_says_if_the_lesion_is_cooler():
    volume, click = steps(10.0, 4.0, 2.5)
    assert edge(segment(volume, click, "pet_fixed_uptake")) == 13
    assert edge(segment(volume, click, "pet_fixed_uptake", FixedUptake(threshold_g_per_ml=2.5))) == 19
    with pytest.raises(Undefined) as caught:
        segment(volume, click, "pet_fixed_uptake", FixedUptake(threshold_g_per_ml=11.0))
    assert caught.value.code == "quantify.uptake-below-threshold"
    assert caught.value.reason.facts["highest"] == 10.0


def test_percist_adds_two_deviations_to_one_and_a_half_times_the_liver():
    volume, click = steps(10.0, 3.5, 3.3)
    liver = Percist(reference_mean_g_per_ml=2.0, reference_sd_g_per_ml=0.2)  # 3.4
    assert edge(segment(volume, click, "pet_percist", liver)) == 13
    blood = Percist(reference_mean_g_per_ml=1.4, reference_sd_g_per_ml=0.2, mean_factor=2.0)  # 3.2
    assert edge(segment(volume, click, "pet_percist", blood)) == 19


def test_half_of_the_peak_adapts_to_the_background():
    # The 1 ml sphere lies within the inner cube of 21 mm: peak 9. The background, 20 to 28 mm off, is 1: threshold 5.
    volume, click = steps(9.0, 5.1)
    assert edge(segment(volume, click, "pet_adapted_peak")) == 13
    volume, click = steps(9.0, 4.9)
    assert edge(segment(volume, click, "pet_adapted_peak")) == 7
    assert edge(segment(volume, click, "pet_adapted_peak", AdaptedPeak(fraction=0.48))) == 13


@pytest.mark.parametrize(("key", "given"), [("pet_percent_of_peak", PercentOfPeak), ("pet_adapted_peak", AdaptedPeak)])
def test_a_peak_that_these_voxels_can_not_tell_is_refused_by_the_peak_s_own_rule(key, given):
    volume, click = steps(10.0, 5.4, 4.5)
    tiny = replace(volume, geometry=replace(volume.geometry, spacing_mm=(0.2, 0.2, 0.2)))
    at = Click(position_mm=tuple(tiny.geometry.to_mm((20, 20, 20))))
    with pytest.raises(InputError) as caught:
        segment(tiny, at, key, given(radius_mm=50.0))
    assert caught.value.code == "quantify.peak-of-unlikely-voxels"
    # A voxel that holds the whole sphere is its mean.
    assert edge(segment(volume, click, "pet_percent_of_peak", PercentOfPeak(radius_mm=0.5, fraction=0.5))) == 13


def test_the_iterated_threshold_agrees_with_the_mean_of_what_it_finds():
    volume, click = steps(9.0, 6.0, 2.0)
    found = segment(volume, click, "pet_background_corrected")
    # Cubes of 7, 13 and 19: with the two inner ones the mean is (343 x 9 + 1854 x 6) / 2197 = 6.47, T = 1 + 0.42 x 5.47
    # = 3.3, above 2.0; with all three the threshold would be 1 + 0.42 x 2.43 = 2.0 or less only below the third level.
    assert edge(found) == 13
    mean = float(found.values(volume).mean())
    threshold = 1.0 + 0.42 * (mean - 1.0)
    assert 2.0 < threshold <= 6.0


def test_a_higher_fraction_never_finds_more(drawn):
    volume, _, centre = drawn.pet_sphere(30.0, 6.0)
    counts = [
        segment(
            volume, Click(position_mm=centre), "pet_background_corrected", BackgroundCorrected(fraction=f)
        ).mask.sum()
        for f in (0.3, 0.42, 0.5, 0.6)
    ]
    assert counts == sorted(counts, reverse=True)


def test_two_votes_hold_more_than_three_and_each_no_less_than_what_all_share():
    volume, click = steps(10.0, 4.05, 3.0)
    # 41 % of max: 4.1 (7); A50peak: 5.5 (7); SUV 2.5 (19); SUV 4.0 (13).
    assert edge(segment(volume, click, "pet_majority_vote", MajorityVote(votes=1))) == 19
    assert edge(segment(volume, click, "pet_majority_vote")) == 13
    assert edge(segment(volume, click, "pet_majority_vote", MajorityVote(votes=3))) == 7


def test_a_vote_that_nobody_wins_says_so():
    volume, click = steps(2.4, 2.3)
    assert not segment(volume, click, "pet_majority_vote", MajorityVote(votes=2)).empty
    with pytest.raises(Undefined, match=r"quantify\.segmentation-without-majority"):
        segment(volume, click, "pet_majority_vote", MajorityVote(votes=3))


def test_holes_are_filled_only_when_asked_for():
    volume, click = steps(9.0, 9.0, 9.0)
    voxels = np.array(volume.voxels)
    voxels[14:18, 14:18, 14:18] = 0.5
    necrotic = Volume(voxels=voxels, geometry=volume.geometry, unit="g/ml")
    open_one = segment(necrotic, click, "pet_percent_of_max")
    closed = segment(necrotic, click, "pet_percent_of_max", PercentOfMax(fill_holes=True))
    assert closed.mask.sum() - open_one.mask.sum() == 64


def test_a_threshold_below_the_background_is_called_a_leak(drawn):
    volume, _, centre = drawn.pet_sphere(30.0, 3.0)
    with pytest.raises(Undefined) as caught:
        segment(volume, Click(position_mm=centre), "pet_percent_of_max", PercentOfMax(fraction=0.2))
    assert caught.value.code == "quantify.segmentation-leaks"


def test_a_lesion_larger_than_the_first_window_is_found_whole(drawn):
    volume, truth, centre = drawn.pet_sphere(130.0, 6.0)
    found = segment(volume, Click(position_mm=(centre[0] + 55.0, centre[1], centre[2])), "pet_fixed_uptake")
    assert drawn.dice(found, truth) > 0.97


def test_in_a_box_nothing_outside_of_it_is_drawn(drawn):
    volume, truth, _ = drawn.pet_sphere(40.0, 6.0)
    box = truth.box()
    half = drawn.box_around(truth, margin=2)
    middle = tuple(volume.geometry.to_mm([(s.start + s.stop) / 2 for s in box]))
    cut = type(half)(corner_mm=half.corner_mm, opposite_mm=(middle[0], *half.opposite_mm[1:]))
    for method in methods_for("PT"):
        if "box" in method.prompts and method.key not in ("ball", "pet_percist"):
            found = segment(volume, cut, method)
            positions = found.geometry.to_mm(np.argwhere(found.inside))
            assert positions[:, 0].max() <= middle[0] + 1e-6


@settings(max_examples=12, deadline=None)
@given(diameter_mm=st.floats(20.0, 45.0), contrast=st.floats(4.0, 12.0), seed=st.integers(0, 99))
def test_the_steepest_border_lies_within_half_a_voxel_of_the_spheres(drawn, diameter_mm, contrast, seed):
    volume, truth, centre = drawn.pet_sphere(diameter_mm, contrast, seed=seed)
    found = segment(volume, Click(position_mm=centre), "pet_steepest_border")
    ratio = drawn.volume_ml(found) / drawn.volume_ml(truth)
    # A set of whole voxels has no border finer than that: 2 mm.
    assert abs(ratio ** (1.0 / 3.0) - 1.0) * diameter_mm / 2.0 < 2.0


@settings(max_examples=10, deadline=None)
@given(factor=st.floats(0.2, 30.0))
def test_relative_methods_do_not_depend_on_the_unit(drawn, factor):
    volume, _, centre = drawn.pet_sphere(25.0, 5.0, seed=4)
    scaled = Volume(voxels=volume.voxels * np.float32(factor), geometry=volume.geometry, unit="Bq/ml")
    keys = ("pet_percent_of_max", "pet_adapted_peak", "pet_background_corrected", "pet_steepest_border", "pet_by_size")
    for key in keys:
        one, other = (segment(image, Click(position_mm=centre), key) for image in (volume, scaled))
        # float32 rounding may move single voxels over the threshold.
        assert abs(int(one.mask.sum()) - int(other.mask.sum())) <= 2


@pytest.mark.parametrize("contrast", [4.0, 8.0, 16.0])
@pytest.mark.parametrize("diameter_mm", [12.0, 15.0, 20.0, 24.0])
def test_small_lesions_are_drawn_nearer_to_their_volume_than_by_the_threshold(drawn, diameter_mm, contrast):
    errors = {"pet_background_corrected": [], "pet_by_size": []}
    for seed in range(3):
        volume, truth, centre = drawn.pet_sphere(diameter_mm, contrast, seed=seed)
        for key, found in errors.items():
            drawn_ml = drawn.volume_ml(segment(volume, Click(position_mm=centre), key))
            found.append(abs(drawn_ml / drawn.volume_ml(truth) - 1.0))
    assert np.median(errors["pet_by_size"]) < 0.75 * np.median(errors["pet_background_corrected"])


def test_the_method_changes_at_the_size_that_is_asked_for(drawn):
    volume, _, centre = drawn.pet_sphere(30.0, 6.0)
    click = Click(position_mm=centre)
    threshold, border = (segment(volume, click, key) for key in ("pet_background_corrected", "pet_steepest_border"))
    size_mm = (6.0 / np.pi * 1000.0 * drawn.volume_ml(threshold)) ** (1.0 / 3.0)
    for small_mm, expected in ((size_mm - 0.01, threshold), (size_mm + 0.01, border)):
        found = segment(volume, click, "pet_by_size", BySize(small_mm=small_mm))
        assert np.array_equal(drawn.full(found), drawn.full(expected))
    assert not np.array_equal(drawn.full(threshold), drawn.full(border))


def test_a_small_lesion_that_the_threshold_loses_in_noise_is_drawn_by_its_border(drawn):
    volume, truth, centre = drawn.pet_sphere(12.0, 3.0, relative_sd=0.12, seed=0)
    with pytest.raises(Undefined):
        segment(volume, Click(position_mm=centre), "pet_background_corrected")
    assert drawn.dice(segment(volume, Click(position_mm=centre), "pet_by_size"), truth) > 0.5


def test_the_recommended_method_finds_a_real_sarcoma_by_one_click(sarcoma, drawn):
    volume, truth = sarcoma("PET", "g/ml")
    values = np.where(truth.inside, volume.voxels[truth.box()], -1.0)
    top = np.unravel_index(int(np.argmax(values)), values.shape)
    click = Click(position_mm=tuple(volume.geometry.to_mm(np.add(top, truth.start))))
    recommended = methods_for("PT")[0]
    found = segment(volume, click, recommended)
    # Of 51 such sarcomas this method found half with a Dice of 0.79 or more and a quarter with less than 0.69; their
    # volumes were 20 % off in the median. The outline was drawn on MR and holds cold parts.
    assert drawn.dice(found, truth) > 0.6
    assert drawn.volume_ml(found) == pytest.approx(drawn.volume_ml(truth), rel=0.2)
    # Whoever clicks elsewhere into the tumour's hot part gets the same.
    hot = np.argwhere(values > 0.5 * values.max())
    for voxel in hot[:: max(1, len(hot) // 5)]:
        again = segment(volume, Click(position_mm=tuple(volume.geometry.to_mm(voxel + truth.start))), recommended)
        assert drawn.dice(again, found) > 0.99


@pytest.mark.parametrize("spacing_mm", [(4.0, 4.0, 4.0), (2.0, 2.0, 2.0)])
def test_each_method_takes_less_than_fifty_milliseconds(drawn, spacing_mm):
    volume, _, centre = drawn.pet_sphere(35.0, 6.0, spacing_mm=spacing_mm)
    for method in methods_for("PT"):
        if "click" not in method.prompts or method.key == "pet_percist":
            continue
        segment(volume, Click(position_mm=centre), method)
        taken = []
        for _ in range(5):
            begun = time.process_time()
            segment(volume, Click(position_mm=centre), method)
            taken.append(time.process_time() - begun)
        assert min(taken) < 0.05, method.key
