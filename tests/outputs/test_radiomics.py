"""Radiomics features on every surface: page, table, JSON, and what is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outputs.example import study
from tests.outputs.features import FLAT, KIND, feature_cohort, feature_set

from bingcheng.archive.codec import decoded, encoded
from bingcheng.outputs.language import Language
from bingcheng.outputs.machine_readable import as_json
from bingcheng.outputs.radiomics.columns import RADIOMICS
from bingcheng.outputs.radiomics.feature_set import FeatureSet
from bingcheng.outputs.radiomics.grade import grade_counts, grade_of, why_not_graded
from bingcheng.outputs.radiomics.sr import IBSI, feature_code, published
from bingcheng.outputs.radiomics.units import quantity, symbol
from bingcheng.outputs.report.page import page
from bingcheng.outputs.report.radiomics import FeatureBlocks

ENGLISH = Language.of("en")


def with_features(*found):
    """The example study with features at its first lesion."""
    plain = study()
    exam = plain.exams[0]
    series = exam.series[0]
    lesion = replace(series.lesions[0], radiomics=found)
    exam = replace(exam, series=(replace(series, lesions=(lesion,)), *exam.series[1:]))
    return replace(plain, exams=(exam, *plain.exams[1:]), radiomics=(feature_cohort(),))


def rows(*found):
    names = [column.name for column in RADIOMICS.columns]
    return [dict(zip(names, row, strict=True)) for row in RADIOMICS.rows(with_features(*found))]


def test_what_is_kept_comes_back_the_same():
    kept = feature_set()
    assert decoded(FeatureSet, encoded(kept)) == kept
    refused = feature_set(tags=(), values=(), standard_uncertainties=(), components={}, no_values={}, refused=FLAT)
    assert decoded(FeatureSet, encoded(refused)) == refused


def test_each_feature_has_its_names_its_unit_and_its_expanded_uncertainty():
    mean, variance, joint, skew = feature_set().features()
    assert (mean.label, mean.family, mean.ibsi, mean.unit) == ("Mean intensity", "statistics", "Q4LE", "[hnsf'U]")
    assert mean.expanded_uncertainty == 1.0
    assert variance.unit == "[hnsf'U]2"
    assert variance.expanded_uncertainty is None
    assert joint.ibsi == "GYBY:IAZD"
    assert (skew.value, skew.no_value) == (None, FLAT)


def test_settings_that_this_release_does_not_understand_leave_the_tags_as_names():
    (first, *_) = feature_set(settings={"something": "of a later release"}).features()
    assert (first.tag, first.label, first.ibsi) == ("stat_mean", "stat_mean", "")


def test_the_grade_goes_by_the_lower_end_of_the_interval():
    cohort = feature_cohort()
    assert [grade_of(cohort, tag).grade for tag in cohort.reliability] == ["excellent", "poor", "good", ""]
    assert grade_counts(cohort) == {"excellent": 1, "good": 1, "poor": 1, "": 1}
    assert why_not_graded(cohort) is None
    assert str(why_not_graded(replace(cohort, reliability={"stat_skew": cohort.reliability["stat_skew"]}))) == (
        "too few lesions"
    )


def test_the_table_has_a_row_a_feature_with_grade_or_reason():
    mean, _, joint, skew = rows(feature_set())
    assert (mean["feature"], mean["value"], mean["unit"], mean["standard_uncertainty"]) == (
        "stat_mean",
        41.25,
        "[hnsf'U]",
        0.5,
    )
    assert (joint["grade"], joint["icc"], joint["icc_low"]) == ("good", 0.9, 0.8)
    assert (skew["value"], skew["code"], skew["grade"]) == (None, "q.flat", None)


def test_a_lesion_without_features_has_one_row_that_says_why():
    (only,) = rows(feature_set(tags=(), values=(), standard_uncertainties=(), components={}, refused=FLAT))
    assert (only["feature"], only["code"], str(only["reason"])) == (None, "q.flat", "the lesion is flat")


def test_json_holds_values_components_grades_and_settings():
    told = as_json(with_features(feature_set()), ENGLISH)
    json.dumps(told, allow_nan=False)
    (found,) = told["exams"][0]["series"][0]["lesions"][0]["radiomics"]
    assert found["features"][0]["components"] == {"contour": 0.3, "noise": 0.4}
    assert found["features"][3]["no_value"]["code"] == "q.flat"
    (cohort,) = told["radiomics"]
    assert cohort["counts"] == {"excellent": 1, "good": 1, "poor": 1, "unknown": 1}
    assert cohort["grades"]["stat_mean"]["low"] == 0.93
    assert cohort["settings"]["families"] == ["statistics", "cooccurrence"]


def test_the_page_tells_values_identifiers_and_grades_in_words():
    shown = page(with_features(feature_set()), ENGLISH)
    for words in ("Texture and shape (radiomics)", "41.2 ± 1.0 HU", "Q4LE", "GYBY:IAZD", "excellent", "poor", "HU²"):
        assert words in shown
    assert "the lesion is flat" in shown
    assert 'id="radiomics"' in shown


def test_a_page_without_features_says_nothing_of_them():
    shown = page(study(), ENGLISH)
    assert "radiomics-title" not in shown
    assert "Texture and shape" not in shown


def test_a_page_that_is_full_points_to_the_table():
    blocks = FeatureBlocks(with_features(), ENGLISH, most=1)
    assert blocks.block(feature_set()).families
    second = blocks.block(feature_set())
    assert (second.families, second.left_out, second.count) == ((), True, 4)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("mm2", "mm²"),
        ("[hnsf'U]2", "HU²"),
        ("(g/ml).(g/ml)", "(g/ml)²"),
        ("g/ml.mm3", "g/ml·mm³"),
        ("{arbitrary}.{arbitrary}", "a.u.²"),
        ("{arbitrary}.mm3", "a.u.·mm³"),
        ("1", ""),
    ],
)
def test_units_are_shown_as_people_write_them(code, shown):
    assert symbol(code, ENGLISH) == shown


def test_a_value_has_no_unit_twice_and_no_unit_without_need():
    assert quantity(0.5, "1", 0.1, ENGLISH) == "0.50 ± 0.10"
    assert quantity(3e-7, "mm2", 1e-7, ENGLISH).endswith(") mm²") is quantity(3e-7, "mm2", 1e-7, ENGLISH).startswith(
        "("
    )


def test_features_are_coded_by_the_identifiers_that_dicom_registers():
    meanings = published()
    mean, _, joint, _ = feature_set().features()
    assert (feature_code(joint, meanings).value, feature_code(joint, meanings).scheme) == ("GYBY", IBSI)
    assert feature_code(joint, meanings).meaning == "Joint Maximum of GLCM"  # PS3.16 CID 7467
    assert feature_code(mean, meanings).value == "Q4LE"
    assert KIND.digest


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_values_are_kept_to_the_last_bit(values):
    some = tuple(values)
    kept = feature_set(tags=tuple(f"t{n}" for n in range(len(some))), values=some, standard_uncertainties=some)
    assert decoded(FeatureSet, encoded(kept)).values == some
