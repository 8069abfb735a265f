"""A key image shows the right slice in the right window, with the lesion's border where the lesion is."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.keyimage import as_json, bright, from_json, key_image

RNG = np.random.default_rng(7)
SHAPE = (7, 60, 80)
SPACING = (5.0, 2.0, 1.0)


def ct(voxels: np.ndarray, spacing: tuple[float, float, float] = SPACING, **geometry: object) -> Volume:
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=spacing, **geometry)  # type: ignore[arg-type]
    return Volume(voxels=voxels.astype(np.float32), geometry=grid, unit="[hnsf'U]")


def box_region(volume: Volume, z: slice, y: slice, x: slice) -> Region:
    mask = np.zeros(volume.geometry.shape, dtype=bool)
    mask[z, y, x] = True
    return Region.of(mask, volume.geometry, label="lesion")


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def outline_area(lines: tuple[tuple[tuple[float, float], ...], ...]) -> float:
    total = 0.0
    for line in lines:
        x, y = np.array(line).T
        total += 0.5 * float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    return abs(total)


def test_pixels_are_square_and_the_field_keeps_its_shape() -> None:
    image = key_image(ct(np.zeros(SHAPE)), modality="CT")
    # The field is 80 mm x 120 mm, from 2 mm x 1 mm voxels.
    assert image.size_px[1] / image.size_px[0] == pytest.approx(120 / 80, rel=0.01)
    assert image.size_px[1] * image.pixel_mm == pytest.approx(120, rel=0.01)
    assert pixels(image.png).shape == (image.size_px[1], image.size_px[0])


def test_the_slice_is_the_one_with_the_largest_area() -> None:
    volume = ct(np.zeros(SHAPE))
    mask = np.zeros(SHAPE, dtype=bool)
    mask[2, 20:30, 20:30] = mask[4, 20:40, 20:40] = True
    image = key_image(volume, Region.of(mask, volume.geometry, label="lesion"), modality="CT")
    assert image.caption.facts["number"] == 5


def test_the_middle_slice_is_shown_without_a_lesion_and_with_an_empty_one() -> None:
    volume = ct(np.zeros(SHAPE))
    empty = Region.of(np.zeros(SHAPE, dtype=bool), volume.geometry, label="lesion")
    for region in (None, empty):
        image = key_image(volume, region, modality="CT")
        assert image.caption.facts["number"] == 4
        assert image.contours == ()


def test_a_diameter_decides_the_slice_and_keeps_its_length() -> None:
    volume = ct(np.zeros(SHAPE), origin_mm=(-40.0, -60.0, 100.0))
    region = box_region(volume, slice(2, 5), slice(20, 40), slice(10, 50))
    ends = tuple(tuple(float(v) for v in volume.geometry.to_mm(i)) for i in ((3, 20, 10), (3, 35, 50)))
    image = key_image(volume, region, modality="CT", diameter_mm=ends)  # type: ignore[arg-type]
    assert image.caption.facts["number"] == 4
    assert image.diameter is not None
    (x0, y0), (x1, y1) = image.diameter
    assert np.hypot(x1 - x0, y1 - y0) * image.pixel_mm == pytest.approx(np.hypot(40, 30), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(4, 25), st.integers(4, 35))
def test_the_border_encloses_the_lesion_where_it_is(y: int, x: int, rows: int, columns: int) -> None:
    volume = ct(np.zeros(SHAPE))
    region = box_region(volume, slice(3, 4), slice(y, y + rows), slice(x, x + columns))
    image = key_image(volume, region, modality="CT")
    scale = image.pixel_mm
    points = np.array([p for line in image.contours for p in line]) * scale
    # Half membership lies on the voxels' outer edges, save that the four corners are cut by half a voxel each way.
    assert points.min(axis=0) == pytest.approx([x * 1.0, y * 2.0], abs=0.02)
    assert points.max(axis=0) == pytest.approx([(x + columns) * 1.0, (y + rows) * 2.0], abs=0.02)
    cut = 4 * 0.5 * (0.5 * 1.0) * (0.5 * 2.0)
    assert outline_area(image.contours) * scale**2 == pytest.approx(rows * 2.0 * columns - cut, rel=0.01)


def test_a_lesion_that_reaches_the_edge_of_the_image_has_a_closed_border() -> None:
    volume = ct(np.zeros(SHAPE))
    image = key_image(volume, box_region(volume, slice(3, 4), slice(0, 10), slice(0, 10)), modality="CT")
    assert all(line[0] == line[-1] for line in image.contours)
    assert min(min(p) for line in image.contours for p in line) == pytest.approx(0.0, abs=0.02)


def test_soft_tissue_is_shown_in_its_window() -> None:
    voxels = np.full(SHAPE, -1000.0)
    voxels[:, 20:40, 20:60] = 40.0
    image = key_image(ct(voxels), modality="CT")
    grey = pixels(image.png)
    assert grey[0, 0] == 0
    assert grey[grey.shape[0] // 2, grey.shape[1] // 2] in {127, 128}  # the level is the middle of the window
    assert dict(image.window.facts) == {"width": 400.0, "level": 40.0}


def test_a_lesion_in_lung_is_shown_in_the_lung_window_and_one_in_the_liver_is_not() -> None:
    for surrounding, width in ((-850.0, 1500.0), (60.0, 400.0)):
        voxels = np.full(SHAPE, surrounding)
        voxels[2:5, 25:35, 30:50] = 30.0
        volume = ct(voxels)
        region = box_region(volume, slice(2, 5), slice(25, 35), slice(30, 50))
        assert key_image(volume, region, modality="CT").window.facts["width"] == width


def test_uptake_is_dark_and_seven_is_black() -> None:
    voxels = np.zeros(SHAPE)
    voxels[:, 20:40, 20:60] = 7.0
    volume = Volume(voxels=voxels.astype(np.float32), geometry=ct(voxels).geometry, unit="g/ml")
    grey = pixels(key_image(volume, modality="PT").png)
    assert grey[0, 0] == 255
    assert grey[grey.shape[0] // 2, grey.shape[1] // 2] == 0


def test_a_white_field_is_told_from_a_black_one() -> None:
    empty = np.zeros(SHAPE, dtype=np.float32)
    suv = Volume(voxels=empty, geometry=ct(empty).geometry, unit="g/ml")
    assert bright(key_image(suv, modality="PT"))
    assert not bright(key_image(ct(np.full(SHAPE, -1000.0)), modality="CT"))


def test_a_pet_that_is_not_in_suv_says_so() -> None:
    voxels = RNG.uniform(0, 30000, SHAPE)
    volume = Volume(voxels=voxels.astype(np.float32), geometry=ct(voxels).geometry, unit="Bq/ml")
    assert "not SUV" in str(key_image(volume, modality="PT").window)


def test_padding_is_black_and_does_not_set_the_window() -> None:
    voxels = RNG.uniform(100, 200, SHAPE).astype(np.float32)
    voxels[:, :10] = 30000
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, :10] = False
    volume = Volume(voxels=voxels, geometry=ct(voxels).geometry, unit="{arbitrary}", valid=valid)
    image = key_image(volume, modality="MR")
    assert float(image.window.facts["high"]) < 250  # type: ignore[arg-type]
    assert pixels(image.png)[0].max() == 0


def test_a_uniform_image_is_shown_without_a_division_by_zero() -> None:
    volume = Volume(
        voxels=np.zeros(SHAPE, dtype=np.float32), geometry=VolumeGeometry(shape=SHAPE, spacing_mm=SPACING), unit="1"
    )
    assert pixels(key_image(volume, modality="MR").png).max() == 0


def test_a_noisy_512_image_still_fits_its_size() -> None:
    voxels = RNG.normal(40, 60, (3, 512, 512))
    image = key_image(ct(voxels, (5.0, 0.8, 0.8)), modality="CT")
    assert max(image.size_px) <= 512
    # The last resort is 320 x 320 pixels of 24 grey levels: even white noise needs only log2(24) bits each, 58.7 kB.
    assert len(image.png) <= 60_000


@pytest.mark.parametrize(
    ("axes", "letters", "plane"),
    [
        (((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)), ("R", "L", "A", "P"), "axial"),
        (((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)), ("A", "P", "H", "F"), "sagittal"),
        (((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)), ("R", "L", "H", "F"), "coronal"),
    ],
)
def test_the_edges_are_named_by_where_they_lie_in_the_patient(axes: object, letters: object, plane: str) -> None:
    image = key_image(ct(np.zeros(SHAPE), axes=axes), modality="CT")
    assert image.orientation == letters
    assert str(image.caption.facts["plane"]) == plane


def test_a_stored_image_comes_back_the_same() -> None:
    volume = ct(RNG.normal(40, 10, SHAPE))
    region = box_region(volume, slice(2, 5), slice(20, 40), slice(10, 50))
    ends = tuple(tuple(float(v) for v in volume.geometry.to_mm(i)) for i in ((3, 20, 10), (3, 35, 50)))
    image = key_image(volume, region, modality="CT", diameter_mm=ends)  # type: ignore[arg-type]
    assert from_json(json.loads(json.dumps(as_json(image)))) == image
