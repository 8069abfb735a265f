"""The shape of a lesion: the morphological family of the IBSI reference manual."""

from __future__ import annotations

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.quantify.intensity.statistics import EMPTY_INTENSITY_MASK
from bingcheng.quantify.radiomics.feature import Family, Feature, Values
from bingcheng.quantify.radiomics.roi import Roi
from bingcheng.quantify.shape.autocorrelation import autocorrelation
from bingcheng.quantify.shape.enclosing_box import aligned_box, oriented_box
from bingcheng.quantify.shape.enclosing_ellipsoid import Ellipsoid, enclosing_ellipsoid
from bingcheng.quantify.shape.hull import Hull, hull
from bingcheng.quantify.shape.mesh import Mesh, mesh
from bingcheng.quantify.shape.principal_axes import PointSet, intensity_sums, point_set

ONE_POINT = Problem(
    code="quantify.shape-of-one-voxel",
    says="the lesion is a single voxel, whose centre has no extent",
    remedy="Use images with smaller voxels, or leave this lesion out of shape analysis.",
    owner=Owner.PHYSICIST,
)
FLAT = Problem(
    code="quantify.shape-flat",
    says="the lesion's voxel centres lie in a plane or on a line, so that the ellipsoid fitted to them is flat",
    remedy="Use thinner slices, or leave this lesion out of shape analysis.",
    owner=Owner.PHYSICIST,
)
NO_MASS = Problem(
    code="quantify.intensity-sum-zero",
    says="the lesion's intensities add up to zero, so that they have no centre of mass",
    remedy="Leave out this feature where intensities may be negative, as in CT.",
    owner=Owner.PHYSICIST,
)


def _feature(tag: str, label: str, ibsi: str, unit: str = "1", power: int = 0) -> Feature:
    return Feature(tag=tag, label=label, ibsi=ibsi, family=Family.MORPHOLOGY, unit=unit, intensity_power=power)


FEATURES: tuple[Feature, ...] = (
    _feature("morph_volume", "Volume (mesh)", "RNU0", "mm3"),
    _feature("morph_vol_approx", "Volume (voxel counting)", "YEKZ", "mm3"),
    _feature("morph_area_mesh", "Surface area (mesh)", "C0JK", "mm2"),
    _feature("morph_av", "Surface to volume ratio", "2PR5", "/mm"),
    _feature("morph_comp_1", "Compactness 1", "SKGS"),
    _feature("morph_comp_2", "Compactness 2", "BQWJ"),
    _feature("morph_sph_dispr", "Spherical disproportion", "KRCK"),
    _feature("morph_sphericity", "Sphericity", "QCFX"),
    _feature("morph_asphericity", "Asphericity", "25C7"),
    _feature("morph_com", "Centre of mass shift", "KLMA", "mm"),
    _feature("morph_diam", "Maximum 3D diameter", "L0JK", "mm"),
    _feature("morph_pca_maj_axis", "Major axis length", "TDIC", "mm"),
    _feature("morph_pca_min_axis", "Minor axis length", "P9VJ", "mm"),
    _feature("morph_pca_least_axis", "Least axis length", "7J51", "mm"),
    _feature("morph_pca_elongation", "Elongation", "Q3CK"),
    _feature("morph_pca_flatness", "Flatness", "N17B"),
    _feature("morph_vol_dens_aabb", "Volume density (axis-aligned bounding box)", "PBX1"),
    _feature("morph_area_dens_aabb", "Area density (axis-aligned bounding box)", "R59B"),
    _feature("morph_vol_dens_ombb", "Volume density (oriented minimum bounding box)", "ZH1A"),
    _feature("morph_area_dens_ombb", "Area density (oriented minimum bounding box)", "IQYR"),
    _feature("morph_vol_dens_aee", "Volume density (approximate enclosing ellipsoid)", "6BDE"),
    _feature("morph_area_dens_aee", "Area density (approximate enclosing ellipsoid)", "RDD2"),
    _feature("morph_vol_dens_mvee", "Volume density (minimum volume enclosing ellipsoid)", "SWZ1"),
    _feature("morph_area_dens_mvee", "Area density (minimum volume enclosing ellipsoid)", "BRI8"),
    _feature("morph_vol_dens_conv_hull", "Volume density (convex hull)", "R3ER"),
    _feature("morph_area_dens_conv_hull", "Area density (convex hull)", "7T7F"),
    _feature("morph_integ_int", "Integrated intensity", "99N0", "mm3", 1),
    _feature("morph_moran_i", "Moran's I index", "N365"),
    _feature("morph_geary_c", "Geary's C measure", "NPT7"),
)


