"""A trunk from the lower chest to the kidneys, of soft shapes: skin, fat, muscle, ribs, spine, lungs, organs, vessels.

Positions are LPS in mm: x to the patient's left, y to the back, z to the head. The liver's centre lies near z = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from bingcheng.image.geometry import Triple
from bingcheng.image.phantoms.shapes import Ellipsoid, turned
from bingcheng.image.phantoms.trunk import Trunk

EXPONENT = 2.35
"""Between an ellipse and a box, as a trunk is."""

CHEST_TO_HIPS = (
    # S, half width, half depth of the outer skin
    (-150.0, 158.0, 108.0),
    (-80.0, 154.0, 106.0),
    (0.0, 160.0, 110.0),
    (70.0, 163.0, 112.0),
    (140.0, 158.0, 106.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A shape of one tissue; `bounded` pieces end at the wall of the body's cavity."""

    shape: Ellipsoid
    tissue: str
    bounded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A trunk of one tissue and how softly it begins, in mm, beyond the scanner's own blur."""

    trunk: Trunk
    tissue: str
    softness_mm: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a patient is built: size relative to the average across and in depth, and thickness of the fat in mm."""

    across: float = 1.0
    depth: float = 1.0
    fat_mm: float = 16.0

    def trunk(self, inset_mm: float) -> Trunk:
        """The outline that lies `inset_mm` below the skin."""
        return Trunk(
            centre_mm=(0.0, 0.0),
            exponent=EXPONENT,
            profile_mm=tuple((s, a * self.across - inset_mm, b * self.depth - inset_mm) for s, a, b in CHEST_TO_HIPS),
        )


def layers(build: Build) -> tuple[Layer, ...]:
    """Skin, fat and the wall of muscle, outermost first; the cavity is `cavity`."""
    return (
        Layer(trunk=build.trunk(0.0), tissue="skin"),
        Layer(trunk=build.trunk(4.0), tissue="fat", softness_mm=1.6),
        Layer(trunk=build.trunk(build.fat_mm), tissue="muscle", softness_mm=0.6),
    )


def cavity(build: Build) -> Trunk:
    """The inside of the wall of muscle."""
    return build.trunk(build.fat_mm + 15.0)


def table(build: Build) -> tuple[Layer, ...]:
    """The couch under the patient: a thin shell around a light core."""
    back = max(b for _, _, b in CHEST_TO_HIPS) * build.depth
    shell, core = (
        Trunk(centre_mm=(0.0, back + 29.0), exponent=3.0, profile_mm=((0.0, 205.0 - inset, 22.0 - inset),))
        for inset in (0.0, 2.5)
    )
    return Layer(trunk=shell, tissue="table"), Layer(trunk=core, tissue="table core")


@cache
def pieces(build: Build) -> tuple[Piece, ...]:
    """Everything inside the wall, in the order of painting, scaled to the patient's build."""
    everything = (*_lungs(), *_heart(), *_abdomen(), *_liver(), *_kidneys(), *_great_vessels(), *_spine())
    return (*(_scaled(piece, build) for piece in everything), *_ribs(build))


def _scaled(piece: Piece, build: Build) -> Piece:
    x, y, z = piece.shape.centre_mm
    return Piece(
        shape=Ellipsoid(
            centre_mm=(x * build.across, y * build.depth, z),
            semi_axes_mm=piece.shape.semi_axes_mm,
            rotation=piece.shape.rotation,
        ),
        tissue=piece.tissue,
        bounded=piece.bounded,
    )


def _blob(tissue: str, centre: Triple, axes: Triple, turn: Triple = (0.0, 0.0, 0.0), *, bounded: bool = True) -> Piece:
    shape = Ellipsoid(centre_mm=centre, semi_axes_mm=axes, rotation=turned(*turn))
    return Piece(shape=shape, tissue=tissue, bounded=bounded)


