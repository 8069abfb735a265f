"""The circulation model: what a bolus does, held against published enhancement and against conservation."""

import numpy as np
import pytest

from bingcheng.image.phantoms.bolus import UNENHANCED_HU, Injection, ct_numbers

GOSHIMA = Injection(iodine_mg_per_kg=600.0)
"""2 ml/kg of 300 mg/ml, as in Goshima et al. AJR 2006;187:W25; their trigger comes about 18 s after the injection."""


def enhancement(delay_s, injection=GOSHIMA):
    return {tissue: hu - UNENHANCED_HU[tissue] for tissue, hu in ct_numbers(injection, delay_s).items()}


@pytest.mark.parametrize("delay_s", [-20.0, 0.0, 3.0])
def test_before_the_contrast_arrives_nothing_is_enhanced(delay_s):
    assert ct_numbers(GOSHIMA, delay_s) == dict(UNENHANCED_HU)


@pytest.mark.parametrize(
    ("tissue", "delay_s", "low", "high"),
    [
        ("aorta", 31.0, 300.0, 336.0),
        ("portal vein", 31.0, 75.0, 104.0),
        ("liver", 31.0, 15.0, 25.0),
        ("aorta", 68.0, 117.0, 125.0),
        ("liver", 68.0, 59.0, 63.0),
        ("cortex", 38.0, 195.0, 217.0),
        ("medulla", 73.0, 130.0, 145.0),
    ],
)
def test_enhancement_is_as_published(tissue, delay_s, low, high):
    # The published ranges are of means over patients; 20 % is the spread between such studies.
    assert 0.8 * low <= enhancement(delay_s)[tissue] <= 1.2 * high


def test_the_aorta_peaks_first_and_the_urine_last():
    delays = np.array([15.0, 25.0, 32.0, 40.0, 48.0, 60.0, 75.0, 90.0, 105.0, 130.0, 200.0, 300.0, 500.0])
    seen = [enhancement(delay_s) for delay_s in delays]
    curves = {tissue: np.array([one[tissue] for one in seen]) for tissue in UNENHANCED_HU}
    peak = {tissue: delays[int(np.argmax(curve))] for tissue, curve in curves.items()}
    assert peak["aorta"] < peak["portal vein"] < peak["liver"] < peak["calyx"]
    assert peak["cortex"] < peak["medulla"]


def test_enhancement_is_proportional_to_the_dose():
    once, twice = (enhancement(70.0, Injection(iodine_mg_per_kg=dose)) for dose in (300.0, 600.0))
    for tissue, value in once.items():
        assert twice[tissue] == pytest.approx(2.0 * value)


def test_kidneys_that_filter_less_excrete_less():
    healthy, failing = (enhancement(300.0, Injection(filtration=share))["calyx"] for share in (1.0, 0.2))
    assert failing < 0.4 * healthy