def morphology(roi: Roi) -> Values:
    """The morphological family (29 features).

    Shape is that of the morphological mask: its marching-cubes surface at one half, that surface's convex hull, and
    the principal axes of its voxel centres. Features that look at intensities use the intensity mask. The mesh volume
    enters all ratios, as the manual asks.

    Returns
    -------
    features by tag. `Undefined` with ``quantify.shape-of-one-voxel`` (elongation, flatness, approximate enclosing
    ellipsoid of one voxel), ``quantify.shape-flat`` (that ellipsoid's volume of a flat lesion, its area too of a
    line), ``quantify.no-voxel-in-intensity-range``, ``quantify.intensity-sum-zero`` (centre of mass shift),
    ``quantify.autocorrelation-of-one-voxel`` and ``quantify.autocorrelation-of-constant`` (Moran's I, Geary's C).

    Notes
    -----
    Densities by the oriented box and by the enclosing ellipsoid are not standardised: programs approximate these
    bodies in different ways. Where negative intensities occur, as in CT, the centre of mass shift may be large and
    means little.
    """
    surface = mesh(roi.morphological, roi.spacing_mm)
    around = hull(roi.morphological, roi.spacing_mm)
    points = point_set(roi.morphological, roi.spacing_mm)
    voxel_mm3 = roi.spacing_mm[0] * roi.spacing_mm[1] * roi.spacing_mm[2]
    return (
        {"morph_vol_approx": points.count * voxel_mm3}
        | _of_surface(surface)
        | {"morph_diam": around.largest_distance_mm}
        | _of_axes(points)
        | _densities(surface, around)
        | _ellipsoid_densities(surface, points)
        | _of_intensities(roi, surface, points)
    )


def _of_surface(surface: Mesh) -> dict[str, float | Undefined]:
    area, volume = surface.area_mm2, surface.volume_mm3
    # Area of the sphere with this volume, over the area.
    sphericity = float(np.cbrt(36.0 * np.pi * volume**2)) / area
    return {
        "morph_volume": volume,
        "morph_area_mesh": area,
        "morph_av": area / volume,
        "morph_comp_1": volume / (np.pi**0.5 * area**1.5),
        "morph_comp_2": sphericity**3,
        "morph_sph_dispr": 1.0 / sphericity,
        "morph_sphericity": sphericity,
        "morph_asphericity": 1.0 / sphericity - 1.0,
    }


def _of_axes(points: PointSet) -> dict[str, float | Undefined]:
    major, minor, least = points.lengths_mm
    return {
        "morph_pca_maj_axis": major,
        "morph_pca_min_axis": minor,
        "morph_pca_least_axis": least,
        "morph_pca_elongation": minor / major if major else Undefined(ONE_POINT),
        "morph_pca_flatness": least / major if major else Undefined(ONE_POINT),
    }


def _densities(surface: Mesh, around: Hull) -> dict[str, float | Undefined]:
    """Parts that the lesion fills of bodies around it; none of them is ever flat."""
    area, volume = surface.area_mm2, surface.volume_mm3
    aligned, oriented, ellipsoid = aligned_box(around), oriented_box(around), enclosing_ellipsoid(around)
    return {
        "morph_vol_dens_aabb": volume / aligned.volume_mm3,
        "morph_area_dens_aabb": area / aligned.area_mm2,
        "morph_vol_dens_ombb": volume / oriented.volume_mm3,
        "morph_area_dens_ombb": area / oriented.area_mm2,
        "morph_vol_dens_mvee": volume / ellipsoid.volume_mm3,
        "morph_area_dens_mvee": area / ellipsoid.series_area_mm2,
        "morph_vol_dens_conv_hull": volume / around.volume_mm3,
        "morph_area_dens_conv_hull": area / around.area_mm2,
    }


def _ellipsoid_densities(surface: Mesh, points: PointSet) -> dict[str, float | Undefined]:
    """As `_densities`, of the ellipsoid of the voxel centres' principal axes, which may be flat."""
    a, b, c = (length / 2.0 for length in points.lengths_mm)
    none = Undefined(FLAT if a else ONE_POINT)
    ellipsoid = Ellipsoid(semi_axes_mm=(a, b, c))
    return {
        "morph_vol_dens_aee": surface.volume_mm3 / ellipsoid.volume_mm3 if c else none,
        "morph_area_dens_aee": surface.area_mm2 / ellipsoid.series_area_mm2 if b else none,
    }


def _of_intensities(roi: Roi, surface: Mesh, points: PointSet) -> dict[str, float | Undefined]:
    count, total, first = intensity_sums(roi.intensity, roi.intensity_mask)
    if not count:
        return dict.fromkeys(
            ("morph_com", "morph_integ_int", "morph_moran_i", "morph_geary_c"), Undefined(EMPTY_INTENSITY_MASK)
        )
    shift: float | Undefined = Undefined(NO_MASS)
    if total:
        shift = float(np.linalg.norm(first / total * np.asarray(roi.spacing_mm) - points.centre_mm))
    likeness = autocorrelation(roi.intensity, roi.intensity_mask, roi.spacing_mm)
    return {
        "morph_com": shift,
        "morph_integ_int": surface.volume_mm3 * total / count,
        "morph_moran_i": likeness if isinstance(likeness, Undefined) else likeness.moran_i,
        "morph_geary_c": likeness if isinstance(likeness, Undefined) else likeness.geary_c,
    }
