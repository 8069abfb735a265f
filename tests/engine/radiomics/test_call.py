"""Radiomics in one call, whatever image and mask are given as."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from tests.engine.making import ANNA, ct, drawn, pet, structure_set
from tests.engine.radiomics_making import GRID, labels, pair, saved, voxels

from bingcheng.core.errors import InputError, Undefined
from bingcheng.engine.radiomics.call import radiomics, radiomics_of_all
from bingcheng.engine.radiomics.kernels import PREPARING, prepare
from bingcheng.engine.radiomics.settings import for_modality
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import write_region
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.discretisation import FixedBinSize
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

PLAIN = RadiomicsSettings(families=("morphology", "statistics"))
CODES = {
    "several": "engine.radiomics-several-lesions",
    "off grid": "engine.radiomics-mask-off-grid",
    "empty": "engine.radiomics-empty-mask",
    "form": "engine.radiomics-no-image-form",
}


def expected(value: int = 1) -> dict[str, float]:
    volume = Volume(voxels=voxels(), geometry=GRID, unit="[hnsf'U]")
    return features(volume, Region.of(labels() == value, GRID, label="x"), PLAIN).numbers()


def code(image, mask, **more) -> str:
    with pytest.raises((InputError, Undefined)) as caught:
        radiomics(image, mask, more.pop("settings", PLAIN), **more)
    return caught.value.code


def as_itk(array):
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(GRID.spacing_mm[::-1])
    image.SetOrigin(GRID.origin_mm)
    return image


def test_the_examples_of_the_page_run_as_they_stand(tmp_path, monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "radiomics.md").read_text("utf-8")
    one_call, many, pipeline = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    pair(tmp_path, only=1)
    for number in range(6):
        pair(tmp_path, f"p{number}", only=1, seed=number)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(one_call, names)  # noqa: S102 - the page is ours
    result = names["result"]
    assert result.settings == RadiomicsSettings.for_modality("CT")
    value, unit, ibsi = names["table"]["stat_mean"]
    assert (unit, ibsi) == ("[hnsf'U]", "Q4LE")
    assert value == result["stat_mean"] == pytest.approx(60.0, abs=3.0)  # 432 voxels of sd 15: 4 standard errors
    volume = Volume(voxels=voxels(), geometry=GRID, unit="1")
    names |= {
        "__name__": "__main__",
        "images": [(volume, [Region.of(labels() == 1, GRID, label="x")])],
        "settings": PLAIN,
    }
    exec(many, names)  # noqa: S102
    assert names["results"][0].numbers() == pytest.approx(expected(), rel=1e-12)
    exec(pipeline, names)  # noqa: S102
    assert names["model"].predict(names["pairs"]).shape == (6,)


def test_every_form_gives_the_same_values(tmp_path):
    image, mask = pair(tmp_path, only=1)
    one = labels() == 1
    volume = Volume(voxels=voxels(), geometry=GRID, unit="1")
    given = {
        "files": radiomics(image, mask, PLAIN),
        "words": radiomics(str(image), str(mask), PLAIN),
        "arrays": radiomics(voxels(), one, PLAIN, spacing_mm=GRID.spacing_mm),
        "itk": radiomics(as_itk(voxels()), as_itk(one.astype(np.uint8)), PLAIN),
        "volume": radiomics(volume, Region.of(one, GRID, label="x"), PLAIN),
        "mixed": radiomics(volume, one, PLAIN),
    }
    for name, result in given.items():
        assert result.numbers() == pytest.approx(expected(), rel=1e-12), name


def test_nrrd_and_metaimage_are_read_too(tmp_path):
    for ending in (".nrrd", ".mha"):
        SimpleITK.WriteImage(as_itk(voxels()), str(tmp_path / f"a{ending}"))
        SimpleITK.WriteImage(as_itk((labels() == 1).astype(np.uint8)), str(tmp_path / f"b{ending}"))
        found = radiomics(tmp_path / f"a{ending}", tmp_path / f"b{ending}", PLAIN)
        assert found.numbers() == pytest.approx(expected(), rel=1e-12)


def test_a_mask_whose_file_holds_the_voxels_in_another_order_is_turned(tmp_path):
    image, _ = pair(tmp_path, only=1)
    corner = GRID.to_mm((0, GRID.shape[1] - 1, 0))
    z, y, x = GRID.axes
    turned = VolumeGeometry(
        shape=GRID.shape,
        spacing_mm=GRID.spacing_mm,
        origin_mm=tuple(map(float, corner)),
        axes=(z, tuple(-c for c in y), x),
    )
    mask = saved(np.ascontiguousarray((labels() == 1).astype(np.uint8)[:, ::-1]), tmp_path / "m.nii.gz", turned)
    assert radiomics(image, mask, PLAIN).numbers() == pytest.approx(expected(), rel=1e-12)


def test_one_of_several_lesions_is_named_by_its_value(tmp_path):
    image, mask = pair(tmp_path)
    assert radiomics(image, mask, PLAIN, label=2).numbers() == pytest.approx(expected(2), rel=1e-12)
    assert radiomics(voxels(), labels(), PLAIN, spacing_mm=GRID.spacing_mm, label="2").numbers() == pytest.approx(
        expected(2), rel=1e-12
    )
    assert code(image, mask) == CODES["several"]
    assert code(image, mask, label=7) == "engine.radiomics-no-such-label"
    alone = pair(tmp_path / "alone", only=1)
    assert code(*alone, label=2) == "engine.radiomics-no-such-label"
    assert radiomics(*alone, PLAIN, label=1).voxels == 6 * 8 * 9


def test_all_lesions_at_once_do_not_depend_on_workers(tmp_path):
    image, mask = pair(tmp_path)
    one = radiomics_of_all(image, mask, PLAIN)
    assert [lesion.lesion for lesion in one.lesions] == ["lung_mask 1", "lung_mask 2"]
    two = radiomics_of_all(image, mask, PLAIN, workers=2)
    assert [x.result.values for x in one.lesions] == [x.result.values for x in two.lesions]


def test_settings_may_be_plain_values_or_a_file(tmp_path):
    image, mask = pair(tmp_path, only=1)
    plain = {"discretisation": {"method": "fixed bin size", "width": 5}, "families": ["histogram"]}
    (tmp_path / "s.json").write_text(json.dumps(plain))
    (tmp_path / "s.yaml").write_text("families: [histogram]\ndiscretisation: {method: fixed bin size, width: 5}\n")
    (tmp_path / "s.toml").write_text('families = ["histogram"]\n[discretisation]\nmethod = "fbs"\nwidth = 5\n')
    expect = radiomics(image, mask, plain)
    assert expect.settings.discretisation == FixedBinSize(width=5.0)
    for name in ("s.json", "s.yaml", "s.toml"):
        assert radiomics(image, mask, tmp_path / name).values == expect.values


def test_a_pyradiomics_file_limits_the_features(tmp_path):
    image, mask = pair(tmp_path)
    (tmp_path / "p.yaml").write_text("featureClass:\n  firstorder: [Mean, Entropy]\nsetting:\n  label: 2\n")
    found = radiomics(image, mask, tmp_path / "p.yaml")
    assert set(found.values) == {"stat_mean", "ih_entropy"}
    assert found["stat_mean"] == pytest.approx(float(voxels()[labels() == 2].mean()), rel=1e-6)


def test_dicom_with_its_segmentation(tmp_path):
    ct(tmp_path / "ct")
    found = radiomics(tmp_path / "ct", tmp_path / "ct" / "seg.dcm", PLAIN)
    assert found.image_unit == "[hnsf'U]"
    # A ball of 30 mm in voxels of 80 mm3: half a voxel's depth all around is 5 % of what the surface holds.
    assert found["morph_vol_approx"] == pytest.approx(np.pi / 6 * 30.0**3, rel=0.05)
    assert len(found.provenance.inputs) == 2
    assert radiomics(tmp_path / "ct", None, PLAIN).values == found.values


def test_a_structure_set_gives_its_rois_and_what_is_wrong_with_others(tmp_path):
    ct(tmp_path / "ct", lesion=False)
    path = structure_set(tmp_path / "ct")
    found = radiomics_of_all(tmp_path / "ct", path, PLAIN)
    assert [one.lesion for one in found.lesions] == ["GTV good"]
    # 20 x 20 mm in voxels of 4 mm on three slices: a voxel that is half inside belongs, so that 5 or 6 do each way.
    assert 3 * 25 <= found.lesions[0].result.voxels <= 3 * 36
    assert found.refusals


def test_pet_comes_as_suv(tmp_path):
    pet(tmp_path / "pet")
    found = radiomics(tmp_path / "pet", None)
    assert found.image_unit == "g/ml"
    assert found["stat_max"] == pytest.approx(6.0, rel=0.02)
    assert found.settings == RadiomicsSettings.for_modality("PT")


def test_a_nifti_mask_of_dicom_images(tmp_path):
    grid = ct(tmp_path / "ct", lesion=False)
    write_region(drawn(grid, ANNA), tmp_path / "lesion.nii.gz")
    found = radiomics(tmp_path / "ct", tmp_path / "lesion.nii.gz", PLAIN)
    assert found["morph_vol_approx"] == pytest.approx(np.pi / 6 * 30.0**3, rel=0.05)


def test_a_folder_of_pairs(tmp_path):
    pair(tmp_path / "a", "one")
    saved(voxels(4), tmp_path / "b" / "image.nii.gz")
    saved((labels() == 1).astype(np.uint8), tmp_path / "b" / "mask.nii.gz")
    saved(voxels(5), tmp_path / "c" / "p7_CT.nii.gz")
    saved((labels() == 2).astype(np.uint8), tmp_path / "c" / "p7-seg.nii.gz")
    saved(voxels(6), tmp_path / "d" / "alone.nii.gz")
    found = radiomics_of_all(tmp_path, None, PLAIN, modality="MR")
    assert sorted((one.image, one.lesion) for one in found.lesions) == [
        ("a/one", "one_mask 1"),
        ("a/one", "one_mask 2"),
        ("b/image", "mask"),
        ("c/p7_CT", "p7-seg"),
    ]


def test_modality_is_asked_for_and_not_guessed(tmp_path):
    image, mask = pair(tmp_path, only=1)
    assert code(image, mask, settings=None) == "engine.radiomics-modality-unknown"
    assert code(image, mask, modality="XA") == "engine.radiomics-no-such-modality"
    assert radiomics(image, mask, PLAIN).image_unit == "{arbitrary}"
    assert radiomics(image, mask, PLAIN, modality="pet").image_unit == "g/ml"


def test_bad_input_is_told_by_its_code(tmp_path):
    image, mask = pair(tmp_path, only=1)
    empty = saved(np.zeros(GRID.shape, dtype=np.uint8), tmp_path / "e_mask.nii.gz")
    small = VolumeGeometry(shape=(4, 4, 4), spacing_mm=(1.0, 1.0, 1.0))
    other = saved(np.ones(small.shape, dtype=np.uint8), tmp_path / "o_mask.nii.gz", small)
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    assert code(image, empty) == CODES["empty"]
    assert code(image, other) == CODES["off grid"]
    assert code(tmp_path / "broken.nii.gz", mask) == "image.nifti-unreadable"
    assert code(tmp_path / "absent.nii.gz", mask) == "engine.no-such-path"
    assert code(image, None) == "engine.radiomics-no-mask"
    assert code(voxels(), labels() == 1) == "engine.radiomics-no-spacing"
    assert code(voxels()[0], labels()[0] == 1, spacing_mm=GRID.spacing_mm) == CODES["form"]
    assert code(7, 8) == CODES["form"]
    assert code(image, labels()) == CODES["form"]
    assert code(voxels(), np.zeros(GRID.shape, bool), spacing_mm=GRID.spacing_mm) == CODES["empty"]
    assert code(voxels(), labels()[1:] == 1, spacing_mm=GRID.spacing_mm) == CODES["off grid"]


@pytest.mark.parametrize(
    "box",
    [
        (slice(3, 4), slice(3, 4), slice(3, 4)),  # one voxel
        (slice(5, 6), slice(2, 9), slice(2, 9)),  # one slice
        (slice(0, 12), slice(0, 20), slice(0, 24)),  # touching every border
    ],
)
@pytest.mark.parametrize("content", ["noise", "constant", "gaps"])
def test_odd_lesions_give_numbers_or_reasons(box, content):
    image, mask = voxels(), np.zeros(GRID.shape, dtype=bool)
    mask[box] = True
    if content == "constant":
        image[:] = 40.0
    if content == "gaps":
        image[3, 3, 3], image[0, 0, 0] = np.nan, np.inf
    # A single voxel may vanish between coarser ones; without interpolation it does not.
    how = RadiomicsSettings() if mask.sum() == 1 else None
    found = radiomics(image, mask, how, modality="MR", spacing_mm=(20.0, 1.0, 1.0))
    for tag, value in found.values.items():
        assert isinstance(value, Undefined) or np.isfinite(value), tag


def test_kernels_are_got_ready_family_by_family():
    told = []
    types = for_modality("MR")
    prepare(types, lambda step, done, total: told.append((str(step), done, total)))
    assert told == [(str(PREPARING), number, 11) for number in range(12)]


def test_a_sarcoma_has_the_same_volume_and_uptake_from_raw_counts_as_from_suv(reference_data):
    folder = reference_data / "06_sts001"
    plain = RadiomicsSettings(families=("morphology", "statistics"))
    made = folder / "ibsi_validation_STS_001" / "PET"
    other = radiomics(made / "image", made / "mask", plain)
    raw = radiomics(folder / "raw_FDG_PET" / "image", folder / "raw_FDG_PET" / "mask", plain, label="GTV_Mass")
    # Voxels of 50 mm3 in 363 ml; the outlines of the two structure sets are the same mass, exported twice.
    assert raw["morph_vol_approx"] == pytest.approx(other["morph_vol_approx"], rel=0.01)
    assert raw["stat_mean"] == pytest.approx(other["stat_mean"], rel=0.01)
    assert raw.image_unit == other.image_unit == "g/ml"
