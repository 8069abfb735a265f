"""Generated follow-ups with known truth, a real chest that was warped, and pairs that must be refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_volume
from bingcheng.image.phantoms.abdomen import enhanced_abdomen
from bingcheng.image.phantoms.follow_up import Warp
from bingcheng.image.phantoms.noise import smooth
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.registration import Registration, RegistrationSettings, register
from bingcheng.image.registration.deformation import Level
from bingcheng.image.resample import at_points
from bingcheng.image.volume import Volume

HU = "[hnsf'U]"
RIGID = RegistrationSettings(deformable=False)
QUICK = RegistrationSettings(
    working_mm=4.0,
    starts=1,
    levels=(Level(coarser=4, steps=60), Level(coarser=2, steps=40), Level(coarser=1, steps=25)),
)


@pytest.fixture(scope="module")
def trunk():
    return enhanced_abdomen(spacing_mm=(5.0, 3.0, 3.0), levels_mm=(-60.0, 90.0))


def noisy(volume, sd, seed):
    grain = np.random.default_rng(seed).standard_normal(volume.voxels.shape, dtype=np.float32)
    return replace(volume, voxels=volume.voxels + np.float32(sd) * grain)


def middle(volume):
    return volume.geometry.to_mm((np.asarray(volume.geometry.shape) - 1) / 2.0)


def _inside(geometry, points):
    at = geometry.to_index(points)
    return ((at >= 0) & (at <= np.asarray(geometry.shape) - 1)).all(axis=1)


def errors_mm(registration, volume, warp):
    """Distance from the truth of points of the body that both exams show."""
    index = np.random.default_rng(0).uniform(size=(8000, 3)) * (np.asarray(volume.geometry.shape) - 1)
    body = volume.voxels[tuple(np.rint(index).astype(int).T)] > -400.0
    later = volume.geometry.to_mm(index[body])
    earlier = warp.to_earlier(later)
    shown = _inside(registration.fixed, earlier)
    return np.linalg.norm(registration.to_moving(earlier[shown]) - later[shown], axis=1)


@pytest.mark.slow
def test_a_rigid_motion_is_found_within_a_millimetre_under_noise(trunk):
    warp = Warp.drawn(np.random.default_rng(1), middle(trunk), swing_mm=0.0)
    later = warp.later(trunk, trunk.geometry, outside=-1000.0)
    found = register(noisy(trunk, 20.0, 1), noisy(later, 20.0, 2), RIGID)
    assert found.displacement is None
    assert errors_mm(found, later, warp).mean() <= 1.0


def test_exams_that_show_other_levels_of_the_trunk_find_their_overlap():
    upper = enhanced_abdomen(spacing_mm=(5.0, 3.0, 3.0), levels_mm=(-40.0, 130.0))
    lower = enhanced_abdomen(spacing_mm=(4.0, 3.0, 3.0), levels_mm=(-130.0, 60.0))
    found = register(noisy(upper, 15.0, 3), noisy(lower, 15.0, 4), RIGID)
    points = np.random.default_rng(0).uniform((-120, -80, -30), (120, 80, 50), (200, 3))
    assert np.linalg.norm(found.to_moving(points) - points, axis=1).mean() <= 1.0
    assert found.quality.overlap == pytest.approx(100.0 / 170.0, abs=0.1)


def test_orientation_and_tilt_of_the_grids_change_nothing(trunk):
    """The later exam is written in slices that lean by the gantry's tilt, from feet to head reversed."""
    geometry = trunk.geometry
    lean = np.array([0.0, np.sin(0.2), -np.cos(0.2)])
    first = geometry.to_mm((geometry.shape[0] - 1.0, 0.0, 0.0))
    tilted = VolumeGeometry(
        shape=(geometry.shape[0], geometry.shape[1], geometry.shape[2]),
        spacing_mm=geometry.spacing_mm,
        origin_mm=tuple(float(v) for v in first),
        axes=(tuple(float(v) for v in lean), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    )
    warp = Warp.drawn(np.random.default_rng(5), middle(trunk), swing_mm=0.0, shift_mm=(4.0, 3.0, -6.0))
    later = warp.later(trunk, tilted, outside=-1000.0)
    found = register(noisy(trunk, 10.0, 5), noisy(later, 10.0, 6), RIGID)
    assert errors_mm(found, later, warp).mean() <= 1.0


@pytest.fixture(scope="module")
def grained(trunk):
    """The trunk with tissue that has structure of its own, as vessels and strands of fat give it."""
    grain = smooth(trunk.geometry.shape, (1.2, 2.0, 2.0), np.random.default_rng(1))
    return replace(trunk, voxels=trunk.voxels + np.where(np.abs(trunk.voxels) < 300.0, 30.0 * grain, np.float32(0.0)))


@pytest.fixture(scope="module")
def deformed(grained):
    warp = Warp.drawn(np.random.default_rng(7), middle(grained), swing_mm=2.5, wavelength_mm=120.0)
    later = warp.later(grained, grained.geometry, outside=-1000.0)
    return warp, later, register(noisy(grained, 5.0, 7), noisy(later, 5.0, 8), QUICK)


@pytest.mark.slow
def test_deformation_brings_points_nearer_than_the_rigid_motion_alone(deformed):
    warp, later, found = deformed
    rigid = Registration(fixed=found.fixed, moving=found.moving, motion=found.motion)
    ours, before = errors_mm(found, later, warp).mean(), errors_mm(rigid, later, warp).mean()
    assert ours <= 1.0
    assert ours < 0.5 * before
    assert found.quality.likeness_after > found.quality.likeness_rigid
    assert found.quality.folded == 0.0
    assert 0.5 < found.quality.confidence <= 1.0


def test_the_way_to_the_moving_exam_and_back_ends_where_it_began(deformed):
    _, _, found = deformed
    points = np.random.default_rng(0).uniform((-120, -80, -40), (120, 80, 80), (300, 3))
    assert np.abs(found.to_fixed(found.to_moving(points)) - points).max() < 0.01
    assert np.array_equal(found.inverse.to_fixed(points), found.to_moving(points))
    assert found.inverse.inverse.fixed is found.fixed


def test_a_lesion_is_carried_to_its_place_with_its_volume(trunk, deformed):
    _, _, found = deformed
    centre = np.array([-70.0, 10.0, 60.0])
    lesion = region_of(sphere_of(24.0, tuple(centre)), trunk.geometry, label="lesion", fractional=True)
    carried = found.propagate(lesion)
    weights = carried.mask.astype(float)
    at = np.average(np.argwhere(weights > 0), axis=0, weights=weights[weights > 0])
    landed = carried.geometry.to_mm(at)
    assert np.linalg.norm(landed - found.to_moving(centre[None])[0]) < 1.0
    volumes = [float(r.mask.sum()) * r.grid.voxel_mm3 for r in (lesion, carried)]
    change = _change_of_volume(found, centre)
    # the field changes volume by its determinant, here taken at the centre of a sphere of 24 mm
    assert volumes[1] / volumes[0] == pytest.approx(change, rel=0.1)


def _change_of_volume(registration, centre):
    steps = 6.0 * np.eye(3)
    ahead, behind = registration.to_moving(centre + steps), registration.to_moving(centre - steps)
    return abs(np.linalg.det((ahead - behind) / 12.0))


def test_a_lesion_outside_the_later_exam_lands_nowhere(trunk):
    lesion = region_of(sphere_of(20.0, (0.0, 0.0, 60.0)), trunk.geometry, label="lesion")
    elsewhere = replace(trunk.geometry, origin_mm=(0.0, 0.0, 900.0))
    found = Registration.identity(trunk.geometry, elsewhere)
    assert found.propagate(lesion).empty
    assert not found.shown_by_moving(np.array([[0.0, 0.0, 60.0]])).any()


def test_the_identity_carries_a_region_and_a_volume_unchanged(trunk):
    lesion = region_of(sphere_of(31.0, (-60.0, 5.0, 40.0)), trunk.geometry, label="lesion")
    still = Registration.identity(trunk.geometry, trunk.geometry)
    carried = still.propagate(lesion)
    assert carried.start == lesion.start
    assert np.array_equal(carried.inside, lesion.inside)
    # float32 rounding of values of 1000 in a weighted sum
    assert np.abs(still.warped(trunk).voxels - trunk.voxels).max() < 1e-3


def test_the_later_exam_laid_over_the_earlier_looks_like_it(grained, deformed):
    _, later, found = deformed
    over = found.warped(later)
    seen = np.ones(over.voxels.shape, dtype=bool) if over.valid is None else over.valid
    before = np.abs(later.voxels - grained.voxels)[seen].mean()
    assert np.abs(over.voxels - grained.voxels)[seen].mean() < 0.4 * before
    # each voxel is the later exam's at the place to which its point goes
    index = np.array([[10, 40, 60], [5, 70, 30], [20, 66, 90]])
    there = later.geometry.to_index(found.to_moving(grained.geometry.to_mm(index)))
    assert over.voxels[tuple(index.T)] == pytest.approx(at_points(later.voxels, there), abs=0.01)


def test_exams_in_one_frame_of_reference_that_did_not_move_stay_in_place(trunk):
    geometry = replace(trunk.geometry, frame_of_reference_uid="1.2.3")
    one, two = (noisy(replace(trunk, geometry=geometry), 15.0, seed) for seed in (1, 2))
    found = register(one, two, RIGID)
    points = np.random.default_rng(0).uniform(-100.0, 100.0, (50, 3))
    assert np.array_equal(found.to_moving(points), points)


@pytest.mark.slow
def test_the_same_pair_gives_the_same_map_on_any_number_of_threads(trunk):
    warp = Warp.drawn(np.random.default_rng(9), middle(trunk), swing_mm=2.0)
    later = noisy(warp.later(trunk, trunk.geometry, outside=-1000.0), 10.0, 9)
    brief = replace(QUICK, working_mm=6.0, levels=(Level(coarser=2, steps=20), Level(coarser=1, steps=8)))
    usual = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        found = []
        for threads in (1, 3):
            SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.append(register(trunk, later, brief))
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(usual)
    assert np.array_equal(found[0].motion.shift_mm, found[1].motion.shift_mm)
    assert np.array_equal(found[0].displacement.vectors_mm, found[1].displacement.vectors_mm)


@pytest.mark.slow
def test_a_warped_real_chest_is_registered_within_a_millimetre(reference_data):
    path = next((reference_data / "01_ibsi1").glob("ibsi_1_ct_radiomics_phantom/nifti/image/*.nii*"))
    chest = read_volume(path, unit=HU)
    warp = Warp.drawn(np.random.default_rng(11), middle(chest), swing_mm=3.0)
    later = warp.later(chest, chest.geometry, outside=-1000.0)
    steps = (Level(coarser=4, steps=80), Level(coarser=2, steps=40), Level(coarser=1, steps=10))
    found = register(chest, noisy(later, 10.0, 1), RegistrationSettings(working_mm=2.2, levels=steps))
    assert errors_mm(found, later, warp).mean() <= 1.0
    assert found.quality.confidence > 0.8


def refused(fixed, moving, settings=RIGID):
    with pytest.raises((Undefined, InputError)) as caught:
        register(fixed, moving, settings)
    return caught.value.code


def test_another_modality_is_refused(trunk):
    assert refused(trunk, replace(trunk, unit="g/ml")) == "image.registration-units-differ"


def test_exams_without_anything_in_them_are_refused(trunk):
    nothing = replace(trunk, voxels=np.full(trunk.voxels.shape, -1000.0, dtype=np.float32))
    assert refused(trunk, nothing) == "image.registration-nothing-to-see"


def test_a_few_slices_are_refused(trunk):
    geometry = trunk.geometry.box((10, 0, 0), (2, *trunk.geometry.shape[1:]))
    thin = Volume(voxels=trunk.voxels[10:12], geometry=geometry, unit=HU)
    assert refused(trunk, thin) == "image.registration-too-thin"


def test_noise_is_refused(trunk):
    grain = np.random.default_rng(0).standard_normal(trunk.voxels.shape, dtype=np.float32)
    assert refused(trunk, replace(trunk, voxels=grain * 300.0 - 300.0)).startswith("image.registration-no")


@pytest.mark.slow
def test_another_part_of_the_body_is_refused():
    head = enhanced_abdomen(spacing_mm=(5.0, 3.0, 3.0), levels_mm=(20.0, 150.0))
    foot = enhanced_abdomen(spacing_mm=(5.0, 3.0, 3.0), levels_mm=(-150.0, -20.0))
    code = refused(noisy(head, 15.0, 1), noisy(foot, 15.0, 2), QUICK)
    assert code in {"image.registration-not-alike", "image.registration-no-overlap"}
