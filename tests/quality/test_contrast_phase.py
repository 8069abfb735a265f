"""The contrast phase told from the image: right where it is decided, undecided where it is not."""

import collections
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from bingcheng.core.case import Case
from bingcheng.image.phantoms.bolus import Injection, ct_numbers
from bingcheng.quality.contrast_phase import FEATURES, phase_model, phase_probabilities
from bingcheng.quality.enhanced_cases import enhanced
from bingcheng.quality.phase_reading import DECIDED, PHASES, measured_phase, phase_reading

WINDOWS_S = {
    "precontrast": (-60.0, 0.0),
    "early_arterial": (17.0, 23.0),
    "late_arterial": (29.0, 40.0),
    "portal_venous": (58.0, 78.0),
    "nephrographic": (95.0, 125.0),
    "delayed": (160.0, 260.0),
    "excretory": (360.0, 900.0),
}


def patients(phase, count, rng):
    """CT numbers of patients of any dose, voltage, circulation and filtration, some landmarks missing."""
    model = phase_model()
    for _ in range(count):
        kilovolt = float(rng.choice(model.kilovolt[1:]))
        injection = Injection(
            iodine_mg_per_kg=rng.uniform(420.0, 650.0),
            duration_s=rng.uniform(24.0, 32.0),
            cardiac_output_l_per_min=rng.uniform(5.2, 7.2),
            filtration=rng.uniform(0.7, 1.1),
            iodine_factor=float(np.interp(kilovolt, model.kilovolt, model.iodine_factor)),
        )
        tissue = ct_numbers(injection, rng.uniform(*WINDOWS_S[phase]))
        blood = rng.normal(0.0, 6.0)
        seen = {"aorta": tissue["aorta"] + blood + rng.normal(0.0, 2.0)}
        if rng.random() < 0.85:
            seen["liver"] = tissue["liver"] + rng.normal(0.0, 8.0)
        if tissue["portal vein"] > tissue["liver"] + 20.0 and rng.random() < 0.8:
            seen["portal_vein"] = tissue["portal vein"] - 5.0 + blood + rng.normal(0.0, 4.0)
        excreted = None
        if rng.random() < 0.8:
            seen["cortex"] = tissue["cortex"] + rng.normal(0.0, 5.0)
            seen["difference"] = tissue["cortex"] - tissue["medulla"] + rng.normal(0.0, 5.0)
            excreted = tissue["calyx"] > 300.0
        yield seen, excreted, kilovolt if rng.random() < 0.8 else None


def test_patients_of_an_independent_model_are_told_right_or_left_undecided():
    rng = np.random.default_rng(11)
    told = collections.Counter()
    for phase in PHASES:
        for seen, excreted, kilovolt in patients(phase, 30, rng):
            reading = phase_reading(phase_probabilities(seen, excreted=excreted, tube_voltage_kv=kilovolt))
            if reading.word is None:
                told["undecided"] += 1
            elif reading.word == phase:
                told["right"] += 1
            else:
                told["wrong"] += 1
                assert reading.probability <= 0.95
    assert told["right"] >= 0.98 * (told["right"] + told["wrong"])
    assert told["right"] >= 0.5 * sum(told.values())


def test_probabilities_are_probabilities():
    found = phase_probabilities({"aorta": 150.0, "liver": 100.0})
    assert set(found) == set(PHASES)
    assert sum(found.values()) == pytest.approx(1.0)
    assert all(0.0 <= share <= 1.0 for share in found.values())


def test_without_any_landmark_nothing_is_known():
    assert set(phase_probabilities({}).values()) == {1.0 / len(PHASES)}
    assert phase_reading(phase_probabilities({})).word is None


def test_one_mistaken_landmark_does_not_decide_alone():
    right = {"aorta": 40.0, "liver": 55.0, "cortex": 33.0, "difference": 1.0}
    mistaken = right | {"portal_vein": 190.0}
    assert phase_reading(phase_probabilities(mistaken)).word == "precontrast"


def test_a_stone_does_not_make_an_excretory_phase():
    unenhanced = {"aorta": 40.0, "liver": 55.0, "cortex": 33.0, "difference": 1.0}
    assert phase_reading(phase_probabilities(unenhanced, excreted=True)).word == "precontrast"


def test_the_tube_voltage_is_allowed_for():
    # An aorta of 185 HU is a bright one for 120 kV, but at 80 kV it has less iodine than in the portal venous phase.
    low, high = (phase_probabilities({"aorta": 185.0}, tube_voltage_kv=kilovolt) for kilovolt in (80.0, 140.0))
    assert low["nephrographic"] > high["nephrographic"]
    assert low["portal_venous"] < high["portal_venous"]


@pytest.mark.parametrize("phase", ["precontrast", "late_arterial", "portal_venous"])
def test_a_generated_exam_is_told_from_its_image(methods, phase):
    case = Case(methods, enhanced(phase), modality="CT")
    reading = measured_phase(case.measured(methods.measures["contrast_phase_probability"]))
    assert reading.word == phase
    assert reading.probability >= DECIDED


def test_a_series_without_the_measure_has_no_reading():
    assert measured_phase([]) is None


def test_each_figure_of_the_model_has_its_source():
    content = tomllib.loads(files("bingcheng.quality").joinpath("contrast_phases.toml").read_text("utf-8"))
    assert tuple(content["phases"]) == tuple(PHASES)
    for entry in (*content["phases"].values(), *content["unenhanced"].values(), content["shared"], content["iodine"]):
        assert entry["source"]
        assert entry["trust"] in {"verified", "abstract", "secondary", "model", "unverified"}
    for entry in content["phases"].values():
        assert tuple(entry["enhancement"]) == tuple(entry["relative_sd"]) == FEATURES
        assert 0.0 < entry["excreted"] < 1.0
