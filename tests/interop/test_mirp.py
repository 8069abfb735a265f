"""Features of tumours by MIRP 2.7.0 and here: the same wherever the two compute the same.

MIRP is installed by ``python -m benchmarks radiomics-uncertainty`` (1.8 GiB), under the EUPL; it is asked, not shipped.
"""

from __future__ import annotations

import pytest
from benchmarks.radiomics_answers import apart, of_mirp
from benchmarks.radiomics_uncertainty import MIRP

from bingcheng.quantify.radiomics.discretisation import FixedBinNumber
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

SAME_RTOL = 1e-6
SETTINGS = RadiomicsSettings(discretisation=FixedBinNumber(count=32), volume_histogram=FixedBinNumber(count=32))

NEAR_ZERO = {"stat_skew": 1e-6, "ih_skew": 1e-6, "stat_kurt": 1e-6, "ih_kurt": 1e-6, "morph_com": 1e-5}
"""Absolute: sums in which most cancels. MIRP's coordinates are single: 8e-6 mm at 100 mm; powers of levels likewise."""
SAMPLED = frozenset(("morph_moran_i", "morph_geary_c"))
"""MIRP takes some pairs of a large lesion; here all pairs count."""
INTERPOLATED = frozenset(f"stat_{one}" for one in ("p10", "p90", "iqr", "rmad", "qcod"))
"""MIRP's percentiles lie between two intensities; here they are one of them. Whole numbers seldom tell them apart."""
NOT_THERE = frozenset(
    ("ivh_auc", *(f"morph_{what}_dens_{body}" for what in ("vol", "area") for body in ("ombb", "mvee")))
)
"""On these the IBSI reached no consensus."""


@pytest.mark.slow
def test_a_tumour_has_the_features_that_mirp_gives_it(tumour, told):
    image, lesion, place = tumour
    here = features(image, lesion, SETTINGS).numbers()
    there = of_mirp(told(MIRP, "radiomics_mirp", place))
    assert set(here) - set(there) == NOT_THERE
    differing = apart(here, there, SAME_RTOL)
    assert {tag for tag, (one, other) in differing.items() if abs(one - other) > NEAR_ZERO.get(tag, 0.0)} <= (
        SAMPLED | INTERPOLATED
    )
