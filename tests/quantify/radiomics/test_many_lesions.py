"""Many lesions of one image: each has the values that it has alone, whoever computes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bingcheng.core.errors import BingchengError, InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics import many_lesions
from bingcheng.quantify.radiomics.discretisation import FixedBinSize
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation
from bingcheng.quantify.radiomics.lesion_workers import LesionWorkers
from bingcheng.quantify.radiomics.many_lesions import features_of_each, features_of_many
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

GRID = VolumeGeometry(shape=(14, 20, 20), spacing_mm=(2.0, 1.0, 1.0))
FINER = RadiomicsSettings(
    interpolation=Interpolation(spacing_mm=(1.3, 1.3, 1.3), image=ImageMethod.CUBIC_SPLINE),
    resegmentation=Resegmentation(outlier_sd=3.0),
)


@pytest.fixture
def image():
    """With a gap, so that not every voxel has a value."""
    voxels = np.random.default_rng(0).normal(40.0, 30.0, GRID.shape).astype(np.float32)
    voxels[7, 9, 9] = np.nan
    return Volume(voxels=voxels, geometry=GRID, unit="[hnsf'U]")


def ball(centre, radius):
    z, y, x = np.ogrid[: GRID.shape[0], : GRID.shape[1], : GRID.shape[2]]
    inside = (2.0 * (z - centre[0])) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2
    return Region.of(inside, GRID, label="lesion", source_uid="1.2.3")


@pytest.fixture
def lesions():
    """Three lesions, one of no voxel and one on another grid."""
    empty = Region.of(np.zeros(GRID.shape, dtype=bool), GRID, label="none")
    elsewhere = replace(ball((7, 10, 10), 4.0), grid=replace(GRID, origin_mm=(9.0, 0.0, 0.0)))
    return [ball((5, 8, 9), 4.0), empty, ball((7, 12, 10), 5.0), elsewhere, ball((8, 9, 9), 3.0)]


@pytest.fixture(scope="module")
def started():
    """A process beside this one that is there already."""
    with LesionWorkers(2) as workers:
        list(workers.each(abs, [1, 2]))
        yield workers


@pytest.mark.parametrize("settings", [RadiomicsSettings(), FINER], ids=["as it is", "finer"])
def test_values_and_errors_are_those_of_each_alone(image, lesions, started, settings, monkeypatch):
    alone = {n: features(image, lesions[n], settings, inputs=("1.2",)) for n in (0, 2, 4)}
    # As many batches as lesions.
    monkeypatch.setattr(many_lesions, "BATCH_S", 1e-6)
    for workers in (1, 2, 4, started):
        found = features_of_many(image, lesions, settings, workers=workers, inputs=("1.2",))
        assert isinstance(found[1], Undefined)
        assert isinstance(found[3], InputError)
        assert (found[1].code, found[3].code) == (
            "quantify.lesion-without-voxels",
            "quantify.radiomics-mask-on-other-grid",
        )
        for n, expected in alone.items():
            assert found[n].numbers() == expected.numbers()
            assert found[n].provenance == expected.provenance
            assert (found[n].geometry, found[n].settings) == (expected.geometry, expected.settings)
            assert found[n].without_value == expected.without_value


def test_few_lesions_start_no_process(image, lesions):
    with LesionWorkers(2) as workers:
        features_of_many(image, lesions, RadiomicsSettings(), workers=workers)
        assert not workers.started


def test_many_lesions_start_processes_and_their_errors_come_back_as_they_were(image, lesions, monkeypatch):
    monkeypatch.setattr(many_lesions, "PAYS_S", 0.0)
    with LesionWorkers(2) as workers:
        # The second refuses all lesions, and nobody knows before their levels are made.
        for settings in (RadiomicsSettings(), RadiomicsSettings(discretisation=FixedBinSize(width=1e-5))):
            here = [told(one) for one in features_of_many(image, lesions, settings)]
            found = [told(one) for one in features_of_many(image, lesions * 20, settings, workers=workers)]
            assert workers.started
            assert found == here * 20


def told(one):
    return str(one) if isinstance(one, BingchengError) else one.numbers()


def test_they_are_told_one_after_the_other(image, lesions):
    each = features_of_each(image, lesions, RadiomicsSettings())
    assert next(each).voxels > 0
    assert isinstance(next(each), Undefined)
