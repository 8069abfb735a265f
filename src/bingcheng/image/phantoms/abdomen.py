"""A trunk with enhanced vessels and organs: spine, aorta, vena cava, portal vein, kidneys, liver, spleen, heart, lungs.

Positions are LPS in mm; the origin lies in the middle of the trunk at the level of the kidneys. The CT numbers of what
contrast medium reaches are given, as from `bingcheng.image.phantoms.bolus`, and are the truth that a measurement has to
find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.bolus import UNENHANCED_HU
from bingcheng.image.phantoms.cases import AIR_HU, HU
from bingcheng.image.phantoms.render import Brush, Part
from bingcheng.image.phantoms.shapes import Ellipsoid, turned
from bingcheng.image.phantoms.trunk import Trunk, paint_trunk
from bingcheng.image.volume import Volume

INFINITE = float("inf")
FAT_HU, MUSCLE_HU, FLUID_HU, GAS_HU, LUNG_HU = -98.0, 55.0, 15.0, -950.0, -850.0
CORTICAL_BONE_HU, TRABECULAR_HU, DISC_HU, CORD_HU = 520.0, 170.0, 85.0, 35.0
TABLE_HU, METAL_HU = -150.0, 3000.0
VERTEBRA_MM = 34.0
EXPONENT = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a trunk is built.

    Parameters
    ----------
    scale : of all lengths in the plane; 1 is a trunk of 33 by 23 cm without its fat.
    fat_mm : under the skin.
    marrow_hu : of the vertebrae; about 90 in osteoporosis, 250 in the young.
    aorta_mm : its diameter.
    arms, table, screws : whether they are there; screws are of metal and sit in the lumbar spine.
    kidneys : which there are, of "left" and "right".
    """

    scale: float = 1.0
    fat_mm: float = 18.0
    marrow_hu: float = TRABECULAR_HU
    aorta_mm: float = 20.0
    arms: bool = False
    table: bool = True
    screws: bool = False
    kidneys: tuple[str, ...] = ("left", "right")


def enhanced_abdomen(
    hu: Mapping[str, float] = UNENHANCED_HU,
    *,
    build: Build | None = None,
    levels_mm: tuple[float, float] = (-95.0, 150.0),
    spacing_mm: Triple = (5.0, 1.6, 1.6),
    noise_hu: float = 0.0,
    blur_mm: float = 0.8,
    field_mm: float = 400.0,
    seed: int = 0,
) -> Volume:
    """The trunk between two levels along the patient's axis: kidneys lie about 0, the diaphragm at 150 mm.

    Parameters
    ----------
    hu : CT numbers of aorta, vena cava, portal vein, liver, spleen, cortex, medulla, calyx and muscle.
    build : the patient.
    levels_mm : from where to where the slices go.
    spacing_mm : of voxels (z, y, x).
    noise_hu : standard deviation of CT-like noise.
    blur_mm : standard deviation of the point spread in the plane; along the patient a slice blurs by its own box.
    field_mm : edge of the square field of view, within which an obese patient's fat is cut off.
    """
    patient = build or Build()
    depth = max(1, round((levels_mm[1] - levels_mm[0]) / spacing_mm[0]))
    rows, columns = (round(field_mm / mm) for mm in spacing_mm[1:])
    geometry = VolumeGeometry(
        shape=(depth, rows, columns),
        spacing_mm=spacing_mm,
        origin_mm=(
            -0.5 * (columns - 1) * spacing_mm[2],
            -0.5 * (rows - 1) * spacing_mm[1] + 10.0,
            levels_mm[0] + 0.5 * spacing_mm[0],
        ),
    )
    voxels = np.full(geometry.shape, AIR_HU, dtype=np.float32)
    blur = (max(blur_mm, spacing_mm[0] / 12.0**0.5), blur_mm, blur_mm)
    inner = np.zeros(geometry.shape, dtype=np.float32)
    for inset_mm, value in ((-patient.fat_mm, FAT_HU), (0.0, hu["muscle"])):
        paint_trunk(voxels, geometry, _outline(patient, inset_mm), value, blur_mm)
    paint_trunk(voxels, geometry, _outline(patient, 14.0), FAT_HU, blur_mm, inner)
    brush = Brush(geometry, blur, coarse=True)
    for part in _anatomy(patient, hu, levels_mm):
        brush.paint(voxels, part.shape, part.value, inner if part.bounded else None)
    if noise_hu:
        rng = np.random.default_rng(seed)
        grain = noise.ct_slices(depth, (rows, columns), spacing_mm[1:], sd=noise_hu, blur_mm=blur_mm, rng=rng)
        for index, layer in enumerate(grain):
            voxels[index] += layer
    return Volume(voxels=voxels, geometry=geometry, unit=HU)


