"""Input that is odd, wrong or hostile: a region, or a reason; and nothing that leaves, hangs or is trusted unseen."""

import dataclasses
import gzip
import hashlib
import json
import os
import socket
import threading
import time
import tracemalloc
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest
import SimpleITK

from bingcheng.core.errors import BingchengError, InputError, RefusedError, RemoteError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion import edit
from bingcheng.quantify.lesion.edit_history import EditHistory
from bingcheng.quantify.lesion.method import LIMITS
from bingcheng.quantify.lesion.pet_threshold import BackgroundCorrected, PercentOfMax, Percist
from bingcheng.quantify.lesion.plugins.manifest import as_manifest, model_file, read_manifest
from bingcheng.quantify.lesion.plugins.model_grid import ModelGrid
from bingcheng.quantify.lesion.plugins.monai_bundle import bundle_method
from bingcheng.quantify.lesion.plugins.onnx import onnx_method
from bingcheng.quantify.lesion.plugins.remote import RemoteModel, RemoteServer, remote_method, remote_models
from bingcheng.quantify.lesion.prompt import Box, Click, PromptKind, RecistLine
from bingcheng.quantify.lesion.segment import installed_methods, segment

METHODS = tuple(installed_methods())
EACH = pytest.mark.parametrize("method", METHODS, ids=[one.key for one in METHODS])
NEEDED = MappingProxyType({Percist: Percist(reference_mean_g_per_ml=1.6, reference_sd_g_per_ml=0.2)})
SECRET = "s3cret-t0ken"  # noqa: S105 - of a server that lives for one test
GRID = centred((40, 40, 40), (2.0, 2.0, 2.0))
PROMPTS = MappingProxyType(
    {
        PromptKind.CLICK: Click(position_mm=(1.0, 1.0, 1.0)),
        PromptKind.BOX: Box(corner_mm=(-13.0, -13.0, -13.0), opposite_mm=(13.0, 13.0, 13.0)),
        PromptKind.RECIST_LINE: RecistLine(start_mm=(-12.0, 0.0, 0.0), end_mm=(12.0, 0.0, 0.0)),
    }
)


def image(method, grid=GRID):
    """A sphere of 24 mm in noise, as the method's modality shows it."""
    return ball_in_noise("PT" in method.modalities, grid)


@cache
def ball_in_noise(uptake, grid):
    outside, inside, sd, unit = (1.0, 8.0, 0.05, "g/ml") if uptake else (-850.0, 30.0, 20.0, "")
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    ball = np.linalg.norm(grid.to_mm(index) - grid.to_mm(np.asarray(grid.shape) / 2 - 0.5), axis=-1) <= 12.0
    voxels = np.where(ball, inside, outside) + sd * np.random.default_rng(3).standard_normal(grid.shape)
    return Volume(voxels=voxels.astype(np.float32), geometry=grid, unit=unit)


def settings_of(method):
    return NEEDED.get(method.settings)


def found_or_reason(volume, prompt, method):
    try:
        return segment(volume, prompt, method, settings_of(method))
    except (Undefined, InputError):
        return None


def full(region):
    mask = np.zeros(region.grid.shape, dtype=region.mask.dtype)
    mask[region.box()] = region.mask
    return mask


# Images


@EACH
@pytest.mark.parametrize("mark", [1e300, 3.4e38, -3.4e38, 1e30])
def test_marks_for_missing_values_are_no_values(method, mark):
    volume = image(method)
    voxels = volume.voxels.astype(np.float64)
    voxels[0, 0, 0] = voxels[20, 20, 21] = mark
    odd = Volume(voxels=voxels, geometry=GRID, unit=volume.unit)
    for kind in method.prompts:
        region = found_or_reason(odd, PROMPTS[kind], method)
        if region is not None and method.key != "ball":
            assert not full(region)[20, 20, 21]


@EACH
def test_an_image_of_such_marks_alone_gives_a_reason(method):
    volume = Volume(voxels=image(method).voxels * np.float32(1e30), geometry=GRID, unit=image(method).unit)
    for kind in method.prompts:
        region = found_or_reason(volume, PROMPTS[kind], method)
        assert (region is None) or method.key == "ball"


