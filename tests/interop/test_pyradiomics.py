"""Features of tumours by pyradiomics (pyradiomics-bhklab 3.1.4) and here, where the definitions agree.

It is installed by ``python -m benchmarks radiomics-2k``.
"""

from __future__ import annotations

from benchmarks.radiomics import PACKAGES, PYRADIOMICS
from benchmarks.radiomics_answers import apart, of_pyradiomics

from bingcheng.quantify.radiomics.discretisation import FixedBinNumber
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.feature import Aggregation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

SAME_RTOL = 1e-6
SETTINGS = RadiomicsSettings(
    discretisation=FixedBinNumber(count=32),
    aggregations=(Aggregation.IN_VOLUME_AVERAGED, Aggregation.IN_VOLUME),
)

AXES = frozenset(f"morph_pca_{axis}_axis" for axis in ("maj", "min", "least"))
"""Pyradiomics divides the covariance of the voxel centres by their number, here by one less (the sample's)."""
EXCESS = frozenset(("stat_kurt",))
"""The IBSI's kurtosis is the excess: less by 3."""

PERCENTILES = frozenset(f"stat_{one}" for one in ("p10", "p90", "iqr", "rmad"))
"""Pyradiomics interpolates between two intensities; here a percentile is one of them."""
SURFACE = frozenset(f"morph_{one}" for one in ("volume", "av", "sphericity", "area_mesh"))
"""Where corners of a cell touch, pyradiomics' surface joins others than here (and in MIRP): less than 1e-4."""
SURFACE_RTOL = 1e-4


def test_a_tumour_has_the_features_that_pyradiomics_gives_it(tumour, told):
    image, lesion, place = tumour
    here = features(image, lesion, SETTINGS).numbers()
    there = of_pyradiomics(told(PACKAGES[PYRADIOMICS], "radiomics_pyradiomics", place / "lesion.npz"))
    assert len(there) > 100
    assert set(there) <= set(here)
    differing = set(apart(here, there, SAME_RTOL))
    assert AXES | EXCESS <= differing <= AXES | EXCESS | PERCENTILES | SURFACE
    assert not SURFACE & set(apart(here, there, SURFACE_RTOL))
    assert abs(there["stat_kurt"] - 3.0 - here["stat_kurt"]) <= SAME_RTOL * there["stat_kurt"]