def _outline(build: Build, inset_mm: float) -> Trunk:
    wide, deep = 165.0 * build.scale - inset_mm, 115.0 * build.scale - inset_mm
    return Trunk(centre_mm=(0.0, 0.0), exponent=EXPONENT, profile_mm=((0.0, wide, deep),))


def _anatomy(build: Build, hu: Mapping[str, float], levels_mm: tuple[float, float]) -> Iterator[Part]:
    yield from _surroundings(build, hu)
    yield from _chest(build, hu)
    yield from _belly(build, hu)
    for side in build.kidneys:
        yield from _kidney(build, hu, 1.0 if side == "left" else -1.0)
    yield from _spine(build, levels_mm)
    yield from _vessels(build, hu)


def _body(
    centre: Triple, semi: Triple, value: float, *, scale: float = 1.0, bounded: bool = False, lean_deg: float = 0.0
) -> Part:
    """An ellipsoid whose place and size in the plane follow the patient's scale, leaning in the coronal plane."""
    shape = Ellipsoid(
        centre_mm=(centre[0] * scale, centre[1] * scale, centre[2]),
        semi_axes_mm=(semi[0] * scale, semi[1] * scale, semi[2]),
        rotation=turned(about_y_deg=lean_deg),
    )
    return Part(shape=shape, value=value, bounded=bounded)


def _surroundings(build: Build, hu: Mapping[str, float]) -> Iterator[Part]:
    deep = 115.0 * build.scale + build.fat_mm
    if build.table:
        yield _body((0.0, deep + 14.0, 0.0), (210.0, 12.0, INFINITE), TABLE_HU)
    if build.arms:
        aside = 165.0 * build.scale + build.fat_mm + 30.0
        for side in (-1.0, 1.0):
            yield _body((side * aside, 30.0, 0.0), (26.0, 30.0, INFINITE), hu["muscle"])
            yield _body((side * aside, 30.0, 0.0), (9.0, 9.0, INFINITE), CORTICAL_BONE_HU)


def _chest(build: Build, hu: Mapping[str, float]) -> Iterator[Part]:
    for side in (-1.0, 1.0):
        yield _body((side * 82.0, 0.0, 275.0), (68.0, 100.0, 135.0), LUNG_HU, scale=build.scale, bounded=True)
    yield _body((0.0, 0.0, 290.0), (28.0, 100.0, 120.0), FAT_HU, scale=build.scale, bounded=True)
    yield _body((18.0, -35.0, 220.0), (62.0, 46.0, 50.0), hu["aorta"], scale=build.scale, bounded=True)
    yield _body((2.0, 18.0, 290.0), (9.0, 7.0, 150.0), MUSCLE_HU, scale=build.scale)


def _belly(build: Build, hu: Mapping[str, float]) -> Iterator[Part]:
    scale = build.scale
    yield _body((-72.0, -12.0, 72.0), (78.0, 84.0, 78.0), hu["liver"], scale=scale, bounded=True)
    yield _body((-38.0, -62.0, 40.0), (17.0, 20.0, 28.0), FLUID_HU, scale=scale, bounded=True)  # gallbladder
    yield _body((104.0, 42.0, 80.0), (28.0, 42.0, 48.0), hu["spleen"], scale=scale, bounded=True)
    yield _body((60.0, -45.0, 75.0), (46.0, 36.0, 45.0), FLUID_HU + 20.0, scale=scale, bounded=True)  # stomach
    yield _body((55.0, -66.0, 80.0), (34.0, 14.0, 34.0), GAS_HU, scale=scale, bounded=True)
    for left, back, level in ((-75, -50, -60), (-20, -60, -40), (30, -55, -55), (85, -40, -50), (70, -30, -5)):
        place = (float(left), float(back), float(level))
        yield _body(place, (19.0, 17.0, 30.0), FLUID_HU + 25.0, scale=scale, bounded=True)
        yield _body(place, (8.0, 7.0, 16.0), GAS_HU, scale=scale, bounded=True)
    yield _body((28.0, -20.0, 22.0), (60.0, 11.0, 13.0), hu["spleen"], scale=scale)  # pancreas
    for side in (-1.0, 1.0):
        yield _body((side * 38.0, 58.0, -60.0), (17.0, 19.0, 90.0), hu["muscle"], scale=scale)  # psoas
        yield _body((side * 42.0, 92.0, 0.0), (34.0, 18.0, INFINITE), hu["muscle"], scale=scale)  # erector spinae