@EACH
@pytest.mark.parametrize("spacing_mm", [1e6, 1000.0, 1e-3])
def test_voxels_of_absurd_size_give_a_region_or_a_reason(method, spacing_mm):
    grid = centred((6, 6, 6), (spacing_mm,) * 3)
    volume = image(method, grid)
    for kind in method.prompts:
        prompt = PROMPTS[kind]
        scaled = type(prompt)(
            **{f.name: tuple(0.1 * spacing_mm * x for x in getattr(prompt, f.name)) for f in dataclasses.fields(prompt)}
        )
        found_or_reason(volume, scaled, method)


@EACH
@pytest.mark.parametrize(
    ("lowest", "kinds"), [(0, (np.uint8, np.uint16)), (None, (np.int16, np.int64, np.float64, ">i2"))]
)
def test_values_of_any_type_draw_the_same_on_any_layout(method, lowest, kinds):
    scaled = np.rint(image(method).voxels * (1 if "PT" not in method.modalities else 10))
    if lowest is not None:
        scaled = np.clip(scaled, lowest, 255)
    layouts = {"float32": scaled.astype(np.float32), "by columns": np.asfortranarray(scaled)}
    layouts |= {str(np.dtype(kind)): scaled.astype(kind)[::-1].copy()[::-1] for kind in kinds}
    for prompt in (PROMPTS[one] for one in method.prompts):
        masks = {}
        for name, voxels in layouts.items():
            region = found_or_reason(Volume(voxels=voxels, geometry=GRID, unit=image(method).unit), prompt, method)
            masks[name] = None if region is None else full(region)
        assert [name for name, mask in masks.items() if not np.array_equal(masks["float32"], mask)] == []


@EACH
def test_a_grid_stored_the_other_way_round_gives_the_same_lesion(method):
    volume = image(method)
    turned = VolumeGeometry(
        shape=GRID.shape,
        spacing_mm=GRID.spacing_mm,
        origin_mm=tuple(GRID.to_mm((39, 0, 39))),
        axes=tuple(tuple(sign * x for x in axis) for sign, axis in zip((-1, 1, -1), GRID.axes, strict=True)),
    )
    mirrored = Volume(voxels=volume.voxels[::-1, :, ::-1], geometry=turned, unit=volume.unit)
    for kind in method.prompts:
        # In the middle of voxels: half-way between two, a click belongs to either.
        prompt = PROMPTS[kind]
        one = full(segment(volume, prompt, method, settings_of(method)))
        other = full(segment(mirrored, prompt, method, settings_of(method)))[::-1, :, ::-1]
        shared = 2.0 * np.minimum(one, other).sum() / (one.sum() + other.sum())
        # Cuts and fronts run through differences to the next voxel, which has a direction.
        assert shared > (0.999 if "PT" in method.modalities else 0.99)


@EACH
def test_a_tilted_gantry_gives_a_lesion_of_the_same_volume(method):
    tilt = np.radians(15.0)
    tilted = dataclasses.replace(GRID, axes=((0.0, float(np.sin(tilt)), float(np.cos(tilt))), *GRID.axes[1:]))
    origin = np.asarray(tilted.origin_mm) - tilted.to_mm((19.5, 19.5, 19.5))
    tilted = dataclasses.replace(tilted, origin_mm=tuple(origin))
    volumes = []
    for grid in (GRID, tilted):
        for kind in method.prompts:
            low, high = (tuple(grid.to_mm((at, at, at))) for at in (13.0, 26.0))
            # A box lies along the image's axes, so of the tilted image it is tilted too.
            prompt = Box(corner_mm=low, opposite_mm=high) if kind is PromptKind.BOX else PROMPTS[kind]
            region = segment(image(method, grid), prompt, method, settings_of(method))
            volumes.append(float(region.mask.sum(dtype=np.float64)) * grid.voxel_mm3)
    half = len(volumes) // 2
    # Bodies that a prompt stands for tilt with the grid: their volume shrinks by its cosine, 3 %.
    assert volumes[:half] == pytest.approx(volumes[half:], rel=0.1)


@pytest.mark.parametrize("method", [one for one in METHODS if one.key != "ball"], ids=lambda one: one.key)
def test_a_click_where_the_scanner_recorded_nothing_takes_in_nothing_of_it(method):
    volume = image(method)
    valid = np.ones(GRID.shape, dtype=bool)
    valid[18:23, 18:23, 18:23] = False
    for kind in method.prompts:
        odd = Volume(voxels=volume.voxels, geometry=GRID, unit=volume.unit, valid=valid)
        region = found_or_reason(odd, PROMPTS[kind], method)
        assert region is None or not full(region)[~valid].any()


