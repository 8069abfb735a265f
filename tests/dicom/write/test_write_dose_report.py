from __future__ import annotations

from dataclasses import replace

import pydicom
import pytest
from tests.dicom.dose.dose_exam import LOCALISER, SPIRAL, STUDY, VENDORS, written

from bingcheng.core.errors import InputError
from bingcheng.dicom.dose.report import AcquisitionKind


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_written_report_passes_dciodvfy(vendor, tmp_path, complaints):
    tracking = replace(SPIRAL, uid="1.2.9", kind=AcquisitionKind.STATIONARY, scanning_length_mm=10.0, dlp_mgy_cm=10.0)
    assert complaints(written(tmp_path, LOCALISER, SPIRAL, tracking, vendor=vendor).path) == []


def test_a_report_of_which_little_is_known_is_conformant_too(tmp_path, complaints):
    bare = replace(
        SPIRAL, uid=None, protocol=None, region=None, started_at=None, ssde_mgy=None, phantom_cm=None, dlp_mgy_cm=None
    )
    assert complaints(written(tmp_path, bare).path) == []


def test_it_is_an_x_ray_dose_report_of_the_study_and_holds_no_image_attributes(tmp_path):
    dataset = pydicom.dcmread(written(tmp_path, SPIRAL).path)
    assert dataset.SOPClassUID == pydicom.uid.XRayRadiationDoseSRStorage
    assert (dataset.Modality, dataset.StudyInstanceUID) == ("SR", STUDY.uid)
    assert dataset.ContentTemplateSequence[0].TemplateIdentifier == "10011"
    assert "ImageType" not in dataset


def test_the_same_events_give_the_same_bytes(tmp_path):
    first, second = (folder for folder in (tmp_path / "a", tmp_path / "b"))
    first.mkdir()
    second.mkdir()
    assert written(first, SPIRAL).path.read_bytes() == written(second, SPIRAL).path.read_bytes()


def test_an_event_without_its_acquisition_type_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"dicom\.dose-event-without-kind"):
        written(tmp_path, replace(SPIRAL, kind=None))
