"""A network of one convolution with a known answer, as an ONNX file with its manifest."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume

BRIGHT_HU = 100.0


def network_bytes(channels=1, kernel=1, weight=1.0, bias=-50.0, outputs=2, behind=None):
    """Two output channels: minus and plus ``weight * mean(first channel) + bias`` over a cube of `kernel` voxels.

    `behind`: along this axis of the input, of a kernel of three, the voxel before is looked at instead.
    """
    shape = ["n", channels, "a", "b", "c"]
    given = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)
    made = onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", outputs, "a", "b", "c"])
    weights = np.zeros((outputs, channels, kernel, kernel, kernel), dtype=np.float32)
    weights[-1, 0] = weight / kernel**3
    weights[0, 0] = -weight / kernel**3
    if behind is not None:
        weights[:] = 0.0
        at = [1, 1, 1]
        at[behind] = 0
        weights[(-1, 0, *at)], weights[(0, 0, *at)] = weight, -weight
    biases = np.zeros(outputs, dtype=np.float32)
    biases[-1], biases[0] = bias, -bias
    node = onnx.helper.make_node(
        "Conv", ["image", "w", "b"], ["logits"], kernel_shape=[kernel] * 3, pads=[kernel // 2] * 6
    )
    graph = onnx.helper.make_graph(
        [node],
        "one convolution",
        [given],
        [made],
        [onnx.numpy_helper.from_array(weights, "w"), onnx.numpy_helper.from_array(biases, "b")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


def described(model, **changes):
    """A manifest's mapping for the model."""
    told = {
        "key": "test_network",
        "name": "Threshold network",
        "version": "1.2.0",
        "kind": "onnx",
        "file": "model.onnx",
        "licence_spdx": "CC-BY-4.0",
        "licence_line": "Free for everybody who names its makers.",
        "commercial_use": True,
        "citation": "Nobody et al., Journal of Tests 2025;1:1",
        "modality": "CT",
        "spacing_mm": [2.0, 2.0, 2.0],
        "patch": [16, 16, 16],
        "overlap": 0.5,
        "intensity": {"mean": 0.0, "std": 1.0},
        "output": {
            "labels": [{"channel": 1, "name": "tumour"}],
            "activation": "softmax",
        },
        "sha256": hashlib.sha256(model).hexdigest(),
    }
    return told | changes


@pytest.fixture
def network():
    """network(kernel=3, ...): the bytes of a model."""
    return network_bytes


@pytest.fixture
def manifest_of():
    """manifest_of(model, spacing_mm=...): a manifest's mapping."""
    return described


@pytest.fixture
def plugin(tmp_path):
    """plugin(manifest changes): the path of a manifest beside its model."""

    def make(model=None, **changes):
        model = network_bytes() if model is None else model
        (tmp_path / "model.onnx").write_bytes(model)
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(described(model, **changes)))
        return path

    return make


@pytest.fixture(params=["upright", "turned"])
def two_cubes(request):
    """Two bright cubes of 12 and 8 mm in a dark image, on an upright grid or one with its axes swapped and flipped."""
    axes = {
        "upright": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
        "turned": ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
    }[request.param]
    geometry = VolumeGeometry(shape=(40, 48, 56), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(11.0, -7.0, 30.0), axes=axes)
    voxels = np.zeros(geometry.shape, dtype=np.float32)
    voxels[10:16, 10:22, 10:22] = BRIGHT_HU
    voxels[26:30, 32:40, 36:44] = BRIGHT_HU
    return Volume(voxels=voxels, geometry=geometry, unit="[hnsf'U]")