# Prompts


@pytest.mark.parametrize(
    "prompt",
    [
        Click(position_mm=(1e300, 0.0, 0.0)),
        Click(position_mm=(float("nan"), 0.0, 0.0)),
        Box(corner_mm=(-1e200, -1.0, -1.0), opposite_mm=(1e200, 1.0, 1.0)),
        Box(corner_mm=(-1e9, -1.0, -1.0), opposite_mm=(1e9, 1.0, 1.0)),
        RecistLine(start_mm=(0.0, 0.0, 0.0), end_mm=(float("inf"), 0.0, 0.0)),
    ],
)
def test_positions_beyond_any_patient_are_outside(prompt):
    for method in METHODS:
        if prompt.kind in method.prompts:
            with pytest.raises(InputError, match=r"quantify\.prompt-outside-image"):
                segment(image(method), prompt, method, settings_of(method))


@EACH
def test_a_prompt_on_the_very_edge_of_the_image_gives_a_region_or_a_reason(method):
    volume = image(method)
    edge = 39.5
    for at in (-0.5, edge - 1e-9, edge):
        click = tuple(GRID.to_mm((at, at, at)))
        inner = tuple(GRID.to_mm(np.clip((at - 1, at - 1, at - 1), 0, 39)))
        for prompt in (
            Click(position_mm=click),
            Box(corner_mm=click, opposite_mm=inner),
            Box(corner_mm=inner, opposite_mm=tuple(2 * np.array(click) - inner)),
            RecistLine(start_mm=click, end_mm=inner),
        ):
            if prompt.kind in method.prompts:
                found_or_reason(volume, prompt, method)


@EACH
def test_an_inverted_box_is_the_same_box(method):
    if PromptKind.BOX not in method.prompts:
        return
    box = PROMPTS[PromptKind.BOX]
    other = Box(
        corner_mm=(box.opposite_mm[0], *box.corner_mm[1:]), opposite_mm=(box.corner_mm[0], *box.opposite_mm[1:])
    )
    one, two = (full(segment(image(method), b, method, settings_of(method))) for b in (box, other))
    assert np.array_equal(one, two)


# Settings and the record


@EACH
def test_numbers_out_of_range_are_refused_before_anything_is_drawn(method):
    usual = settings_of(method) or method.settings()
    prompt = PROMPTS[next(iter(method.prompts))]
    for one in dataclasses.fields(method.settings):
        if isinstance(getattr(usual, one.name), bool):
            continue
        low, high = one.metadata[LIMITS]
        assert low <= getattr(usual, one.name) <= high
        for wrong in (low - 1, high * 2 + 1, float("nan"), float("inf"), 1e300):
            with pytest.raises(InputError) as caught:
                segment(image(method), prompt, method, dataclasses.replace(usual, **{one.name: wrong}))
            assert caught.value.code == "quantify.segmentation-setting-out-of-range"
            assert caught.value.reason.facts["name"] == one.name


def test_the_record_holds_every_digit_that_draws_it():
    method = next(one for one in METHODS if one.key == "pet_percent_of_max")
    region = segment(image(method), PROMPTS[PromptKind.CLICK], method, PercentOfMax(fraction=0.4100000001))
    assert "fraction=0.4100000001," in region.method
    region = segment(image(method), PROMPTS[PromptKind.CLICK], "pet_background_corrected", BackgroundCorrected())
    assert region.method == "pet_background_corrected(fraction=0.42, fill_holes=False)/1"


# Memory


@pytest.mark.parametrize("method", [one for one in METHODS if "CT" in one.modalities], ids=lambda one: one.key)
def test_of_a_whole_body_only_the_neighbourhood_is_copied(method):
    grid = centred((400, 512, 512), (1.0, 0.8, 0.8))
    # One slice, seen four hundred times: the image itself takes no memory here, and everything in it leaks.
    slice_ = np.random.default_rng(0).normal(40.0, 2.0, (512, 512)).astype(np.float32)
    volume = Volume(voxels=np.broadcast_to(slice_, grid.shape), geometry=grid, unit="[hnsf'U]")
    kind = PromptKind.CLICK if method.key == "ct_lung_nodule" else PromptKind.RECIST_LINE
    tracemalloc.start()
    try:
        found_or_reason(volume, PROMPTS[kind], method)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.1 * volume.voxels.nbytes


