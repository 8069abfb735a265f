"""The 323 statistics of the IBSI 2 for which there is a consensus, on its CT phantom."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.configurations import CT_FILTERS
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

FACTS = Path(__file__).parents[2] / "reference" / "ibsi2_values.csv"
CUBES = Interpolation(spacing_mm=(1.0, 1.0, 1.0), image=ImageMethod.CUBIC_SPLINE, rounding=True)


@cache
def facts():
    with FACTS.open() as stream:
        return list(csv.DictReader(row for row in stream if not row.startswith("#")))


@pytest.fixture(scope="module")
def lesion(reference_data):
    folder = reference_data / "01_ibsi1" / "ibsi_1_ct_radiomics_phantom" / "nifti"
    image = SimpleITK.ReadImage(str(folder / "image" / "phantom.nii.gz"))
    mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / "mask" / "mask.nii.gz"))) > 0
    x, y, z = image.GetSpacing()
    grid = VolumeGeometry(shape=mask.shape, spacing_mm=(z, y, x))
    voxels = SimpleITK.GetArrayFromImage(image).astype(np.float32)
    return Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]"), Region.of(mask, grid, label="GTV")


def test_every_filter_of_the_table_has_its_values():
    assert {fact["filter"] for fact in facts()} == set(CT_FILTERS)
    assert len(facts()) == 323


@pytest.mark.parametrize("name", CT_FILTERS)
def test_each_statistic_is_within_its_tolerance(lesion, name):
    settings = RadiomicsSettings(
        filter=CT_FILTERS[name],
        interpolation=None if name.endswith("A") else CUBES,
        resegmentation=Resegmentation(low=-1000.0, high=400.0),
        families=(Family.STATISTICS,),
    )
    found = features(*lesion, settings)
    expected = {fact["tag"]: fact for fact in facts() if fact["filter"] == name}
    misses = {
        tag: (found[tag], fact["expect"], fact["tolerance"])
        for tag, fact in expected.items()
        if not abs(found[tag] - float(fact["expect"])) <= float(fact["tolerance"])
    }
    assert not misses
