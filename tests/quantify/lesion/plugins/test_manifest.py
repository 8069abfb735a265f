import json

import pytest

from bingcheng.core.errors import InputError
from bingcheng.quantify.lesion.plugins.manifest import as_manifest, model_file, read_manifest

TOML = """
key = "lung_lesions"
name = "Lung lesions"
version = "2.0"
kind = "onnx"
file = "model.onnx"
licence_spdx = "Apache-2.0"
licence_line = "Apache License"
commercial_use = true
citation = "Somebody 2024"
modality = "CT"
task = "interactive"
prompts = ["click", "box"]
channels = ["image", "click"]
orientation = "LPS"
spacing_mm = [1.0, 1.0, 1.5]
patch = [96, 96, 64]
overlap = 0.25
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
min_ram_gib = 4.0

[intensity]
clip = [-1000.0, 400.0]
percentile = [0.5, 99.5]

[output]
activation = "sigmoid"
threshold = 0.4

[[output.labels]]
channel = 0
name = "lesion"
code = {value = "52988006", scheme = "SCT", meaning = "Lesion"}
"""


def test_a_manifest_is_read_from_toml(tmp_path):
    (tmp_path / "m.toml").write_text(TOML)
    manifest = read_manifest(tmp_path / "m.toml")
    assert manifest.patch == (96, 96, 64)
    assert manifest.intensity.percentile == (0.5, 99.5)
    assert manifest.output.labels[0].code.value == "52988006"
    assert manifest.licence == "Apache-2.0: Apache License"
    assert hash(manifest) == hash(read_manifest(tmp_path / "m.toml"))


def test_json_says_the_same(tmp_path):
    (tmp_path / "m.toml").write_text(TOML)
    manifest = read_manifest(tmp_path / "m.toml")
    (tmp_path / "m.json").write_text(manifest.model_dump_json())
    assert read_manifest(tmp_path / "m.json") == manifest


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"licence_spdx": ""}, "licence_spdx"),
        ({"spacing_mm": [1.0, 0.0, 1.0]}, "spacing_mm.1"),
        ({"patch": [16, 16]}, "patch.2"),
        ({"patch": [2, 16, 16]}, "patch.0"),
        ({"overlap": 0.95}, "overlap"),
        ({"orientation": "RAX"}, "orientation"),
        ({"orientation": "RLS"}, "manifest"),
        ({"kind": "pickle"}, "kind"),
        ({"sha256": None}, "manifest"),
        ({"sha256": "abc"}, "sha256"),
        ({"channels": ["click"]}, "manifest"),
        ({"channels": ["image", "click"]}, "manifest"),
        ({"intensity": {"mean": 1.0}}, "intensity"),
        ({"intensity": {"mean": 1.0, "std": 1.0, "percentile": [1.0, 99.0]}}, "intensity"),
        ({"intensity": {"percentile": [99.0, 1.0]}}, "intensity"),
        ({"intensity": {"clip": [5.0, 5.0]}}, "intensity"),
        ({"output": {"labels": [], "activation": "none"}}, "output.labels"),
        ({"surprise": 1}, "surprise"),
        ({"key": "Not A Key"}, "key"),
    ],
)
def test_what_is_wrong_is_named(manifest_of, change, where):
    with pytest.raises(InputError) as caught:
        as_manifest(manifest_of(b"model", **change))
    assert caught.value.code == "quantify.plugin-manifest-invalid"
    assert caught.value.reason.facts["where"] == where


@pytest.mark.parametrize(("name", "content"), [("m.toml", "a = "), ("m.json", "{"), ("m.toml", None)])
def test_a_file_that_is_no_manifest_says_so(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=r"quantify\.plugin-manifest-unreadable"):
        read_manifest(tmp_path / name)


def test_a_changed_model_is_not_run(tmp_path, manifest_of):
    manifest = as_manifest(manifest_of(b"model"))
    with pytest.raises(InputError, match=r"quantify\.plugin-model-missing"):
        model_file(manifest, tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"model")
    assert model_file(manifest, tmp_path).name == "model.onnx"
    (tmp_path / "model.onnx").write_bytes(b"modem")
    with pytest.raises(InputError, match=r"quantify\.plugin-model-changed"):
        model_file(manifest, tmp_path)


def test_a_model_outside_of_its_folder_is_not_run(tmp_path, manifest_of):
    (tmp_path / "model.onnx").write_bytes(b"model")
    (tmp_path / "inner").mkdir()
    manifest = as_manifest(manifest_of(b"model", file="../model.onnx"))
    with pytest.raises(InputError, match=r"quantify\.plugin-model-missing"):
        model_file(manifest, tmp_path / "inner")


def test_a_manifest_is_plain_json(manifest_of):
    manifest = as_manifest(manifest_of(b"model"))
    assert as_manifest(json.loads(json.dumps(manifest.model_dump(mode="json")))) == manifest
