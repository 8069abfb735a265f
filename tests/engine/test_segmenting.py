"""Images opened, lesions drawn from marks, corrected, measured and written."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.making import LESION_MM, ct, dwi, pet
from tests.engine.radiomics_making import GRID, labels, pair, saved
from tests.quantify.lesion.conftest import nodule

from bingcheng.core.errors import CatalogueError, InputError, RefusedError, Undefined
from bingcheng.engine.segmenting.files import checked_for, dicom_method, label_map, record_of
from bingcheng.engine.segmenting.images import OpenedImage, opened, opened_with_mask
from bingcheng.engine.segmenting.lesions import BLURRED_MM, Correction, Outline, corrected, drawn
from bingcheng.engine.segmenting.methods import candidates, fitting, named, plugin, remote_plugin, settable, settings_of
from bingcheng.engine.segmenting.places import Frame, direction, position_mm
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.language import Language
from bingcheng.quantify.lesion.edit import grown_by
from bingcheng.quantify.lesion.pet_threshold import BackgroundCorrected, FixedUptake
from bingcheng.quantify.lesion.prompt import Box, Click, PromptKind, RecistLine
from bingcheng.quantify.lesion.segment import installed_methods

CENTRE_MM = (40.0, 10.0, 0.0)
LINE = RecistLine(start_mm=(25.0, 10.0, 0.0), end_mm=(55.0, 10.0, 0.0))
SAY = Language.of("en").say


@pytest.fixture(scope="session")
def pet_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pet")
    pet(folder)
    return folder


@pytest.fixture(scope="session")
def pet_image(pet_folder):
    return opened(pet_folder, modality=None, series=None)


def inside(region):
    mask = np.zeros(region.grid.shape, dtype=bool)
    mask[region.box()] = region.inside
    return mask


def within(region, radius_mm):
    index = np.stack(np.indices(region.grid.shape), axis=-1)
    return np.linalg.norm(region.grid.to_mm(index) - np.asarray(CENTRE_MM), axis=-1) <= radius_mm


def outline_of(method, *, drawn_by=None, untouched=False):
    region = Region.of(labels() == 1, GRID, label="a", method=method)
    return Outline(region=region, values=(), method=drawn_by, untouched=untouched)


finite = st.floats(-300.0, 300.0)


@settings(max_examples=25)
@given(st.tuples(finite, finite, finite))
def test_a_position_is_the_same_place_in_every_way_to_write_it(index):
    tilted = VolumeGeometry(
        shape=(9, 9, 9),
        spacing_mm=(3.0, 2.0, 1.0),
        origin_mm=(5.0, -7.0, 40.0),
        axes=((0, 0.6, 0.8), (0, 1, 0), (-1, 0, 0)),
    )
    place = position_mm(index, Frame.VOXEL, tilted)
    assert tilted.to_index(place)[::-1] == pytest.approx(index, abs=1e-6)
    assert position_mm(place, Frame.LPS, tilted) == place
    assert position_mm((-place[0], -place[1], place[2]), Frame.RAS, tilted) == place


def test_a_direction_in_voxels_is_the_way_that_steps_along_the_axes_lead():
    assert direction((0.0, 0.0, 2.0), Frame.VOXEL, GRID) == pytest.approx((0.0, 0.0, 5.0))
    assert direction((1.0, 2.0, 3.0), Frame.RAS, GRID) == (-1.0, -2.0, 3.0)


def test_a_pet_series_is_opened_as_suv_and_a_click_finds_its_lesion(pet_image):
    assert (pet_image.modality, pet_image.volume.unit) == ("PT", "g/ml")
    found = drawn(pet_image, [("Lesion 1", Click(position_mm=CENTRE_MM))], candidates("PT", [PromptKind.CLICK]), None)
    (one,) = found.outlines
    # Blur and voxels of 8 mm move the border by less than one of them.
    assert not (within(one.region, LESION_MM / 2 - 8.0) & ~inside(one.region)).any()
    assert not (inside(one.region) & ~within(one.region, LESION_MM / 2 + 8.0)).any()
    values = {value.key: value.value for value in one.values}
    assert values["suv_max"] == pytest.approx(6.0, rel=1e-3)
    assert values["volume"] == pytest.approx(inside(one.region).sum() * 8 * 8 * 5 / 1000)
    assert one.method.key == "pet_by_size"
    assert one.parameters == {"small_mm": 30.0, "fraction": 0.42, "fill_holes": False}


def test_a_mark_on_the_background_does_not_stop_the_others(pet_image):
    # Without noise a click on the background climbs to the lesion from anywhere.
    prompts = [("A", Click(position_mm=(-40.0, 0.0, 0.0))), ("B", Click(position_mm=CENTRE_MM))]
    found = drawn(pet_image, prompts, candidates("PT", [PromptKind.CLICK]), None)
    assert [one.region.label for one in found.outlines] == ["B"]
    assert [(one.subject, one.code) for one in found.refusals] == [("A", "quantify.click-far-off")]


def test_the_words_for_an_image_hold_nothing_of_the_patient(pet_image):
    assert "Wiesenthal" not in repr(pet_image)
    assert pet_image.label("Wiesenthal left") == "left"


def test_pet_without_weight_stays_in_its_unit_and_says_why(tmp_path):
    pet(tmp_path, facts={"weight_kg": None})
    image = opened(tmp_path, modality=None, series=None)
    assert image.volume.unit == "Bq/ml"
    (remark,) = image.remarks
    assert "No SUV: " in SAY(remark)
    (one,) = drawn(image, [("A", Click(position_mm=CENTRE_MM))], candidates("PT", [PromptKind.CLICK]), None).outlines
    assert [value.key for value in one.values][-2:] == ["mean", "maximum"]
    assert {value.unit for value in one.values} == {"ml", "mm", "Bq/ml"}


def test_outside_of_the_lung_the_next_method_draws_and_says_so(tmp_path):
    ct(tmp_path)
    image = opened(tmp_path, modality=None, series=None)
    methods = candidates("CT", [PromptKind.RECIST_LINE])
    assert methods[0].key == "ct_lung_nodule"
    (one,) = drawn(image, [("A", LINE)], methods, None).outlines
    assert one.method is methods[1]
    assert "ct_lung_nodule" in SAY(one.instead)
    refused = drawn(image, [("A", LINE)], methods[:1], None)
    assert [one.code for one in refused.refusals] == ["quantify.nodule-without-lung"]


def test_the_volume_of_a_small_nodule_is_told_by_parts_and_by_whole_voxels():
    volume, ball, centre = nodule(6.0)
    image = OpenedImage(name="n", volume=volume, modality="CT", files=())
    (one,) = drawn(image, [("A", Click(position_mm=centre))], candidates("CT", [PromptKind.CLICK]), None).outlines
    values = {value.key: value.value for value in one.values}
    # 5 %: what the method states for solid nodules of 6 mm.
    assert values["volume"] == pytest.approx(ball.volume_mm3 / 1000, rel=0.05)
    assert values["volume_of_whole_voxels"] == pytest.approx(
        inside(one.region).sum() * volume.geometry.voxel_mm3 / 1000
    )
    assert record_of(image, [one], [], [], SAY)["lesions"][0]["fractions"] is True


def test_what_a_reader_should_look_at_is_said(pet_image):
    far = dataclasses.replace(LINE, end_mm=(70.0, 10.0, 0.0))
    (one,) = drawn(pet_image, [("A", far)], [named("ball")], named("ball").settings(scale=0.32)).outlines
    said = [SAY(check) for check in one.checks]
    assert any(sentence.startswith("Where this method goes wrong") for sentence in said)
    assert any("the line that was drawn 45 mm" in sentence for sentence in said)
    assert any(sentence.startswith("Only ") for sentence in said)
    assert any("blurred" in sentence for sentence in said)
    assert set(BLURRED_MM) <= {"CT", "MR", "PT"}


def test_a_click_beside_the_outline_is_said_with_its_distance(pet_image):
    beside = Click(position_mm=(40.0, 10.0 + 18.0, 0.0))
    found = drawn(pet_image, [("A", beside)], [named("pet_percent_of_max")], None)
    for one in found.outlines:
        away = [SAY(check) for check in one.checks if "outside of the outline" in SAY(check)]
        assert bool(away) == (
            not inside(one.region)[tuple(np.rint(one.region.grid.to_index(beside.position_mm)).astype(int))]
        )
    edge = Region.of(np.ones(GRID.shape, dtype=bool), GRID, label="all")
    image = OpenedImage(
        name="n",
        volume=Volume(voxels=np.ones(GRID.shape, np.float32), geometry=GRID, unit="1"),
        modality="MR",
        files=(),
    )
    (whole,) = corrected(image, [edge], None, ())
    assert any("edge of the image" in SAY(check) for check in whole.checks)


def test_one_region_of_a_mask_is_taken_and_corrected(tmp_path):
    image_path, mask_path = pair(tmp_path)
    there = opened_with_mask(image_path, mask_path, modality="MR", series=None)
    step = Correction(function=grown_by, parameters={"margin_mm": 2.5})
    assert [one.untouched for one in corrected(there.image, there.regions, None, ())] == [True, True]
    (second,) = corrected(there.image, there.regions, "2", [step])
    assert not second.untouched
    assert inside(second.region).sum() > (labels() == 2).sum()
    assert not ((labels() == 2) & ~inside(second.region)).any()
    assert second.region.method == "unknown; edited: grown_by"
    assert second.corrections == ({"action": "grown_by", "parameters": {"margin_mm": 2.5}},)
    with pytest.raises(InputError, match="which-region"):
        corrected(there.image, there.regions, None, [step])
    with pytest.raises(InputError, match="no-such-label"):
        corrected(there.image, there.regions, "7", [step])
    with pytest.raises(Undefined, match="leaves-nothing"):
        corrected(there.image, there.regions, "2", [dataclasses.replace(step, parameters={"margin_mm": -50.0})])


def test_a_region_is_called_by_its_value_in_the_label_map(tmp_path):
    image_path, _ = pair(tmp_path)
    mask_path = saved(labels() * 3, tmp_path / "mask.nii.gz")
    there = opened_with_mask(image_path, mask_path, modality="MR", series=None)
    (six,) = corrected(there.image, there.regions, "6", ())
    np.testing.assert_array_equal(inside(six.region), labels() == 2)


def test_of_several_images_one_has_to_be_named(tmp_path):
    dwi(tmp_path / "mr")
    with pytest.raises(InputError, match="b_value=800") as told:
        opened(tmp_path, modality=None, series=None)
    assert told.value.code == "engine.segmentation-which-image"
    named_one = opened(tmp_path, modality=None, series="mr 4 B_value=800")
    assert named_one.name == "MR 4 b_value=800"
    with pytest.raises(InputError, match="no-such-series"):
        opened(tmp_path, modality=None, series="9")
    with pytest.raises(InputError, match="segmentation-no-image"):
        opened(tmp_path, modality="CT", series=None)


def test_settings_are_read_by_their_kind():
    method = named("pet_fixed_uptake")
    assert settings_of(method, []) is None
    assert settings_of(method, ["threshold_g_per_ml=2.5", "fill_holes=Yes"]) == FixedUptake(
        threshold_g_per_ml=2.5, fill_holes=True
    )


def test_a_density_may_be_negative_and_counts_stay_whole():
    assert settings_of(named("ct_lung_nodule"), ["core_hu=-80"]).core_hu == -80.0
    assert settings_of(named("pet_majority_vote"), ["votes=3"]).votes == 3


@pytest.mark.parametrize(
    ("key", "written", "problem"),
    [
        ("pet_fixed_uptake", "threshold=2.5", "no-such-setting"),
        ("pet_fixed_uptake", "threshold_g_per_ml", "setting-not-understood"),
        ("pet_fixed_uptake", "threshold_g_per_ml=inf", "setting-not-understood"),
        ("pet_fixed_uptake", "threshold_g_per_ml=two", "setting-not-understood"),
        ("pet_fixed_uptake", "fill_holes=perhaps", "setting-not-understood"),
        ("pet_majority_vote", "votes=2.5", "setting-not-understood"),
        ("pet_fixed_uptake", "threshold_g_per_ml=-1", "setting-not-understood"),
        ("active_contour", "smoothing_voxels=1000000", "setting-not-understood"),
        ("pet_percist", "mean_factor=2", "settings-needed"),
    ],
)
def test_a_setting_that_is_not_understood_is_told(key, written, problem):
    with pytest.raises(InputError, match=problem):
        settings_of(named(key), [written])


def test_every_parameter_of_every_method_can_be_set():
    assert all(settable(method) == method.parameters for method in installed_methods())


def test_by_default_a_method_is_chosen_that_takes_the_marks_and_needs_nothing_else():
    assert candidates("PT", [PromptKind.CLICK])[0].key == "pet_by_size"
    assert "pet_percist" not in [one.key for one in candidates("PT", [PromptKind.CLICK])]
    assert all(PromptKind.BOX in one.prompts for one in candidates("MR", [PromptKind.BOX, PromptKind.RECIST_LINE]))
    with pytest.raises(InputError, match="no-method"):
        candidates("US", [PromptKind.CLICK])
    with pytest.raises(InputError, match="unfit-modality"):
        fitting(named("pet_fixed_uptake"), "CT")
    with pytest.raises(CatalogueError, match="unknown-segmentation-method"):
        named("magic")


def test_nothing_is_asked_of_a_server_before_it_is_allowed(tmp_path):
    with pytest.raises(RefusedError, match="remote-not-allowed"):
        remote_plugin("https://nowhere.invalid", model=None, modality="CT", allowed=False, token=None)
    with pytest.raises(RefusedError, match="remote-not-secure"):
        remote_plugin("http://nowhere.invalid", model=None, modality="CT", allowed=True, token=None)
    with pytest.raises(InputError, match="token-unreadable"):
        remote_plugin("https://x.invalid", model=None, modality="CT", allowed=True, token=tmp_path / "none")
    with pytest.raises(InputError, match="no-plugin"):
        plugin(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("method", "own", "untouched", "expect"),
    [
        ("pet_x(fraction=0.42)/1", True, False, "semi-automatic pet_x(fraction=0.42)/1"),
        (
            "pet_x(fraction=0.42)/1; edited: grown_by",
            True,
            False,
            "semi-automatic pet_x(fraction=0.42)/1; edited: grown_by",
        ),
        ("unknown; edited: grown_by", False, False, "manual"),
        ("manual", False, True, "manual"),
        ("automatic (NetX 2)", False, True, "NetX 2"),
        ("automatic (NetX 2); edited: brushed x2", False, False, "semi-automatic NetX 2; edited: brushed x2"),
        ("semiautomatic (semi-automatic tissue_cut/1)", False, True, "semi-automatic tissue_cut/1"),
    ],
)
def test_dicom_hears_who_drew_it_and_with_which_parameters(method, own, untouched, expect):
    one = outline_of(method, drawn_by=named("ball") if own else None, untouched=untouched)
    assert dicom_method(one) == expect


def test_where_two_regions_overlap_the_label_map_holds_the_first():
    first = Region.of(labels() == 1, GRID, label="a")
    both = Region.of(labels() > 0, GRID, label="b")
    expect = np.where(labels() == 1, 1, np.where(labels() == 2, 2, 0))
    np.testing.assert_array_equal(label_map([first, both]), expect)


def test_no_output_replaces_what_it_is_made_from(pet_image, pet_folder):
    with pytest.raises(InputError, match="replaces-input"):
        checked_for(pet_image, [next(pet_folder.glob("0*.dcm"))])
    checked_for(pet_image, [pet_folder / "new.dcm"])


def test_the_record_is_json_with_every_number_or_its_reason(pet_image):
    box = Box(corner_mm=(10.0, -20.0, -35.0), opposite_mm=(70.0, 40.0, 35.0))
    cut = Region.of(np.ones(pet_image.volume.geometry.shape, dtype=bool), pet_image.volume.geometry, label="all")
    found = drawn(pet_image, [("A", box)], [named("pet_background_corrected")], BackgroundCorrected(fraction=0.5))
    told = record_of(pet_image, [*found.outlines, *corrected(pet_image, [cut], None, ())], [], [], SAY)
    again = json.loads(json.dumps(told, allow_nan=False))
    assert again["lesions"][0]["parameters"]["fraction"] == 0.5
    assert again["lesions"][0]["prompt"]["points_mm_lps"] == [[10.0, -20.0, -35.0], [70.0, 40.0, 35.0]]
    cut_off = {value["measure"]: value for value in again["lesions"][1]["values"]}["volume"]
    assert (cut_off["value"], cut_off["no_value"]["code"]) == (None, "quantify.lesion-cut-off")


def test_two_marks_that_find_one_lesion_are_told_and_two_lesions_are_not(pet_image):
    twice = [("A", Click(position_mm=CENTRE_MM)), ("B", Click(position_mm=(45.0, 10.0, 0.0)))]
    found = drawn(pet_image, twice, candidates("PT", [PromptKind.CLICK]), None)
    assert ["shares voxels" in SAY(one.checks[-1]) for one in found.outlines] == [True, True]
    apart = [("A", LINE), ("B", RecistLine(start_mm=(-60.0, 0.0, 0.0), end_mm=(-30.0, 0.0, 0.0)))]
    found = drawn(pet_image, apart, [named("ball")], None)
    assert ["shares voxels" in SAY(one.checks[-1]) for one in found.outlines] == [False, False]
