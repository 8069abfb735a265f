# ruff: noqa: DTZ001 - a header's times are local to its scanner and have no zone
from __future__ import annotations

import struct
from datetime import datetime

import pytest
from pydicom.dataset import Dataset

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.ge import reconstruction
from bingcheng.dicom.vendors.known import VENDORS, b_value, decay_reference, pet_factors, vendor_of
from bingcheng.dicom.vendors.vendor import in_words


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("SIEMENS", "SIEMENS"),
        ("Siemens Healthineers", "SIEMENS"),
        ("CPS", "SIEMENS"),
        ("SIEMENS NM", "SIEMENS"),
        ("GE MEDICAL SYSTEMS", "GE"),
        ("ge healthcare", "GE"),
        ("siemens", "SIEMENS"),
        ("philips medical systems", "PHILIPS"),
        ("canon_mec", "CANON"),
        ("uih", "UIH"),
        ("GE", "GE"),
        ("Philips Medical Systems", "PHILIPS"),
        ("Philips", "PHILIPS"),
        ("ADAC", "PHILIPS"),
        ("TOSHIBA", "CANON"),
        ("CANON_MEC", "CANON"),
        ("UIH", "UIH"),
        ("United Imaging Healthcare", "UIH"),
        ("上海联影医疗科技", "上海联影医疗科技"),
        ("GENERIC", "GENERIC"),
        ("Neusoft Medical", "NEUSOFT MEDICAL"),
    ],
)
def test_manufacturers_in_any_spelling_lead_to_their_vendor(written, name):
    vendor = vendor_of(written)
    assert vendor is not None
    assert vendor.name == name


@pytest.mark.parametrize("written", [None, "", "  "])
def test_no_manufacturer_is_no_vendor(written):
    assert vendor_of(written) is None


def private(group: int, creator: str, element: int, vr: str, value: object) -> Tags:
    dataset = Dataset()
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return Tags(dataset)


def public(**attributes: object) -> Tags:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return Tags(dataset)


@pytest.mark.parametrize(
    ("header", "expect"),
    [
        (public(DiffusionBValue=600.0), 600.0),
        (public(DiffusionBValue=0.0), 0.0),
        (private(0x0019, "SIEMENS MR HEADER", 0x0C, "IS", 1000), 1000.0),
        (public(SequenceName="*ep_b50t"), 50.0),
        (private(0x0043, "GEMS_PARM_01", 0x39, "IS", [1000000800, 8, 0, 0]), 800.0),
        (private(0x0043, "GEMS_PARM_01", 0x39, "IS", [1000, 8, 0, 0]), 1000.0),
        (private(0x0043, "GEMS_PARM_01", 0x39, "UN", b"1000000050\\8\\0\\0 "), 50.0),
        (private(0x2001, "Philips Imaging DD 001", 0x03, "FL", 400.0), 400.0),
        (private(0x2001, "Philips Imaging DD 001", 0x03, "UN", struct.pack("<f", 400.0)), 400.0),
        (private(0x0065, "Image Private Header", 0x09, "FD", 700.0), 700.0),
        (public(ImageComments="b=1500(0.445,0.000,0.895)"), 1500.0),
        (public(ImageComments="no diffusion"), None),
        (public(DiffusionBValue=-1.0), None),
        (public(), None),
    ],
)
def test_b_value_is_found_wherever_each_vendor_writes_it(header, expect):
    assert b_value(header) == expect


def test_decay_reference_is_found_in_private_elements_also_as_bytes():
    ge = private(0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240101101500.00")
    siemens = private(0x0071, "SIEMENS MED PT", 0x22, "UN", b"20240101101500.000000 ")
    assert decay_reference(ge) == decay_reference(siemens) == datetime(2024, 1, 1, 10, 15)
    assert decay_reference(private(0x0009, "GEMS_PETD_01", 0x0D, "DT", "")) is None


def test_philips_factors_of_zero_are_absent():
    creator = "Philips PET Private Group"
    assert pet_factors(private(0x7053, creator, 0x00, "DS", "0.000000")) == {}
    assert pet_factors(private(0x7053, creator, 0x00, "DS", "0.000728")) == {"suv_factor": 0.000728}
    assert pet_factors(private(0x7053, creator, 0x09, "DS", "1.602563")) == {"stored_unit_factor": 1.602563}


@pytest.mark.parametrize(
    ("method", "expect"),
    [
        ("VPFX", (True, False)),
        ("VPFXS", (True, True)),
        ("VPHD-S", (False, True)),
        ("QCFX", (True, True)),
        ("QCHD", (False, True)),
        ("OSEM", (None, None)),
    ],
)
def test_ge_reconstruction_codes_say_time_of_flight_and_point_spread(method, expect):
    assert reconstruction(method) == expect


def test_plain_words_say_time_of_flight_and_point_spread_or_nothing():
    assert in_words("PSF+TOF 2i21s") == (True, True)
    assert in_words("OSEM3D 3i24s") == (None, None)


def test_names_of_vendors_are_unique():
    assert len({vendor.name for vendor in VENDORS}) == len(VENDORS)
