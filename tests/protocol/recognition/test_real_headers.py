"""Recognition on real public series, read from their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.protocol.attributes import ExamFacts, attributes

CASES = {
    # A GE dynamic of the breast, stated as RM; and the maps that were made of it.
    "07_dce_breast/UCSF-BR-06": {
        "Sagittal-IR_3DFGRE": ("t1", "sagittal", "image", True),
        "Sagittal-IR_3DFGRE: SER": ("t1", "sagittal", "perfusion_map", False),
        "Sagittal-IR_3DFGRE: PE1": ("t1", "sagittal", "perfusion_map", False),
    },
    # A HASTE of 2004 whose TR is the time between two echoes.
    "10_deid_protocol/pseudo_phi_mr": {"LIVER-PELVIS/HASTE_AXIAL_P": ("t2", "axial", "image", False)},
    # The ACR phantom's T1 series of three vendors; two of them go by names that say nothing.
    "08_mr_phantoms/acr": {
        "ACR-T1": ("t1", "axial", "image", False),
        "ACR_T1_TRA_HEAD": ("t1", "axial", "image", False),
        "cardiac SE-1 SCIC 5mm 512": ("t1", "axial", "image", False),
    },
}
KEYS = ("derived.weighting", "derived.plane", "derived.content", "derived.is_dynamic")


@pytest.mark.parametrize("folder", CASES)
def test_real_series_are_recognised(reference_data: Path, folder):
    found = {}
    for exam in exams(index([reference_data / folder])).exams:
        read = [acquisition(series) for series in exam.series if series.volumes]
        facts = ExamFacts(acquisitions=tuple(read))
        for one in read:
            found[one.series_description] = tuple(attributes()[key].read(facts, one).value for key in KEYS)
    for name, expected in CASES[folder].items():
        assert found[name] == expected, name
