"""Measures every segmentation method on generated lesions and writes the tables into docs/segmentation.md.

`python tools/segmentation_tables.py` takes about two minutes; `--check` fails if a table in the page is missing.
Contrast, noise and blur are in the range of real images: PET of 6.6 mm resolution (FWHM) in voxels of 4 mm; CT of a
point spread of 0.7 mm (SD) with 30 HU of noise in lung, and 12 HU in soft tissue; MR of a signal-to-noise ratio of 15.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.phantoms.render import Part, compose, region_of, voxel_blur
from bingcheng.image.phantoms.shapes import Ellipsoid, HalfSpace, sphere_of, turned
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.method import SegmentationMethod
from bingcheng.quantify.lesion.pet_threshold import FixedUptake, Percist
from bingcheng.quantify.lesion.pet_vote import MajorityVote
from bingcheng.quantify.lesion.prompt import Click, Prompt, PromptKind, RecistLine
from bingcheng.quantify.lesion.segment import installed_methods, methods_for, segment
from bingcheng.quantify.size.diameter import longest_axis

PAGE = Path(__file__).resolve().parent.parent / "docs" / "segmentation.md"
REPEATS = 5
HU = "[hnsf'U]"
LIVER = Percist(reference_mean_g_per_ml=2.0, reference_sd_g_per_ml=0.2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A generated lesion: image, true region and volume, and the middle of it."""

    image: Volume
    truth: Region
    truth_mm3: float
    centre_mm: Triple


def grid(size_mm: float, spacing_mm: Triple, margin_mm: float) -> VolumeGeometry:
    """A grid with a margin around a lesion."""
    z, y, x = (int((size_mm + 2 * margin_mm) / s) + 1 for s in spacing_mm)
    return centred((z, y, x), spacing_mm)


def shifted(generator: np.random.Generator, spacing_mm: Triple) -> Triple:
    """Somewhere within a voxel of the middle."""
    x, y, z = generator.uniform(-0.5, 0.5, 3) * np.asarray(spacing_mm)[::-1]
    return float(x), float(y), float(z)


def pet(
    diameter_mm: float,
    contrast: float,
    seed: int,
    *,
    uneven: bool = False,
    hotter: float = 3.0,
    sd: float = 0.1,
    blur_mm: float = 2.8,
) -> Case:
    """A sphere in a background of SUV 1; uneven: with a core of `hotter` times the uptake, and a cold one of SUV 1."""
    generator = np.random.default_rng(seed)
    spacing = (4.0, 4.0, 4.0)
    geometry = grid(diameter_mm, spacing, 45.0)
    centre = shifted(generator, spacing)
    ball = sphere_of(diameter_mm, centre)
    parts = [Part(shape=ball, value=contrast)]
    if uneven:
        off = diameter_mm / 4.0
        parts.append(Part(shape=sphere_of(0.4 * diameter_mm, (centre[0] + off, *centre[1:])), value=hotter * contrast))
        parts.append(Part(shape=sphere_of(0.35 * diameter_mm, (centre[0] - off, *centre[1:])), value=1.0))
        centre = (centre[0] + off, centre[1], centre[2])
    clean = compose(parts, geometry, (blur_mm, blur_mm, blur_mm), background=1.0, unit="g/ml")
    voxels = noise.pet(
        np.asarray(clean.voxels), relative_sd=sd, reference=2.0, sigma_voxels=(0.8, 0.8, 0.8), rng=generator
    )
    image = Volume(voxels=voxels, geometry=geometry, unit="g/ml")
    return Case(image=image, truth=region_of(ball, geometry, label="t"), truth_mm3=ball.volume_mm3, centre_mm=centre)


def nodule(diameter_mm: float, seed: int, *, spacing_mm: Triple, vessel_mm: float = 0.0, wall: bool = False) -> Case:
    """A solid nodule in lung, alone, on a vessel, or touching the chest wall by half a millimetre."""
    generator = np.random.default_rng(seed)
    geometry = grid(diameter_mm, spacing_mm, 18.0)
    centre = shifted(generator, (1.0, 1.0, 1.0))
    parts = []
    if vessel_mm:
        turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        a, b, c = ((float(row[0]), float(row[1]), float(row[2])) for row in turn)
        tube = Ellipsoid(centre_mm=centre, semi_axes_mm=(vessel_mm / 2, vessel_mm / 2, math.inf), rotation=(a, b, c))
        parts.append(Part(shape=tube, value=30.0))
    if wall:
        at = (centre[0] + diameter_mm / 2 - 0.5, centre[1], centre[2])
        parts.append(Part(shape=HalfSpace(point_mm=at, normal=(-1.0, 0.0, 0.0)), value=50.0))
    ball = sphere_of(diameter_mm, centre)
    parts.append(Part(shape=ball, value=30.0))
    z, y, x = (math.hypot(0.7, own) for own in voxel_blur(geometry))
    clean = compose(parts, geometry, (z, y, x), background=-850.0, unit=HU)
    image = Volume(voxels=clean.voxels + noise.white(geometry.shape, 30.0, generator), geometry=geometry, unit=HU)
    return Case(image=image, truth=region_of(ball, geometry, label="t"), truth_mm3=ball.volume_mm3, centre_mm=centre)


