"""What holds for every method of the catalogue: no method is named here but to say which settings it needs."""

import contextlib
import dataclasses
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest

from bingcheng.core.errors import CatalogueError, InputError, Undefined
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.phantoms.render import Part, compose, region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.pet_threshold import BackgroundCorrected, Percist
from bingcheng.quantify.lesion.prompt import Box, Click, PromptKind, RecistLine
from bingcheng.quantify.lesion.segment import installed_methods, methods_for, segment

NEEDED = MappingProxyType({Percist: Percist(reference_mean_g_per_ml=1.6, reference_sd_g_per_ml=0.2)})
METHODS = tuple(installed_methods())
EACH = pytest.mark.parametrize("method", METHODS, ids=[one.key for one in METHODS])
DIAMETER_MM = 24.0


def settings_of(method):
    return NEEDED.get(method.settings)


def scene(method, *, shape=(40, 40, 40), spacing_mm=(2.0, 2.0, 2.0), centre_mm=(0.0, 0.0, 0.0)):
    """A sphere as the method's first modality shows it."""
    return sphere_on(max(method.modalities), shape, spacing_mm, centre_mm)


@cache
def sphere_on(modality, shape, spacing_mm, centre_mm):
    geometry = centred(shape, spacing_mm)
    kinds = {"PT": (1.0, 8.0, 0.05, "g/ml"), "MR": (100.0, 40.0, 8.0, "{arbitrary}")}
    lung = (-850.0, 30.0, 20.0, "[hnsf'U]")
    outside, inside, sd, unit = kinds.get(modality, lung)
    ball = sphere_of(DIAMETER_MM, centre_mm)
    clean = compose([Part(shape=ball, value=inside)], geometry, (0.8, 0.8, 0.8), background=outside, unit=unit)
    voxels = clean.voxels + noise.white(shape, sd, np.random.default_rng(1))
    return Volume(voxels=voxels, geometry=geometry, unit=unit), region_of(ball, geometry, label="truth")


def prompts_of(method, volume, centre_mm=(0.0, 0.0, 0.0)):
    made = {
        PromptKind.CLICK: Click(position_mm=centre_mm),
        PromptKind.BOX: Box(
            corner_mm=tuple(c - 0.55 * DIAMETER_MM for c in centre_mm),
            opposite_mm=tuple(c + 0.55 * DIAMETER_MM for c in centre_mm),
        ),
        PromptKind.RECIST_LINE: RecistLine(
            start_mm=(centre_mm[0] - DIAMETER_MM / 2, *centre_mm[1:]),
            end_mm=(min(centre_mm[0] + DIAMETER_MM / 2, -volume.geometry.origin_mm[0]), *centre_mm[1:]),
        ),
    }
    return [made[kind] for kind in method.prompts]


@EACH
def test_it_says_what_it_is_where_from_what_for_and_where_it_fails(method):
    for said in (method.label, method.good_for, method.fails):
        assert str(said)
    assert method.source
    assert method.modalities
    assert method.modalities <= {"CT", "MR", "PT"}
    assert method.prompts
    assert dataclasses.is_dataclass(method.settings)
    assert method.settings.__dataclass_params__.frozen


@EACH
def test_it_finds_an_even_sphere_and_says_how(method, drawn):
    volume, truth = scene(method)
    for prompt in prompts_of(method, volume):
        found = segment(volume, prompt, method, settings_of(method), label="L1", tracking_uid="1.2.3")
        # Far from perfect on purpose: a box is drawn a tenth too large, and the random walker stops short.
        assert drawn.dice(found, truth) > 0.8, prompt.kind
        assert found.grid == volume.geometry
        assert (found.label, found.tracking_uid) == ("L1", "1.2.3")
        assert found.method.startswith(f"{method.key}(")
        assert found.method.endswith(f")/{method.revision}")
        assert all(f"{name}=" in found.method for name in method.parameters)


@EACH
def test_the_same_call_draws_the_same_voxels(method):
    volume, _ = scene(method)
    for prompt in prompts_of(method, volume):
        one, other = (segment(volume, prompt, method, settings_of(method)) for _ in range(2))
        assert one.start == other.start
        assert np.array_equal(one.mask, other.mask)


