"""NIfTI files that claim what can't be: refused from their header or their values, before memory or hours are spent."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import MOST_LABELS, read_grid, read_regions, read_volume, write_volume
from bingcheng.image.volume import Volume

DIM, PIXDIM = 40, 76


def written(path, voxels):
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=(3.0, 2.0, 1.5))
    write_volume(Volume(voxels=voxels, geometry=grid, unit="1"), path)
    return path


def damaged(path, at, form, *values):
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, at, *values)
    path.write_bytes(data)
    return path


def code(read, path, **named):
    with pytest.raises(InputError) as raised:
        read(path, **named)
    return raised.value.code


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_size_that_the_file_cannot_hold_takes_no_memory(tmp_path, ending):
    path = damaged(written(tmp_path / "a.nii", np.zeros((4, 5, 6), np.uint8)), DIM, "<4h", 3, 32767, 32767, 32767)
    if ending == ".nii.gz":
        data, path = path.read_bytes(), tmp_path / "a.nii.gz"
        path.write_bytes(gzip.compress(data))
    assert code(read_volume, path, unit="1") in ("image.nifti-unreadable", "image.impossible-size")


@pytest.mark.parametrize("spacing_mm", [1e-6, 1e6, 2000.0])
def test_a_spacing_that_no_image_of_a_patient_has_is_refused(tmp_path, spacing_mm):
    path = damaged(written(tmp_path / "a.nii", np.ones((4, 5, 6), np.uint8)), PIXDIM + 4, "<3f", *[spacing_mm] * 3)
    for read, named in ((read_grid, {}), (read_volume, {"unit": "1"}), (read_regions, {"label": "a"})):
        assert code(read, path, **named) in ("image.impossible-size", "image.nifti-unreadable")


def test_an_image_that_is_given_for_a_mask_is_refused_at_once(tmp_path):
    voxels = np.arange(8 * 20 * 20, dtype=np.int16).reshape(8, 20, 20)
    assert code(read_regions, written(tmp_path / "image.nii", voxels), label="a") == "image.nifti-no-mask"
    most = written(tmp_path / "mask.nii", np.minimum(voxels, np.int16(MOST_LABELS)))
    assert len(read_regions(most, label="a")) == MOST_LABELS
