"""Parameter files of pyradiomics: every parameter is taken over or told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings as how
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.interpolation import ImageMethod, MaskMethod
from bingcheng.quantify.radiomics.pyradiomics import is_parameter_file, mapped
from bingcheng.quantify.radiomics.pyradiomics_features import DIFFERENT, ELSEWHERE, TAGS
from bingcheng.quantify.radiomics.pyradiomics_remark import Fit
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings


def settings(**given) -> RadiomicsSettings:
    (found,) = mapped({"setting": given}).image_types
    return found.settings


def fits(given) -> dict[str, Fit]:
    return {remark.name: remark.fit for remark in mapped(given).remarks}


def test_a_file_is_recognised_by_its_parts():
    assert is_parameter_file({"setting": {}, "imageType": {"Original": {}}})
    assert is_parameter_file({"featureClass": {"shape": None}})
    assert not is_parameter_file({})
    assert not is_parameter_file({"setting": {}, "discretisation": {}})
    assert not is_parameter_file(RadiomicsSettings().as_mapping())


def test_every_feature_of_the_table_exists_under_its_tag():
    known = {entry.feature.tag for entry in all_features()}
    assert {tag for tags in TAGS.values() for tag in tags.values()} <= known
    assert all(name not in TAGS[group] for group, name in ELSEWHERE)
    assert all(name in TAGS[group] for group, name in DIFFERENT)


def test_defaults_are_those_of_pyradiomics():
    found = settings()
    assert found.interpolation is None
    assert found.discretisation == FixedBinSize(width=25.0)
    assert found.aggregations == (Aggregation.IN_VOLUME_AVERAGED, Aggregation.IN_VOLUME)
    assert Family.VOLUME_HISTOGRAM not in found.families
    assert fits({"setting": {}}) == {
        "setting.binWidth": Fit.DIFFERS,
        "featureClass.firstorder.Kurtosis": Fit.DIFFERS,
        "featureClass.firstorder.TotalEnergy": Fit.LEFT_OUT,
        "featureClass.glcm.MCC": Fit.LEFT_OUT,
        "featureClass.shape.Maximum2DDiameterSlice": Fit.LEFT_OUT,
        "featureClass.shape.Maximum2DDiameterColumn": Fit.LEFT_OUT,
        "featureClass.shape.Maximum2DDiameterRow": Fit.LEFT_OUT,
    }


def test_spacings_are_x_y_z_there_and_z_y_x_here_and_0_keeps_a_direction():
    found = settings(resampledPixelSpacing=[1, 2, 0], interpolator="sitkLinear").interpolation
    assert found is not None
    assert found.spacing_mm == (None, 2.0, 1.0)
    assert (found.image, found.mask) == (ImageMethod.LINEAR, MaskMethod.NEAREST)


@pytest.mark.parametrize(
    ("given", "method", "fit"),
    [
        ({}, ImageMethod.CUBIC_SPLINE, Fit.SAME),
        ({"interpolator": 1}, ImageMethod.NEAREST, Fit.SAME),
        ({"interpolator": "sitkLanczosWindowedSinc"}, ImageMethod.CUBIC_SPLINE, Fit.DIFFERS),
    ],
)
def test_interpolators(given, method, fit):
    given = {"resampledPixelSpacing": [2, 2, 2], **given}
    assert settings(**given).interpolation.image is method
    told = fits({"setting": given})
    assert told["setting.interpolator"] is fit
    assert told["setting.resampledPixelSpacing"] is Fit.DIFFERS


@pytest.mark.parametrize("given", [{"resampledPixelSpacing": None}, {"resampledPixelSpacing": [0, 0, 0]}])
def test_nothing_is_interpolated_without_a_spacing(given):
    assert settings(**given).interpolation is None


def test_re_segmentation():
    assert settings(resegmentRange=[-100, 50]).resegmentation == Resegmentation(low=-100.0, high=50.0)
    assert settings(resegmentRange=[0]).resegmentation == Resegmentation(low=0.0)
    by_sd = {"resegmentRange": [-3, 3], "resegmentMode": "sigma"}
    assert settings(**by_sd).resegmentation == Resegmentation(outlier_sd=3.0)
    for left_out in (
        {"resegmentRange": [-2, 3], "resegmentMode": "sigma"},
        {"resegmentRange": [0.4], "resegmentMode": "relative"},
    ):
        assert settings(**left_out).resegmentation == Resegmentation()
        assert fits({"setting": left_out})["setting.resegmentRange"] is Fit.LEFT_OUT
    assert fits({"setting": {"resegmentRange": [0], "resegmentShape": True}})["setting.resegmentShape"] is Fit.LEFT_OUT


def test_a_bin_number_goes_before_a_bin_width():
    assert settings(binCount=16, binWidth=3).discretisation == FixedBinNumber(count=16)
    assert fits({"setting": {"binCount": 16}})["setting.binCount"] is Fit.SAME
    assert settings(binWidth=0.5).discretisation == FixedBinSize(width=0.5)


def test_aggregations_follow_slices_and_weights():
    assert settings(force2D=True).aggregations == (Aggregation.BY_DIRECTION_MERGED, Aggregation.OVER_SLICES_MERGED)
    merged = settings(weightingNorm="no_weighting").aggregations
    assert merged == (Aggregation.IN_VOLUME_MERGED, Aggregation.IN_VOLUME)
    assert fits({"setting": {"weightingNorm": "euclidean"}})["setting.weightingNorm"] is Fit.DIFFERS
    other = fits({"setting": {"force2D": True, "force2Ddimension": 1}})
    assert other["setting.force2Ddimension"] is Fit.LEFT_OUT


def test_neighbours():
    found = settings(distances=[2], gldm_a=1)
    assert (found.distance, found.neighbourhood_distance, found.coarseness) == (2, 2, 1)
    assert fits({"setting": {"distances": [1]}})["setting.distances"] is Fit.SAME
    assert fits({"setting": {"distances": [1, 2]}})["setting.distances"] is Fit.DIFFERS


@pytest.mark.parametrize(
    ("given", "fit"),
    [
        ({"voxelArrayShift": 1000}, Fit.LEFT_OUT),
        ({"voxelArrayShift": 0}, Fit.SAME),
        ({"symmetricalGLCM": False}, Fit.LEFT_OUT),
        ({"symmetricalGLCM": True}, Fit.SAME),
        ({"preCrop": True}, Fit.SAME),
        ({"minimumROISize": 50}, Fit.LEFT_OUT),
        ({"minimumROIDimensions": 3}, Fit.LEFT_OUT),
        ({"correctMask": True}, Fit.LEFT_OUT),
        ({"additionalInfo": True}, Fit.SAME),
        ({"normalize": False}, Fit.SAME),
        ({"binwidth": 3}, Fit.LEFT_OUT),
    ],
)
def test_every_other_parameter_is_told(given, fit):
    (name,) = given
    assert fits({"setting": given})[f"setting.{name}"] is fit


def test_normalisation_is_that_of_the_whole_image():
    given = {"setting": {"normalize": True, "normalizeScale": 100, "removeOutliers": 2}}
    (one,) = mapped(given).image_types
    voxels = np.random.default_rng(3).normal(50.0, 7.0, (6, 8, 9)).astype(np.float32)
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=(1.0, 1.0, 1.0))
    found = one.standardisation.applied(Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]"))
    expect = np.clip((voxels - voxels.mean()) / voxels.std(ddof=1), -2.0, 2.0) * 100.0
    np.testing.assert_allclose(found.voxels, expect, atol=1e-3)  # float32 of numbers up to 200
    assert found.unit == "{arbitrary}"


def test_a_laplacian_has_its_bins_scaled_as_its_response():
    given = {
        "imageType": {"Original": {}, "LoG": {"sigma": [1.0, 3.0]}},
        "setting": {"resampledPixelSpacing": [2, 2, 2], "binWidth": 25},
    }
    original, fine, coarse = mapped(given).image_types
    assert [fine.name, coarse.name] == ["log-sigma-1-0-mm-3D", "log-sigma-3-0-mm-3D"]
    assert isinstance(coarse.settings.filter, LaplacianOfGaussian)
    assert original.settings.discretisation.width == 25.0
    assert math.isclose(coarse.settings.discretisation.width, 25.0 * (2.0 / 3.0) ** 2)
    assert Family.MORPHOLOGY in original.settings.families
    assert Family.MORPHOLOGY not in coarse.settings.families


def test_a_laplacian_without_known_voxels_is_left_out_unless_bins_are_numbered():
    given = {"imageType": {"Original": {}, "LoG": {"sigma": [2.0]}}, "setting": {"binWidth": 5}}
    assert [one.name for one in mapped(given).image_types] == ["original"]
    assert fits(given)["imageType.LoG"] is Fit.LEFT_OUT
    numbered = {**given, "setting": {"binCount": 8}}
    assert len(mapped(numbered).image_types) == 2


def test_wavelets_are_all_bands_of_each_level():
    given = {"imageType": {"Wavelet": {"wavelet": "haar", "level": 2}}}
    found = mapped(given).image_types
    names = [one.name for one in found]
    assert names[:7] == [f"wavelet-{band}" for band in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH")]
    assert names[7:] == [f"wavelet2-{band}" for band in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")]
    assert all(isinstance(one.settings.filter, SeparableWavelet) for one in found)
    assert {one.settings.filter.level for one in found[7:]} == {2}
    by_slice = mapped({"imageType": {"Wavelet": {}}, "setting": {"force2D": True}}).image_types
    assert [one.name for one in by_slice] == ["wavelet-LH", "wavelet-HL", "wavelet-HH", "wavelet-LL"]


@pytest.mark.parametrize("name", ["Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D", "LBP3D"])
def test_images_that_the_ibsi_does_not_know_are_left_out_with_the_reason(name):
    assert fits({"imageType": {"Original": {}, name: {}}})[f"imageType.{name}"] is Fit.LEFT_OUT


@pytest.mark.parametrize("wavelet", ["dmey", "bior1.3", "sym21", "db38"])
def test_a_wavelet_that_can_not_be_computed_is_left_out_and_those_that_can_are_named(wavelet):
    found = mapped({"imageType": {"Original": {}, "Wavelet": {"wavelet": wavelet}}})
    (remark,) = (one for one in found.remarks if one.name == "imageType.Wavelet")
    assert remark.fit is Fit.LEFT_OUT
    said = str(remark.says)
    assert wavelet in said
    for known in ("haar", "db1 to db10", "sym2 to sym10", "coif1 to coif3"):
        assert known in said


@pytest.mark.parametrize("wavelet", ["haar", "db10", "sym2", "sym10", "coif3"])
def test_a_wavelet_that_is_said_to_be_known_is(wavelet):
    given = {"imageType": {"Wavelet": {"wavelet": wavelet}}}
    assert len(mapped(given).image_types) == 8


def test_an_image_type_may_have_settings_of_its_own():
    given = {"imageType": {"Original": {}, "Wavelet": {"binWidth": 10}}, "setting": {"binWidth": 25}}
    original, *wavelets = mapped(given).image_types
    assert original.settings.discretisation == FixedBinSize(width=25.0)
    assert {one.settings.discretisation for one in wavelets} == {FixedBinSize(width=10.0)}


def test_only_features_that_were_asked_for_are_wanted():
    given = {"featureClass": {"firstorder": ["Mean", "StandardDeviation", "Nonsense"], "glcm": None}}
    (one,) = mapped(given).image_types
    assert one.settings.families == (Family.STATISTICS, Family.HISTOGRAM, Family.COOCCURRENCE)
    assert one.wants("stat_mean")
    assert one.wants("cm_contrast")
    assert not one.wants("stat_var")
    assert not one.wants("ih_entropy")
    told = fits(given)
    assert told["featureClass.firstorder.StandardDeviation"] is Fit.LEFT_OUT
    assert told["featureClass.firstorder.Nonsense"] is Fit.LEFT_OUT


def test_the_label_is_taken_over():
    assert mapped({"setting": {"label": 3}}).label == 3
    assert mapped({"setting": {}}).label == 1


@pytest.mark.parametrize(
    "given",
    [
        {"setting": []},
        {"setting": {"binWidth": -1}},
        {"setting": {"binCount": 2.5}},
        {"setting": {"resampledPixelSpacing": [1, 1]}},
        {"setting": {"resampledPixelSpacing": [1, 1, -1]}},
        {"setting": {"resampledPixelSpacing": [1, 1, 1], "interpolator": "cubic"}},
        {"setting": {"resegmentRange": "all"}},
        {"setting": {"resegmentRange": [1], "resegmentMode": "shift"}},
        {"setting": {"distances": [0]}},
        {"setting": {"label": 0}},
        {"setting": {"gldm_a": float("nan")}},
        {"imageType": {"LoG": {"sigma": [-1]}}},
        {"imageType": {"LoG": 3}},
        {"imageType": {"Wavelet": {"level": 0}}},
        {"featureClass": {"glcm": "Contrast"}},
    ],
)
def test_what_pyradiomics_would_not_take_is_one_plain_error(given):
    with pytest.raises(InputError) as caught:
        mapped(given)
    assert caught.value.code == "quantify.pyradiomics-malformed"


def test_a_file_that_asks_for_nothing_that_is_known_is_refused():
    for given in ({"imageType": {"Square": {}}}, {"featureClass": {"shape2D": None}}):
        with pytest.raises(InputError) as caught:
            mapped(given)
        assert caught.value.code == "quantify.pyradiomics-nothing-mapped"


def test_the_kurtosis_is_less_by_3():
    """The remark on kurtosis is true of values: that of pyradiomics, which is not the excess, is larger by 3."""
    voxels = np.random.default_rng(1).normal(0.0, 10.0, (9, 9, 9)).astype(np.float32)
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=(1.0, 1.0, 1.0))
    lesion = Region.of(np.ones(grid.shape, dtype=bool), grid, label="all")
    (one,) = mapped({"featureClass": {"firstorder": ["Kurtosis"]}}).image_types
    found = features(Volume(voxels=voxels, geometry=grid, unit="1"), lesion, one.settings)["stat_kurt"]
    centred = voxels.astype(float) - voxels.astype(float).mean()
    plain = float((centred**4).mean() / (centred**2).mean() ** 2)
    assert math.isclose(found + 3.0, plain, rel_tol=1e-6)  # intensities are float32


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.sampled_from(["sitkLinear", "sigma", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sigma", "level", "x"]), inner),
    max_leaves=5,
)
NAMES = (
    "normalize",
    "normalizeScale",
    "removeOutliers",
    "resampledPixelSpacing",
    "interpolator",
    "resegmentRange",
    "resegmentMode",
    "binWidth",
    "binCount",
    "force2D",
    "force2Ddimension",
    "weightingNorm",
    "distances",
    "gldm_a",
    "label",
    "voxelArrayShift",
    "sigma",
    "wavelet",
    "level",
    "start_level",
)


@how(max_examples=300)
@drawn(
    setting=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4),
    images=st.dictionaries(st.sampled_from(["Original", "LoG", "Wavelet", "Square"]), ANYTHING, max_size=2),
    classes=st.dictionaries(st.sampled_from(["firstorder", "glcm", "shape2D", "x"]), ANYTHING, max_size=2),
)
def test_whatever_stands_in_a_file_is_mapped_or_refused_and_every_setting_is_told(setting, images, classes):
    try:
        found = mapped({"setting": setting, "imageType": images, "featureClass": classes})
    except InputError:
        return
    told = {remark.name.removeprefix("setting.") for remark in found.remarks}
    assert set(setting) - {"sigma", "wavelet", "level", "start_level"} <= told
    assert all(one.settings.as_mapping() for one in found.image_types)