def _kidney(build: Build, hu: Mapping[str, float], side: float) -> Iterator[Part]:
    """Cortex, medulla, and a sinus of fat with calyces in it; the right one hangs lower."""
    level, lean = (8.0, -12.0) if side > 0 else (-8.0, 12.0)
    scale = build.scale
    for semi, tissue in (((29.0, 25.0, 55.0), "cortex"), ((21.0, 17.0, 46.0), "medulla")):
        yield _body((side * 66.0, 44.0, level), semi, hu[tissue], scale=scale, lean_deg=lean)
    yield _body((side * 62.0, 42.0, level), (9.0, 9.0, 24.0), FAT_HU, scale=scale, lean_deg=lean)
    for up in (-13.0, 0.0, 13.0):
        yield _body((side * 62.0, 42.0, level + up), (6.0, 6.0, 6.0), hu["calyx"], scale=scale)


def _spine(build: Build, levels_mm: tuple[float, float]) -> Iterator[Part]:
    # It keeps its size and its distance from the middle, whatever the patient's girth.
    back = 115.0 * (build.scale - 1.0)
    for side in (-1.0, 1.0):
        yield _body((side * 22.0, 82.0 + back, 0.0), (15.0, 5.0, INFINITE), CORTICAL_BONE_HU)
    yield _body((0.0, 54.0 + back, 0.0), (23.0, 18.0, INFINITE), CORTICAL_BONE_HU)
    yield _body((0.0, 54.0 + back, 0.0), (21.5, 16.5, INFINITE), build.marrow_hu)
    yield _body((0.0, 83.0 + back, 0.0), (19.0, 17.0, INFINITE), CORTICAL_BONE_HU)
    yield _body((0.0, 106.0 + back, 0.0), (4.0, 13.0, INFINITE), CORTICAL_BONE_HU)
    first = int(np.floor(levels_mm[0] / VERTEBRA_MM))
    for index in range(first, int(np.ceil(levels_mm[1] / VERTEBRA_MM)) + 1):
        level = index * VERTEBRA_MM
        yield _body((0.0, 54.0 + back, level), (23.0, 18.0, 5.0), DISC_HU)
        for side in (-1.0, 1.0):
            yield _body((side * 15.0, 77.0 + back, level), (7.0, 5.0, 7.0), FAT_HU)
        if build.screws and -60.0 <= level <= 0.0:
            for side in (-1.0, 1.0):
                yield _body((side * 15.0, 66.0 + back, level + 0.5 * VERTEBRA_MM), (3.0, 22.0, 3.0), METAL_HU)
    yield _body((0.0, 82.0 + back, 0.0), (10.5, 9.0, INFINITE), CORD_HU)


def _vessels(build: Build, hu: Mapping[str, float]) -> Iterator[Part]:
    back, radius = 115.0 * (build.scale - 1.0), 0.5 * build.aorta_mm
    front = 35.0 + back - radius
    yield _body((-24.0, front + 2.0, 20.0), (13.0, 9.0, 160.0), hu["vena cava"])
    yield _body((12.0, front, 0.0), (radius, radius, INFINITE), hu["aorta"])
    scale = build.scale
    # The trunk of the portal vein leans into the liver, where it branches.
    yield _body((-36.0, 4.0, 56.0), (8.5, 8.5, 46.0), hu["portal vein"], scale=scale, lean_deg=-35.0)
    yield _body((-80.0, 0.0, 92.0), (36.0, 7.5, 7.5), hu["portal vein"], scale=scale, lean_deg=20.0)
    yield _body((-50.0, -22.0, 96.0), (7.0, 28.0, 7.0), hu["portal vein"], scale=scale)
