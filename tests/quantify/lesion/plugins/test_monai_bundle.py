import copy
import json

import pytest
import yaml

from bingcheng.core.errors import InputError
from bingcheng.quantify.lesion.plugins.monai_bundle import bundle_manifest, bundle_method
from bingcheng.quantify.lesion.prompt import Click
from bingcheng.quantify.lesion.segment import segment

METADATA = {
    "version": "0.5.1",
    "name": "Spleen CT segmentation",
    "references": ["Xia et al. 2020"],
    "network_data_format": {
        "inputs": {"image": {"type": "image", "modality": "CT", "num_channels": 1, "spatial_shape": [16, 16, 16]}},
        "outputs": {"pred": {"type": "image", "channel_def": {"0": "background", "1": "spleen"}}},
    },
}
INFERENCE = {
    "roi": [16, 16, 16],
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.5, 2.0], "mode": "bilinear"},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "image",
                "a_min": -100,
                "a_max": 100,
                "b_min": 0.0,
                "b_max": 100.0,
                "clip": True,
            },
            {"_target_": "EnsureTyped", "keys": "image"},
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "@roi", "sw_batch_size": 4, "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [{"_target_": "Activationsd", "keys": "pred", "softmax": True}],
    },
}


@pytest.fixture
def bundle(tmp_path, network):
    def make(*, model=True, change=None):
        folder = tmp_path / "spleen_ct"
        metadata, inference = copy.deepcopy(METADATA), copy.deepcopy(INFERENCE)
        if change is not None:
            change(metadata, inference)
        (folder / "configs").mkdir(parents=True)
        (folder / "models").mkdir()
        (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
        (folder / "configs" / "inference.json").write_text(json.dumps(inference))
        (folder / "LICENSE").write_text("\n  Some licence, version 2\nmore\n")
        (folder / "models" / ("model.onnx" if model else "model.pt")).write_bytes(network(bias=-75.0))
        return folder

    return make


def test_a_bundles_files_say_what_a_manifest_says(bundle):
    folder = bundle()
    manifest = bundle_manifest(folder, folder / "models" / "model.onnx")
    assert manifest.key == "bundle_spleen_ct"
    assert manifest.modality == "CT"
    assert manifest.patch == (16, 16, 16)
    assert manifest.spacing_mm == (1.5, 1.5, 2.0)
    assert manifest.overlap == 0.5
    # [-100, 100] to [0, 100]: halved, with -100 at zero.
    assert manifest.intensity.clip == (-100.0, 100.0)
    assert (manifest.intensity.mean, manifest.intensity.std) == (-100.0, 2.0)
    assert [label.name for label in manifest.output.labels] == ["spleen"]
    assert manifest.output.activation == "softmax"
    assert manifest.licence == "NOASSERTION: Some licence, version 2"
    assert not manifest.commercial_use


def test_a_bundle_with_an_onnx_file_is_run(bundle, two_cubes):
    method = bundle_method(bundle())
    click = Click(position_mm=tuple(two_cubes.geometry.to_mm((12, 15, 15))))
    found = segment(two_cubes, click, method)
    # 0 HU becomes 50 and 100 HU becomes 100; the network's border lies at 75, half-way between.
    assert found.inside.sum() == pytest.approx(6 * 12 * 12, rel=0.25)
    assert "version=0.5.1" in found.method


def test_a_bundle_without_onnx_names_the_way_and_the_extra(bundle):
    with pytest.raises(InputError) as caught:
        bundle_method(bundle(model=False))
    assert caught.value.code == "quantify.bundle-without-onnx"
    assert "onnx_export" in caught.value.problem.remedy
    assert "bingcheng[onnx]" in caught.value.problem.remedy


def test_a_folder_that_is_no_bundle_says_so(tmp_path):
    with pytest.raises(InputError) as caught:
        bundle_method(tmp_path)
    assert caught.value.code == "quantify.bundle-unreadable"
    assert caught.value.reason.facts["file"] == "configs/metadata.json"


def set_step(inference, name, **arguments):
    inference["preprocessing"]["transforms"].append({"_target_": name, **arguments})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m, i: set_step(i, "monai.transforms.Zoomd"), "bundle-unknown-step"),
        (lambda m, i: set_step(i, "NormalizeIntensityd", nonzero=True), "bundle-unknown-step"),
        (lambda m, i: i["preprocessing"]["transforms"].pop(3), "bundle-unsaid"),
        (lambda m, i: i["postprocessing"]["transforms"].clear(), "bundle-unsaid"),
        (lambda m, i: i["inferer"].update(roi_size="$[n for n in range(3)]"), "bundle-unsaid"),
        (lambda m, i: m["network_data_format"]["outputs"]["pred"].pop("channel_def"), "bundle-unsaid"),
        (lambda m, i: m["network_data_format"]["inputs"]["image"].update(modality="US"), "bundle-unsaid"),
        (lambda m, i: i["preprocessing"]["transforms"][4].update(a_min="low"), "bundle-unsaid"),
        (lambda m, i: m["network_data_format"]["inputs"]["image"].update(num_channels=4), "bundle-several-images"),
        (lambda m, i: m["network_data_format"]["inputs"].update(prompt={"type": "image"}), "bundle-several-images"),
    ],
)
def test_what_can_not_be_told_is_refused_and_no_expression_is_run(bundle, change, code):
    with pytest.raises(InputError, match=code):
        bundle_method(bundle(change=change))


def test_a_switched_off_step_is_passed_over(bundle):
    def change(_, inference):
        set_step(inference, "Zoomd", _disabled_=True)

    assert bundle_method(bundle(change=change), key="spleen").key == "spleen"


def test_a_bundle_configured_in_yaml_says_the_same(bundle):
    def change(_, inference):
        set_step(inference, "CropForegroundd", source_key="image")
        inference["postprocessing"]["transforms"] = [{"_target_": "AsDiscreted", "argmax": True}]

    folder = bundle(change=change)
    told = bundle_manifest(folder, folder / "models" / "model.onnx")
    written = folder / "configs" / "inference.json"
    (folder / "configs" / "inference.yaml").write_text(yaml.safe_dump(json.loads(written.read_text())))
    written.unlink()
    assert bundle_manifest(folder, folder / "models" / "model.onnx") == told
    assert told.output.activation == "softmax"
    (folder / "configs" / "inference.yaml").write_text("preprocessing: [unended")
    with pytest.raises(InputError) as caught:
        bundle_method(folder)
    assert caught.value.reason.facts["file"] == "configs/inference.yaml"


def test_of_organs_and_a_tumour_the_tumour_is_drawn(bundle):
    def change(metadata, _):
        metadata["network_data_format"]["outputs"]["pred"]["channel_def"]["2"] = "Pancreatic tumor"

    folder = bundle(change=change)
    (label,) = bundle_manifest(folder, folder / "models" / "model.onnx").output.labels
    assert (label.channel, label.name) == (2, "Pancreatic tumor")
