"""Generated lesions of known shape on PET, CT and MR, the prompts that a reader would give, and one real sarcoma."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
import SimpleITK

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.phantoms.render import Part, compose, region_of, voxel_blur
from bingcheng.image.phantoms.shapes import Ellipsoid, HalfSpace, sphere_of, turned
from bingcheng.image.polygon import coverage
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.prompt import Box, RecistLine
from bingcheng.quantify.size.diameter import longest_axis

HU = "[hnsf'U]"


def grid_for(diameter_mm, spacing_mm, margin_mm):
    return centred(tuple(int((diameter_mm + 2 * margin_mm) / s) + 1 for s in spacing_mm), spacing_mm)


@lru_cache(maxsize=32)
def pet_sphere(diameter_mm, contrast, *, background=1.0, relative_sd=0.08, seed=0, spacing_mm=(4.0, 4.0, 4.0)):
    """A sphere in an even background as a PET scanner of 6.6 mm resolution shows it, its exact region, its centre."""
    geometry = grid_for(diameter_mm, spacing_mm, 45.0)
    centre = (0.7, -1.1, 0.4)
    ball = sphere_of(diameter_mm, centre)
    clean = compose(
        [Part(shape=ball, value=contrast * background)], geometry, (2.8, 2.8, 2.8), background=background, unit="g/ml"
    )
    voxels = noise.pet(
        np.asarray(clean.voxels),
        relative_sd=relative_sd,
        reference=2.0,
        sigma_voxels=(0.8, 0.8, 0.8),
        rng=np.random.default_rng(seed),
    )
    return Volume(voxels=voxels, geometry=geometry, unit="g/ml"), region_of(ball, geometry, label="truth"), centre


@lru_cache(maxsize=32)
def nodule(diameter_mm, *, seed=0, spacing_mm=(1.25, 0.7, 0.7), core_hu=30.0, sd_hu=30.0, vessel_mm=0.0, wall_mm=None):
    """A solid nodule in lung, maybe on a vessel or on the chest wall; the point spread has a deviation of 0.7 mm."""
    generator = np.random.default_rng(seed)
    geometry = grid_for(diameter_mm, spacing_mm, 18.0)
    centre = tuple(generator.uniform(-0.6, 0.6, 3))
    parts = []
    if vessel_mm:
        turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        tube = Ellipsoid(
            centre_mm=centre,
            semi_axes_mm=(vessel_mm / 2, vessel_mm / 2, np.inf),
            rotation=tuple(tuple(row) for row in turn),
        )
        parts.append(Part(shape=tube, value=core_hu))
    if wall_mm is not None:
        wall = HalfSpace(point_mm=(centre[0] + wall_mm, centre[1], centre[2]), normal=(-1.0, 0.0, 0.0))
        parts.append(Part(shape=wall, value=50.0))
    ball = sphere_of(diameter_mm, centre)
    parts.append(Part(shape=ball, value=core_hu))
    blur = tuple(float(np.hypot(0.7, own)) for own in voxel_blur(geometry))
    clean = compose(parts, geometry, blur, background=-850.0, unit=HU)
    voxels = clean.voxels + noise.white(geometry.shape, sd_hu, generator)
    return Volume(voxels=voxels, geometry=geometry, unit=HU), ball, centre


@lru_cache(maxsize=32)
def in_tissue(diameter_mm, *, inside=60.0, outside=100.0, sd=12.0, seed=0, spacing_mm=(2.5, 0.8, 0.8), unit=HU):
    """An ellipsoid in even tissue, its region and its centre."""
    geometry = grid_for(1.2 * diameter_mm, spacing_mm, 0.5 * diameter_mm + 15.0)
    centre = (0.3, -0.4, 0.6)
    body = Ellipsoid(
        centre_mm=centre,
        semi_axes_mm=(0.6 * diameter_mm, 0.45 * diameter_mm, 0.5 * diameter_mm),
        rotation=turned(30.0, 20.0, 10.0),
    )
    clean = compose([Part(shape=body, value=inside)], geometry, (1.0, 0.7, 0.7), background=outside, unit=unit)
    grain = noise.smooth(geometry.shape, (0.0, 0.8, 0.8), np.random.default_rng(seed))
    voxels = clean.voxels + np.float32(sd) * grain
    return Volume(voxels=voxels, geometry=geometry, unit=unit), region_of(body, geometry, label="truth"), centre


@lru_cache(maxsize=32)
def line_of(region):
    """The longest diameter that a reader would draw."""
    axis = longest_axis(region).long_axis
    return RecistLine(start_mm=axis.start_mm, end_mm=axis.end_mm)


def box_around(region, margin=2):
    """A box around a region with a margin in voxels."""
    box = region.box()
    low, high = [s.start - margin for s in box], [s.stop - 1 + margin for s in box]
    return Box(corner_mm=tuple(region.grid.to_mm(low)), opposite_mm=tuple(region.grid.to_mm(high)))


def full(region):
    """The boolean mask of a region on its whole grid."""
    mask = np.zeros(region.grid.shape, dtype=bool)
    mask[region.box()] = region.inside
    return mask


def dice(one, other):
    a, b = full(one), full(other)
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def volume_ml(region):
    return float(region.mask.sum(dtype=np.float64)) * region.grid.voxel_mm3 / 1000.0


@pytest.fixture(scope="session")
def drawn():
    """The generators of this module."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if callable(value)})


@pytest.fixture(scope="session")
def sarcoma(reference_data):
    """sarcoma("PET", "g/ml"): image and tumour as outlined, of case STS_001 of the IBSI validation set (CC BY 3.0)."""

    def read(modality, unit):
        folder = reference_data / "06_sts001" / "ibsi_validation_STS_001" / modality
        volume = _series(folder / "image", unit)
        return volume, _outlined(next((folder / "mask").iterdir()), volume.geometry)

    return read


def _series(folder, unit):
    reader = SimpleITK.ImageSeriesReader()
    reader.SetGlobalWarningDisplay(False)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    direction = np.array(image.GetDirection()).reshape(3, 3)
    geometry = VolumeGeometry(
        shape=image.GetSize()[::-1],
        spacing_mm=image.GetSpacing()[::-1],
        origin_mm=image.GetOrigin(),
        axes=tuple(tuple(direction[:, k]) for k in (2, 1, 0)),
    )
    return Volume(voxels=SimpleITK.GetArrayFromImage(image).astype(np.float32), geometry=geometry, unit=unit)


def _outlined(path, grid):
    dataset = pydicom.dcmread(path)
    names = {roi.ROINumber: roi.ROIName for roi in dataset.StructureSetROISequence}
    mask = np.zeros(grid.shape, dtype=np.float32)
    for roi in dataset.ROIContourSequence:
        if not names[roi.ReferencedROINumber].startswith("GTV_Mass"):
            continue
        planes = {}
        for contour in roi.ContourSequence:
            index = grid.to_index(np.array(contour.ContourData, dtype=float).reshape(-1, 3))
            planes.setdefault(round(float(index[0, 0])), []).append(index[:, 1:])
        for z, outlines in planes.items():
            part, (row, column) = coverage(outlines)
            mask[z, row : row + part.shape[0], column : column + part.shape[1]] = part
    return Region.of(mask, grid, label="GTV")
