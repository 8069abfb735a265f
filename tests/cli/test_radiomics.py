"""The command ``bingcheng radiomics`` as a person sees it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from io import StringIO

import nibabel
import numpy as np
import pydicom
import pytest
from tests.engine.making import ANNA, ct, structure_set
from tests.engine.radiomics_making import GRID, labels, pair, saved, voxels

from bingcheng.engine.radiomics.call import radiomics
from bingcheng.quantify.radiomics.settings import RadiomicsSettings


def rows(path) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(path.read_text("utf-8-sig"))))


def test_features_are_printed_by_family_with_unit_and_identifier(bingcheng, tmp_path):
    pair(tmp_path, only=1)
    said = bingcheng("radiomics", "lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT")
    assert said.code == 0, said.err
    assert "Intensity statistics" in said.out
    assert re.search(r"Mean intensity\s+(59|60|61)(\.\d+)? HU\s+stat_mean\s+Q4LE", said.out)
    assert "fixed bin size 25 (Q3RU)" in said.out
    assert "--uncertainty" in said.out


def test_with_uncertainty_no_digit_is_shown_that_it_does_not_justify(bingcheng, tmp_path):
    pair(tmp_path, only=1)
    call = ("radiomics", "lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT", "--families", "statistics")
    said = bingcheng(*call, "--uncertainty", "--out", "a.csv", "--out", "a.json")
    assert said.code == 0, said.err
    mean = next(row for row in rows(tmp_path / "a.csv") if row["feature"] == "stat_mean")
    wide = 2.0 * float(mean["standard_uncertainty"])
    shown = re.search(r"Mean intensity\s+(?P<value>[\d.]+) ± (?P<wide>[\d.]+) HU", said.out)
    assert float(shown["wide"]) == pytest.approx(wide, rel=0.1)
    assert len(shown["value"].partition(".")[2]) == len(shown["wide"].partition(".")[2])
    assert mean["grade"] == "unknown"
    assert "Robustness unknown" in said.out
    told = json.loads((tmp_path / "a.json").read_text())["lesions"][0]
    assert told["repetitions"] == 30
    assert set(told["features"][0]["components"]) >= {"contour", "rotation", "lattice", "bins"}


def test_ten_lesions_earn_a_grade(bingcheng, tmp_path):
    for number in range(10):
        saved(voxels(number) + np.float32(30 * number), tmp_path / "study" / f"p{number}.nii.gz")
        saved((labels() == 1).astype(np.uint8), tmp_path / "study" / f"p{number}_mask.nii.gz")
    call = ("radiomics", "study", "--modality", "MR", "--families", "statistics", "--uncertainty", "--out", "a.csv")
    said = bingcheng(*call)
    assert said.code == 0, said.err
    found = {row["feature"]: row for row in rows(tmp_path / "a.csv")}
    # Means differ by 30 from image to image; within one, noise of sd 15 in 432 voxels moves them by about 1.
    assert found["stat_mean"]["grade"] == "excellent"
    assert 0.9 < float(found["stat_mean"]["icc"]) <= 1.0
    assert found["stat_skew"]["grade"] in {"poor", "moderate"}


def test_several_labels_are_several_lesions_and_more_than_three_are_one_line_each(bingcheng, tmp_path):
    for number in range(2):
        pair(tmp_path / "study", f"p{number}")
    call = ("radiomics", "study", "--modality", "CT", "--families", "morphology,statistics")
    said = bingcheng(*call, "--out", "wide.csv", "--wide", "--workers", 2)
    assert said.code == 0, said.err
    assert "p1_mask 2" in said.out
    assert "Mean intensity" in said.out
    assert "morph_pca_flatness" not in said.out
    assert [(row["image"], row["lesion"]) for row in rows(tmp_path / "wide.csv")] == [
        ("p0", "p0_mask 1"),
        ("p0", "p0_mask 2"),
        ("p1", "p1_mask 1"),
        ("p1", "p1_mask 2"),
    ]


def test_json_is_one_document_and_equals_the_api_in_a_process_of_its_own(tmp_path):
    image, mask = pair(tmp_path, only=2)
    program = "from bingcheng.cli.main import main; main()"
    arguments = ["radiomics", str(image), str(mask), "--modality", "CT", "--json"]
    said = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stderr == ""
    (lesion,) = json.loads(said.stdout)["lesions"]
    found = radiomics(image, mask, modality="CT")
    assert lesion["settings_digest"] == found.settings.digest
    assert {one["feature"]: one["value"] for one in lesion["features"] if one["value"] is not None} == found.numbers()


def test_a_pyradiomics_file_is_recognised_and_told(bingcheng, tmp_path):
    pair(tmp_path)
    (tmp_path / "p.yaml").write_text(
        "imageType:\n  Original: {}\n  Square: {}\nfeatureClass:\n  firstorder: [Mean, Kurtosis]\n"
        "setting:\n  label: 2\n  binWidth: 5\n  voxelArrayShift: 100\n"
    )
    call = ("radiomics", "lung.nii.gz", "lung_mask.nii.gz", "--settings", "p.yaml", "--out", "a.csv")
    said = bingcheng(*call)
    assert said.code == 0, said.err
    assert "parameter file of pyradiomics" in said.err
    assert re.search(r"left out\s+imageType\.Square", said.err)
    assert re.search(r"with a difference\s+featureClass\.firstorder\.Kurtosis", said.err)
    assert re.search(r"left out\s+setting\.voxelArrayShift = 100", said.err)
    assert {row["feature"] for row in rows(tmp_path / "a.csv")} == {"stat_mean", "stat_kurt"}
    mean = float(voxels()[labels() == 2].mean())
    assert float(rows(tmp_path / "a.csv")[0]["value"]) == pytest.approx(mean, rel=1e-6)


def test_a_settings_file_can_be_written_and_read_back(bingcheng, tmp_path):
    pair(tmp_path, only=1)
    assert bingcheng("radiomics", "--write-settings", "my.toml", "--modality", "PT").code == 0
    call = ("radiomics", "lung.nii.gz", "lung_mask.nii.gz", "--settings", "my.toml", "--modality", "PT", "--json")
    (lesion,) = bingcheng(*call).json["lesions"]
    assert lesion["settings"] == RadiomicsSettings.for_modality("PT").as_mapping()
    assert lesion["image_unit"] == "g/ml"


def test_a_folder_of_exams_gives_lesions_without_a_patient_s_name(bingcheng, small_study, tmp_path):
    said = bingcheng("radiomics", small_study, "--families", "statistics", "--out", "a.csv", "--out", "a.json")
    assert said.code == 0, said.err
    everything = said.out + said.err + (tmp_path / "a.json").read_text() + (tmp_path / "a.csv").read_text("utf-8")
    for name in ("Quellberg", "Annabeth", "KH-70412", "赵"):
        assert name not in everything
    assert {row["modality"] for row in rows(tmp_path / "a.csv")} >= {"CT", "PT"}


def test_a_label_that_names_the_patient_is_hidden(bingcheng, tmp_path):
    ct(tmp_path / "ct", label="GTV Quellberg")
    said = bingcheng("radiomics", "ct", "ct/seg.dcm", "--families", "statistics", "--out", "a.json")
    assert said.code == 0, said.err
    for text in (said.out, said.err, (tmp_path / "a.json").read_text()):
        assert "Quellberg" not in text
        assert ANNA.patient_id not in text
    assert json.loads((tmp_path / "a.json").read_text())["lesions"][0]["lesion"] == "GTV"


def test_organs_of_a_structure_set_are_left_out_of_a_folder_and_said(bingcheng, tmp_path):
    ct(tmp_path / "ct", lesion=False)
    path = structure_set(tmp_path / "ct")
    data = pydicom.dcmread(path)
    data.StructureSetROISequence[1].ROIName = "Liver"
    data.RTROIObservationsSequence[1].RTROIInterpretedType = "ORGAN"
    data.ROIContourSequence[1].ContourSequence = data.ROIContourSequence[0].ContourSequence
    data.save_as(path)
    said = bingcheng("radiomics", "ct", "--families", "statistics", "--json")
    assert [one["lesion"] for one in said.json["lesions"]] == ["GTV good"]
    assert "1 region that is no lesion was left out" in bingcheng("radiomics", "ct", "--families", "statistics").out
    named = bingcheng("radiomics", "ct", "--families", "statistics", "--label", "liver", "--json")
    assert [one["lesion"] for one in named.json["lesions"]] == ["Liver"]
    both = bingcheng("radiomics", "ct", "ct/structures.dcm", "--families", "statistics", "--json")
    assert [one["lesion"] for one in both.json["lesions"]] == ["GTV good", "Liver"]


def test_maps_are_written_as_nifti_picture_and_parametric_map(bingcheng, tmp_path):
    ct(tmp_path / "ct")
    call = ("radiomics", "ct", "ct/seg.dcm", "--families", "statistics", "--map-out", "m")
    assert bingcheng(*call, "--map", "stat_mean", "--map-radius", 1).code == 0
    assert bingcheng(*call, "--map", "laplacian_of_gaussian:sigma_mm=4,by_slice=true").code == 0
    files = sorted(path.name for path in (tmp_path / "m").iterdir())
    assert len(files) == 6
    assert {name.rpartition(".")[2] for name in files} == {"dcm", "gz", "png"}
    dicom = pydicom.dcmread(next((tmp_path / "m").glob("*stat_mean*.dcm")))
    # Not by SimpleITK, whose reader turns NaN into 0.
    nifti = np.asarray(nibabel.load(next((tmp_path / "m").glob("*stat_mean*.nii.gz"))).dataobj).T
    heights = [one.PlanePositionSequence[0].ImagePositionPatient[2] for one in dicom.PerFrameFunctionalGroupsSequence]
    np.testing.assert_array_equal(dicom.pixel_array[np.argsort(heights)], nifti)
    # Around each voxel of the lesion of 90 HU in 40 HU, means lie between the two, with noise of sd 12.
    known = nifti[np.isfinite(nifti)]
    assert known.size > 100
    assert 40.0 < np.median(known) < 100.0


@pytest.mark.parametrize("asked", ["cm_contrast", "laplacian_of_gaussian:sigma=3", "gaussian:sigma_mm"])
def test_a_map_that_is_not_understood_is_told_and_features_stay(bingcheng, tmp_path, asked):
    pair(tmp_path, only=1)
    call = ("radiomics", "lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT", "--families", "statistics")
    said = bingcheng(*call, "--map", asked, "--json")
    assert said.code == 0
    assert len(said.json["refusals"]) == 1
    assert said.json["maps"] == []


def test_the_list_names_every_feature(bingcheng):
    said = bingcheng("radiomics", "--list")
    assert said.code == 0
    assert re.search(r"ngl_lde_3D\s+Low dependence emphasis\s+SODN:KOBO\s+1", said.out)
    listed = bingcheng("radiomics", "--list", "--json", "--families", "morphology").json
    assert {one["family"] for one in listed} == {"morphology"}
    assert {"feature": "morph_volume", "unit": "mm3"}.items() <= listed[0].items()


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((), 2, "cli.radiomics-no-image"),
        (("absent.nii.gz", "lung_mask.nii.gz"), 4, "engine.no-such-path"),
        (("lung.nii.gz",), 4, "engine.radiomics-no-mask"),
        (("lung.nii.gz", "lung_mask.nii.gz"), 4, "engine.radiomics-modality-unknown"),
        (("lung.nii.gz", "lung_mask.nii.gz", "--modality", "US"), 4, "engine.radiomics-no-such-modality"),
        (("lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT", "--label", "9"), 3, "engine.radiomics-no-such-label"),
        (("lung.nii.gz", "empty.nii.gz", "--modality", "CT"), 3, "engine.radiomics-empty-mask"),
        (("lung.nii.gz", "other.nii.gz", "--modality", "CT"), 3, "engine.radiomics-mask-off-grid"),
        (("broken.nii.gz", "lung_mask.nii.gz", "--modality", "CT"), 3, "image.nifti-unreadable"),
        (("lung.nii.gz", "notes.txt", "--modality", "CT"), 4, "engine.radiomics-mixed-kinds"),
        (("nothing",), 3, "engine.radiomics-nothing-to-measure"),
        (("lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT", "--out", "a.xls"), 4, "outputs.radiomics-format"),
        (("absent.nii.gz", "lung_mask.nii.gz", "--out", "notes.txt/a.csv"), 4, "outputs.cannot-write"),
        (("absent.nii.gz", "lung_mask.nii.gz", "--out", "folder.csv"), 4, "outputs.cannot-write"),
        (("lung.nii.gz", "lung_mask.nii.gz", "--settings", "notes.txt"), 4, "engine.radiomics-settings-format"),
        (
            ("lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT", "--families", "color"),
            4,
            "quantify.radiomics-setting-not-allowed",
        ),
    ],
)
def test_what_goes_wrong_is_said_once_in_words_with_its_code(bingcheng, tmp_path, arguments, code, problem):
    pair(tmp_path, only=1)
    saved(np.zeros(GRID.shape, dtype=np.uint8), tmp_path / "empty.nii.gz")
    saved(np.ones((3, 20, 24), dtype=np.uint8), tmp_path / "other.nii.gz", GRID.box((0, 0, 0), (3, 20, 24)))
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b nothing")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "folder.csv").mkdir()
    said = bingcheng("radiomics", *arguments)
    assert said.code == code, said.err
    assert problem in said.err
    assert "→" in said.err


def test_one_image_that_can_not_be_read_does_not_stop_the_others(bingcheng, tmp_path):
    pair(tmp_path / "study", "good", only=1)
    pair(tmp_path / "study", "bad", only=1)
    (tmp_path / "study" / "bad.nii.gz").write_bytes(b"no image")
    said = bingcheng("radiomics", "study", "--modality", "CT", "--families", "statistics", "--json")
    assert said.code == 0
    assert [one["image"] for one in said.json["lesions"]] == ["good"]
    assert [one["code"] for one in said.json["refusals"]] == ["image.nifti-unreadable"]


def test_it_speaks_chinese(bingcheng, tmp_path):
    pair(tmp_path, only=1)
    said = bingcheng("radiomics", "lung.nii.gz", "lung_mask.nii.gz", "--modality", "CT", "--lang", "zh")
    assert said.code == 0
    assert "stat_mean" in said.out