# Edits


def spot(mask, start=(10, 10, 10)):
    return Region(mask=np.asarray(mask), start=start, grid=GRID, label="lesion", method="m()/1")


SOLID = spot(np.ones((4, 4, 4), dtype=bool))
EMPTY = Region.of(np.zeros(GRID.shape, dtype=bool), GRID, label="lesion")
WHOLE = spot(np.ones(GRID.shape, dtype=bool), (0, 0, 0))


@pytest.mark.parametrize("size", [float("nan"), float("inf"), 1e9])
def test_sizes_that_are_none_are_refused(size):
    for action in (
        lambda: edit.brushed(SOLID, centre_mm=(0.0, 0.0, 0.0), radius_mm=size),
        lambda: edit.grown_by(SOLID, margin_mm=size),
        lambda: edit.grown_by(SOLID, margin_mm=-size),
        lambda: edit.smoothed(SOLID, width_mm=size),
    ):
        with pytest.raises(InputError, match=r"quantify\.size-not-positive"):
            action()


@pytest.mark.parametrize("point", [(float("nan"), 0.0, 0.0), (0.0, float("inf"), 0.0)])
def test_planes_that_are_none_are_refused(point):
    for one, other in ((point, (0.0, 0.0, 1.0)), ((0.0, 0.0, 0.0), point)):
        with pytest.raises(InputError, match=r"quantify\.plane-without-direction"):
            edit.cut_by_plane(SOLID, point_mm=one, normal=other)


@pytest.mark.parametrize("region", [EMPTY, WHOLE, SOLID], ids=["empty", "whole", "solid"])
def test_every_edit_of_empty_and_full_regions_gives_a_region_or_a_reason(region):
    for action in (
        lambda: edit.brushed(region, centre_mm=tuple(GRID.to_mm((39, 39, 39))), radius_mm=5.0),
        lambda: edit.brushed(region, centre_mm=(0.0, 0.0, 0.0), radius_mm=100.0, erase=True),
        lambda: edit.holes_filled(region),
        lambda: edit.largest_part(region),
        lambda: edit.part_at(region, position_mm=(0.0, 0.0, 0.0)),
        lambda: edit.grown_by(region, margin_mm=4.0),
        lambda: edit.grown_by(region, margin_mm=-3.0),
        lambda: edit.smoothed(region, width_mm=3.0),
        lambda: edit.filled_between_slices(region),
        lambda: edit.cut_by_plane(region, point_mm=(0.0, 0.0, 0.0), normal=(1.0, 1.0, 0.0)),
    ):
        try:
            result = action()
        except BingchengError:
            continue
        assert not result.empty
        assert all(s >= 0 and s + n <= 40 for s, n in zip(result.start, result.mask.shape, strict=True))


def test_choosing_the_only_part_of_a_mask_of_fractions_keeps_all_its_volume():
    mask = np.full((5, 5, 5), 0.3, dtype=np.float32)
    mask[1:4, 1:4, 1:4] = 1.0
    region = spot(mask)
    for kept in (edit.largest_part(region), edit.part_at(region, position_mm=tuple(GRID.to_mm((12, 12, 12))))):
        assert np.array_equal(full(kept), full(region))


def test_of_two_parts_each_keeps_its_own_rim():
    mask = np.zeros((3, 3, 11), dtype=np.float32)
    mask[1, 1, :] = [0.2, 1, 1, 1, 0.2, 0, 0.4, 1, 1, 0.4, 0]
    kept = full(edit.largest_part(spot(mask)))[11, 11, 10:21]
    assert kept == pytest.approx([0.2, 1, 1, 1, 0.2, 0, 0, 0, 0, 0, 0], abs=1e-6)


