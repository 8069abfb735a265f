"""Grey level run lengths: how many voxels of one level follow each other in a direction.

A run ends at the lesion's edge. Each direction has its own matrix; merged matrices are their sums, and the run
percentage then divides by the voxels times the directions.

Source: IBSI reference manual, arXiv:1612.07003, section 3.7.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from bingcheng.core.errors import Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Family, Feature
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.texture.aggregation import Vector, directional, valued
from bingcheng.quantify.texture.emphasis import emphasis
from bingcheng.quantify.texture.lattice import Ints, Lattice, Lattices, neighbours
from bingcheng.quantify.texture.pairs import Ranks, Table

FEATURES: tuple[Feature, ...] = tuple(
    Feature(tag=f"rlm_{tag}", label=label, ibsi=ibsi, family=Family.RUN_LENGTH)
    for tag, label, ibsi in (
        ("sre", "Short runs emphasis", "22OV"),
        ("lre", "Long runs emphasis", "W4KF"),
        ("lgre", "Low grey level run emphasis", "V3SW"),
        ("hgre", "High grey level run emphasis", "G3QZ"),
        ("srlge", "Short run low grey level emphasis", "HTZT"),
        ("srhge", "Short run high grey level emphasis", "GD3A"),
        ("lrlge", "Long run low grey level emphasis", "IVPO"),
        ("lrhge", "Long run high grey level emphasis", "3KUM"),
        ("glnu", "Grey level non-uniformity", "R5YN"),
        ("glnu_norm", "Normalised grey level non-uniformity", "OVBL"),
        ("rlnu", "Run length non-uniformity", "W92Y"),
        ("rlnu_norm", "Normalised run length non-uniformity", "IC23"),
        ("r_perc", "Run percentage", "9ZK5"),
        ("gl_var", "Grey level variance", "8CE5"),
        ("rl_var", "Run length variance", "SXLW"),
        ("rl_entr", "Run entropy", "HJ9O"),
    )
)


def run_length(roi: Roi, aggregations: Sequence[Aggregation]) -> dict[str, float | Undefined]:
    """The run length features of a region, by tag and aggregation.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : those of families with one matrix a direction; others are passed over.
    """
    return run_length_of(Lattices(roi), aggregations)


def run_length_of(lattices: Lattices, aggregations: Sequence[Aggregation]) -> dict[str, float | Undefined]:
    """As `run_length`, for lattices."""
    return valued(FEATURES, directional(lattices, aggregations, _described))


def _described(lattice: Lattice, in_volume: bool, averaged: bool, merged: bool) -> tuple[list[Vector], Vector | None]:
    offsets = lattice.offsets(neighbours(1, in_volume=in_volume))
    lengths = np.arange(lattice.extent + 2)
    position = np.zeros(lattice.ranks.size, dtype=np.uint32)
    together = np.zeros((lattice.values.size, lengths.size), dtype=np.int32)
    each: list[Vector] = []
    for offset in offsets.tolist():
        table = np.zeros_like(together) if averaged else together
        _count_runs(lattice.ranks, lattice.spans, offset, position, table)
        if averaged:
            each.append(_features(table, lattice.values, lengths, lattice.voxels))
            together += table
    return each, _features(together, lattice.values, lengths, offsets.size * lattice.voxels) if merged else None


def _features(starts: Table, values: Ints, lengths: Ints, voxels: int) -> Vector:
    runs = starts.copy()
    # What was counted is runs that reach a length; those that end there are the ones that do not reach the next.
    runs[:, 1:-1] -= starts[:, 2:]
    vector: Vector = emphasis(runs, values, lengths, voxels)
    return vector


@numba.njit(cache=True, nogil=True)
def _count_runs(ranks: Ranks, spans: Ints, offset: int, position: Ranks, table: Table) -> None:
    """Count the voxels of each level by their position within their run, from 1, into `table`; its row 0 is no level.

    Rows come in order, so that the voxel before, `offset` back, has been here already; `position` keeps what it was.
    """
    for r in range(spans.shape[0]):
        start = spans[r, 0]
        stop = spans[r, 1]
        row = ranks[start:stop]
        before = ranks[start - offset : stop - offset]
        reached = position[start - offset : stop - offset]
        reaches = position[start:stop]
        # Two loops without a branch: the first does several voxels at once.
        for x in range(stop - start):
            reaches[x] = np.uint32(1) + reached[x] * np.uint32((before[x] == row[x]) & (row[x] > 0))
        for x in range(stop - start):
            table[row[x], reaches[x]] += 1