def tissue(diameter_mm: float, seed: int, *, inside: float, outside: float, sd: float, second: float | None) -> Case:
    """An ellipsoid in tissue; `second`: beside it, from its border on, tissue of this value."""
    generator = np.random.default_rng(seed)
    spacing = (2.5, 0.8, 0.8)
    geometry = grid(1.3 * diameter_mm, spacing, 0.5 * diameter_mm + 15.0)
    centre = shifted(generator, spacing)
    body = Ellipsoid(
        centre_mm=centre,
        semi_axes_mm=(0.6 * diameter_mm, 0.42 * diameter_mm, 0.5 * diameter_mm),
        rotation=turned(*generator.uniform(0.0, 90.0, 3)),
    )
    parts: list[Part] = []
    if second is not None:
        beside = (centre[0] + 0.45 * diameter_mm, centre[1], centre[2])
        parts.append(Part(shape=HalfSpace(point_mm=beside, normal=(-1.0, 0.0, 0.0)), value=second))
    parts.append(Part(shape=body, value=inside))
    clean = compose(parts, geometry, (1.0, 0.7, 0.7), background=outside, unit=HU)
    voxels = clean.voxels + np.float32(sd) * noise.smooth(geometry.shape, (0.0, 0.8, 0.8), generator)
    truth = region_of(body, geometry, label="t")
    image = Volume(voxels=voxels, geometry=geometry, unit=HU)
    return Case(image=image, truth=truth, truth_mm3=body.volume_mm3, centre_mm=centre)


def click(case: Case, seed: int) -> Click:
    """A click up to a fifth of the lesion's radius off the middle."""
    reach = 0.2 * (case.truth_mm3 * 3.0 / (4.0 * math.pi)) ** (1.0 / 3.0)
    x, y, z = np.asarray(case.centre_mm) + np.random.default_rng(1000 + seed).uniform(-reach, reach, 3)
    return Click(position_mm=(float(x), float(y), float(z)))


def line(case: Case) -> RecistLine:
    """The longest diameter as a careful reader draws it."""
    axis = longest_axis(case.truth).long_axis
    return RecistLine(start_mm=axis.start_mm, end_mm=axis.end_mm)


def full(region: Region) -> NDArray[np.bool_]:
    """The mask on the whole grid."""
    mask = np.zeros(region.grid.shape, dtype=bool)
    mask[region.box()] = region.inside
    return mask


def cell(cases: Iterable[Case], method: SegmentationMethod, settings: object | None) -> str:
    """Median Dice and median volume error, and how many were refused or leaked."""
    dice, error, refused = [], [], 0
    for seed, case in enumerate(cases):
        kind = PromptKind.CLICK if PromptKind.CLICK in method.prompts else PromptKind.RECIST_LINE
        prompt: Prompt = click(case, seed) if kind is PromptKind.CLICK else line(case)
        try:
            found = segment(case.image, prompt, method, settings)
        except Undefined:
            refused += 1
            continue
        a, b = full(found), full(case.truth)
        dice.append(2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))
        volume = float(found.mask.sum(dtype=np.float64)) * found.grid.voxel_mm3
        error.append(volume / case.truth_mm3 - 1.0)
    if not dice:
        return "refused"
    said = f"{np.median(dice):.2f}, {np.median(error):+.0%}"
    return said if not refused else f"{said} ({refused} of {refused + len(dice)} refused)"


