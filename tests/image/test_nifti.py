from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_grid, read_regions, read_volume, write_region, write_volume
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

C, S = np.cos(0.3), np.sin(0.3)
OBLIQUE = VolumeGeometry(
    shape=(4, 5, 6),
    spacing_mm=(3.0, 1.5, 1.25),
    origin_mm=(-20.0, 30.0, 45.5),
    axes=((0.0, -float(S), float(C)), (0.0, float(C), float(S)), (1.0, 0.0, 0.0)),
)
TILTED = VolumeGeometry(
    shape=(4, 5, 6),
    spacing_mm=(3.0, 1.5, 1.25),
    origin_mm=(-20.0, 30.0, 45.5),
    axes=((0.0, float(np.sin(0.35)), float(np.cos(0.35))), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
)
"""As of a gantry that was tilted by 20 degrees: no axis stands at a right angle to the slices."""
BOTH = pytest.mark.parametrize("grid", [OBLIQUE, TILTED], ids=["oblique", "tilted"])


def volume(grid: VolumeGeometry = OBLIQUE) -> Volume:
    voxels = np.arange(120, dtype=np.float32).reshape(4, 5, 6)
    return Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]")


@BOTH
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_volume_comes_back_as_it_was_written(tmp_path, grid, ending):
    path = tmp_path / f"volume{ending}"
    write_volume(volume(grid), path)
    again = read_volume(path, unit="[hnsf'U]")
    assert np.array_equal(again.voxels, volume().voxels)
    assert again.unit == "[hnsf'U]"
    # The header holds the transform in float32.
    assert again.geometry.same_grid(grid, atol_mm=1e-4)
    assert read_grid(path).same_grid(grid, atol_mm=1e-4)


@BOTH
def test_positions_agree_with_another_reader_of_nifti(tmp_path, grid):
    path = tmp_path / "volume.nii"
    write_volume(volume(grid), path)
    image = nibabel.load(path)
    for z, y, x in ((0, 0, 0), (3, 1, 2), (1, 4, 5)):
        ras = image.affine @ (x, y, z, 1)
        assert grid.to_mm((z, y, x)) == pytest.approx([-ras[0], -ras[1], ras[2]], abs=1e-4)
        assert image.get_fdata()[x, y, z] == volume().voxels[z, y, x]


def test_scaled_integers_are_read_in_their_unit(tmp_path):
    path = tmp_path / "scaled.nii"
    image = nibabel.Nifti1Image(np.full((3, 4, 5), 200, dtype=np.int16), np.diag([-1, -1, 1, 1]))
    image.header.set_slope_inter(0.5, -1000)
    nibabel.save(image, path)
    raw = read_volume(path, unit="1").voxels
    assert raw.dtype == np.float32
    assert raw == pytest.approx(nibabel.load(path).get_fdata().T)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i2", "f8"])
def test_what_another_program_wrote_of_a_tilted_grid_is_read(tmp_path, order, kind):
    path = tmp_path / "other.nii.gz"
    steps = np.diag([-1, -1, 1]) @ np.column_stack([TILTED.matrix[:, ::-1], TILTED.origin_mm])
    stored = np.arange(120).reshape(6, 5, 4).astype(np.dtype(kind).newbyteorder(order))
    header = nibabel.Nifti1Header(endianness=order)
    image = nibabel.Nifti1Image(stored, np.vstack([steps, [0, 0, 0, 1]]), header=header)
    image.set_sform(image.affine, code=1)
    image.set_qform(None, code=0)
    image.header.set_slope_inter(2.0, -10.0)
    nibabel.save(image, path)
    again = read_volume(path, unit="1")
    assert again.geometry.same_grid(TILTED, atol_mm=1e-4)
    assert again.voxels == pytest.approx(nibabel.load(path).get_fdata().T)


def test_a_rigid_transform_beside_a_sheared_one_is_no_gantry_tilt(tmp_path):
    # Registration programs leave such files: the transform to an atlas, and that to the scanner.
    path = tmp_path / "atlas.nii"
    sheared = np.diag([-2.0, -2.0, 2.0, 1.0])
    sheared[0, 1] = 0.4
    image = nibabel.Nifti1Image(np.zeros((6, 5, 4), dtype=np.int16), sheared)
    image.set_sform(sheared, code=4)
    image.set_qform(np.diag([-2.0, -2.0, 2.0, 1.0]), code=1)
    nibabel.save(image, path)
    assert not read_grid(path).sheared


def test_mask_of_labels_gives_a_region_a_label(tmp_path):
    labels = np.zeros((4, 5, 6), dtype=np.float32)
    labels[1:3, 2, 3], labels[0, 0, 0] = 1, 3
    path = tmp_path / "mask.nii"
    write_volume(Volume(voxels=labels, geometry=OBLIQUE, unit="1"), path)
    first, third = read_regions(path, label="lesion", method="manual")
    assert (first.label, third.label, first.method) == ("lesion 1", "lesion 3", "manual")
    assert (first.start, first.mask.shape, first.mask.dtype) == ((1, 2, 3), (2, 1, 1), bool)


@BOTH
@pytest.mark.parametrize("kind", [bool, np.float32])
def test_region_comes_back_as_it_was_written(tmp_path, kind, grid):
    full = np.zeros((4, 5, 6), dtype=kind)
    full[1:3, 2:4, 3:5] = 1 if kind is bool else 0.25
    path = tmp_path / "region.nii.gz"
    write_region(Region.of(full, grid, label="lesion"), path)
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
    cut, torn = tmp_path / "cut.nii", tmp_path / "torn.nii.gz"
    for path, kept in ((cut, 400), (torn, 300)):
        write_volume(volume(TILTED), path)
        path.write_bytes(path.read_bytes()[:kept])
    for act, code in (
        (lambda: read_volume(broken, unit="1"), "image.nifti-unreadable"),
        (lambda: read_volume(tmp_path / "absent.nii", unit="1"), "image.nifti-unreadable"),
        (lambda: read_volume(four, unit="1"), "image.nifti-not-3d"),
        (lambda: read_volume(cut, unit="1"), "image.nifti-unreadable"),
        (lambda: read_volume(torn, unit="1"), "image.nifti-unreadable"),
        (lambda: write_volume(volume(TILTED), tmp_path / "nowhere" / "x.nii"), "image.nifti-unwritable"),
        (lambda: write_volume(volume(TILTED), tmp_path / "tilted.niix"), "image.nifti-unwritable"),
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
