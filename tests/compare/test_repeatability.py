"""Published limits: cited, valid for the lesion they are used on, and never taken from an unverified source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.compare.comparability import Severity, rules
from bingcheng.compare.repeatability import LesionFacts, Limits, limits, limits_of
from bingcheng.core.errors import CatalogueError
from bingcheng.core.finding import Trust

sizes = st.floats(min_value=0.1, max_value=400.0)


def test_every_limit_says_who_published_it_and_where():
    for entry in limits().entries:
        assert entry.source
        assert entry.locator
        assert entry.low_percent < 0 < entry.high_percent


def test_whatever_has_a_limit_has_conditions_that_can_break_it():
    """Otherwise two exams would be taken as comparable without anything having been compared."""
    breaking = {(r.modality, m) for r in rules().rules if r.severity is Severity.BREAKS for m in r.measures}
    assert {(entry.modality, entry.measure) for entry in limits().entries} <= breaking


def test_log_symmetric_limits_are_mirrors_of_each_other():
    """Limits of log-transformed values: a rise by the upper one is undone by a fall of the lower one, to 2 %."""
    for name in ("pet-suv-peak-weber", "pet-suv-max-qiba", "pet-suv-mean-lodge", "ct-volume-beaumont"):
        (entry,) = [e for e in limits().entries if e.id == name]
        assert (1 + entry.high_percent / 100) * (1 + entry.low_percent / 100) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("measure", "modality", "size_mm", "suv_max", "expected"),
    [
        ("volume", "CT", 20.0, None, (-35.0, 55.0)),
        ("suv_peak", "PT", 25.0, None, (-28.0, 39.0)),
        ("suv_max", "PT", 25.0, 6.0, (-28.0, 39.0)),
        ("longest_diameter", "CT", 25.0, None, (-22.1, 25.4)),
        ("adc_mean", "MR", 25.0, None, (-27.0, 27.0)),
    ],
)
def test_a_lesion_in_the_valid_range_gets_the_published_limit(measure, modality, size_mm, suv_max, expected):
    limit = limits().choose(measure, modality, LesionFacts(size_mm=size_mm, suv_max=suv_max)).limit
    assert (limit.low_percent, limit.high_percent) == expected
    assert limit.trust is not Trust.UNVERIFIED


@pytest.mark.parametrize(
    ("measure", "modality", "facts", "word"),
    [
        ("volume", "CT", LesionFacts(size_mm=9.9), "below 10 mm"),
        ("suv_peak", "PT", LesionFacts(size_mm=19.9), "below 20 mm"),
        ("suv_max", "PT", LesionFacts(size_mm=30.0, suv_max=3.9), "from 4"),
        ("volume", "CT", LesionFacts(), "was not measured"),
        ("suv_max", "PT", LesionFacts(size_mm=30.0), "SUVmax was not measured"),
        ("hu_mean", "CT", LesionFacts(size_mm=30.0), "No limit"),
        ("volume", "MR", LesionFacts(size_mm=30.0), "No limit"),
    ],
)
def test_outside_of_it_there_is_none_and_the_reason_is_said(measure, modality, facts, word):
    choice = limits().choose(measure, modality, facts)
    assert choice.limit is None
    assert any(word in str(reason) for reason in choice.reasons)


def test_it_can_be_asked_whether_a_measure_is_judged_at_all():
    assert limits().covers("volume", "CT")
    assert not limits().covers("volume", "MR")
    assert not limits().covers("hu_mean", "CT")


def test_the_limit_of_the_lesions_organ_is_used_where_it_is_known():
    found = limits().choose("adc_mean", "MR", LesionFacts(size_mm=20.0, organ="brain"))
    assert (found.limit.high_percent, found.reasons) == (8.0, ())


@pytest.mark.parametrize("organ", [None, "lung"])
def test_without_an_organ_of_its_own_the_widest_is_used_and_said(organ):
    found = limits().choose("adc_mean", "MR", LesionFacts(size_mm=20.0, organ=organ))
    assert found.limit.high_percent == max(e.high_percent for e in limits().entries if e.measure == "adc_mean")
    assert "widest" in str(found.reasons[0])


def test_an_unverified_limit_never_displaces_a_verified_one():
    """QIBA's are narrower at every size, but nobody has read them in the source yet."""
    for size_mm in (10.0, 40.0, 80.0):
        assert limits().choose("volume", "CT", LesionFacts(size_mm=size_mm)).limit.trust is not Trust.UNVERIFIED


@given(small=sizes, large=sizes)
def test_by_size_class_a_larger_lesion_never_gets_a_wider_limit(small, large):
    """The classes as published: repeatability of volume improves with size."""
    qiba = Limits(tuple(entry for entry in limits().entries if entry.id.startswith("ct-volume-qiba")))
    low, high = sorted((small, large))
    of_small = qiba.choose("volume", "CT", LesionFacts(size_mm=low)).limit
    of_large = qiba.choose("volume", "CT", LesionFacts(size_mm=high)).limit
    if of_small is not None and of_large is not None:
        assert of_large.high_percent <= of_small.high_percent


@given(size_mm=sizes)
def test_size_classes_neither_overlap_nor_leave_gaps(size_mm):
    classes = [entry for entry in limits().entries if entry.id.startswith("ct-volume-qiba")]
    holding = [entry for entry in classes if all(v.holds(size_mm) for v in entry.valid)]
    assert len(holding) == (1 if 10.0 <= size_mm < 100.0 else 0)


ENTRY = """
schema = 1
[[limit]]
id = "a"
measure = "volume"
modality = "CT"
low_percent = -20.0
high_percent = 20.0
source = "Ours, 2026"
locator = "Table 1"
trust = "verified"
"""


def test_a_hospital_may_bring_its_own_limits(tmp_path):
    (tmp_path / "ours.toml").write_text(ENTRY, "utf-8")
    assert limits_of(tmp_path / "ours.toml").choose("volume", "CT", LesionFacts()).limit.high_percent == 20.0


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (ENTRY.replace("high_percent = 20.0", "high_percent = -1.0"), "high_percent"),
        (ENTRY.replace("high_percent", "hihg_percent"), "hihg_percent"),
        (ENTRY.replace("low_percent = -20.0", "low_percent = -120.0"), "low_percent"),
        (ENTRY.replace('"verified"', '"surely"'), "trust"),
        (ENTRY.replace('source = "Ours, 2026"', 'source = ""'), "source"),
        (ENTRY + ENTRY.replace("schema = 1", ""), "twice"),
        (ENTRY.replace("schema = 1", "schema = 9"), "schema"),
        ("this is = = no toml", "TOML"),
    ],
)
def test_a_faulty_file_is_refused_with_the_entry_that_is_wrong(tmp_path, written, named):
    (tmp_path / "ours.toml").write_text(written, "utf-8")
    with pytest.raises(CatalogueError, match="broken-rules") as caught:
        limits_of(tmp_path / "ours.toml")
    assert named in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"none\.toml"):
        limits_of(tmp_path / "none.toml")
