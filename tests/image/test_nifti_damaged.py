"""NIfTI files that claim what can't be: refused from their header or their values, before memory or hours are spent."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import MOST_LABELS, read_grid, read_regions, read_volume, write_volume
from bingcheng.image.nifti_header import require_plain_header
from bingcheng.image.volume import Volume

DIM, PIXDIM, SCALE, FORMS = 40, 76, 112, 252


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
        assert code(read, path, **named) == "image.nifti-two-sizes"
    struct.pack_into("<2h", data := bytearray(path.read_bytes()), FORMS, 1, 0)
    path.write_bytes(data)
    for read, named in ((read_grid, {}), (read_volume, {"unit": "1"}), (read_regions, {"label": "a"})):
        assert code(read, path, **named) in ("image.impossible-size", "image.nifti-unreadable")


def test_an_image_that_is_given_for_a_mask_is_refused_at_once(tmp_path):
    voxels = np.arange(8 * 20 * 20, dtype=np.int16).reshape(8, 20, 20)
    assert code(read_regions, written(tmp_path / "image.nii", voxels), label="a") == "image.nifti-no-mask"
    most = written(tmp_path / "mask.nii", np.minimum(voxels, np.int16(MOST_LABELS)))
    assert len(read_regions(most, label="a")) == MOST_LABELS


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("slope", "intercept", "refused"),
    [
        (NAN, 0.0, True),
        (INF, 0.0, True),
        (NAN, NAN, True),
        (2.0, NAN, True),
        (2.0, -INF, True),
        (1e38, 0.0, True),
        (0.0, NAN, False),
        (2.0, 1.0, False),
    ],
)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_values_whose_scale_is_no_number_are_not_taken_as_they_are_stored(tmp_path, slope, intercept, refused, ending):
    path = damaged(written(tmp_path / "a.nii", np.ones((4, 5, 6), np.int16)), SCALE, "<2f", slope, intercept)
    if ending == ".nii.gz":
        data, path = path.read_bytes(), tmp_path / "a.nii.gz"
        path.write_bytes(gzip.compress(data))
    if refused:
        for read, named in ((read_volume, {"unit": "1"}), (read_regions, {"label": "a"})):
            assert code(read, path, **named) == "image.nifti-no-scale"
    else:
        assert set(read_volume(path, unit="1").voxels.ravel()) == {3.0 if slope else 1.0}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("slope", "step_mm", "refused"),
    [(1.0, 2.0, None), (0.0, 2.0, None), (NAN, 2.0, "no-scale"), (1.0, 3.0, "two-sizes")],
)
def test_the_header_of_the_second_version_is_looked_at_too(tmp_path, order, slope, step_mm, refused):
    head = bytearray(544)
    struct.pack_into(f"{order}i4s", head, 0, 540, b"n+2\0")
    struct.pack_into(f"{order}4d", head, 104, 1.0, 2.0, 2.0, 2.0)
    struct.pack_into(f"{order}2d", head, 176, slope, 0.0)
    struct.pack_into(f"{order}i", head, 348, 1)
    struct.pack_into(f"{order}12d", head, 400, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, step_mm, 0)
    path = tmp_path / "a.nii"
    path.write_bytes(head)
    if refused:
        assert code(require_plain_header, path) == f"image.nifti-{refused}"
    else:
        require_plain_header(path)


def test_a_header_that_gives_two_sizes_of_a_voxel_is_not_decided_by_a_library(tmp_path):
    path = damaged(written(tmp_path / "a.nii", np.ones((4, 5, 6), np.int16)), PIXDIM + 4, "<f", 1.0)
    for read, named in ((read_grid, {}), (read_volume, {"unit": "1"}), (read_regions, {"label": "a"})):
        assert code(read, path, **named) == "image.nifti-two-sizes"


def test_a_file_without_its_magic_number_is_not_taken_for_the_format_before(tmp_path):
    path = damaged(written(tmp_path / "a.nii", np.ones((4, 5, 6), np.int16)), 344, "<4s", b"n-1\0")
    assert code(read_volume, path, unit="1") == "image.nifti-unreadable"


@pytest.mark.parametrize("at", [268, 324])  # of the qform and of the sform
def test_an_image_that_is_nowhere_is_not_put_where_a_library_likes(tmp_path, at):
    path = damaged(written(tmp_path / "a.nii", np.ones((4, 5, 6), np.int16)), at, "<f", NAN)
    for read, named in ((read_grid, {}), (read_volume, {"unit": "1"})):
        assert code(read, path, **named) == "image.nifti-no-place"
