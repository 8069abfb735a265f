"""One verdict a lesion: what each modality contributes, and which one decides."""

from __future__ import annotations

import pytest

from bingcheng.compare.change import Verdict
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.compare.lesions import LesionChange, lesion_changes
from bingcheng.outputs import assessment


def only(observations, **options):
    (lesion,) = lesion_changes(observations, **options)
    return lesion


@pytest.fixture
def steady(lesion_seen):
    """All three modalities, unchanged."""
    return {
        "CT": lesion_seen("volume", {0: 8.0, 90: 8.3}),
        "PT": lesion_seen("suv_peak", {0: 6.0, 90: 6.4}, modality="PT"),
        "MR": lesion_seen("adc_mean", {0: 1.1, 90: 1.15}, modality="MR"),
    }


def together(parts):
    return [observation for part in parts.values() for observation in part]


def test_unchanged_in_all_modalities_is_within_repeatability_and_the_volume_leads(steady):
    lesion = only(together(steady))
    assert lesion.verdict is Verdict.WITHIN_REPEATABILITY
    assert lesion.lead.after.measurement.key == "volume"
    assert len(lesion.changes) == 6  # three lead measures and the diameter of each modality


@pytest.mark.parametrize(
    ("modality", "key", "values"),
    [
        ("CT", "volume", {0: 8.0, 90: 20.0}),
        ("PT", "suv_peak", {0: 6.0, 90: 12.0}),
        ("MR", "adc_mean", {0: 1.1, 90: 1.8}),
    ],
)
def test_a_real_change_in_any_modality_is_real_and_leads(steady, lesion_seen, modality, key, values):
    lesion = only(together(steady | {modality: lesion_seen(key, values, modality=modality)}))
    assert lesion.verdict is Verdict.REAL
    assert lesion.lead.after.measurement.key == key


@pytest.mark.parametrize("modality", ["CT", "PT"])
def test_a_protocol_that_changed_in_one_modality_forbids_calling_the_lesion_unchanged(steady, lesion_seen, modality):
    broken = {
        "CT": [*lesion_seen("volume", {0: 8.0}), *lesion_seen("volume", {90: 14.0}, slice_thickness_mm=5.0)],
        "PT": [
            *lesion_seen("suv_peak", {0: 6.0}, modality="PT"),
            *lesion_seen("suv_peak", {90: 9.0}, modality="PT", uptake_min=95.0),
        ],
    }[modality]
    lesion = only(together(steady | {modality: broken}))
    assert lesion.verdict is Verdict.NOT_COMPARABLE
    assert lesion.lead.verdict is Verdict.NOT_COMPARABLE


def test_a_real_change_elsewhere_outranks_a_broken_protocol(steady, lesion_seen):
    broken = [*lesion_seen("volume", {0: 8.0}), *lesion_seen("volume", {90: 14.0}, slice_thickness_mm=5.0)]
    changed = lesion_seen("adc_mean", {0: 1.1, 90: 1.8}, modality="MR")
    lesion = only(together(steady | {"CT": broken, "MR": changed}))
    assert (lesion.verdict, lesion.lead.after.measurement.key) == (Verdict.REAL, "adc_mean")


def test_an_unknown_beside_a_known_stays_visible_but_does_not_hide_it(steady, lesion_seen):
    unknown = lesion_seen("suv_peak", {0: 6.0, 90: None}, modality="PT")
    lesion = only(together(steady | {"PT": unknown}))
    assert lesion.verdict is Verdict.WITHIN_REPEATABILITY
    assert Verdict.UNKNOWN in {change.verdict for change in lesion.changes}


def test_if_the_deciding_modality_is_unknown_the_lesion_is(steady, lesion_seen):
    unknown = lesion_seen("volume", {0: 8.0, 90: None})
    lesion = only(together(steady | {"CT": unknown}))
    assert lesion.verdict is Verdict.UNKNOWN


def test_the_maximum_stands_in_where_no_exam_gives_a_peak(lesion_seen, observed):
    seen = [
        *lesion_seen("suv_peak", {0: None, 90: None}, modality="PT"),
        *(observed("suv_max", value, day=day, modality="PT") for day, value in ((0, 6.0), (90, 12.0))),
    ]
    lesion = only(seen)
    assert (lesion.verdict, lesion.lead.after.measurement.key) == (Verdict.REAL, "suv_max")


def test_a_peak_that_no_exam_gives_and_nothing_stands_in_for_is_unknown_with_its_reason(lesion_seen):
    lesion = only(lesion_seen("suv_peak", {0: None, 90: None, 180: None}, modality="PT"))
    assert lesion.verdict is Verdict.UNKNOWN
    assert lesion.lead.after.exam_uid == "P1.180"


def test_the_latest_exam_decides(lesion_seen):
    back_again = only(lesion_seen("volume", {0: 8.0, 90: 20.0, 180: 8.2}))
    assert back_again.verdict is Verdict.REAL  # against the exam before it fell by 59 %
    assert back_again.lead.before.exam_uid == "P1.90"
    stable_since = only(lesion_seen("volume", {0: 8.0, 90: 20.0, 180: 20.5}))
    assert (stable_since.verdict, stable_since.lead.before.exam_uid) == (Verdict.REAL, "P1.0")
    long_stable = only(lesion_seen("volume", {0: 8.0, 90: 8.1, 180: 8.2}))
    assert long_stable.verdict is Verdict.WITHIN_REPEATABILITY


def test_a_lesion_seen_once_has_no_change(lesion_seen):
    assert lesion_changes(lesion_seen("volume", {0: 8.0})) == ()


def test_without_any_lead_measure_the_verdict_is_unknown_and_nothing_leads(observed):
    lesion = only([observed("longest_diameter", 20.0), observed("longest_diameter", 40.0, day=90)])
    assert (lesion.verdict, lesion.lead) == (Verdict.UNKNOWN, None)
    assert len(lesion.changes) == 1


def test_lesions_are_listed_by_patient_and_named_as_asked(lesion_seen):
    seen = [
        *lesion_seen("volume", {0: 8.0, 90: 8.1}, patient="P2", lesion="b"),
        *lesion_seen("volume", {0: 8.0, 90: 8.1}, patient="P1", lesion="c"),
        *lesion_seen("volume", {0: 8.0, 90: 8.1}, patient="P1", lesion="a"),
    ]
    found = lesion_changes(seen, labels={"a": "Liver, segment 7"})
    assert [(f.patient, f.label) for f in found] == [("P1", "Liver, segment 7"), ("P1", "c"), ("P2", "b")]


def test_the_history_is_in_time_and_complete(lesion_seen):
    seen = lesion_seen("volume", {180: 8.0, 0: 7.0, 90: 7.5})
    history = only(seen).history
    assert len(history) == len(seen)
    assert [o.performed_at for o in history] == sorted(o.performed_at for o in seen)


def test_it_has_the_fields_that_the_assessment_shows():
    for mine, shown in ((LesionChange, assessment.LesionChange), (SiteRow, assessment.SiteRow)):
        assert tuple(mine.__dataclass_fields__) == tuple(shown.__dataclass_fields__)
