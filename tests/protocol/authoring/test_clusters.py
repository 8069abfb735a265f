"""Series of different exams that were made for the same purpose."""

from __future__ import annotations

from dataclasses import replace

from tests.protocol import conftest as making

from bingcheng.protocol.authoring.clusters import GoodExam, clusters


def exams(*series, count=3):
    return [GoodExam(acquisitions=series) for _ in range(count)]


def test_localisers_reformats_and_derived_series_teach_nothing():
    bad = [
        making.ct(series_uid="1.8.1", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
        making.ct(series_uid="1.8.2", image_type=("DERIVED", "SECONDARY", "MPR")),
    ]
    found = clusters(exams(*bad, making.ct()), "CT", least=3)
    assert [len(one.members) for one in found] == [3]
    assert {member.acquisition.series_uid for member in found[0].members} == {making.ct().series_uid}


def test_kernels_part_series_only_where_an_exam_has_both():
    soft, lung = making.ct(convolution_kernel="B30f"), making.ct(series_uid="1.7", convolution_kernel="B70f")
    parted = clusters(exams(soft, lung), "CT", least=3)
    assert sorted(one.facts["derived.kernel_class"] for one in parted) == [("sharp", "very_sharp"), ("soft", "medium")]
    alone = clusters([*exams(soft), *exams(replace(soft, convolution_kernel="STANDARD"))], "CT", least=3)
    assert len(alone) == 1


def test_thicknesses_that_lie_close_together_do_not_part_series():
    near = clusters(
        exams(making.ct(slice_thickness_mm=5.0), making.ct(series_uid="1.7", slice_thickness_mm=5.5)), "CT", least=3
    )
    assert len(near) == 1
    apart = clusters(
        exams(making.ct(slice_thickness_mm=1.0), making.ct(series_uid="1.7", slice_thickness_mm=5.0)), "CT", least=3
    )
    assert [(one.thinner_than_mm, one.thicker_than_mm) for one in apart] == [(3.0, None), (None, 3.0)]


def test_a_series_that_too_few_exams_have_is_no_cluster():
    assert clusters([*exams(making.ct()), *exams(making.pet(), count=2)], "PT", least=3) == ()
