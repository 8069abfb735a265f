"""Grey level distance zones: how far the connected pieces of one level lie from the lesion's border.

The zones are those of the intensity mask; the border is that of the morphological mask, which the range of intensities
does not cut. A zone's distance is that of its voxel nearest to the border, in steps through voxel faces, 1 at the
border; within slices, in steps within the slice.

Source: IBSI reference manual, arXiv:1612.07003, section 3.9.
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
    Feature(tag=f"dzm_{tag}", label=label, ibsi=ibsi, family=Family.DISTANCE_ZONE)
    for tag, label, ibsi in (
        ("sde", "Small distance emphasis", "0GBI"),
        ("lde", "Large distance emphasis", "MB4I"),
        ("lgze", "Low grey level zone emphasis", "S1RA"),
        ("hgze", "High grey level zone emphasis", "K26C"),
        ("sdlge", "Small distance low grey level emphasis", "RUVG"),
        ("sdhge", "Small distance high grey level emphasis", "DKNJ"),
        ("ldlge", "Large distance low grey level emphasis", "A7WM"),
        ("ldhge", "Large distance high grey level emphasis", "KLTH"),
        ("glnu", "Grey level non-uniformity", "VFT7"),
        ("glnu_norm", "Normalised grey level non-uniformity", "7HP3"),
        ("zdnu", "Zone distance non-uniformity", "V294"),
        ("zdnu_norm", "Normalised zone distance non-uniformity", "IATH"),
        ("z_perc", "Zone percentage", "VIWW"),
        ("gl_var", "Grey level variance", "QK93"),
        ("zd_var", "Zone distance variance", "7WT1"),
        ("zd_entr", "Zone distance entropy", "GBDU"),
    )
)


def distance_zone(roi: Roi, aggregations: Sequence[Aggregation]) -> dict[str, float | Undefined]:
    """The distance zone features of a region, by tag and aggregation.

    Parameters
    ----------
    roi : with grey levels.
    aggregations : those of families with one matrix a slice or volume; others are passed over.
    """
    mask = roi.morphological

    def zones(lattice: Lattice, in_volume: bool) -> Zones:
        return zones_of(lattice, mask[lattice.part], in_volume=in_volume)

    return distance_zone_of(Lattices(roi), aggregations, zones)


def distance_zone_of(
    lattices: Lattices, aggregations: Sequence[Aggregation], zones: Callable[[Lattice, bool], Zones]
) -> dict[str, float | Undefined]:
    """As `distance_zone`, for lattices and what gives the zones of one with their distances."""

    def described(lattice: Lattice, in_volume: bool) -> Vector:
        found = zones(lattice, in_volume)
        assert found.distances is not None
        table, distances = crossed(found.ranks, found.distances, lattice.values.size - 1)
        vector: Vector = emphasis(table, lattice.values, distances, lattice.voxels)
        return vector

    return valued(FEATURES, plain(lattices, aggregations, described))
