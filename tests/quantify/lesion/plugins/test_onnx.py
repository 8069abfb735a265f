import builtins
import sys

import numpy as np
import pytest

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.plugins import onnx as onnx_plugin
from bingcheng.quantify.lesion.plugins.onnx import NetworkSettings, onnx_method
from bingcheng.quantify.lesion.prompt import Box, Click, RecistLine
from bingcheng.quantify.lesion.segment import segment


def place(volume, index):
    return tuple(volume.geometry.to_mm(index))


def full(region):
    mask = np.zeros(region.grid.shape, dtype=bool)
    mask[region.box()] = region.inside
    return mask


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SPL", "AIR"])
def test_the_network_finds_the_clicked_cube_on_any_grid_in_any_orientation(plugin, two_cubes, orientation):
    method = onnx_method(plugin(orientation=orientation))
    found = segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)
    truth = np.zeros(two_cubes.voxels.shape, dtype=bool)
    truth[10:16, 10:22, 10:22] = True
    # The model's voxels are 2 mm: the border may move by half of one.
    inner = truth & (two_cubes.voxels > 0)
    assert np.count_nonzero(full(found) & inner) > 0.85 * np.count_nonzero(inner)
    assert np.count_nonzero(full(found)) < 1.25 * np.count_nonzero(truth)
    assert not full(found)[26:30, 32:40, 36:44].any()


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "SPL", "AIR"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_axis_of_the_network_points_where_the_manifest_says(plugin, network, two_cubes, orientation, axis):
    toward = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    # It looks one voxel of 4 mm back along one axis, so that what it draws lies 4 mm further along it.
    model = network(kernel=3, behind=axis)
    click = Click(position_mm=place(two_cubes, (12, 15, 15)))
    middles = []
    for one in (network(), model):
        method = onnx_method(plugin(one, orientation=orientation, spacing_mm=[4.0, 4.0, 4.0]))
        found = segment(two_cubes, click, method)
        middles.append(found.geometry.to_mm(np.argwhere(found.inside)).mean(axis=0))
    assert middles[1] - middles[0] == pytest.approx(4.0 * np.array(toward[orientation[axis]]), abs=0.3)


def test_with_the_images_own_spacing_and_axes_it_is_exact(plugin, two_cubes):
    letters = {(0.0, 0.0, 1.0): "S", (0.0, 1.0, 0.0): "P", (1.0, 0.0, 0.0): "L"}
    letters |= {(-1.0, 0.0, 0.0): "R", (0.0, 0.0, -1.0): "I"}
    orientation = "".join(letters[axis] for axis in two_cubes.geometry.axes)
    method = onnx_method(plugin(orientation=orientation, spacing_mm=[2.0, 1.0, 1.0]))
    found = segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)
    truth = np.zeros(two_cubes.voxels.shape, dtype=bool)
    truth[10:16, 10:22, 10:22] = True
    assert np.array_equal(full(found), truth)


def test_the_region_names_model_version_and_file(plugin, two_cubes):
    path = plugin(
        output={
            "labels": [
                {"channel": 1, "name": "t", "code": {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"}}
            ],
            "activation": "softmax",
        }
    )
    method = onnx_method(path)
    assert method.licence == "CC-BY-4.0: Free for everybody who names its makers."
    assert not method.leaves_machine
    found = segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)
    assert found.method.startswith("test_network(version=1.2.0, sha256=")
    assert "threshold=0.5" in found.method
    assert found.code.value == "108369006"


def test_a_box_or_line_takes_the_largest_part_within(plugin, two_cubes):
    method = onnx_method(plugin(prompts=["box", "recist_line"]))
    box = Box(corner_mm=place(two_cubes, (24, 29, 33)), opposite_mm=place(two_cubes, (32, 43, 47)))
    line = RecistLine(start_mm=place(two_cubes, (28, 36, 34)), end_mm=place(two_cubes, (28, 36, 46)))
    for prompt in (box, line):
        found = full(segment(two_cubes, prompt, method))
        assert found[27, 35, 39]
        assert not found[:24].any()


def test_a_click_next_to_nothing_says_so(plugin, two_cubes):
    method = onnx_method(plugin())
    with pytest.raises(Undefined, match=r"quantify\.plugin-found-nothing"):
        segment(two_cubes, Click(position_mm=place(two_cubes, (20, 5, 50))), method)


def test_an_interactive_network_sees_the_click(plugin, network, two_cubes):
    # Both channels are averaged over the kernel of one voxel; only the first counts here, so give the click first.
    model = network(channels=2, weight=1.0, bias=-0.5)
    method = onnx_method(
        plugin(model, task="interactive", channels=["click", "image"], prompts=["click"], spacing_mm=[1.0, 1.0, 1.0])
    )
    found = segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)
    # A Gaussian of two voxels lies above one half within 2 sqrt(2 ln 2) = 2.35 mm.
    positions = found.geometry.to_mm(np.argwhere(found.inside))
    away = np.linalg.norm(positions - np.array(place(two_cubes, (12, 15, 15))), axis=1)
    assert away.max() < 2.35 + 1.0
    assert (found.inside.sum() * 2.0) == pytest.approx(4 / 3 * np.pi * 2.35**3, rel=0.35)


