"""Size and CT numbers of the IBSI's CT phantom against the consensus."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

FACTS = Path(__file__).parents[1] / "reference" / "lesion_ibsi_ct_phantom.csv"


def facts():
    with FACTS.open() as stream:
        return list(csv.DictReader(row for row in stream if not row.startswith("#")))


@pytest.fixture(scope="module")
def found(reference_data, case_of, methods):
    folder = reference_data / "01_ibsi1" / "ibsi_1_ct_radiomics_phantom" / "nifti"
    image = SimpleITK.ReadImage(str(folder / "image" / "phantom.nii.gz"))
    mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / "mask" / "mask.nii.gz"))) > 0
    voxels = SimpleITK.GetArrayFromImage(image).astype(np.float32)
    x, y, z = image.GetSpacing()
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=(z, y, x))
    volume = Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]")
    values = {}
    for name, inside in (("mask", mask), ("resegmented", mask & (voxels >= -500) & (voxels <= 400))):
        case = case_of("CT", Region.of(inside, grid, label="GTV"), volume=volume)
        for entry in methods.measures:
            if case.applies(entry):
                values |= {(single.key, name): single.value for single in case.measured(entry)}
    return values


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: fact["measure"])
def test_the_consensus_is_met(found, fact):
    assert found[fact["measure"], fact["case"]] == pytest.approx(float(fact["expect"]), abs=float(fact["atol"]))
