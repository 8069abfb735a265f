"""The kind of a CT acquisition, in the words of the standard and of each vendor."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.facts.acquired import acquisition


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"AcquisitionType": "SPIRAL"}, "SPIRAL"),
        ({"AcquisitionType": "SEQUENCED", "ScanOptions": "HELICAL MODE"}, "SEQUENCED"),
        ({"ScanOptions": "HELICAL MODE"}, "SPIRAL"),
        ({"ScanOptions": "AXIAL MODE"}, "SEQUENCED"),
        ({"ScanOptions": "CINE MODE"}, "STATIONARY"),
        ({"ScanOptions": "SCOUT MODE"}, "CONSTANT_ANGLE"),
        ({"ScanOptions": "HELIX"}, "SPIRAL"),
        ({"ScanOptions": "AXIAL"}, "SEQUENCED"),
        ({"ScanOptions": "HELICAL_CT"}, "SPIRAL"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]}, "SPIRAL"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SEQ"]}, "SEQUENCED"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER", "CT_SOM5 TOP"]}, "CONSTANT_ANGLE"),
        ({"SpiralPitchFactor": 0.9}, "SPIRAL"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, None),
        ({"AcquisitionType": "WHATEVER"}, None),
        ({}, None),
    ],
)
def test_kind_of_the_acquisition(stored, image_series, attributes, kind):
    facts = acquisition(image_series([stored(Modality="CT", **attributes)]))
    assert isinstance(facts, CtAcquisition)
    assert facts.acquisition_type == kind


def test_the_options_are_listed_in_capitals(stored, image_series):
    facts = acquisition(image_series([stored(Modality="CT", ScanOptions=["HELIX", "TILTED "])]))
    assert facts.scan_options == ("HELIX", "TILTED")


def test_an_enhanced_ct_has_its_kind_and_field_of_view_in_the_groups(stored, image_series):
    shared, kind, made = Dataset(), Dataset(), Dataset()
    kind.AcquisitionType = "SPIRAL"
    made.ReconstructionFieldOfView = [360.0, 380.0]
    shared.CTAcquisitionTypeSequence, shared.CTReconstructionSequence = [kind], [made]
    groups = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": [Dataset()]}
    facts = acquisition(image_series([stored(Modality="CT", **groups)]))
    assert (facts.acquisition_type, facts.reconstruction_diameter_mm) == ("SPIRAL", 380.0)


def test_the_irradiation_events_are_those_of_the_first_slice(stored, image_series):
    facts = acquisition(image_series([stored(Modality="CT", IrradiationEventUID=["1.2.3", "1.2.4"])]))
    assert facts.irradiation_event_uids == ("1.2.3", "1.2.4")
    assert acquisition(image_series([stored(Modality="CT")])).irradiation_event_uids == ()


def test_an_enhanced_ct_has_its_irradiation_event_in_the_groups(stored, image_series):
    shared, event = Dataset(), Dataset()
    event.IrradiationEventUID = "1.2.3"
    shared.IrradiationEventIdentificationSequence = [event]
    groups = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": [Dataset()]}
    assert acquisition(image_series([stored(Modality="CT", **groups)])).irradiation_event_uids == ("1.2.3",)