@pytest.mark.parametrize(
    ("intensity", "bias"),
    [
        ({"clip": [0.0, 50.0], "mean": 25.0, "std": 25.0}, 0.0),
        ({"percentile": [1.0, 99.9]}, -0.5),
        ({}, -1.0),
    ],
)
def test_grey_values_are_prepared_as_the_manifest_says(plugin, network, two_cubes, intensity, bias):
    # The cubes end up at 1, 1 and several standard deviations above the mean; the rest at -1, 0 and below the mean.
    method = onnx_method(plugin(network(weight=10.0, bias=10.0 * bias), intensity=intensity, spacing_mm=[1.0] * 3))
    found = segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)
    assert found.inside.sum() == pytest.approx(6 * 12 * 12, rel=0.2)


def test_a_higher_threshold_finds_no_more(plugin, network, two_cubes):
    method = onnx_method(plugin(network(kernel=5, weight=0.2, bias=-10.0)))
    usual = method.usual
    click = Click(position_mm=place(two_cubes, (12, 15, 15)))
    low, high = (
        segment(
            two_cubes,
            click,
            method,
            NetworkSettings(version=usual.version, sha256=usual.sha256, threshold=t, overlap=0.5),
        )
        for t in (0.3, 0.9)
    )
    assert not (full(high) & ~full(low)).any()
    assert high.mask.sum() < low.mask.sum()


def test_a_model_with_other_channels_than_it_says_is_refused(plugin, network, two_cubes):
    click = Click(position_mm=place(two_cubes, (12, 15, 15)))
    method = onnx_method(plugin(network(), output={"labels": [{"channel": 5, "name": "x"}], "activation": "sigmoid"}))
    with pytest.raises(InputError, match=r"quantify\.plugin-model-unusable"):
        segment(two_cubes, click, method)
    method = onnx_method(plugin(network(channels=3)))
    with pytest.raises(InputError, match=r"quantify\.plugin-model-unusable"):
        segment(two_cubes, click, method)


def test_a_file_that_is_no_model_is_refused(plugin, two_cubes):
    method = onnx_method(plugin(b"not a model"))
    with pytest.raises(InputError, match=r"quantify\.plugin-model-unusable"):
        segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)


def test_a_machine_with_too_little_memory_is_told(plugin, two_cubes):
    method = onnx_method(plugin(min_ram_gib=1e6))
    with pytest.raises(InputError, match=r"quantify\.plugin-needs-memory"):
        segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)


def test_without_onnxruntime_the_extra_is_named(plugin, two_cubes, monkeypatch):
    method = onnx_method(plugin(version="without"))
    onnx_plugin._loaded.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError) as caught:
        segment(two_cubes, Click(position_mm=place(two_cubes, (12, 15, 15))), method)
    assert caught.value.code == "quantify.onnx-not-installed"
    assert "bingcheng[onnx]" in caught.value.problem.remedy


def test_reading_a_plugin_imports_no_onnxruntime(plugin, monkeypatch):
    real = builtins.__import__

    def guarded(name, *args, **kwargs):
        assert name != "onnxruntime"
        return real(name, *args, **kwargs)

    path = plugin()
    monkeypatch.setattr(builtins, "__import__", guarded)
    assert onnx_method(path).key == "test_network"


def test_an_image_beside_the_clicked_place_may_hold_no_numbers(plugin, two_cubes):
    voxels = np.array(two_cubes.voxels)
    voxels[:, :, -4:] = np.nan
    image = Volume(voxels=voxels, geometry=two_cubes.geometry, unit=two_cubes.unit)
    found = segment(image, Click(position_mm=place(image, (12, 15, 15))), onnx_method(plugin()))
    assert not found.empty
