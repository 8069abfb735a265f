"""The command ``bingcheng segment`` as a person sees it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from io import BytesIO

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from tests.engine.making import ANNA, BRUNO, ct, dwi, pet
from tests.engine.radiomics_making import pair
from tests.quantify.lesion.conftest import in_tissue, line_of, nodule
from tests.quantify.lesion.plugins.conftest import described, network_bytes
from tests.quantify.lesion.plugins.test_remote import INFO, Label, thresholded

from bingcheng.cli.segment_asked import FORMS, edits
from bingcheng.cli.segment_commands import FORMS as FORMS_IN_HELP
from bingcheng.engine.segmenting.images import opened_with_mask
from bingcheng.image.nifti import write_volume
from bingcheng.quantify.lesion.segment import installed_methods

HERE = ("--at", "40,10,0")


@pytest.fixture(scope="session")
def pet_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "pet"
    pet(folder)
    return folder


def places(*points):
    return ":".join(",".join(f"{v:.2f}" for v in point) for point in points)


def read(path):
    return np.asarray(nibabel.load(path).dataobj).T


def names_nobody(patient, *texts):
    words = re.findall(r"\w{4,}", f"{patient.name} {patient.patient_id} {patient.birth_date}")
    assert words
    return not [word for word in words for text in texts if word.casefold() in text.casefold()]


def test_one_click_on_a_pet_gives_a_segmentation_a_picture_and_the_numbers(bingcheng, pet_folder, tmp_path, complaints):
    said = bingcheng("segment", pet_folder, *HERE, "--out", "a.dcm", "--out", "a.json", "--picture", "a.png")
    assert said.code == 0, said.err
    assert said.err == ""
    assert re.search(r"SUVmax\s+6 g/ml", said.out)
    assert re.search(r"Volume\s+1\d\.\d+ ml", said.out)
    assert "Where this method goes wrong" in said.out
    assert "pet_by_size(small_mm=30, fraction=0.42, fill_holes=False)/1" in said.out
    assert "--method names another" in said.out
    assert names_nobody(BRUNO, said.out, (tmp_path / "a.json").read_text())
    assert complaints(tmp_path / "a.dcm") == []
    told = json.loads((tmp_path / "a.json").read_text())["lesions"][0]
    back = opened_with_mask(pet_folder, tmp_path / "a.dcm", modality=None, series=None)
    (region,) = back.regions
    assert region.inside.sum() == told["voxels"]
    assert region.tracking_uid
    assert region.tracking_uid == told["tracking_uid"]
    segment = pydicom.dcmread(tmp_path / "a.dcm").SegmentSequence[0]
    assert (segment.SegmentLabel, segment.SegmentAlgorithmType) == ("Lesion 1", "SEMIAUTOMATIC")
    assert segment.SegmentAlgorithmName == "pet_by_size(small_mm=30, fraction=0.42, fill_holes=False)/1"
    assert segment.SegmentDescription == f"semi-automatic {segment.SegmentAlgorithmName}"
    picture = Image.open(BytesIO((tmp_path / "a.png").read_bytes()))
    assert picture.mode == "RGB"
    assert picture.width > 1.9 * picture.height


def test_the_same_place_in_voxels_and_in_ras_gives_the_same_lesion(bingcheng, pet_folder):
    voxel = ("--at", "28.5,24.75,7.5", "--voxel")
    found = [
        bingcheng("segment", pet_folder, *where, "--json").json["lesions"][0]
        for where in (HERE, voxel, ("--at", "-40,-10,0", "--ras"))
    ]
    assert len({json.dumps(one["values"]) for one in found}) == 1
    assert all(one["prompt"]["points_mm_lps"] == [[40.0, 10.0, 0.0]] for one in found)


def test_in_a_process_of_its_own_json_is_one_document(pet_folder):
    program = "from bingcheng.cli.main import main; main()"
    arguments = ["segment", str(pet_folder), *HERE, "--json"]
    said = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stderr == ""
    assert json.loads(said.stdout)["lesions"][0]["method_key"] == "pet_by_size"


def test_a_lung_nodule_in_a_nifti_file_keeps_its_parts_of_voxels(bingcheng, tmp_path):
    volume, ball, centre = nodule(8.0)
    write_volume(volume, tmp_path / "ct.nii.gz")
    said = bingcheng("segment", "ct.nii.gz", "--modality", "CT", "--at", places(centre), "--out", "n.nii.gz")
    assert said.code == 0, said.err
    assert "(with parts of voxels)" in said.out
    assert "Volume of whole voxels" in said.out
    mask = read(tmp_path / "n.nii.gz")
    assert ((mask > 0) & (mask < 1)).any()
    # 5 %: what the method states for solid nodules from 6 mm on.
    assert mask.sum(dtype=float) * volume.geometry.voxel_mm3 == pytest.approx(ball.volume_mm3, rel=0.05)


def test_a_lesion_in_mr_is_drawn_from_its_diameter_and_settings_are_recorded(bingcheng, tmp_path):
    volume, truth, _ = in_tissue(20.0, inside=160.0, outside=100.0, unit="{arbitrary}")
    write_volume(volume, tmp_path / "mr.nii.gz")
    line = line_of(truth)
    call = ("segment", "mr.nii.gz", "--modality", "MRI", "--line", places(line.start_mm, line.end_mm))
    said = bingcheng(*call, "--method", "tissue_cut", "--set", "rounds=1", "--label", "Metastasis", "--json")
    assert said.code == 0, said.err
    (one,) = said.json["lesions"]
    assert one["lesion"] == "Metastasis"
    assert one["parameters"]["rounds"] == 1
    assert "rounds=1" in one["method"]
    voxels = one["voxels"] / np.count_nonzero(truth.inside)
    assert 0.8 < voxels < 1.25  # the border is found within a tenth of the radius


def test_several_marks_are_several_lesions_in_one_file(bingcheng, pet_folder, tmp_path):
    call = ("segment", pet_folder, *HERE, "--at", "-40,0,0", "--box", "15,-15,-25:65,35,25")
    said = bingcheng(*call, "--out", "both.nii.gz", "--out", "both.dcm", "--label", "GTV")
    assert said.code == 0, said.err
    assert "quantify.click-far-off" in said.err
    assert "GTV 2" in said.err
    assert "shares voxels with that of 'GTV 3'" in said.out
    assert np.unique(read(tmp_path / "both.nii.gz")).tolist()[:2] == [0, 1]
    segments = pydicom.dcmread(tmp_path / "both.dcm").SegmentSequence
    assert [one.SegmentLabel for one in segments] == ["GTV 1", "GTV 3"]


def test_a_mask_is_corrected_step_by_step(bingcheng, tmp_path, complaints):
    ct(tmp_path / "ct")
    steps = (
        "grow 4",
        "add-sphere 40,34,0 r=9",
        "fill-holes in-slices",
        "largest",
        "smooth 2",
        "cut 40,30,0 normal=0,1,0",
    )
    call = ("segment", "ct", "--mask", "ct/seg.dcm", *(word for step in steps for word in ("--edit", step)))
    said = bingcheng(*call, "--out", "new.dcm", "--json")
    assert said.code == 0, said.err
    (one,) = said.json["lesions"]
    assert [step["action"] for step in one["corrections"]] == [
        "grown_by",
        "brushed",
        "holes_filled",
        "largest_part",
        "smoothed",
        "cut_by_plane",
    ]
    assert one["corrections"][1]["parameters"] == {"centre_mm": [40.0, 34.0, 0.0], "radius_mm": 9.0}
    assert one["method"].startswith("manual; edited: grown_by, brushed, ")
    assert complaints(tmp_path / "new.dcm") == []
    before = opened_with_mask(tmp_path / "ct", tmp_path / "ct" / "seg.dcm", modality=None, series=None).regions[0]
    (after,) = opened_with_mask(tmp_path / "ct", tmp_path / "new.dcm", modality=None, series=None).regions
    assert after.inside.sum() > before.inside.sum()
    assert after.tracking_uid == before.tracking_uid
    highest = after.grid.to_mm(np.argwhere(after.inside) + after.start)[:, 1].max()
    assert highest <= 30.0


@pytest.mark.parametrize("begun", [("--line", "25,10,0:55,10,0"), ("--mask", "ct/seg.dcm", "--edit", "grow 3")])
def test_a_label_that_names_the_patient_is_hidden(bingcheng, tmp_path, begun):
    ct(tmp_path / "ct")
    said = bingcheng("segment", "ct", *begun, "--label", "Quellberg tumour", "--out", "a.json", "--out", "a.dcm")
    assert said.code == 0, said.err
    assert names_nobody(ANNA, said.out, said.err, (tmp_path / "a.json").read_text())
    assert pydicom.dcmread(tmp_path / "a.dcm").SegmentSequence[0].SegmentLabel == "tumour"


def test_every_correction_in_the_help_is_understood_and_every_other_is_told():
    for name, form in FORMS.items():
        assert name in FORMS_IN_HELP
        words = form.says.replace("[", "").replace("]", "").replace("MM", "3").replace("X,Y,Z", "1,-2,3")
        (found,) = edits([words])
        assert found.function is form.function


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((), 2, "cli.segment-no-image"),
        (("pet",), 2, "cli.segment-no-mark"),
        (("pet", *HERE, "--mask", "pet/seg.dcm"), 2, "cli.segment-two-beginnings"),
        (("pet", *HERE, "--ras", "--voxel"), 2, "cli.segment-two-frames"),
        (("pet", "--mask", "pet/seg.dcm"), 2, "cli.segment-nothing-asked"),
        (("pet", *HERE, "--set", "fraction=0.5"), 2, "cli.segment-settings-without-method"),
        (("pet", "--at", "40,10"), 2, "cli.segment-position"),
        (("pet", "--at", "40,10,nan"), 2, "cli.segment-position"),
        (("pet", "--at", "1,2,3:4,5,6"), 2, "cli.segment-position"),
        (("pet", "--box", "1,2,3"), 2, "cli.segment-position"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "blow 3"), 2, "cli.segment-edit"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "grow"), 2, "cli.segment-edit"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "grow -3"), 2, "cli.segment-edit"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "add-sphere 1,2,3"), 2, "cli.segment-edit"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "largest 3"), 2, "cli.segment-edit"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", ""), 2, "cli.segment-edit"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "shrink 90"), 4, "quantify.edit-leaves-nothing"),
        (("pet", "--mask", "pet/seg.dcm", "--edit", "part 0,0,0"), 4, "quantify.no-part-here"),
        (("pet", "--mask", "pet/seg.dcm", "--region", "9", "--edit", "largest"), 4, "engine.radiomics-no-such-label"),
        (("pet", *HERE, "--out", "a.xls"), 4, "engine.segmentation-format"),
        (("pet", *HERE, "--picture", "a.jpg"), 4, "engine.segmentation-format"),
        (("pet", *HERE, "--out", "pet/00001.dcm"), 4, "engine.segmentation-replaces-input"),
        (("pet", *HERE, "--method", "magic"), 4, "quantify.unknown-segmentation-method"),
        (("pet", *HERE, "--method", "tissue_cut"), 4, "engine.segmentation-unfit-modality"),
        (("pet", *HERE, "--method", "ball"), 3, "quantify.unfit-prompt"),
        (("pet", *HERE, "--method", "pet_percist"), 3, "quantify.segmentation-settings-needed"),
        (("pet", *HERE, "--method", "pet_fixed_uptake", "--set", "threshold_g_per_ml=40"), 3, "quantify.uptake-below"),
        (("pet", "--at", "4000,10,0"), 3, "quantify.prompt-outside-image"),
        (("pet", "--at", "-40,0,0"), 3, "quantify.click-far-off"),
        (("pet", "--at", "-180,-180,0"), 3, "quantify.click-on-background"),
        (("pet", "--line", "1,1,1:1,1,1", "--method", "ball"), 3, "quantify.prompt-without-extent"),
        (("pet", *HERE, "--modality", "CT"), 4, "engine.segmentation-no-image"),
        (("pet", *HERE, "--modality", "US"), 4, "engine.radiomics-no-such-modality"),
        (("pet", *HERE, "--series", "77"), 4, "engine.segmentation-no-such-series"),
        (("absent", *HERE), 4, "engine.no-such-path"),
        (("notes.txt", *HERE), 4, "engine.segmentation-no-image"),
        (("empty", *HERE), 4, "engine.segmentation-no-image"),
        (("broken.nii.gz", *HERE, "--modality", "CT"), 4, "image.nifti-unreadable"),
        (("lung.nii.gz", *HERE), 4, "engine.radiomics-modality-unknown"),
        (("lung.nii.gz", *HERE, "--modality", "CT", "--out", "a.dcm"), 4, "engine.segmentation-no-dicom"),
        (("lung.nii.gz", "--mask", "pet/seg.dcm", "--modality", "CT", "--edit", "largest"), 4, "radiomics-mixed-kinds"),
        (("pet", "--mask", "lung_mask.nii.gz", "--edit", "largest"), 4, "engine.segmentation-no-mask"),
        (("pet", *HERE, "--model", "none.toml"), 4, "engine.segmentation-no-plugin"),
        (("pet", *HERE, "--model", "https://x.invalid"), 4, "quantify.remote-not-allowed"),
        (("pet", *HERE, "--model", "http://x.invalid", "--allow-remote"), 4, "quantify.remote-not-secure"),
    ],
)
def test_what_goes_wrong_is_said_once_in_words_with_its_code(bingcheng, pet_folder, tmp_path, arguments, code, problem):
    (tmp_path / "pet").symlink_to(pet_folder, target_is_directory=True)
    if any("lung" in word for word in arguments):
        pair(tmp_path, only=1)
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b nothing")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "empty").mkdir()
    said = bingcheng("segment", *arguments)
    assert said.code == code, said.err
    assert problem in said.err
    assert said.err.count("→") == 1
    assert not (tmp_path / "a.dcm").exists()


def test_of_a_diffusion_series_the_volume_has_to_be_named(bingcheng, tmp_path):
    dwi(tmp_path / "mr")
    said = bingcheng("segment", "mr", "--line", "25,10,0:55,10,0")
    assert said.code == 4
    assert "MR 4 b_value=800" in said.err
    named = bingcheng("segment", "mr", "--line", "25,10,0:55,10,0", "--series", "MR 4 b_value=800", "--json")
    assert named.json["lesions"][0]["values"][0]["value"] == pytest.approx(14.1, rel=0.5)


def test_the_list_holds_every_method_with_where_it_goes_wrong(bingcheng):
    said = bingcheng("segment", "--list")
    assert said.code == 0
    assert said.out.count("Goes wrong: ") == len(installed_methods())
    assert re.search(r"reference_mean_g_per_ml=\?", said.out)
    listed = bingcheng("segment", "--list", "--modality", "CT", "--json").json
    assert listed[0]["key"] == "ct_lung_nodule"
    assert all("CT" in one["modalities"] for one in listed)
    assert listed[0]["parameters"]["core_hu"] == 30.0


def test_a_network_shows_its_licence_before_it_draws(bingcheng, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    ct(tmp_path / "ct", lesion=False)
    model = network_bytes(bias=-70.0)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model.onnx").write_bytes(model)
    told = described(model, commercial_use=False, sha256=hashlib.sha256(model).hexdigest())
    (tmp_path / "net" / "manifest.json").write_text(json.dumps(told))
    said = bingcheng("segment", "ct", *HERE, "--model", "net", "--out", "a.dcm")
    assert said.code == 0, said.err
    assert "CC-BY-4.0: Free for everybody who names its makers." in said.err
    assert "forbids commercial use" in said.err
    assert "Threshold network" in said.out
    (tmp_path / "net" / "model.onnx").write_bytes(b"another")
    changed = bingcheng("segment", "ct", *HERE, "--model", "net/manifest.json")
    assert (changed.code, "quantify.plugin-model-changed" in changed.err) == (4, True)


def test_a_server_is_asked_only_where_pixel_data_may_leave_and_that_is_said(bingcheng, tmp_path):
    ct(tmp_path / "ct", lesion=False)
    (tmp_path / "token").write_text("s3cret\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Label)
    server.seen, server.info, server.status, server.token = [], INFO, 200, "s3cret"
    server.reply, server.folder = thresholded, tmp_path
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/label"
        call = ("segment", "ct", *HERE, "--model", address, "--token-file", "token")
        refused = bingcheng(*call)
        assert (refused.code, server.seen) == (4, [])
        which = bingcheng(*call, "--allow-remote")
        assert "deepedit, segmentation_lesion" in which.err
        said = bingcheng(*call, "--allow-remote", "--method", "deepedit", "--json")
        assert said.code == 0, said.err
        assert "leaves this machine" in said.err
        assert said.json["lesions"][0]["method_key"] == "remote_deepedit"
        assert "s3cret" not in said.out + said.err
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_speaks_chinese(bingcheng, pet_folder):
    said = bingcheng("segment", pet_folder, *HERE, "--lang", "zh")
    assert said.code == 0, said.err
    assert "pet_by_size" in said.out
    assert "SUVmax" in said.out
