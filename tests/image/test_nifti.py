from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_regions, read_volume, write_region, write_volume
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

C, S = np.cos(0.3), np.sin(0.3)
OBLIQUE = VolumeGeometry(
    shape=(4, 5, 6),
    spacing_mm=(3.0, 1.5, 1.25),
    origin_mm=(-20.0, 30.0, 45.5),
    axes=((0.0, -float(S), float(C)), (0.0, float(C), float(S)), (1.0, 0.0, 0.0)),
)


def volume() -> Volume:
    voxels = np.arange(120, dtype=np.float32).reshape(4, 5, 6)
    return Volume(voxels=voxels, geometry=OBLIQUE, unit="[hnsf'U]")


def test_volume_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "volume.nii.gz"
    write_volume(volume(), path)
    again = read_volume(path, unit="[hnsf'U]")
    assert np.array_equal(again.voxels, volume().voxels)
    assert again.unit == "[hnsf'U]"
    # The header holds the transform in float32.
    assert again.geometry.same_grid(OBLIQUE, atol_mm=1e-4)


def test_positions_agree_with_another_reader_of_nifti(tmp_path):
    path = tmp_path / "volume.nii"
    write_volume(volume(), path)
    image = nibabel.load(path)
    for z, y, x in ((0, 0, 0), (3, 1, 2), (1, 4, 5)):
        ras = image.affine @ (x, y, z, 1)
        assert OBLIQUE.to_mm((z, y, x)) == pytest.approx([-ras[0], -ras[1], ras[2]], abs=1e-4)
        assert image.get_fdata()[x, y, z] == volume().voxels[z, y, x]


def test_scaled_integers_are_read_in_their_unit(tmp_path):
    path = tmp_path / "scaled.nii"
    image = nibabel.Nifti1Image(np.full((3, 4, 5), 200, dtype=np.int16), np.diag([-1, -1, 1, 1]))
    image.header.set_slope_inter(0.5, -1000)
    nibabel.save(image, path)
    raw = read_volume(path, unit="1").voxels
    assert raw.dtype == np.float32
    assert raw == pytest.approx(nibabel.load(path).get_fdata().T)


def test_mask_of_labels_gives_a_region_a_label(tmp_path):
    labels = np.zeros((4, 5, 6), dtype=np.float32)
    labels[1:3, 2, 3], labels[0, 0, 0] = 1, 3
    path = tmp_path / "mask.nii"
    write_volume(Volume(voxels=labels, geometry=OBLIQUE, unit="1"), path)
    first, third = read_regions(path, label="lesion", method="manual")
    assert (first.label, third.label, first.method) == ("lesion 1", "lesion 3", "manual")
    assert (first.start, first.mask.shape, first.mask.dtype) == ((1, 2, 3), (2, 1, 1), bool)


@pytest.mark.parametrize("kind", [bool, np.float32])
def test_region_comes_back_as_it_was_written(tmp_path, kind):
    full = np.zeros((4, 5, 6), dtype=kind)
    full[1:3, 2:4, 3:5] = 1 if kind is bool else 0.25
    path = tmp_path / "region.nii.gz"
    write_region(Region.of(full, OBLIQUE, label="lesion"), path)
    (again,) = read_regions(path, label="lesion")
    assert again.start == (1, 2, 3)
    assert np.array_equal(again.mask, full[1:3, 2:4, 3:5])
    assert again.label == "lesion"


def test_empty_mask_gives_no_region(tmp_path):
    path = tmp_path / "empty.nii"
    write_volume(Volume(voxels=np.zeros((4, 5, 6), dtype=np.float32), geometry=OBLIQUE, unit="1"), path)
    assert read_regions(path, label="lesion") == ()


def code_of(error: pytest.ExceptionInfo[InputError]) -> str:
    return error.value.code


def test_what_cannot_be_read_or_written_is_refused_by_name(tmp_path: Path):
    broken = tmp_path / "broken.nii"
    broken.write_bytes(b"no image")
    four = tmp_path / "four.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4, 5), dtype=np.int16), np.eye(4)), four)
    sheared = VolumeGeometry(
        shape=(4, 5, 6), spacing_mm=(1, 1, 1), axes=((0.0, 0.3, 0.954), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    )
    tilted = Volume(voxels=volume().voxels, geometry=sheared, unit="1")
    for act, code in (
        (lambda: read_volume(broken, unit="1"), "image.nifti-unreadable"),
        (lambda: read_volume(tmp_path / "absent.nii", unit="1"), "image.nifti-unreadable"),
        (lambda: read_volume(four, unit="1"), "image.nifti-not-3d"),
        (lambda: write_volume(tilted, tmp_path / "tilted.nii"), "image.nifti-cannot-shear"),
        (lambda: write_volume(volume(), tmp_path / "nowhere" / "x.nii"), "image.nifti-unwritable"),
    ):
        with pytest.raises(InputError) as refused:
            act()
        assert code_of(refused) == code
        # A file's name may be the patient's.
        assert ".nii" not in str(refused.value)


def test_ibsi_phantom_is_where_its_dicom_twin_is(reference_data):
    folder = reference_data / "01_ibsi1" / "ibsi_1_ct_radiomics_phantom"
    grid = read_volume(folder / "nifti" / "image" / "phantom.nii.gz", unit="[hnsf'U]").geometry
    assert grid.shape == (60, 201, 204)
    # Positions as its DICOM header gives them.
    assert grid.origin_mm == pytest.approx((-174.3945, -79.6255, -100.4), abs=1e-3)
    assert grid.spacing_mm == pytest.approx((3.0, 0.977, 0.977), abs=1e-5)
