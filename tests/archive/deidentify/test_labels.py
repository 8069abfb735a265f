"""Labels of devices by which exams are compared: known ones stay, of others nothing is left that looks like another."""

from __future__ import annotations

import pytest
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Deidentifier
from bingcheng.archive.deidentify.labels import COMPARED
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.protocol.quantities.kernels import _class_of

SHARPNESSES = ("VSOFT", "VSMOOTH", "SMOOTH", "SOFT", "STANDARD", "MEDIUM", "REGULAR", "SHARP", "VSHARP", "USHARP")
KERNELS = (
    *(("SIEMENS", name) for name in ("B30f", "Br40", "Br40d", "Bl57", "Qr36d", "I31f", "Hr40h", "Ur77u", "H70s")),
    *(("GE", name) for name in ("SOFT", "STANDARD", "STND", "CHST", "DETAIL", "LUNG", "BONE", "BONEPLUS", "BONE+")),
    *(("GE", name) for name in ("BONE PLUS2", "EDGE", "EDGEPLUS", "EDGE PLUS", "ULTRA")),
    *(("PHILIPS", name) for name in ("A", "UA", "B", "C", "UB", "UC", "D", "L", "YA", "YB", "YC", "E", "YD")),
    *(("CANON", f"FC{number:02d}") for number in (1, 3, 5, 8, 13, 18, 30, 52, 56, 81)),
    *(("UIH", f"{region}_{word}_{letter}") for region in "BHL" for word in SHARPNESSES for letter in "BC"),
    *(("UIH", f"{region}_SHARP_C") for region in ("BODY", "HEAD", "LUNG")),
)
"""Of every vendor, as the table of kernels knows them."""


def cleaned(profile="research-follow-up", **changes):
    dataset = ct(BodyPartExamined="LIVER", **changes)
    return read(Deidentifier(profile=Profile.named(profile), key=KEY).one(written(dataset)).data)


@pytest.mark.parametrize(("vendor", "name"), KERNELS)
def test_a_kernel_whose_sharpness_is_known_stays(vendor, name):
    assert _class_of(vendor, name) is not None
    for profile in ("research-follow-up", "teaching", "basic"):
        assert cleaned(profile, ConvolutionKernel=name).ConvolutionKernel == name


@pytest.mark.parametrize("keyword", ["ConvolutionKernel", "SequenceName", "SoftwareVersions", "ReceiveCoilName"])
def test_two_names_that_differ_never_become_one(keyword):
    first, second = (cleaned(**{keyword: f"B_{word}_B"})[keyword].value for word in ("ZONKSOFT", "ZONKSHARP"))
    assert first == second == "Removed"


def test_of_several_values_each_stays_or_goes():
    found = cleaned(ConvolutionKernel=["Br40d", "3"], SoftwareVersions=["VB20A", "VB20A of Zonk"])
    assert found.ConvolutionKernel == ["Br40d", "3"]
    assert found.SoftwareVersions == ["VB20A", ""]


def test_what_is_not_compared_keeps_the_words_that_may_stay():
    assert 0x00081090 not in COMPARED
    assert cleaned(ManufacturerModelName="Biograph 64 Zonk").ManufacturerModelName == "Biograph 64"


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("Iohexol 350", "Iohexol 350"),
        ("Omnipaque-300", "Omnipaque-300"),
        ("ULTRAVIST_370", "ULTRAVIST_370"),
        ("碘海醇 350", "碘海醇 350"),
        ("碘克沙醇320", "碘克沙醇320"),
        ("Iohexol 4711", "Iohexol"),
        ("Iohexol 351", "Iohexol"),
        ("Iohexol Zonk 350", "Iohexol"),
        ("Room 350", ""),
        ("350 Iohexol", "Iohexol"),
    ],
)
def test_a_contrast_agent_keeps_its_concentration(said, stays):
    found = cleaned(SpecificCharacterSet="ISO_IR 192", ContrastBolusAgent=said)
    assert found.ContrastBolusAgent in ((stays,) if stays else ("", "Removed"))