def test_a_big_brush_takes_little_more_than_its_distances():
    grid = centred((100, 256, 256), (1.0, 0.8, 0.8))
    region = Region(mask=np.ones((1, 1, 1), dtype=bool), start=(50, 128, 128), grid=grid, label="lesion")
    tracemalloc.start()
    try:
        found = edit.brushed(region, centre_mm=(0.0, 0.0, 0.0), radius_mm=40.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.inside.sum() * grid.voxel_mm3 == pytest.approx(4 / 3 * np.pi * 40.0**3, rel=0.01)
    assert peak < 40 * found.mask.size


def test_the_record_of_edits_is_json_and_does_not_follow_the_callers_array():
    where = np.array([0.0, 0.0, 0.0])
    history = EditHistory(drawn=SOLID).edited(edit.brushed, centre_mm=where, radius_mm=np.float32(5.0))
    where[:] = 7.0
    assert json.loads(json.dumps(history.recorded()))[0]["parameters"] == {"centre_mm": [0, 0, 0], "radius_mm": 5.0}


def test_after_a_branch_nothing_of_the_undone_is_left():
    start = EditHistory(drawn=SOLID)
    one = start.edited(edit.grown_by, margin_mm=2.0).edited(edit.grown_by, margin_mm=4.0)
    branch = one.undo().edited(edit.grown_by, margin_mm=-2.0)
    assert not branch.can_redo
    assert branch.redo().region.inside.sum() == branch.region.inside.sum()
    assert [step["parameters"]["margin_mm"] for step in branch.recorded()] == [2.0, -2.0]
    assert [step["parameters"]["margin_mm"] for step in one.recorded()] == [2.0, 4.0]


# Manifests

MANIFEST = MappingProxyType(
    {
        "key": "net",
        "name": "Net",
        "version": "1",
        "kind": "onnx",
        "file": "model.onnx",
        "sha256": hashlib.sha256(b"model").hexdigest(),
        "licence_spdx": "Apache-2.0",
        "licence_line": "Apache License",
        "commercial_use": True,
        "citation": "Somebody 2024",
        "modality": "CT",
        "spacing_mm": [1.0, 1.0, 1.0],
        "patch": [16, 16, 16],
        "intensity": {},
        "output": {"activation": "softmax", "labels": [{"channel": 1, "name": "lesion"}]},
    }
)


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".json", b"[" * 200_000),
        (".toml", b"a = " + b"[" * 200_000),
        (".toml", b"\xff\xfe\x00"),
        (".json", b" " * (1 << 20) + b"{}"),
        (".toml", b""),
        (".json", b"null"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path, ending, content):
    path = tmp_path / f"m{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"quantify\.plugin-manifest-(unreadable|invalid)"):
        read_manifest(path)


def test_a_pipe_or_folder_is_no_manifest_and_no_model(tmp_path):
    os.mkfifo(tmp_path / "m.toml")
    os.mkfifo(tmp_path / "model.onnx")
    (tmp_path / "folder.toml").mkdir()
    for name in ("m.toml", "folder.toml"):
        with pytest.raises(InputError, match=r"quantify\.plugin-manifest-unreadable"):
            read_manifest(tmp_path / name)
    with pytest.raises(InputError, match=r"quantify\.plugin-model-missing"):
        model_file(as_manifest(dict(MANIFEST)), tmp_path)


@pytest.mark.parametrize(
    "file", ["../model.onnx", "../../../../etc/passwd", "/etc/passwd", "a\0b", "loop", "link", "."]
)
def test_a_model_outside_of_the_manifests_folder_is_missing(tmp_path, file):
    folder = tmp_path / "plugin"
    folder.mkdir()
    (tmp_path / "model.onnx").write_bytes(b"model")
    (folder / "loop").symlink_to("loop")
    (folder / "link").symlink_to("../model.onnx")
    with pytest.raises(InputError, match=r"quantify\.plugin-model-missing"):
        model_file(as_manifest({**MANIFEST, "file": file}), folder)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "bundle", "sha256": None},
        {"spacing_mm": [1e-9, 1.0, 1.0]},
        {"spacing_mm": [float("inf"), 1.0, 1.0]},
        {"min_ram_gib": float("nan")},
        {"intensity": {"mean": float("nan"), "std": 1.0}},
        {"output": {"activation": "none", "labels": [{"channel": 1, "name": "a"}, {"channel": 1, "name": "b"}]}},
        {"x" * 100_000: 1},
    ],
)
def test_what_no_model_can_mean_is_refused(change):
    with pytest.raises(InputError, match=r"quantify\.plugin-manifest-invalid") as caught:
        as_manifest({**MANIFEST, **change})
    assert len(str(caught.value)) < 500


