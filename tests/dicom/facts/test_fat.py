"""Fat suppression and Dixon separation in each vendor's words; what is not told stays unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.facts.acquired import acquisition


@pytest.fixture
def facts_of(stored, image_series):
    """The facts of an MR series of one slice with these attributes."""

    def facts(dataset: Dataset | None = None, **attributes: object) -> MrAcquisition:
        found = acquisition(image_series([stored(dataset, Modality="MR", **attributes)]))
        assert isinstance(found, MrAcquisition)
        return found

    return facts


def private(*elements: tuple[int, str, int, str, object]) -> Dataset:
    dataset = Dataset()
    for group, creator, element, vr, value in elements:
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return dataset


def item(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("vendor", "options"),
    [
        ("SIEMENS", ["PFP", "FS"]),
        ("SIEMENS", "SFS"),
        ("GE MEDICAL SYSTEMS", ["GRAPH_GEMS ", "NPW", "EDR_GEMS   ", "FS"]),
        ("ge medical systems", "fs"),
        ("Philips", "SPIR"),
        ("UIH", "SPAIR"),
        ("TOSHIBA", ["FATSAT"]),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_spectral_saturation_is_read_from_the_options(facts_of, vendor, options):
    assert facts_of(Manufacturer=vendor, ScanOptions=options, ScanningSequence="SE").fat_suppression == "SPECTRAL"


@pytest.mark.parametrize(
    ("tesla", "inversion_ms", "sequence", "expected"),
    [
        ("1.5", "165", ["SE", "IR"], "INVERSION"),
        ("3", "220", ["SE", "IR"], "INVERSION"),
        ("0.35", "100", ["SE", "IR"], "INVERSION"),
        ("3", "2500", ["SE", "IR"], None),  # FLAIR
        ("3", "900", ["GR", "IR"], None),  # MP-RAGE
        ("3", "100", ["SE"], None),  # SPAIR gives its delay without an inversion recovery
        ("", "165", ["SE", "IR"], None),  # the null depends on the field
        ("15000", "165", ["SE", "IR"], "INVERSION"),
    ],
)
def test_inversion_nulls_fat_at_the_time_that_its_field_asks_for(facts_of, tesla, inversion_ms, sequence, expected):
    facts = facts_of(MagneticFieldStrength=tesla, InversionTime=inversion_ms, ScanningSequence=sequence)
    assert facts.fat_suppression == expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"MRModifierSequence": [item(SpectrallySelectedExcitation="WATER")]}, "WATER_EXCITATION"),
        ({"MRModifierSequence": [item(InversionRecovery="YES", InversionTimes=[220.0])]}, "INVERSION"),
        ({"MRModifierSequence": [item(InversionRecovery="YES", InversionTimes=[2200.0])]}, "NONE"),
        ({}, "NONE"),
    ],
)
def test_an_enhanced_object_says_outright_what_suppressed_the_fat(facts_of, group, expected):
    facts = facts_of(
        SpectrallySelectedSuppression="NONE",
        MagneticFieldStrength=3.0,
        EchoPulseSequence="GRADIENT",
        SharedFunctionalGroupsSequence=[item(**group)],
        PerFrameFunctionalGroupsSequence=[Dataset()],
    )
    assert facts.fat_suppression == expected


PHILIPS_N = (
    (0x2001, "Philips Imaging DD 001", 0x21, "CS", "N"),
    (0x2005, "Philips MR Imaging DD 001", 0x15, "CS", "N"),
)


@pytest.mark.parametrize(
    ("dataset", "attributes", "expected"),
    [
        (private(*PHILIPS_N), {"Manufacturer": "Philips"}, "NONE"),
        (private(PHILIPS_N[0]), {"Manufacturer": "Philips"}, None),
        (
            private(PHILIPS_N[1], (0x2001, "Philips Imaging DD 001", 0x21, "CS", "Y")),
            {"Manufacturer": "Philips"},
            "SPECTRAL",
        ),
        (private((0x0051, "SIEMENS MR HEADER", 0x19, "LO", "A1/PFP/FS")), {"Manufacturer": "SIEMENS"}, "SPECTRAL"),
        (private((0x0051, "SIEMENS MR HEADER", 0x19, "LO", "A1")), {"Manufacturer": "SIEMENS"}, "NONE"),
        (private((0x0019, "GEMS_ACQU_01", 0xA4, "SS", 0)), {"Manufacturer": "GE MEDICAL SYSTEMS"}, "NONE"),
        (private((0x0019, "GEMS_ACQU_01", 0xA4, "SS", 3)), {"Manufacturer": "GE MEDICAL SYSTEMS"}, None),
        (None, {"ScanOptions": ["PFP", "SP"]}, "NONE"),
        (None, {"ScanOptions": ["PFP", "SP"], "SeriesDescription": "t2 STIR"}, None),
        (None, {"ScanOptions": "SP", "ProtocolName": "T2 压脂", "SpecificCharacterSet": "ISO_IR 192"}, None),
        (None, {"ScanOptions": ["PFP", "SP"], "ScanningSequence": "GR"}, None),
        (None, {"ScanOptions": "FILTERED_GEMS"}, None),
        (None, {"ScanOptions": ""}, None),
        (None, {}, None),
    ],
)
def test_none_needs_a_list_without_it_and_a_spin_echo(facts_of, dataset, attributes, expected):
    assert facts_of(dataset, **{"ScanningSequence": "SE", **attributes}).fat_suppression == expected


@pytest.mark.parametrize(
    ("vendor", "words", "images"),
    [
        ("SIEMENS", ["DERIVED", "PRIMARY", "DIXON", "WATER"], ("WATER",)),
        ("SIEMENS", ["ORIGINAL", "PRIMARY", "M", "NORM", "OPP_PHASE"], ("OPPOSED_PHASE",)),
        ("SIEMENS", ["ORIGINAL", "PRIMARY", "M", "NORM", "IN_PHASE"], ("IN_PHASE",)),
        ("GE", ["DERIVED", "PRIMARY", "DIXON", "FAT", "MAGNITUDE"], ("FAT",)),
        ("GE", ["DERIVED", "PRIMARY", "DIXON", "OUT_PHASE"], ("OPPOSED_PHASE",)),
        ("Philips", ["ORIGINAL", "PRIMARY", "W", "W", "DERIVED"], ("WATER",)),
        ("Philips", ["ORIGINAL", "PRIMARY", "IP", "IP", "DERIVED"], ("IN_PHASE",)),
        ("Philips", ["ORIGINAL", "PRIMARY", "OP", "OP", "DERIVED"], ("OPPOSED_PHASE",)),
        ("Philips", ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"], ()),
        ("UIH", ["DERIVED", "PRIMARY", "WFI", "F"], ("FAT",)),
        ("SIEMENS", ["ORIGINAL", "PRIMARY", "W", "ND"], ()),  # without a method beside it W says nothing here
        ("SIEMENS", ["ORIGINAL", "PRIMARY"], ()),
    ],
)
def test_dixon_images_in_each_vendors_words(facts_of, vendor, words, images):
    facts = facts_of(Manufacturer=vendor, ImageType=words, ScanningSequence="GR")
    assert facts.dixon == images
    assert facts.fat_suppression == ("DIXON" if "WATER" in images else "NONE" if images else None)


def test_a_series_with_all_images_of_a_separation_names_them_all(stored, image_series):
    kinds = ("IN_PHASE", "WATER", "OPP_PHASE", "FAT")
    volumes = []
    for rank, kind in enumerate(kinds):
        made = image_series(
            [stored(name=f"{kind}.dcm", Modality="MR", ImageType=["DERIVED", "PRIMARY", "DIXON", kind])]
        )
        volumes.append(replace(made.volumes[0], key=(("component", float(rank)),)))
    facts = acquisition(replace(made, volumes=tuple(volumes)))
    assert facts.dixon == ("WATER", "FAT", "IN_PHASE", "OPPOSED_PHASE")
    assert facts.fat_suppression == "DIXON"
    assert facts.volume_count == 4
