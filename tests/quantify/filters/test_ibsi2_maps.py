"""The 33 response maps of the IBSI 2 for which there is a consensus."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from bingcheng.quantify.filters.configurations import RESPONSE_MAPS

SPACING_MM = (2.0, 2.0, 2.0)


def voxels_of(path):
    """Voxels (z, y, x): NIfTI's first axis is x."""
    return np.ascontiguousarray(np.asanyarray(nibabel.load(path).dataobj).T)


def test_every_consensus_map_has_its_configuration(reference_data):
    maps = (reference_data / "02_ibsi2" / "reference_response_maps").glob("*.nii.gz")
    assert {path.name.split("-")[0].replace("_", ".") for path in maps} == set(RESPONSE_MAPS)


@pytest.mark.parametrize("name", RESPONSE_MAPS)
def test_each_voxel_is_within_one_percent_of_the_range(reference_data, name):
    # The tolerance is the publication's: "1% of the range of intensities in the reference map".
    folder, benchmark = reference_data / "02_ibsi2", RESPONSE_MAPS[name]
    phantom = voxels_of(folder / "nifti" / benchmark.phantom / "image" / f"{benchmark.phantom}.nii.gz")
    expected = voxels_of(folder / "reference_response_maps" / f"{name.replace('.', '_')}-ValidCRM.nii.gz")
    response = benchmark.filter.response(phantom, SPACING_MM)
    assert response.dtype == np.float32
    assert np.abs(response - expected).max() <= 0.01 * np.ptp(expected)
