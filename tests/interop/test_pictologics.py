"""Features of tumours by pictologics 0.9.0 and here.

It is installed by ``python -m benchmarks radiomics-2k``, where Python is 3.12 or later.
"""

from __future__ import annotations

from benchmarks.radiomics import NO_CONSENSUS, PACKAGES, PICTOLOGICS
from benchmarks.radiomics_answers import apart, lacking, of_pictologics

from bingcheng.quantify.radiomics.discretisation import FixedBinNumber
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

SAME_RTOL = 1e-6
SETTINGS = RadiomicsSettings(discretisation=FixedBinNumber(count=32), volume_histogram=FixedBinNumber(count=32))


def test_a_tumour_has_the_features_that_pictologics_gives_it(tumour, told):
    image, lesion, place = tumour
    here = features(image, lesion, SETTINGS).numbers()
    there = of_pictologics(told(PACKAGES[PICTOLOGICS], "radiomics_pictologics", place / "lesion.npz"))
    assert lacking(here, there) == ()
    assert set(apart(here, there, SAME_RTOL)) <= NO_CONSENSUS


def test_the_oriented_box_here_is_no_larger(tumour, told):
    image, lesion, place = tumour
    here = features(image, lesion, SETTINGS).numbers()
    there = of_pictologics(told(PACKAGES[PICTOLOGICS], "radiomics_pictologics", place / "lesion.npz"))
    assert here["morph_vol_dens_ombb"] >= there["morph_vol_dens_ombb"] * (1.0 - SAME_RTOL)
