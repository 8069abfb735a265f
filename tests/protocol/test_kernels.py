"""What kernel names say of the resolution, and whether the image agrees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.exams_ct_pet import ct

from bingcheng.dicom.acquisition import Device
from bingcheng.protocol.attributes import ExamFacts, attributes

BY_VENDOR = {
    ("SIEMENS", "B10s"): "soft",
    ("SIEMENS", "B30f"): "soft",
    ("SIEMENS", "I31f\\3"): "soft",
    ("SIEMENS", "Br40d\\3"): "medium",
    ("SIEMENS", "B45f"): "medium",
    ("SIEMENS", "H60s"): "sharp",
    ("SIEMENS", "Bl57d"): "sharp",
    ("SIEMENS", "B70f"): "very_sharp",
    ("SIEMENS", "U90u"): "very_sharp",
    ("GE", "SOFT"): "soft",
    ("GE", "Standard"): "medium",
    ("GE", "LUNG"): "sharp",
    ("GE", "BONEPLUS"): "very_sharp",
    ("GE", "BONEPLUS2"): "very_sharp",
    ("PHILIPS", "B"): "medium",
    ("PHILIPS", "YA"): "sharp",
    ("CANON", "FC03"): "soft",
    ("CANON", "FC13"): "soft",
    ("CANON", "FC18"): "medium",
    ("CANON", "FC51"): "sharp",
    ("CANON", "FC81"): "very_sharp",
    ("UIH", "B_SOFT_B"): "soft",
    ("UIH", "H_SHARP_C"): "sharp",
    ("UIH", "H_VSHARP_C"): "very_sharp",
}


def read(key, name, vendor="SIEMENS", f50_per_mm=None):
    series = ct("1", convolution_kernel=name, device=Device(vendor=vendor))
    measured = {} if f50_per_mm is None else {"1": {"image.edge_f50": f50_per_mm}}
    return attributes()[key].read(ExamFacts(acquisitions=(series,), measured=measured), series)


@pytest.mark.parametrize(("vendor", "name"), BY_VENDOR)
def test_the_name_of_a_kernel_tells_how_sharp_it_is(vendor, name):
    assert read("derived.kernel_class", name, vendor).value == BY_VENDOR[vendor, name]


@pytest.mark.parametrize(
    ("vendor", "name"), [("NEUSOFT", "F20"), ("SIEMENS", "CUSTOM"), ("PHILIPS", "STANDARD 2"), ("CANON", "FC26")]
)
def test_a_name_that_nobody_tabled_is_unknown_and_not_guessed(vendor, name):
    reading = read("derived.kernel_class", name, vendor)
    assert reading.value is None
    assert "not known" in str(reading.why)
    assert read("derived.kernel_agrees", name, vendor, f50_per_mm=0.4).value is None


def test_one_vendors_name_says_nothing_on_another_vendors_scanner():
    assert read("derived.kernel_class", "B", "PHILIPS").value == "medium"
    assert read("derived.kernel_class", "B", "GE").value is None


def test_without_a_name_or_a_vendor_nothing_is_known():
    assert read("derived.kernel_class", None).value is None
    assert read("derived.kernel_class", "B30f", vendor=None).value is None


def test_a_soft_kernel_whose_image_is_sharp_contradicts_itself_and_says_both():
    reading = read("derived.kernel_agrees", "B30f", f50_per_mm=0.92)
    assert reading.value is False
    for word in ("B30f", "soft", "0.92"):
        assert word in str(reading.remark)


def test_a_lung_kernel_that_was_smoothed_afterwards_contradicts_itself():
    assert read("derived.kernel_agrees", "B70f", f50_per_mm=0.30).value is False


def test_resolutions_published_for_body_kernels_agree():
    # AAPM 2016, TH-CD-207B-02: soft 0.30, with iterative reconstruction 0.34, hard body kernels 0.42 /mm.
    for name, f50_per_mm in (("B30f", 0.30), ("I31f\\3", 0.34), ("B45f", 0.42)):
        assert read("derived.kernel_agrees", name, f50_per_mm=f50_per_mm).value is True


def test_what_was_not_measured_is_not_compared():
    reading = read("derived.kernel_agrees", "B30f")
    assert reading.value is None
    assert reading.why is not None


@given(number=st.integers(10, 98), f50_per_mm=st.floats(0.05, 2.5))
def test_a_sharper_kernel_never_starts_to_contradict_a_sharp_image(number, f50_per_mm):
    # The ranges grow with the class: an image too sharp for a kernel is too sharp for all softer ones.
    softer, sharper = (read("derived.kernel_agrees", f"B{n}f", f50_per_mm=f50_per_mm).value for n in (number, 98))
    if f50_per_mm >= 0.5 and softer:
        assert sharper
