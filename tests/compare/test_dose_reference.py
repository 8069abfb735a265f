from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compare.dose_records import hospitals, record

from bingcheng.compare.dose_groups import SizeScheme
from bingcheng.compare.dose_percentiles import _resampled_medians, percentiles_of_medians
from bingcheng.compare.dose_record import Basis, DoseQuantity
from bingcheng.compare.dose_reference import reference_levels

ELEVEN = [float(dose) for dose in range(5, 16)]


def test_levels_are_percentiles_of_the_hospitals_medians():
    (level,) = reference_levels(hospitals(ELEVEN))
    # eleven medians 5, 6, ..., 15: positions 2.5, 5 and 7.5 of ten steps
    assert (level.low.value, level.achievable.value, level.drl.value) == (7.5, 10.0, 12.5)
    assert not level.provisional
    assert level.exam_count == 220


def test_a_hospital_counts_by_its_median_however_many_exams_it_has():
    many = [record("H10", 15.0, exam=f"more{n}") for n in range(500)]
    assert reference_levels(hospitals(ELEVEN) + many)[0].drl.value == 12.5


def test_a_level_of_nine_hospitals_is_provisional_and_of_ten_is_not():
    assert reference_levels(hospitals(ELEVEN[:9]))[0].provisional
    assert not reference_levels(hospitals(ELEVEN[:10]))[0].provisional


def test_a_hospital_with_nineteen_exams_does_not_count_where_the_others_suffice():
    few = [record("H99", 99.0, exam=str(n)) for n in range(19)]
    (level,) = reference_levels(hospitals(ELEVEN) + few)
    assert level.drl.value == 12.5
    assert [site.counts for site in level.sites if site.site == "H99"] == [False]


def test_a_provisional_level_is_shown_with_all_hospitals_and_a_single_hospital_has_no_interval():
    (level,) = reference_levels([record("H1", 10.0)])
    assert level.drl.value == 10.0
    assert level.drl.interval is None
    assert level.provisional


def test_sizes_phantoms_and_procedures_are_never_mixed():
    others = [record("H00", 30.0, diameter_cm=35.0), record("H00", 30.0, phantom_cm=16.0)]
    levels = reference_levels(hospitals(ELEVEN) + others)
    assert len(levels) == 3
    assert {level.drl.value for level in levels} == {12.5, 30.0}


def test_estimates_never_make_a_level_but_are_counted():
    estimated = [record("H00", 99.0, exam=f"e{n}", basis=Basis.ESTIMATED, uncertainty=5.0) for n in range(50)]
    (level,) = reference_levels(hospitals(ELEVEN) + estimated)
    assert level.drl.value == 12.5
    assert level.estimates_left_out == 50


@pytest.mark.parametrize("lacking", [{"diameter_cm": None}, {"phantom_cm": None}])
def test_records_of_unknown_size_or_phantom_make_no_level(lacking):
    assert reference_levels(hospitals(ELEVEN, **lacking)) == ()


def test_bands_of_dw_and_of_weight_stay_apart():
    levels = reference_levels([record("H1", 10.0)])
    assert levels[0].group.band.scheme is SizeScheme.DIAMETER
    assert levels[0].group.quantity is DoseQuantity.CTDI_VOL


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.floats(1.0, 50.0), min_size=1, max_size=8), min_size=2, max_size=6),
    st.floats(0.1, 10.0),
)
def test_levels_scale_with_the_doses_and_ignore_the_order(groups, factor):
    before = percentiles_of_medians(groups, (25.0, 75.0), seed=1)
    after = percentiles_of_medians([[factor * v for v in reversed(g)] for g in groups], (25.0, 75.0), seed=1)
    for one, other in zip(before, after, strict=True):
        # scaling rounds each value by at most one unit in the last place
        assert other.value == pytest.approx(factor * one.value, rel=1e-12)
        assert other.interval == pytest.approx(tuple(factor * end for end in one.interval), rel=1e-12)
        assert one.interval[0] <= one.interval[1]


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_medians_of_resamples_are_distributed_as_if_the_samples_were_drawn(count):
    values = np.arange(1.0, count + 1)
    rng = np.random.default_rng(3)
    ours = np.concatenate([_resampled_medians(values, rng) for _ in range(10)])
    drawn = np.median(rng.choice(values, size=(20_000, count)), axis=1)
    # the share of each median over 20,000 draws has a standard error of at most 0.0036 on either side: five of both
    for median in np.unique(np.concatenate([ours, drawn])):
        assert np.mean(ours == median) == pytest.approx(np.mean(drawn == median), abs=5 * 0.0036 * 2**0.5)


def test_the_interval_covers_the_true_level_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    truth = 10.0 * np.exp(0.3 * 0.6744897501960817)  # 75th percentile of log-normal hospital medians
    hits = 0
    for trial in range(60):
        medians = 10.0 * np.exp(rng.normal(0.0, 0.3, 20))
        groups = [list(m * np.exp(rng.normal(0.0, 0.15, 25))) for m in medians]
        low, high = percentiles_of_medians(groups, (75.0,), seed=trial)[0].interval
        hits += low <= truth <= high
    # 95 % of 60 is 57, with a standard deviation of 1.7; percentile bootstraps of 20 values cover a few per cent less
    assert hits >= 49