def table(
    head: Sequence[str], methods: Iterable[tuple[str, SegmentationMethod, object | None]], columns: Sequence[list[Case]]
) -> str:
    """A table in Markdown: a row a method, a column a set of cases."""
    rows = [f"| method | {' | '.join(head)} |", f"| --- |{' --- |' * len(head)}"]
    for name, method, settings in methods:
        rows.append(f"| {name} | {' | '.join(cell(cases, method, settings) for cases in columns)} |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def pet_table() -> str:
    """PET: methods by size and contrast, from one click."""
    known = installed_methods()
    methods: list[tuple[str, SegmentationMethod, object | None]] = [
        (str(one.label), one, LIVER if one.key == "pet_percist" else None)
        for one in methods_for("PT")
        if PromptKind.CLICK in one.prompts
    ]
    methods.append(("Fixed SUV 2.5", known["pet_fixed_uptake"], FixedUptake(threshold_g_per_ml=2.5)))
    methods.append(("Majority of three (MV3)", known["pet_majority_vote"], MajorityVote(votes=3)))
    sizes = [(10.0, 8.0), (15.0, 8.0), (25.0, 8.0), (50.0, 8.0), (15.0, 3.0), (25.0, 3.0), (50.0, 3.0)]
    head = [f"{d:g} mm, {c:g}:1" for d, c in sizes] + ["50 mm uneven, 4:1"]
    columns = [[pet(d, c, seed) for seed in range(REPEATS)] for d, c in sizes]
    columns.append([pet(50.0, 4.0, seed, uneven=True) for seed in range(REPEATS)])
    return table(head, methods, columns)


def sizes_table() -> str:
    """PET: the recommended method and the two it is made of, by size, over contrasts, noise and blur."""
    known = installed_methods()
    keys = ("pet_by_size", "pet_background_corrected", "pet_steepest_border", "pet_adapted_peak")
    methods = [(str(known[key].label), known[key], None) for key in keys]
    sizes = (10.0, 12.0, 15.0, 20.0, 25.0, 35.0, 50.0)
    # Each lesion lies elsewhere on the grid, by its number.
    seen = list(product((4.0, 8.0, 16.0), (0.05, 0.1, 0.2), (2.1, 2.8, 3.4), range(2)))
    even = [[pet(d, c, n, sd=sd, blur_mm=blur_mm) for n, (c, sd, blur_mm, _) in enumerate(seen)] for d in sizes]
    mixed = list(product((4.0, 8.0), (1.5, 2.0, 3.0), (0.05, 0.1, 0.2), range(3)))
    uneven = [
        [pet(d, c, n, uneven=True, hotter=hotter, sd=sd) for n, (c, hotter, sd, _) in enumerate(mixed)]
        for d in sizes[2:]
    ]
    head = [f"{d:g} mm" for d in sizes] + [f"{d:g} mm uneven" for d in sizes[2:]]
    return table(head, methods, [*even, *uneven])


def nodule_table() -> str:
    """CT nodules by size and surroundings, from one click."""
    method = installed_methods()["ct_lung_nodule"]
    thin, thick = (1.25, 0.7, 0.7), (5.0, 0.7, 0.7)
    kinds: list[tuple[str, Callable[[float, int], Case]]] = [
        ("alone, slices of 1.25 mm", lambda d, seed: nodule(d, seed, spacing_mm=thin)),
        ("alone, slices of 5 mm", lambda d, seed: nodule(d, seed, spacing_mm=thick)),
        ("on a vessel of 2.5 mm", lambda d, seed: nodule(d, seed, spacing_mm=thin, vessel_mm=2.5)),
        ("touching the chest wall", lambda d, seed: nodule(d, seed, spacing_mm=thin, wall=True)),
    ]
    sizes = (4.0, 6.0, 8.0, 12.0, 20.0)
    rows = [f"| nodule | {' | '.join(f'{d:g} mm' for d in sizes)} |", f"| --- |{' --- |' * len(sizes)}"]
    for name, make in kinds:
        cells = [cell([make(d, seed) for seed in range(2 * REPEATS)], method, None) for d in sizes]
        rows.append(f"| {name} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def tissue_table() -> str:
    """Soft tissue on CT and MR: methods by size and surroundings."""
    methods = [
        (str(one.label), one, None)
        for one in (*methods_for("MR"),)
        if PromptKind.RECIST_LINE in one.prompts or PromptKind.CLICK in one.prompts
    ]
    scenes: list[tuple[str, float, dict[str, float | None]]] = [
        ("15 mm in liver, CT", 15.0, {"inside": 60.0, "outside": 100.0, "sd": 12.0, "second": None}),
        ("30 mm in liver, CT", 30.0, {"inside": 60.0, "outside": 100.0, "sd": 12.0, "second": None}),
        ("60 mm in liver, CT", 60.0, {"inside": 60.0, "outside": 100.0, "sd": 12.0, "second": None}),
        ("30 mm, 15 HU darker, CT", 30.0, {"inside": 85.0, "outside": 100.0, "sd": 12.0, "second": None}),
        ("30 mm bright, MR", 30.0, {"inside": 300.0, "outside": 160.0, "sd": 20.0, "second": None}),
        ("60 mm beside tissue of its own value", 60.0, {"inside": 60.0, "outside": -80.0, "sd": 12.0, "second": 62.0}),
    ]
    columns = [
        [tissue(d, seed, **how) for seed in range(REPEATS)]  # type: ignore[arg-type]
        for _, d, how in scenes
    ]
    return table([name for name, _, _ in scenes], methods, columns)


TABLES: dict[str, Callable[[], str]] = {
    "pet": pet_table,
    "pet sizes": sizes_table,
    "nodules": nodule_table,
    "tissue": tissue_table,
}


def marks(name: str) -> tuple[str, str]:
    """The comments between which a table stands in the page."""
    return f"<!-- table {name}: written by tools/segmentation_tables.py -->", f"<!-- end of table {name} -->"


def main() -> int:
    """Write the tables, or check that the page has a place for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page lacks a table")
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(TABLES)}; all unless named")
    given = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        if given.names and name not in given.names:
            continue
        begin, end = marks(name)
        if begin not in page or end not in page:
            print(f"{PAGE}: no place for the table '{name}'")
            return 1
        if given.check:
            if "| --- |" not in page.split(begin)[1].split(end)[0]:
                print(f"{PAGE}: the table '{name}' is empty")
                return 1
            continue
        before, rest = page.split(begin)
        page = f"{before}{begin}\n\n{make()}\n\n{end}{rest.split(end)[1]}"
    if not given.check:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