def _tube(tissue: str, start: Triple, end: Triple, radius: float) -> Piece:
    """A vessel from `start` to `end`, thickest in its middle."""
    run = np.subtract(end, start)
    length = float(np.linalg.norm(run))
    along = run / length
    side = np.cross(along, (0.0, 1.0, 0.0) if abs(along[1]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    turn = np.stack([along, side, np.cross(along, side)], axis=1)
    rows = [(float(r[0]), float(r[1]), float(r[2])) for r in turn]
    middle = np.add(start, end) / 2
    shape = Ellipsoid(
        centre_mm=(float(middle[0]), float(middle[1]), float(middle[2])),
        semi_axes_mm=(length / 2 * 1.08, radius, radius),
        rotation=(rows[0], rows[1], rows[2]),
    )
    return Piece(shape=shape, tissue=tissue)


def _lungs() -> Iterator[Piece]:
    yield _blob("lung", (-78.0, 2.0, 130.0), (66.0, 88.0, 135.0))
    yield _blob("lung", (80.0, 6.0, 130.0), (64.0, 86.0, 138.0))
    yield _blob("mediastinum", (4.0, 0.0, 130.0), (30.0, 80.0, 110.0))
    rng = np.random.default_rng(7)
    for side in (-1.0, 1.0):
        hilum = np.array((side * 30.0, 8.0, 120.0))
        for _ in range(26):
            angle, drop = rng.uniform(0, 2 * math.pi), rng.uniform(-95.0, 25.0)
            reach = rng.uniform(38.0, 64.0)
            end = hilum + np.array((side * reach * (0.55 + 0.45 * math.cos(angle)), reach * math.sin(angle), drop))
            middle = hilum + (end - hilum) * rng.uniform(0.45, 0.6) + rng.normal(0, 3.0, 3)
            radius = float(rng.uniform(1.6, 3.2))
            yield _tube("lung vessel", _triple(hilum), _triple(middle), radius)
            yield _tube("lung vessel", _triple(middle), _triple(end), radius * 0.62)
            for _ in range(2):
                tip = middle + (end - middle) * rng.uniform(0.5, 0.9) + rng.normal(0, 11.0, 3)
                yield _tube("lung vessel", _triple(middle), _triple(tip), radius * 0.45)


def _heart() -> Iterator[Piece]:
    yield _blob("mediastinum", (22.0, -34.0, 92.0), (58.0, 48.0, 46.0), (25.0, 0.0, 0.0))
    yield _blob("myocardium", (26.0, -34.0, 94.0), (50.0, 40.0, 38.0), (28.0, 0.0, 0.0))
    yield _blob("blood", (38.0, -36.0, 92.0), (28.0, 19.0, 24.0), (28.0, 0.0, 0.0))
    yield _blob("blood", (4.0, -44.0, 96.0), (22.0, 17.0, 26.0), (10.0, 0.0, 0.0))
    yield _blob("stomach wall", (6.0, 34.0, 110.0), (7.0, 6.0, 70.0))


def _abdomen() -> Iterator[Piece]:
    yield _blob("spleen", (102.0, 38.0, 12.0), (25.0, 47.0, 50.0), (-28.0, 0.0, 12.0))
    yield _blob("stomach wall", (66.0, -34.0, 14.0), (40.0, 46.0, 44.0), (-32.0, 0.0, 0.0))
    yield _blob("stomach content", (66.0, -34.0, 14.0), (35.0, 41.0, 39.0), (-32.0, 0.0, 0.0))
    yield _blob("gas", (62.0, -60.0, 16.0), (21.0, 11.0, 26.0), (-20.0, 0.0, 0.0))
    yield _blob("pancreas", (40.0, 14.0, -28.0), (34.0, 10.0, 13.0), (-24.0, 12.0, 0.0))
    yield _blob("pancreas", (2.0, 2.0, -38.0), (22.0, 11.0, 15.0), (12.0, 0.0, 0.0))
    yield _blob("bowel wall", (-24.0, 6.0, -58.0), (15.0, 13.0, 34.0), (0.0, 8.0, 0.0))
    yield _blob("bowel content", (-24.0, 6.0, -58.0), (11.5, 9.5, 31.0), (0.0, 8.0, 0.0))
    for start, end, radius in (
        ((10.0, 22.0, -50.0), (22.0, -10.0, -92.0), 4.2),
        ((16.0, 4.0, -74.0), (52.0, -22.0, -84.0), 2.4),
        ((20.0, -4.0, -84.0), (-14.0, -26.0, -98.0), 2.4),
        ((18.0, 0.0, -80.0), (40.0, -30.0, -106.0), 2.2),
        ((12.0, 16.0, -58.0), (44.0, -14.0, -56.0), 2.2),
    ):
        yield _tube("liver vessel", start, end, radius)
    rng = np.random.default_rng(11)
    for x, y, z in _loops():
        size = rng.uniform(13.0, 18.0, 3)
        turn = (float(rng.uniform(0, 180)), float(rng.uniform(-30, 30)), 0.0)
        yield _blob("bowel wall", (x, y, z), _triple(size * (1.35, 1.0, 1.0)), turn)
        inner = "gas" if rng.uniform() < 0.22 else "bowel content"
        yield _blob(inner, (x, y - 1.0, z), _triple(size * (1.35, 1.0, 1.0) - 3.0), turn)


def _loops() -> Iterator[Triple]:
    for z in (-150.0, -122.0, -96.0, -70.0):
        for x in (-78.0, -44.0, -8.0, 28.0, 62.0, 92.0):
            if x < -30.0 and z > -90.0:
                continue
            yield x + 0.06 * z, -48.0 - 0.1 * abs(x), z + 4.0 * math.sin(x)
        for x in (-60.0, 40.0, 74.0, 100.0):
            if x < 0 and z > -110.0:
                continue
            yield x, -10.0 + 0.18 * (x - 74.0), z - 9.0
    yield 96.0, 6.0, -44.0
    yield 70.0, -18.0, -42.0


def _liver() -> Iterator[Piece]:
    yield _blob("liver", (-72.0, 4.0, 6.0), (72.0, 84.0, 62.0), (8.0, 0.0, 0.0))
    yield _blob("liver", (-92.0, 14.0, -36.0), (40.0, 58.0, 66.0))
    yield _blob("liver", (-18.0, -40.0, 20.0), (66.0, 40.0, 36.0), (14.0, 10.0, 0.0))
    yield _blob("gallbladder", (-50.0, -44.0, -44.0), (13.0, 21.0, 25.0), (20.0, 0.0, 24.0))
    trunk, root = (-22.0, 4.0, -14.0), (-16.0, 30.0, 46.0)
    for start, end, radius in (
        ((6.0, 12.0, -40.0), trunk, 7.0),
        (trunk, (-58.0, -2.0, -2.0), 6.0),
        (trunk, (-18.0, -34.0, 14.0), 4.6),
        ((-54.0, -2.0, -3.0), (-92.0, -34.0, 4.0), 4.2),
        ((-54.0, -2.0, -3.0), (-104.0, 26.0, -14.0), 4.2),
        ((-18.0, -32.0, 13.0), (14.0, -52.0, 22.0), 3.0),
        (root, (-104.0, 34.0, 8.0), 5.0),
        (root, (-70.0, -38.0, 18.0), 4.8),
        (root, (-6.0, -50.0, 28.0), 4.2),
        ((-80.0, -30.0, 3.0), (-112.0, -30.0, 18.0), 2.6),
        ((-86.0, 14.0, -8.0), (-118.0, 8.0, -34.0), 2.6),
        ((-78.0, 34.0, 20.0), (-108.0, 56.0, 2.0), 2.8),
    ):
        yield _tube("liver vessel", start, end, radius)


def _kidneys() -> Iterator[Piece]:
    for side, z in ((-1.0, -84.0), (1.0, -70.0)):
        lean = (side * 24.0, -side * 10.0, 0.0)
        yield _blob("visceral fat", (side * 62.0, 46.0, z), (38.0, 33.0, 62.0), lean)
        yield _blob("kidney", (side * 62.0, 46.0, z), (29.0, 24.0, 52.0), lean)
        yield _blob("visceral fat", (side * 48.0, 40.0, z), (15.0, 9.0, 24.0), lean)
        yield _blob("renal pelvis", (side * 46.0, 39.0, z - 3.0), (9.0, 6.0, 11.0), lean)
        yield _blob("pancreas", (side * 32.0, 32.0, z + 66.0), (13.0, 3.2, 12.0), (side * 40.0, 0.0, 0.0))


def _great_vessels() -> Iterator[Piece]:
    yield _blob("aorta", (14.0, 40.0, 0.0), (11.5, 11.5, math.inf))
    yield _blob("blood", (-20.0, 36.0, -60.0), (11.0, 9.5, 118.0))
    yield _tube("aorta", (14.0, 30.0, -26.0), (12.0, 6.0, -44.0), 4.0)
    yield _tube("blood", (-14.0, 34.0, -82.0), (-50.0, 40.0, -84.0), 5.0)
    yield _tube("blood", (10.0, 26.0, -70.0), (48.0, 38.0, -70.0), 4.6)


def _spine() -> Iterator[Piece]:
    for side in (-1.0, 1.0):
        yield _blob("muscle", (side * 37.0, 86.0, 0.0), (27.0, 19.0, math.inf), (-side * 14.0, 0.0, 0.0), bounded=False)
        yield _blob("muscle", (side * 34.0, 58.0, -120.0), (17.0, 20.0, 95.0), (side * 20.0, side * 5.0, 0.0))
    yield _blob("cortical bone", (0.0, 62.0, 0.0), (21.0, 16.5, math.inf), bounded=False)
    yield _blob("marrow", (0.0, 62.0, 0.0), (18.8, 14.4, math.inf), bounded=False)
    for level in range(-6, 7):
        z = 34.0 * level - 10.0
        yield _blob("disc", (0.0, 62.0, z), (21.5, 17.0, 4.6), (0.0, 0.0, 3.0), bounded=False)
        middle = z + 18.0
        for side in (-1.0, 1.0):
            yield _blob(
                "rib", (side * 14.0, 79.0, middle + 4.0), (4.0, 11.0, 6.5), (side * 12.0, 0.0, 0.0), bounded=False
            )
            yield _blob(
                "rib", (side * 27.0, 87.0, middle + 2.0), (18.0, 4.0, 6.0), (side * 22.0, 0.0, 0.0), bounded=False
            )
            yield _blob(
                "rib", (side * 8.0, 94.0, middle - 4.0), (11.0, 3.6, 12.0), (-side * 32.0, 0.0, 0.0), bounded=False
            )
        yield _blob("rib", (0.0, 97.5, middle - 9.0), (3.2, 8.5, 11.0), (0.0, 0.0, 0.0), bounded=False)
    yield _blob("visceral fat", (0.0, 86.0, 0.0), (9.6, 8.4, math.inf), bounded=False)
    yield _blob("spinal canal", (0.0, 86.0, 0.0), (7.6, 6.6, math.inf), bounded=False)


RIB_FIRST_Z, RIB_PITCH, RIB_DROP = 250.0, 31.0, 105.0
"""Where the first rib leaves the spine (S, mm), from rib to rib, and how far a rib falls on its way to the front."""


def _ribs(build: Build) -> Iterator[Piece]:
    """Ribs as chains of overlapping pieces in the wall of muscle, falling from the spine to the front."""
    wall = build.trunk(build.fat_mm + 9.5)
    for number in range(12):
        spine_z = RIB_FIRST_Z - RIB_PITCH * number
        # the last ribs float: they end at the side
        end = 2.62 if number < 8 else 2.2 if number < 10 else 1.25
        for side in (-1.0, 1.0):
            angles = np.arange(0.36, end, 0.11)
            points = [_on_wall(wall, side, float(angle), spine_z) for angle in angles]
            for radius_out, radius_up, tissue in ((4.6, 6.2, "rib"), (2.6, 4.0, "rib marrow")):
                for before, after in pairwise(points):
                    if abs(before[2]) < 160.0:
                        yield _rib_piece(before, after, radius_out, radius_up, tissue)


def _on_wall(wall: Trunk, side: float, angle: float, spine_z: float) -> Triple:
    """The point of the wall at `angle` from the back, on the rib's way down."""
    z = spine_z - RIB_DROP * (1.0 - math.cos(min(angle, 2.4))) / 2.0
    a, b = wall.semi_axes_mm(np.asarray([z]))[0]
    s, c = math.sin(angle), math.cos(angle)
    scale = ((abs(s) / a) ** wall.exponent + (abs(c) / b) ** wall.exponent) ** (-1.0 / wall.exponent)
    return side * s * float(scale), c * float(scale), z


def _rib_piece(before: Triple, after: Triple, radius_out: float, radius_up: float, tissue: str) -> Piece:
    run = np.subtract(after, before)
    length = float(np.linalg.norm(run))
    along = run / length
    up = np.array((0.0, 0.0, 1.0)) - along * along[2]
    up /= np.linalg.norm(up)
    turn = np.stack([along, np.cross(up, along), up], axis=1)
    rows = [(float(r[0]), float(r[1]), float(r[2])) for r in turn]
    middle = np.add(before, after) / 2
    shape = Ellipsoid(
        centre_mm=_triple(middle), semi_axes_mm=(length, radius_out, radius_up), rotation=(rows[0], rows[1], rows[2])
    )
    return Piece(shape=shape, tissue=tissue, bounded=False)


def _triple(values: np.typing.NDArray[np.float64] | Triple) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
