"""One call: every feature that was asked for, each a finite number or a reason, with all that names it."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import bingcheng
from bingcheng.core.errors import Undefined
from bingcheng.core.units import UNITS
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.configurations import CONFIGURATIONS
from bingcheng.quantify.radiomics.conformance import expectations
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.reference_cases import ibsi_digital_phantom

GRID = VolumeGeometry(shape=(14, 20, 20), spacing_mm=(2.0, 1.0, 1.0))
EVERYTHING = RadiomicsSettings(aggregations=tuple(Aggregation))


def image(seed=0, unit="[hnsf'U]", **more):
    voxels = np.random.default_rng(seed).normal(40.0, 30.0, GRID.shape).astype(np.float32)
    return Volume(voxels=voxels, geometry=GRID, unit=unit, **more)


def ball(centre=(7, 10, 10), radius=4.0, **more):
    z, y, x = np.ogrid[: GRID.shape[0], : GRID.shape[1], : GRID.shape[2]]
    inside = (2.0 * (z - centre[0])) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2
    return Region.of(inside, GRID, label="lesion", **more)


def masked(mask):
    return Region.of(mask, GRID, label="lesion")


def test_the_catalogue_is_that_of_the_ibsis_table():
    """All 487 tags of the digital phantom, none more."""
    assert {entry.tag for entry in all_features()} == {one.tag for one in expectations("digital phantom")}
    # The manual has one identifier for the volume at 10 and at 90 % intensity, one for the reverse, and one for the
    # lowest level and the 10th percentile of the histogram.
    assert len({(entry.feature.ibsi, entry.aggregation) for entry in all_features()}) == 487 - 3


def test_every_feature_asked_for_is_in_the_result_and_nothing_else():
    for settings in (EVERYTHING, RadiomicsSettings(), RadiomicsSettings(families=("statistics", "size_zone"))):
        result = features(image(), ball(), settings)
        assert set(result.values) == {entry.tag for entry in all_features(settings)}


def test_rows_name_every_value():
    result = features(image(), ball(), RadiomicsSettings(volume_histogram=FixedBinNumber(count=100)))
    rows = {row.tag: row for row in result.rows()}
    assert set(rows) == set(result.values)
    mean = rows["stat_mean"]
    assert (mean.ibsi, mean.unit, mean.family) == ("Q4LE", "[hnsf'U]", "statistics")
    assert mean.value == result["stat_mean"]
    assert rows["cm_joint_max_3D_comb"].ibsi == "GYBY:IAZD"
    assert rows["ivh_i10"].unit == "1", "a number of a bin is no intensity"
    assert rows["morph_volume"].unit in UNITS


def test_the_provenance_is_enough_to_make_the_numbers_again():
    lesion = ball(method="manual", source_uid="1.2.3")
    result = features(image(), lesion, RadiomicsSettings(), inputs=("1.2.4",))
    stored = json.loads(json.dumps(dict(result.provenance.parameters)))
    assert stored["settings"] == RadiomicsSettings().as_mapping()
    assert stored["digest"] == RadiomicsSettings().digest
    assert stored["region_method"] == "manual"
    assert result.provenance.inputs == ("1.2.4", "1.2.3")
    assert result.provenance.version == bingcheng.__version__


def test_a_value_that_does_not_exist_raises_its_reason():
    flat = Volume(voxels=np.full(GRID.shape, 7.0, dtype=np.float32), geometry=GRID, unit="1")
    result = features(flat, ball(), RadiomicsSettings(families=("statistics", "cooccurrence")))
    with pytest.raises(Undefined):
        result["cm_corr_3D_comb"]
    assert "cm_corr_3D_comb" not in result.numbers()
    assert result["stat_mean"] == 7.0


def bad_lesions():
    one = np.zeros(GRID.shape, dtype=bool)
    one[7, 10, 10] = True
    line = np.zeros(GRID.shape, dtype=bool)
    line[7, 10, 5:15] = True
    sheet = np.zeros(GRID.shape, dtype=bool)
    sheet[7, 5:15, 5:15] = True
    pieces = np.zeros(GRID.shape, dtype=bool)
    pieces[2:4, 2:5, 2:5] = pieces[9:12, 14:18, 13:18] = True
    checkers = np.indices(GRID.shape).sum(axis=0) % 2 == 0
    return {
        "one voxel": one,
        "line": line,
        "sheet": sheet,
        "pieces": pieces,
        "all": ~np.zeros_like(one),
        "checkers": checkers,
    }


@pytest.mark.parametrize("name", bad_lesions())
@pytest.mark.parametrize("kind", ["noise", "constant", "negative", "not a number", "huge"])
def test_every_value_is_finite_or_has_a_reason(name, kind):
    voxels = image().voxels.copy()
    if kind == "constant":
        voxels[:] = -5.0
    elif kind == "negative":
        voxels -= 5000.0
    elif kind == "not a number":
        voxels[7, 10, 10] = np.nan
        voxels[2] = np.inf
    elif kind == "huge":
        voxels *= np.float32(1e34)
    result = features(replace(image(), voxels=voxels), masked(bad_lesions()[name]), EVERYTHING)
    assert set(result.values) == {entry.tag for entry in all_features(EVERYTHING)}
    for tag, value in result.values.items():
        if isinstance(value, Undefined):
            assert value.code.startswith("quantify."), tag
        else:
            assert isinstance(value, float), tag
            assert math.isfinite(value), tag


def test_a_lesion_of_which_no_intensity_is_left_has_its_shape_alone():
    result = features(image(), ball(), replace(EVERYTHING, resegmentation=Resegmentation(low=1e6)))
    assert (result.counted, result.voxels > 0) == (0, True)
    assert result["morph_volume"] > 0.0
    for tag in ("stat_mean", "ih_mean", "cm_contrast_3D_comb", "szm_sze_2D", "ngl_lde_3D", "loc_peak_loc"):
        assert isinstance(result.values[tag], Undefined), tag


def test_thousands_of_levels_are_no_matter():
    settings = replace(EVERYTHING, discretisation=FixedBinSize(width=0.02, lowest=-1000.0))
    result = features(image(), ball(), settings)
    assert all(math.isfinite(value) for value in result.numbers().values())


def test_voxels_without_a_value_are_told():
    valid = np.ones(GRID.shape, dtype=bool)
    valid[7, 10, 9:12] = False
    result = features(image(valid=valid), ball(), RadiomicsSettings(families=("statistics",)))
    assert (result.without_value, result.counted) == (3, result.voxels - 3)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_same_numbers_again(precision):
    known = ibsi_digital_phantom()
    settings = replace(CONFIGURATIONS["digital phantom"], precision=precision)
    one, two = (features(known["volume"], known["lesion"], settings).numbers() for _ in range(2))
    assert one == two


def test_single_and_double_precision_agree():
    """Whole intensities are exact in both; what is left is the order of sums."""
    whole = replace(image(), voxels=np.rint(image().voxels))
    single, double = (
        features(whole, ball(), replace(EVERYTHING, precision=precision)).numbers()
        for precision in ("float32", "float64")
    )
    assert single.keys() == double.keys()
    for tag, value in single.items():
        assert value == pytest.approx(double[tag], rel=1e-6, abs=1e-9), tag


def test_only_the_families_asked_for_are_computed():
    asked = RadiomicsSettings(families=(Family.STATISTICS,))
    assert len(features(image(), ball(), asked).values) == 18


@pytest.mark.parametrize(("radius", "integers"), [(19.36, True), (19.36, False), (30.0, True)])
def test_a_call_takes_at_most_six_times_the_lesions_box(radius, integers):
    """As single precision; what the transforms' library takes for itself, some lines at a time, is not seen here."""
    side = 2 * int(radius) + 24
    grid = VolumeGeometry(shape=(side,) * 3, spacing_mm=(1.0, 1.0, 1.0))
    voxels = np.random.default_rng(0).normal(40.0, 30.0, grid.shape).astype(np.float32)
    distance = np.arange(side) - side // 2
    inside = distance[:, None, None] ** 2 + distance[:, None] ** 2 + distance**2 <= radius**2
    lesion = Region.of(inside, grid, label="lesion")
    volume = Volume(voxels=np.rint(voxels).astype(np.int16) if integers else voxels, geometry=grid, unit="[hnsf'U]")
    features(volume, lesion, RadiomicsSettings())  # loads what is needed
    tracemalloc.start()
    features(volume, lesion, RadiomicsSettings())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= 6.0 * lesion.mask.size * np.dtype(np.float32).itemsize
