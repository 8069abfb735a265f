"""Settings refuse what makes no sense, and survive being written down."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bingcheng.core.errors import InputError
from bingcheng.quantify.radiomics.configurations import CONFIGURATIONS
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize, NoDiscretisation
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.interpolation import Alignment, ImageMethod, Interpolation, MaskMethod
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.radiomics.settings_file import from_mapping

sizes = st.floats(0.01, 100.0)
bins = st.one_of(
    st.builds(FixedBinSize, width=sizes, lowest=st.none() | st.floats(-1000, 1000)),
    st.builds(FixedBinNumber, count=st.integers(1, 1000)),
    st.just(NoDiscretisation()),
)
any_settings = st.builds(
    RadiomicsSettings,
    interpolation=st.none()
    | st.builds(
        Interpolation,
        spacing_mm=st.tuples(st.none() | sizes, sizes, sizes),
        image=st.sampled_from(ImageMethod),
        mask=st.sampled_from(MaskMethod),
        alignment=st.sampled_from(Alignment),
        rounding=st.booleans(),
    ),
    partial_volume_threshold=st.floats(0.01, 1.0),
    resegmentation=st.builds(
        Resegmentation,
        low=st.none() | st.floats(-1000, 0),
        high=st.none() | st.floats(0, 1000),
        outlier_sd=st.none() | sizes,
    ),
    discretisation=bins,
    volume_histogram=bins,
    families=st.lists(st.sampled_from(Family), unique=True).map(tuple),
    aggregations=st.lists(st.sampled_from(Aggregation), unique=True).map(tuple),
    distance=st.integers(1, 10),
    coarseness=st.integers(0, 5),
    precision=st.sampled_from(["float32", "float64"]),
)


@effort(max_examples=60, deadline=None)
@given(any_settings)
def test_settings_survive_json_with_the_same_digest(settings):
    again = from_mapping(json.loads(json.dumps(settings.as_mapping())))
    assert again == settings
    assert again.digest == settings.digest


def test_the_digest_is_the_same_in_every_release_and_on_every_machine():
    """Stored results are compared by it: a change here makes old and new results incomparable."""
    assert RadiomicsSettings().digest == "865f9323b0da"


def test_configurations_differ_in_their_digest():
    assert len({settings.digest for settings in CONFIGURATIONS.values()}) == len(CONFIGURATIONS)


def test_an_empty_mapping_is_the_defaults():
    assert from_mapping({}) == RadiomicsSettings()


def test_families_and_aggregations_stand_in_the_order_of_the_manual():
    one = RadiomicsSettings(families=("run_length", "morphology"), aggregations=("3D", "2D_avg"))
    assert one.families == (Family.MORPHOLOGY, Family.RUN_LENGTH)
    assert one.aggregations == (Aggregation.BY_SLICE_AVERAGED, Aggregation.IN_VOLUME)
    assert one.directional == (Aggregation.BY_SLICE_AVERAGED,)
    assert one.plain == (Aggregation.IN_VOLUME,)


def test_families_are_known_by_name_and_by_identifier():
    assert RadiomicsSettings(families=("LFYI",)) == RadiomicsSettings(families=("cooccurrence",))


@pytest.mark.parametrize(
    ("given_", "name", "nearest"),
    [
        ({"interpolate": None}, "interpolate", "interpolation"),
        ({"resegmentation": {"lower": 1}}, "resegmentation.lower", "resegmentation.low"),
        ({"discretisation": {"method": "fbs", "bin_width": 25}}, "discretisation.bin_width", "discretisation.width"),
        ({"interpolation": {"spacing": [1, 1, 1]}}, "interpolation.spacing", "interpolation.spacing_mm"),
        ({"aggregation": ["3D"]}, "aggregation", "aggregations"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_known_one(given_, name, nearest):
    with pytest.raises(InputError) as caught:
        from_mapping(given_)
    assert caught.value.code == "quantify.radiomics-setting-unknown"
    assert caught.value.reason.facts == {"name": name, "nearest": nearest}


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ({"interpolation": {"spacing_mm": [2, 2]}}, "interpolation.spacing_mm"),
        ({"interpolation": {"spacing_mm": [None, None, None]}}, "interpolation.spacing_mm"),
        ({"interpolation": {"spacing_mm": [2, 0, 2]}}, "interpolation.spacing_mm"),
        ({"interpolation": {"spacing_mm": [2, math.nan, 2]}}, "interpolation.spacing_mm"),
        ({"interpolation": {}}, "interpolation.spacing_mm"),
        ({"interpolation": {"spacing_mm": [1, 1, 1], "image": "lanczos"}}, "interpolation.image"),
        ({"interpolation": {"spacing_mm": [1, 1, 1], "mask": "cubic spline"}}, "interpolation.mask"),
        ({"interpolation": {"spacing_mm": [1, 1, 1], "alignment": "corner"}}, "interpolation.alignment"),
        ({"interpolation": {"spacing_mm": [1, 1, 1], "rounding": 1}}, "interpolation.rounding"),
        ({"interpolation": 2}, "interpolation"),
        ({"partial_volume_threshold": 0}, "partial_volume_threshold"),
        ({"partial_volume_threshold": 1.5}, "partial_volume_threshold"),
        ({"resegmentation": {"low": 5, "high": 4}}, "resegmentation.low"),
        ({"resegmentation": {"low": "-500"}}, "resegmentation.low"),
        ({"resegmentation": {"high": math.inf}}, "resegmentation.high"),
        ({"resegmentation": {"outlier_sd": -3}}, "resegmentation.outlier_sd"),
        ({"discretisation": {"method": "lloyd"}}, "discretisation.method"),
        ({"discretisation": {"method": "fixed bin size"}}, "discretisation.width"),
        ({"discretisation": {"method": "fixed bin size", "width": 0}}, "discretisation.width"),
        ({"discretisation": {"method": "fixed bin number", "count": 0}}, "discretisation.count"),
        ({"discretisation": {"method": "fixed bin number", "count": 31.5}}, "discretisation.count"),
        ({"discretisation": {"method": "fixed bin number", "count": True}}, "discretisation.count"),
        ({"discretisation": {"method": "fixed bin number", "count": 10**9}}, "discretisation.count"),
        ({"families": "statistics"}, "families"),
        ({"families": ["first order"]}, "families"),
        ({"aggregations": ["4D"]}, "aggregations"),
        ({"distance": 0}, "distance"),
        ({"distance": math.inf}, "distance"),
        ({"neighbourhood_distance": 11}, "neighbourhood_distance"),
        ({"coarseness": -1}, "coarseness"),
        ({"precision": "float16"}, "precision"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(given_, name):
    with pytest.raises(InputError) as caught:
        from_mapping(given_)
    assert caught.value.code == "quantify.radiomics-setting-not-allowed"
    assert caught.value.reason.facts["name"] == name


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "NM"])
def test_every_modality_has_settings_that_follow_the_manuals_recommendations(modality):
    """Its table of discretisation: a fixed bin size only where a range of re-segmentation fixes the first bin."""
    chosen = RadiomicsSettings.for_modality(modality)
    if isinstance(chosen.discretisation, FixedBinSize):
        assert chosen.resegmentation.low is not None
    else:
        assert chosen.volume_histogram == FixedBinNumber(count=1000)


def test_a_report_names_each_step_with_its_identifier():
    steps = CONFIGURATIONS["E"].steps()
    assert [step.ibsi for step in steps] == ["VTM2", "3WE3", "E8H9", "68QD", "USB3", "7ACA", "K15C", "K15C"]
    assert str(steps[0].setting) == "cubic spline to voxels of 2 × 2 × 2 mm (z, y, x)"
    assert str(steps[4].setting) == "-1000 to 400"
