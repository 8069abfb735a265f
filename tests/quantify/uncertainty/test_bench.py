"""The bench: measures of any kind have the same values on it as in the whole exam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bingcheng.core.case import Case, Methods
from bingcheng.core.catalogue import ATTRIBUTE, Catalogue
from bingcheng.core.derived import derived
from bingcheng.core.measure import Reference, ReferenceKind, measure
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uncertainty.bench import Bench, explained, values

NOBODY = [Reference(name="none", case=dict, expect=0.0, kind=ReferenceKind.ANALYTIC, source="test")]


def described(label):
    return measure(label=label, unit="1", modalities={"CT"}, source="test", references=NOBODY)


@derived
def doubled(volume: Volume) -> Volume:
    return replace(volume, voxels=2.0 * volume.voxels)


@derived
def whole_mean(volume: Volume) -> float:
    return float(volume.voxels.mean())


@derived
def hottest(doubled: Volume, lesion: Region) -> float:
    return float(lesion.values(doubled).max())


@described("largest doubled value")
def largest(hottest: float) -> float:
    return hottest


@described("lesion over the whole image's mean, which is made once")
def over_mean(volume: Volume, whole_mean: float, lesion: Region) -> float:
    return float(lesion.values(volume).mean()) / whole_mean


@described("lesion over the largest value anywhere, which the measure looks for itself")
def over_everything(volume: Volume, lesion: Region) -> float:
    return float(lesion.values(volume).mean() / volume.voxels.max())


@described("lesion over an organ")
def over_organ(volume: Volume, lesion: Region, segments: dict) -> float:
    return float(lesion.values(volume).mean() / segments["liver"].values(volume).mean())


@described("voxels")
def voxels(lesion: Region) -> float:
    return float(lesion.mask.sum())


NEAR = (largest, over_mean, voxels)
FAR = (over_everything, over_organ)


def catalogue(kind, *functions):
    entries = [getattr(function, ATTRIBUTE) for function in functions]
    return Catalogue({entry.key: entry for entry in entries})


@pytest.fixture
def case():
    generator = np.random.default_rng(0)
    grid = VolumeGeometry(shape=(30, 60, 60), spacing_mm=(3.0, 1.0, 1.0))
    image = generator.normal(50.0, 5.0, grid.shape).astype(np.float32)
    image[25:, 50:, 50:] = 900.0
    lesion = Region(mask=np.ones((4, 8, 8), bool), start=(8, 15, 15), grid=grid, label="lesion")
    liver = Region(mask=np.ones((4, 8, 8), bool), start=(22, 40, 40), grid=grid, label="liver")
    methods = Methods(catalogue(None, *NEAR, *FAR), catalogue(None, doubled, whole_mean, hottest))
    volume = Volume(voxels=image, geometry=grid, unit="[hnsf'U]")
    series = Case(methods, {"volume": volume, "segments": {"liver": liver}}, modality="CT")
    return series.with_lesion(lesion)


@pytest.fixture
def bench(case):
    measures = tuple(case.methods.measures)
    return Bench.of(case, measures, values(case, measures))


def test_what_reads_only_the_neighbourhood_is_measured_on_the_bench(bench):
    assert {entry.key for entry in bench.near} == {function.__name__ for function in NEAR}
    assert {entry.key for entry in bench.far} == {function.__name__ for function in FAR}
    assert bench.cut["doubled"].geometry.shape < (30, 60, 60)


def test_all_values_on_the_bench_are_those_of_the_exam(case, bench):
    assert bench.repeated() == pytest.approx(values(case, case.methods.measures), rel=1e-6)


def test_another_outline_gives_what_it_would_give_in_the_exam(case, bench):
    other = np.zeros((4, 8, 8), bool)
    other[1:3, 2:7, 1:6] = True
    on_bench = replace(bench.lesion, mask=other)
    in_exam = case.with_lesion(replace(bench.whole, mask=other))
    assert bench.repeated(outline=on_bench) == pytest.approx(values(in_exam, case.methods.measures), rel=1e-6)


def test_other_voxels_reach_every_measure_that_sees_the_image(bench):
    higher = {name: tuple(one.voxels + np.float32(10.0) for one in every) for name, every in bench.images.items()}
    before, after = bench.repeated(), bench.repeated(voxels=higher)
    assert after.keys() == before.keys() - {"voxels"}
    assert after["largest"] == pytest.approx(before["largest"] + 10.0)
    # Only the lesion's neighbourhood changed: neither the organ nor the brightest corner did.
    assert after["over_organ"] == pytest.approx(before["over_organ"] * 60.0 / 50.0, rel=0.02)
    assert after["over_everything"] > before["over_everything"]


def test_the_exam_itself_is_not_touched(case, bench):
    before = np.array(case["volume"].voxels)
    bench.repeated(voxels={name: tuple(0.0 * one.voxels for one in every) for name, every in bench.images.items()})
    assert np.array_equal(case["volume"].voxels, before)


def test_what_is_seen_is_told_by_measure(bench):
    assert bench.imaging() == {
        "largest": {"doubled"},
        "over_mean": {"volume"},
        "over_everything": {"volume"},
        "over_organ": {"volume"},
    }
    assert explained(bench).keys() == {"volume", "doubled"}


def test_the_bench_lies_where_the_lesion_lies(bench):
    assert bench.lesion.geometry.to_mm((0, 0, 0)) == pytest.approx(bench.whole.geometry.to_mm((0, 0, 0)))
