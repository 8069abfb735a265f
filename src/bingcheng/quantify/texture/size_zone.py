"""Grey level size zones: how large the connected pieces of one level are.

Source: IBSI reference manual, arXiv:1612.07003, section 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bingcheng.core.errors import Undefined
from bingcheng.quantify.radiomics.feature import Aggregation, Family, Feature
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.texture.aggregation import Vector, plain, valued
from bingcheng.quantify.texture.emphasis import crossed, emphasis
from bingcheng.quantify.texture.lattice import Lattice, Lattices
from bingcheng.quantify.texture.zones import Zones, zones_of

FEATURES: tuple[Feature, ...] = tuple(
    Feature(tag=f"szm_{tag}", label=label, ibsi=ibsi, family=Family.SIZE_ZONE)
    for tag, label, ibsi in (
        ("sze", "Small zone emphasis", "P001"),
        ("lze", "Large zone emphasis", "48P8"),
        ("lgze", "Low grey level zone emphasis", "XMSY"),
        ("hgze", "High grey level zone emphasis", "5GN9"),
        ("szlge", "Small zone low grey level emphasis", "5RAI"),
        ("szhge", "Small zone high grey level emphasis", "HW1V"),
        ("lzlge", "Large zone low grey level emphasis", "YH51"),
        ("lzhge", "Large zone high grey level emphasis", "J17V"),
        ("glnu", "Grey level non-uniformity", "JNSA"),
        ("glnu_norm", "Normalised grey level non-uniformity", "Y1RO"),
        ("zsnu", "Zone size non-uniformity", "4JP3"),
        ("zsnu_norm", "Normalised zone size non-uniformity", "VB3A"),
        ("z_perc", "Zone percentage", "P30P"),
        ("gl_var", "Grey level variance", "BYLV"),
        ("zs_var", "Zone size variance", "3NSA"),
        ("zs_entr", "Zone size entropy", "GU8N"),
    )
)


def size_zone(roi: Roi, aggregations: Sequence[Aggregation]) -> dict[str, float | Undefined]:
    """The size zone features of a region, by tag and aggregation.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : those of families with one matrix a slice or volume; others are passed over.
    """
    return size_zone_of(Lattices(roi), aggregations, _zones)


def size_zone_of(
    lattices: Lattices, aggregations: Sequence[Aggregation], zones: Callable[[Lattice, bool], Zones]
) -> dict[str, float | Undefined]:
    """As `size_zone`, for lattices and what gives the zones of one, in the volume or within slices."""

    def described(lattice: Lattice, in_volume: bool) -> Vector:
        found = zones(lattice, in_volume)
        table, sizes = crossed(found.ranks, found.sizes, lattice.values.size - 1)
        vector: Vector = emphasis(table, lattice.values, sizes, lattice.voxels)
        return vector

    return valued(FEATURES, plain(lattices, aggregations, described))


def _zones(lattice: Lattice, in_volume: bool) -> Zones:
    return zones_of(lattice, in_volume=in_volume)