def test_a_grid_that_no_machine_holds_is_refused_before_it_is_made():
    grid = centred((400, 512, 512), (1.0, 0.8, 0.8))
    volume = Volume(voxels=np.broadcast_to(np.float32(0.0), grid.shape), geometry=grid, unit="[hnsf'U]")
    manifest = as_manifest({**MANIFEST, "spacing_mm": [0.05, 0.05, 0.5], "patch": [16, 16, 512]})
    click = Click(position_mm=(0.0, 0.0, 0.0))
    small = dataclasses.replace(
        volume, voxels=volume.voxels[:40, :200, :200], geometry=grid.box((180, 156, 156), (40, 200, 200))
    )
    with pytest.raises(Undefined, match=r"quantify\.plugin-image-too-large"):
        ModelGrid.around(small, click, manifest)


def network(tmp_path, *, outside=False):
    """A manifest beside a model of one convolution; its weights in a second file if asked for."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    shape = ["n", 1, "a", "b", "c"]
    given = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)
    made = onnx.helper.make_tensor_value_info("p", onnx.TensorProto.FLOAT, ["n", 2, "a", "b", "c"])
    weights = onnx.numpy_helper.from_array(np.array([0.0, 1.0], dtype=np.float32).reshape(2, 1, 1, 1, 1), "w")
    node = onnx.helper.make_node("Conv", ["image", "w"], ["p"], kernel_shape=[1, 1, 1])
    graph = onnx.helper.make_graph([node], "g", [given], [made], [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "model.onnx"
    if outside:
        onnx.save_model(model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    else:
        path.write_bytes(model.SerializeToString())
    manifest = {**MANIFEST, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    return tmp_path / "m.json"


def test_a_model_that_changed_after_it_was_checked_is_not_run(tmp_path):
    method = onnx_method(network(tmp_path))
    (tmp_path / "model.onnx").write_bytes((tmp_path / "model.onnx").read_bytes() + b"\x00")
    with pytest.raises(InputError, match=r"quantify\.plugin-model-changed"):
        segment(image(METHODS[0]), PROMPTS[PromptKind.CLICK], method)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(InputError, match=r"quantify\.plugin-model-missing"):
        segment(image(METHODS[0]), PROMPTS[PromptKind.CLICK], method)


def test_weights_in_a_second_file_which_no_digest_covers_are_not_loaded(tmp_path, monkeypatch):
    method = onnx_method(network(tmp_path, outside=True))
    monkeypatch.chdir(tmp_path)  # where a model without a path would look for them
    with pytest.raises(InputError, match=r"quantify\.plugin-model-unusable"):
        segment(image(METHODS[0]), PROMPTS[PromptKind.CLICK], method)


def test_a_network_with_its_weights_inside_is_run(tmp_path):
    method = onnx_method(network(tmp_path))
    region = segment(image(METHODS[0]), PROMPTS[PromptKind.CLICK], method)
    assert region.method.startswith("net(version=1, sha256=")


def test_a_manifest_of_a_server_is_no_model(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps({**MANIFEST, "kind": "remote"}))
    with pytest.raises(InputError, match=r"quantify\.plugin-manifest-invalid"):
        onnx_method(path)


@pytest.mark.parametrize(
    "metadata",
    [[], {"network_data_format": []}, {"network_data_format": {"inputs": {"image": 3}}}, "deep"],
    ids=["list", "format", "input", "deep"],
)
def test_a_bundle_that_is_none_is_told(tmp_path, metadata):
    (tmp_path / "configs").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.onnx").write_bytes(b"model")
    said = "[" * 200_000 if metadata == "deep" else json.dumps(metadata)
    (tmp_path / "configs" / "metadata.json").write_text(said)
    (tmp_path / "configs" / "inference.json").write_text("{}")
    with pytest.raises(InputError, match=r"quantify\.bundle-unreadable"):
        bundle_method(tmp_path)


# Servers


class Answering:
    """A raw server on this machine that answers each connection with given bytes, slowly if asked."""

    def __init__(self, *pieces, pause_s=0.0):
        self.pieces, self.pause_s, self.asked = pieces, pause_s, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(1 << 16))
                try:
                    for piece in self.pieces:
                        connection.sendall(piece)
                        time.sleep(self.pause_s)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(2.0)
                    while connection.recv(1 << 16):
                        pass
                except OSError:
                    continue


def answer(body, *, status="200 OK", length=None, name="label.nii.gz", extra=""):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{extra}"
    return f'{head}Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode() + body


def draw(url, *, timeout_s=5.0, token=None, settings=None, **changes):
    volume = image(METHODS[0], centred((12, 12, 12), (2.0, 2.0, 2.0)))
    server = RemoteServer(url=url, timeout_s=timeout_s, token=token)
    model = RemoteModel(name="net", kind="", labels=(), description="")
    method = remote_method(server, model, modality="CT", may_leave_machine=True)
    return segment(volume, PROMPTS[PromptKind.CLICK], method, dataclasses.replace(method.usual, **changes))


def label_file(tmp_path, values, name="label.nii.gz", spacing_mm=2.0):
    made = SimpleITK.GetImageFromArray(values)
    made.SetSpacing((spacing_mm,) * 3)
    made.SetOrigin(centred(values.shape, (spacing_mm,) * 3).origin_mm)
    SimpleITK.WriteImage(made, str(tmp_path / name))
    return (tmp_path / name).read_bytes()


def test_a_right_answer_is_drawn(tmp_path):
    with Answering(answer(label_file(tmp_path, np.ones((12, 12, 12), dtype=np.uint8)))) as server:
        assert draw(server.url).inside.sum() == 12**3


def test_a_redirect_is_not_followed_with_image_or_token(tmp_path):
    with Answering(answer(b"{}")) as other:
        for status in ("302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            with Answering(answer(b"", status=status, extra=f"Location: {other.url}/info/\r\n")) as server:
                with pytest.raises(RemoteError, match=r"quantify\.remote-redirects"):
                    draw(server.url, token=SECRET)
                with pytest.raises(RemoteError, match=r"quantify\.remote-redirects"):
                    remote_models(RemoteServer(url=server.url, token=SECRET))
        assert other.asked == []


def test_a_server_that_answers_drop_by_drop_is_left_at_its_time():
    with Answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *([b"x"] * 40), pause_s=0.1) as server:
        start = time.monotonic()
        with pytest.raises(RemoteError, match=r"quantify\.remote-unreachable"):
            draw(server.url, timeout_s=0.6)
        assert time.monotonic() - start < 2.5


def test_headers_without_end_are_left_at_their_time():
    with (
        Answering(b"HTTP/1.1 200 OK\r\n", *([b"A: b\r\n"] * 40), pause_s=0.1) as server,
        pytest.raises(RemoteError, match=r"quantify\.remote-unreachable"),
    ):
        remote_models(RemoteServer(url=server.url, timeout_s=0.6))


@pytest.mark.parametrize("name", ["label.nii", "label.nii.gz"])
def test_an_answer_that_was_cut_is_no_answer(tmp_path, name):
    whole = label_file(tmp_path, np.ones((12, 12, 12), dtype=np.uint8), name)
    with (
        Answering(answer(whole[:-20], length=len(whole), name=name)) as server,
        pytest.raises(RemoteError, match=r"quantify\.remote-unreachable"),
    ):
        draw(server.url)


@pytest.mark.parametrize("raw", [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n"])
def test_what_is_no_http_is_unreachable(raw):
    with Answering(raw) as server, pytest.raises(RemoteError, match=r"quantify\.remote-unreachable"):
        draw(server.url)


@pytest.mark.parametrize("status", ["500 x", "502 x", "503 x", "204 x", "418 x"])
def test_any_other_status_is_a_failure(status):
    with (
        Answering(answer(b"", status=status)) as server,
        pytest.raises(RemoteError, match=r"quantify\.remote-failed"),
    ):
        draw(server.url)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(100.0, 30.0, (12, 12, 12)).astype(np.float32),  # the image itself, sent back
        np.full((12, 12, 12), -1, dtype=np.int16),
    ],
    ids=["image", "negative"],
)
def test_values_that_are_no_labels_are_no_answer(tmp_path, values):
    with (
        Answering(answer(label_file(tmp_path, values))) as server,
        pytest.raises(RemoteError, match=r"quantify\.remote-answer"),
    ):
        draw(server.url)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_no_lesion(tmp_path, value):
    # ITK may read them as 0.
    with (
        Answering(answer(label_file(tmp_path, np.full((12, 12, 12), value, dtype=np.float32)))) as server,
        pytest.raises((RemoteError, Undefined)),
    ):
        draw(server.url)


def test_a_bomb_is_not_unpacked(tmp_path):
    # The header of 2000 x 2000 x 2000 voxels; what follows is never asked for.
    head = bytearray(gzip.decompress(label_file(tmp_path, np.zeros((12, 12, 12), dtype=np.uint8)))[:352])
    head[40:48] = np.array([3, 2000, 2000, 2000], dtype="<i2").tobytes()
    with Answering(answer(gzip.compress(bytes(head) + bytes(1 << 20)))) as server:
        tracemalloc.start()
        try:
            with pytest.raises(RemoteError, match=r"quantify\.remote-answer"):
                draw(server.url)
            assert tracemalloc.get_traced_memory()[1] < 1 << 26
        finally:
            tracemalloc.stop()


def test_an_answer_does_not_make_this_machine_read_another_file(tmp_path):
    raw = tmp_path / "secret.raw"
    raw.write_bytes(b"\x01" * 12**3)
    origin = centred((12, 12, 12), (2.0, 2.0, 2.0)).origin_mm
    head = (
        "NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 12 12 12\n"
        f"space directions: (2,0,0) (0,2,0) (0,0,2)\nspace origin: {str(tuple(origin)).replace(' ', '')}\n"
        f"encoding: raw\ndata file: {raw}\n"
    )
    with (
        Answering(answer(head.encode(), name="label.nrrd")) as server,
        pytest.raises(RemoteError, match=r"quantify\.remote-answer"),
    ):
        draw(server.url)


@pytest.mark.parametrize(
    "models", ['{"models":' + "[" * 100_000, '{"models":{"a\\nb":{}}}', '{"models":{"a":3}}', "[]", "7"]
)
def test_lists_of_models_that_are_none_are_no_answer(models):
    with Answering(answer(models.encode())) as server, pytest.raises(RemoteError, match=r"quantify\.remote-answer"):
        remote_models(RemoteServer(url=server.url))


@pytest.mark.parametrize("change", [{"may_leave_machine": "false"}, {"may_leave_machine": 1}, {"host": "other"}])
def test_nothing_leaves_without_a_permission_for_this_very_server(change):
    with Answering(answer(b"")) as server:
        with pytest.raises(RefusedError):
            draw(server.url, **change)
        assert server.asked == []


def test_what_leaves_holds_no_name_of_this_machine_or_of_a_file(tmp_path):
    with Answering(answer(b"")) as server, pytest.raises(RemoteError):
        draw(server.url)
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert socket.gethostname().encode() not in server.asked[0]
    assert b"tmp" not in head + body[:400]


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://[::1", None),
        ("https://server:port", None),
        (f"https://me:{SECRET}@server:port/", None),
        ("http://127.0.0.1:1/a b", None),
        ("http://127.0.0.1:1/ä", None),
        ("http://127.0.0.1:1", f"{SECRET}\r\nX-Other: 1"),
        ("http://127.0.0.1:1", f"{SECRET}ä"),
    ],
)
def test_addresses_and_tokens_that_are_none_are_refused_without_showing_them(url, token):
    server = RemoteServer(url=url, token=token, timeout_s=1.0)
    assert SECRET not in repr(server)
    with pytest.raises(InputError, match=r"quantify\.remote-address") as caught:
        remote_models(server)
    error = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {error} {error.args}"
        error = (
            None if error.__suppress_context__ and error.__cause__ is None else (error.__cause__ or error.__context__)
        )


@pytest.mark.parametrize("status", ["401 x", "403 x", "500 x", "302 x"])
def test_no_error_shows_a_token_or_password(status):
    with Answering(answer(SECRET.encode(), status=status)) as server:
        url = server.url.replace("//", f"//me:{SECRET}@")
        with pytest.raises(BingchengError) as caught:
            remote_models(RemoteServer(url=url, token=SECRET, timeout_s=1.0))
        assert SECRET not in f"{caught.value} {caught.value.reason.facts} {RemoteServer(url=url, token=SECRET)!r}"
        assert SECRET not in draw_label(url)


def draw_label(url):
    model = RemoteModel(name="net", kind="", labels=(), description="")
    method = remote_method(RemoteServer(url=url), model, modality="CT")
    return f"{method.label} {method.source} {method.usual}"