@EACH
@pytest.mark.parametrize("case", ["slice", "aniso", "edge", "corner", "tiny", "one", "nan", "constant", "negative"])
def test_odd_images_give_a_region_or_a_reason(method, case):
    shapes = {
        "slice": ((1, 64, 64), (3.0, 1.0, 1.0)),
        "aniso": ((5, 64, 64), (20.0, 1.0, 1.0)),
        "tiny": ((2, 3, 3), (2.0, 2.0, 2.0)),
        "one": ((1, 1, 1), (4.0, 4.0, 4.0)),
    }
    centre = {"edge": (38.0, 0.0, 0.0), "corner": (39.0, 39.0, 39.0)}.get(case, (0.0, 0.0, 0.0))
    shape, spacing_mm = shapes.get(case, ((40, 40, 40), (2.0, 2.0, 2.0)))
    volume, _ = scene(method, shape=shape, spacing_mm=spacing_mm, centre_mm=centre)
    voxels = np.array(volume.voxels)
    if case == "nan":
        voxels[:, :12] = np.nan
        voxels[0, 20, 20] = np.inf
    if case == "constant":
        voxels[:] = 5.0
    if case == "negative":
        voxels -= 2000.0
    odd = Volume(voxels=voxels, geometry=volume.geometry, unit=volume.unit)
    for prompt in prompts_of(method, volume, centre):
        found = drawn_or_refused(odd, prompt, method)
        if found is None:
            continue
        assert np.isfinite(found.mask).all()
        assert found.mask.any()
        assert not found.mask.flags.writeable
        if case == "nan" and method.key != "ball":
            assert np.isfinite(odd.voxels[found.box()][found.inside]).all()


def drawn_or_refused(volume, prompt, method):
    """The region, or None if it was refused with a reason of this floor; anything else that is raised is a fault."""
    with contextlib.suppress(Undefined, InputError):
        return segment(volume, prompt, method, settings_of(method))
    return None


@EACH
def test_double_precision_draws_the_same(method):
    volume, _ = scene(method)
    twice = Volume(voxels=volume.voxels.astype(np.float64), geometry=volume.geometry, unit=volume.unit)
    for prompt in prompts_of(method, volume):
        one, other = (segment(image, prompt, method, settings_of(method)) for image in (volume, twice))
        assert np.array_equal(one.mask, other.mask)


def test_each_modality_has_methods_and_pet_and_ct_recommend_one():
    for modality in ("CT", "MR", "PT"):
        assert methods_for(modality)
    assert methods_for("PT")[0].key == "pet_by_size"
    assert methods_for("CT")[0].key == "ct_lung_nodule"
    assert methods_for("PT")[0].recommended
    assert methods_for("NM") == ()


def test_an_unknown_method_is_told_with_those_there_are(drawn):
    volume, _, centre = drawn.pet_sphere(20.0, 6.0)
    with pytest.raises(CatalogueError, match=r"quantify\.unknown-segmentation-method") as caught:
        segment(volume, Click(position_mm=centre), "magic")
    assert "pet_percent_of_max" in str(caught.value.reason.facts["known"])


def test_a_prompt_of_another_kind_is_refused_with_the_right_ones(drawn):
    volume, truth, _ = drawn.pet_sphere(20.0, 6.0)
    with pytest.raises(InputError) as caught:
        segment(volume, drawn.line_of(truth), "pet_percent_of_max")
    assert caught.value.code == "quantify.unfit-prompt"
    assert str(caught.value.reason.facts["wanted"]) == "a box around it or a click in it"


def test_a_fixed_uptake_needs_an_image_in_suv(drawn):
    volume, _, centre = drawn.pet_sphere(20.0, 6.0)
    raw = Volume(voxels=volume.voxels, geometry=volume.geometry, unit="Bq/ml")
    with pytest.raises(InputError, match=r"quantify\.unfit-image-unit"):
        segment(raw, Click(position_mm=centre), "pet_fixed_uptake")
    assert not segment(raw, Click(position_mm=centre), "pet_percent_of_max").empty


def test_settings_without_usual_values_are_asked_for(drawn):
    volume, _, centre = drawn.pet_sphere(20.0, 6.0)
    with pytest.raises(InputError) as caught:
        segment(volume, Click(position_mm=centre), "pet_percist")
    assert caught.value.reason.facts["names"] == "reference_mean_g_per_ml, reference_sd_g_per_ml"


def test_settings_of_another_method_are_refused(drawn):
    volume, _, centre = drawn.pet_sphere(20.0, 6.0)
    with pytest.raises(CatalogueError, match=r"quantify\.wrong-segmentation-settings"):
        segment(volume, Click(position_mm=centre), "pet_percent_of_max", BackgroundCorrected())
