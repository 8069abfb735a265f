"""Tumours as other programs take them, and those programs where a benchmark installed them.

A sarcoma of the reference data, and, as these hold no liver, a metastasis in a generated one.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from benchmarks import environments
from benchmarks.radiomics_answers import Answer

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import write_region, write_volume
from bingcheng.image.phantoms.abdomen import enhanced_abdomen
from bingcheng.image.phantoms.bolus import UNENHANCED_HU
from bingcheng.image.phantoms.noise import smooth
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.phantoms.shapes import Ellipsoid, turned
from bingcheng.image.polygon import coverage
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

AROUND_MM = 12.0
"""Kept around the tumour: local peaks look 6.2 mm beyond it."""
LIMIT_S = 300
CONTENDERS = Path(environments.__file__).parent / "contenders"


@pytest.fixture(scope="session", params=["CT", "MR_T1", "PET", "liver"])
def tumour(request, tmp_path_factory) -> tuple[Volume, Region, Path]:
    """Image and tumour, and a folder with both as files."""
    if request.param == "liver":
        volume, mask = _metastasis()
    else:  # STS_001 of the IBSI validation set (CC BY 3.0)
        root = request.getfixturevalue("reference_data") / "06_sts001" / "ibsi_validation_STS_001" / request.param
        volume = _series(root / "image")
        mask = _outlined(next((root / "mask").iterdir()), volume.geometry)
    drawn = Region.of(mask, volume.geometry, label="GTV")
    box = drawn.box(tuple(int(np.ceil(AROUND_MM / step)) for step in volume.geometry.spacing_mm))
    shape = tuple(s.stop - s.start for s in box)
    grid = VolumeGeometry(shape=shape, spacing_mm=volume.geometry.spacing_mm)
    near = Volume(voxels=np.ascontiguousarray(volume.voxels[box]), geometry=grid, unit="1")
    lesion = Region.of(np.ascontiguousarray(mask[box]), grid, label="GTV")
    place = tmp_path_factory.mktemp(request.param)
    write_volume(near, place / "image.nii.gz")
    write_region(lesion, place / "mask.nii.gz")
    np.savez(place / "lesion.npz", image=near.voxels, mask=mask[box], spacing_mm=grid.spacing_mm)
    return near, lesion, place


def _metastasis() -> tuple[Volume, np.ndarray]:
    """A portal venous CT of a generated trunk, in whole HU, with a dark ellipsoid in its liver that reaches the rim."""
    spacing_mm, noise_hu = (3.0, 0.8, 0.8), 14.0
    hu = {**UNENHANCED_HU, "liver": 110.0, "portal vein": 170.0, "spleen": 120.0}
    trunk = enhanced_abdomen(hu, levels_mm=(20.0, 130.0), spacing_mm=spacing_mm, noise_hu=noise_hu, seed=1)
    shape = Ellipsoid(
        centre_mm=(-105.0, -30.0, 78.0), semi_axes_mm=(21.0, 17.0, 19.0), rotation=turned(20.0, 10.0, 30.0)
    )
    voxels = np.array(trunk.voxels)
    inside = region_of(shape, trunk.geometry, label="GTV")
    weights = np.zeros(voxels.shape, dtype=np.float32)
    weights[inside.box()] = inside.mask
    grain = smooth(voxels.shape, (1.0, 2.5, 2.5), np.random.default_rng(2))
    voxels += weights * (12.0 * grain - 50.0)
    return Volume(voxels=np.rint(voxels), geometry=trunk.geometry, unit="1"), weights >= 0.5


def _series(folder: Path) -> Volume:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetGlobalWarningDisplay(False)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    grid = VolumeGeometry(shape=image.GetSize()[::-1], spacing_mm=image.GetSpacing()[::-1], origin_mm=image.GetOrigin())
    return Volume(voxels=SimpleITK.GetArrayFromImage(image).astype(np.float32), geometry=grid, unit="1")


def _outlined(path: Path, grid: VolumeGeometry) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    names = {roi.ROINumber: roi.ROIName for roi in dataset.StructureSetROISequence}
    mask = np.zeros(grid.shape, dtype=bool)
    for roi in dataset.ROIContourSequence:
        if not names[roi.ReferencedROINumber].startswith("GTV_Mass"):
            continue
        planes: dict[int, list[np.ndarray]] = {}
        for contour in roi.ContourSequence:
            index = grid.to_index(np.array(contour.ContourData, dtype=float).reshape(-1, 3))
            planes.setdefault(round(float(index[0, 0])), []).append(index[:, 1:])
        for z, outlines in planes.items():
            part, (row, column) = coverage(outlines)
            mask[z, row : row + part.shape[0], column : column + part.shape[1]] |= part >= 0.5
    return mask


@pytest.fixture(scope="session")
def told() -> Callable[[str, str, Path], Answer]:
    """told("mirp==2.7.0", "radiomics_mirp", lesion): the answer of a program that is installed."""

    def ask(requirement: str, script: str, lesion: Path) -> Answer:
        place = environments.FOLDER / requirement.replace("==", "-")
        if not (place / "installed").exists():
            pytest.skip(f"{requirement} is not installed: `python -m benchmarks` does it")
        answer = lesion.parent / f"{script}-{lesion.stem}.json"
        command = [environments.peer(requirement), CONTENDERS / f"{script}.py", lesion, "0", answer]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=LIMIT_S)
        assert answer.exists(), done.stderr[-800:]
        found: Answer = json.loads(answer.read_text(encoding="utf-8"))
        return found

    return ask
