"""The main job on the small study."""

from __future__ import annotations

import math

from tests.engine.making import LESION_MM, NORTH, SOUTH


def values(exam):
    return {one.key: one.value for series in exam.series for lesion in series.lesions for one in lesion.measurements}


def test_every_exam_is_found_measured_and_set_beside_the_others(seen_once):
    seen = seen_once
    assert sorted(exam.site for exam in seen.exams) == [NORTH, NORTH, SOUTH, SOUTH]
    by_modality = {series.modality: exam for exam in seen.exams for series in exam.series}
    truth_ml = math.pi * LESION_MM**3 / 6e3
    # A border of 2800 mm2 cuts some 170 voxels of 80 mm3 by a third of a voxel at random: sqrt(170) * 27 mm3 is 2.5 %
    # (k = 1) of the ball; blur of 1.5 mm mixes 20 % of ADC and 10 % of uptake into so small a lesion at the most.
    assert math.isclose(values(by_modality["CT"])["volume"], truth_ml, rel_tol=0.15)
    assert math.isclose(values(by_modality["MR"])["adc_mean"], 1.0, rel_tol=0.2)
    assert math.isclose(values(by_modality["PT"])["suv_max"], 6.0, rel_tol=0.1)
    assert {exam.day for exam in seen.exams if exam.site == NORTH} == {0, 56}
    assert len(seen.changes) == 1
    assert seen.refusals == ()
