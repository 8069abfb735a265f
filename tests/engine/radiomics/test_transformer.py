"""Radiomics as a step of a scikit-learn pipeline."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from tests.engine.radiomics_making import GRID, labels, pair, voxels

from bingcheng.core.errors import InputError
from bingcheng.engine.radiomics.call import radiomics
from bingcheng.engine.radiomics.transformer import RadiomicsTransformer
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

PLAIN = RadiomicsSettings(families=("morphology", "statistics"))


def sample(seed: int, contrast: float = 0.0):
    image, mask = voxels(seed), labels() == 1
    image[mask] += contrast
    return image, mask, GRID.spacing_mm


def test_the_matrix_holds_the_values_of_the_call(tmp_path):
    samples = [pair(tmp_path, f"p{n}", only=1, seed=n) for n in range(3)]
    steps = RadiomicsTransformer(PLAIN)
    table = steps.fit_transform(samples)
    names = list(steps.get_feature_names_out())
    assert table.shape == (3, len(names))
    for row, (image, mask) in zip(table, samples, strict=True):
        assert dict(zip(names, row, strict=True)) == pytest.approx(radiomics(image, mask, PLAIN).numbers())
    np.testing.assert_array_equal(RadiomicsTransformer(PLAIN, workers=2).fit_transform(samples), table)


def test_what_has_no_value_is_nan_with_its_reason():
    constant = np.full(GRID.shape, 5.0, dtype=np.float32), labels() == 1, GRID.spacing_mm
    empty = voxels(), np.zeros(GRID.shape, dtype=bool), GRID.spacing_mm
    steps = RadiomicsTransformer(RadiomicsSettings())
    table = steps.fit_transform([sample(1), constant, empty, "nothing"])
    for row, reasons in zip(table, steps.undefined_, strict=True):
        missing = {name for name, value in zip(steps.get_feature_names_out(), row, strict=True) if np.isnan(value)}
        assert missing == set(reasons)
    assert steps.undefined_[1]
    assert {error.code for error in steps.undefined_[2].values()} == {"engine.radiomics-empty-mask"}
    assert {error.code for error in steps.undefined_[3].values()} == {"engine.radiomics-not-a-pair"}


def test_several_image_types_have_columns_of_their_own():
    given = {"imageType": {"Original": {}, "Wavelet": {"wavelet": "haar"}}, "featureClass": {"firstorder": ["Mean"]}}
    steps = RadiomicsTransformer(given)
    table = steps.fit_transform([sample(1)])
    names = list(steps.get_feature_names_out())
    assert names[0] == "original.stat_mean"
    assert len(names) == 9
    assert np.isfinite(table).all()


def test_in_a_pipeline_it_tells_bright_lesions_from_dark_ones():
    samples = [sample(n, contrast=40.0 * (n % 2)) for n in range(12)]
    outcome = [n % 2 for n in range(12)]
    model = make_pipeline(
        RadiomicsTransformer(PLAIN, families=["statistics"]), SimpleImputer(), StandardScaler(), LogisticRegression()
    )
    assert cross_val_score(model, samples, outcome, cv=3).mean() == 1.0


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_the_checks_of_scikit_learn_that_need_no_table_of_numbers(check):
    check("RadiomicsTransformer", RadiomicsTransformer())


def test_clones_have_the_same_settings_and_are_not_fitted():
    steps = RadiomicsTransformer(PLAIN, families=["statistics"], workers=2).fit([])
    again = clone(steps)
    assert again.get_params()["settings"] == PLAIN
    for call in (again.get_feature_names_out, lambda: again.transform([])):
        with pytest.raises(NotFittedError):
            call()
    assert steps.transform([]).shape == (0, 18)
    assert steps.set_output(transform="default") is steps


def test_wrong_settings_are_told_when_it_is_fitted():
    with pytest.raises(InputError):
        RadiomicsTransformer(families=["nonsense"]).fit([])
    with pytest.raises(InputError):
        RadiomicsTransformer(modality="XA").fit([])


def test_without_scikit_learn_the_error_names_the_extra():
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "try:\n    import bingcheng.engine.radiomics.transformer\n"
        "except ImportError as error:\n    print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "bingcheng[learn]" in said.stdout
