"""Every value of the IBSI 1 on which there is a consensus, within the published tolerance."""

from __future__ import annotations

from collections import Counter

import pytest

from bingcheng.image.nifti import read_regions, read_volume
from bingcheng.quantify.radiomics.conformance import (
    CT_PHANTOM,
    DIGITAL_PHANTOM,
    Expectation,
    conformance,
    conformance_of,
    expectations,
)

COUNTS = {DIGITAL_PHANTOM: 482, "A": 406, "B": 406, "C": 270, "D": 270, "E": 270}
"""Values with a consensus in each of the published tables; five a table have none."""


@pytest.fixture(scope="module")
def ct_phantom(reference_data):
    folder = reference_data / "01_ibsi1" / "ibsi_1_ct_radiomics_phantom" / "nifti"
    volume = read_volume(folder / "image" / "phantom.nii.gz", unit="[hnsf'U]")
    (region,) = read_regions(folder / "mask" / "mask.nii.gz", label="GTV-1")
    return volume, region


def missed(rows):
    return [(row.tag, row.expect, row.tolerance, row.ours, str(row.why)) for row in rows if row.reached is False]


def test_the_tables_are_whole():
    for case, count in COUNTS.items():
        kinds = Counter(one.consensus for one in expectations(case))
        assert kinds["none"] == 5
        assert kinds.total() - 5 == count
        assert set(kinds) == {"very strong", "strong", "moderate", "none"}


def test_every_value_of_the_digital_phantom():
    rows = list(conformance())
    assert sum(row.reached is True for row in rows) == COUNTS[DIGITAL_PHANTOM], missed(rows)
    assert not missed(rows)


@pytest.mark.parametrize("case", CT_PHANTOM)
def test_every_value_of_the_ct_phantom(ct_phantom, case):
    rows = list(conformance_of(case, *ct_phantom))
    assert not missed(rows)
    assert sum(row.reached is True for row in rows) == COUNTS[case]


def test_values_without_a_consensus_are_told_and_not_judged():
    rows = [row for row in conformance() if row.consensus == "none"]
    assert len(rows) == 5
    assert all(row.reached is None and row.ours is not None and str(row.why) for row in rows)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [(0.41149, True), (0.40751, True), (0.40749, False), (0.41449, True), (0.41451, False), (-0.411, False)],
)
def test_a_value_is_rounded_to_the_printed_digits_before_it_is_compared(value, accepted):
    one = Expectation(tag="x", expect=0.411, tolerance=0.003, digits=3, consensus="strong")
    assert one.accepts(value) is accepted


def test_a_count_is_compared_to_its_last_digit():
    one = next(e for e in expectations("A") if e.tag == "int_mask_vox_count_init_roi")
    assert one.accepts(125256.0)
    assert not one.accepts(125257.0)
