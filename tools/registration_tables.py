"""Write the tables of docs/follow-up.md: how well generated follow-ups are registered and their lesions matched.

``python tools/registration_tables.py`` prints the tables (about three minutes on two quiet cores); ``--write`` puts
them into the page; ``--fit matching`` prints the weights of a pair's odds, ``--fit registration`` what registrations of
right and wrong pairs look like.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_volume
from bingcheng.image.phantoms.abdomen import Build, enhanced_abdomen
from bingcheng.image.phantoms.follow_up import Warp
from bingcheng.image.phantoms.noise import smooth
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.region import Region
from bingcheng.image.registration import Registration, RegistrationSettings, register
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.matching import Matching
from bingcheng.quantify.lesion.matching_links import match
from bingcheng.quantify.lesion.matching_pairs import MatchingSettings, pairs
from bingcheng.quantify.lesion.matching_places import Place

PAGE = Path(__file__).parents[1] / "docs" / "follow-up.md"
HU, SUV, MR = "[hnsf'U]", "g/ml", "{arbitrary}"
QUICK = RegistrationSettings(working_mm=3.0)
JUDGED = RegistrationSettings(working_mm=3.0, least_likeness=-1.0, least_confidence=0.0, most_folded=1.0)


# --- registration -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two exams and where the tissue of the earlier one really is; None if they are not of one patient and part."""

    name: str
    earlier: Volume
    later: Volume
    warp: Warp | None


def trunk(
    unit: str,
    *,
    build: Build | None = None,
    levels_mm: tuple[float, float] = (-60.0, 120.0),
    even: bool = False,
    seed: int = 1,
) -> Volume:
    """A generated trunk that looks like CT, PET or MR; its tissue has a grain of its own unless it is to be even."""
    ct = enhanced_abdomen(spacing_mm=(4.0, 2.5, 2.5), levels_mm=levels_mm, build=build)
    if not even:
        # Vessels, fat strands and ducts: structures of about 10 mm that move with the tissue, 25 HU strong.
        grain = smooth(ct.geometry.shape, (1.25, 2.0, 2.0), np.random.default_rng(seed))
        ct = replace(ct, voxels=ct.voxels + np.where(np.abs(ct.voxels) < 300.0, 25.0 * grain, np.float32(0.0)))
    if unit == SUV:
        voxels = np.interp(ct.voxels, [-1000, -900, -100, 40, 60, 110, 300], [0.0, 0.4, 0.3, 0.8, 1.2, 2.3, 1.0])
    elif unit == MR:
        voxels = np.interp(ct.voxels, [-1000, -800, -100, 0, 60, 110, 500], [0.0, 20, 900, 200, 400, 550, 60])
    else:
        return ct
    return Volume(voxels=voxels.astype(np.float32), geometry=ct.geometry, unit=unit)


def noisy(volume: Volume, level: float, rng: np.random.Generator) -> Volume:
    """With noise: of CT in HU, of PET relative to the value, of MR in its units with another gain."""
    grain = rng.standard_normal(volume.voxels.shape, dtype=np.float32)
    if volume.unit == SUV:
        voxels = np.maximum(volume.voxels + grain * level * np.sqrt(np.maximum(volume.voxels, 0.05)), 0.0)
    elif volume.unit == MR:
        voxels = np.hypot(volume.voxels + grain * level, level * grain[::-1]) * rng.uniform(0.7, 1.4)
    else:
        voxels = volume.voxels + grain * level
    return replace(volume, voxels=voxels)


def followed(name: str, body: Volume, swing_mm: float, level: float, seed: int, outside: float) -> Pair:
    """A body and its follow-up, each with its own noise."""
    rng = np.random.default_rng(seed)
    middle = body.geometry.to_mm((np.asarray(body.geometry.shape) - 1) / 2.0)
    warp = Warp.drawn(rng, middle, swing_mm=swing_mm, wavelength_mm=110.0)
    later = warp.later(body, body.geometry, outside=outside)
    return Pair(name=name, earlier=noisy(body, level, rng), later=noisy(later, level, rng), warp=warp)


def errors_mm(pair: Pair, registration: Registration | None) -> np.ndarray:
    """Distances of 4000 points of the body that both exams show from the truth; unregistered without a registration."""
    assert pair.warp is not None
    rng = np.random.default_rng(0)
    geometry = pair.later.geometry
    index = rng.uniform(size=(12_000, 3)) * (np.asarray(geometry.shape) - 1)
    values = pair.later.voxels[tuple(np.rint(index).astype(int).T)]
    floor = -400.0 if pair.later.unit == HU else 0.05 * float(np.percentile(pair.later.voxels, 99))
    later = geometry.to_mm(index[values > floor][:4000])
    earlier = pair.warp.to_earlier(later)
    there = pair.earlier.geometry.to_index(earlier)
    shown = ((there >= 0) & (there <= np.asarray(pair.earlier.geometry.shape) - 1)).all(axis=1)
    later, earlier = later[shown], earlier[shown]
    found = earlier if registration is None else registration.to_moving(earlier)
    return np.linalg.norm(found - later, axis=1)


def registered() -> Iterator[str]:
    """Rows of the table of registrations."""
    yield "| exams | deformation, noise | before (mm) | mean (mm) | 95 % within (mm) | confidence | s |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for pair in table_pairs():
        begun = time.perf_counter()
        try:
            found = register(pair.earlier, pair.later, RegistrationSettings() if "chest" in pair.name else QUICK)
        except Undefined as refusal:
            yield f"| {pair.name} | - | refused: `{refusal.code}` | | | {time.perf_counter() - begun:.0f} |"
            continue
        took = time.perf_counter() - begun
        if pair.warp is None:
            yield f"| {pair.name} | - | not refused | | | {took:.0f} |"
            continue
        error, before = errors_mm(pair, found), errors_mm(pair, None)
        assert found.quality is not None
        yield (
            f"| {pair.name} | {before.mean():.1f} | {error.mean():.2f} | {np.percentile(error, 95):.2f} |"
            f" {found.quality.confidence:.2f} | {took:.0f} |"
        )


def table_pairs() -> Iterator[Pair]:
    """The cases of the table."""
    for unit, name, levels, outside in (
        (HU, "CT", (10.0, 40.0), -1000.0),
        (SUV, "PET", (0.1, 0.3), 0.0),
        (MR, "MR", (20.0, 60.0), 0.0),
    ):
        body = trunk(unit)
        noise_unit = {HU: "HU", SUV: "SUV at SUV 1", MR: "of 900"}[unit]
        for swing, level in ((0.0, levels[0]), (2.0, levels[0]), (2.0, levels[1]), (5.0, levels[0])):
            name_it = f"generated trunk, {name} | {swing:g} mm, {level:g} {noise_unit}"
            yield followed(name_it, body, swing, level, 3, outside)
    even = trunk(HU, even=True)
    yield followed("the same with even tissue, CT | 2 mm, 10 HU", even, 2.0, 10.0, 3, -1000.0)
    upper, lower = trunk(HU, levels_mm=(20.0, 150.0)), trunk(HU, levels_mm=(-150.0, -20.0), seed=2)
    yield Pair(name="another part of the trunk, CT | -", earlier=upper, later=lower, warp=None)
    folder = os.environ.get("BINGCHENG_REFERENCE_DATA")
    found = sorted(Path(folder).glob("01_ibsi1/ibsi_1_ct_radiomics_phantom/nifti/image/*.nii*")) if folder else []
    for path in found[:1]:
        chest = read_volume(path, unit=HU)
        for swing, level in ((3.0, 0.0), (3.0, 40.0)):
            said = f"{swing:g} mm, {level:g} HU added"
            yield followed(f"real chest CT (IBSI 1), warped | {said}", chest, swing, level, 4, -1000.0)


def calibration_pairs() -> Iterator[Pair]:
    """Other cases, right and wrong, from which the confidence of a registration is fitted."""
    for seed in range(3):
        for unit, outside, levels in ((HU, -1000.0, (10, 40)), (SUV, 0.0, (0.1, 0.3)), (MR, 0.0, (20, 80))):
            body = trunk(unit)
            upper = trunk(unit, levels_mm=(10.0 + 10.0 * seed, 160.0), seed=2)
            lower = trunk(unit, levels_mm=(-150.0, -20.0 - 5.0 * seed), build=Build(scale=1.0 + 0.03 * seed))
            yield followed("right", body, 1.0 + 2.0 * seed, levels[seed % 2], 100 + seed, outside)
            yield Pair(name="other part", earlier=upper, later=lower, warp=None)


def fit_registration() -> None:
    """Print what right and wrong pairs look like, and a fit, which is a mere step where both separate wholly."""
    rows, shares = [], []
    for pair in calibration_pairs():
        try:
            found = register(pair.earlier, pair.later, JUDGED)
        except Undefined as refusal:
            print(pair.name, refusal.code)
            continue
        share = 0.0 if pair.warp is None else float((errors_mm(pair, found) < 5.0).mean())
        quality = found.quality
        assert quality is not None
        assert quality.inverse_error_mm is not None
        rows.append([1.0, quality.likeness_after, min(quality.inverse_error_mm, 20.0)])
        shares.append(share)
        print(pair.name, pair.later.unit, quality, round(share, 2), flush=True)
    print("CONFIDENCE =", logistic(np.array(rows), np.array(shares), ridge=0.05).round(2))


# --- matching ---------------------------------------------------------------------------------------------------


SPACE = VolumeGeometry(shape=(250, 163, 200), spacing_mm=(2.0, 2.0, 2.0))


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Lesions of two exams and which belong together: sets of earlier and later numbers."""

    before: tuple[Region, ...]
    after: tuple[Region, ...]
    truth: frozenset[tuple[frozenset[int], frozenset[int]]]


def patient(rng: np.random.Generator, count: int, error_mm: float) -> Patient:
    """Spheres of 10 to 40 mm, of which some vanish, split, merge or arise; the rest change in size.

    Registration errs by `error_mm` a direction: half of it smoothly for all alike, half for each lesion alone.
    """
    centres = spread_out(rng, count + max(1, count // 5))
    radii = rng.uniform(5.0, 10.0, len(centres)) * rng.choice([1.0, 1.0, 2.0], len(centres))
    common = rng.normal(size=3) * error_mm * np.sqrt(0.5)
    before: list[tuple[np.ndarray, float]] = []
    after: list[tuple[np.ndarray, float]] = []
    truth = []
    for number, (centre, radius) in enumerate(zip(centres, radii, strict=True)):
        moved = centre + common + rng.normal(size=3) * error_mm * np.sqrt(0.5)
        story = (
            "new" if number >= count else rng.choice(["same", "vanished", "split", "merged"], p=[0.76, 0.1, 0.07, 0.07])
        )
        mine, theirs = told(str(story), centre, moved, float(radius), rng)
        truth.append(
            (
                frozenset(range(len(before), len(before) + len(mine))),
                frozenset(range(len(after), len(after) + len(theirs))),
            )
        )
        before += mine
        after += theirs
    return Patient(before=drawn(before), after=drawn(after), truth=frozenset(truth))


def told(
    story: str, centre: np.ndarray, moved: np.ndarray, radius: float, rng: np.random.Generator
) -> tuple[list[tuple[np.ndarray, float]], list[tuple[np.ndarray, float]]]:
    """The spheres of one lesion's story, before and after."""
    way = rng.normal(size=3)
    way *= radius / np.linalg.norm(way)
    if story == "split":
        return [(centre, radius)], [(moved + 0.6 * way, 0.45 * radius), (moved - 0.6 * way, 0.4 * radius)]
    if story == "merged":
        return [(centre + 0.6 * way, 0.5 * radius), (centre - 0.7 * way, 0.45 * radius)], [(moved, 1.2 * radius)]
    if story == "vanished":
        return [(centre, radius)], []
    later = (moved, radius * float(np.exp(rng.normal(0.0, 0.25))))
    return ([] if story == "new" else [(centre, radius)]), [later]


def spread_out(rng: np.random.Generator, count: int) -> np.ndarray:
    """Places in a trunk, at least 18 mm from each other."""
    places: list[np.ndarray] = []
    while len(places) < count:
        place = rng.uniform((30.0, 30.0, 30.0), (370.0, 290.0, 470.0))
        if all(np.linalg.norm(place - other) > 18.0 for other in places):
            places.append(place)
    return np.array(places)


def drawn(spheres: Sequence[tuple[np.ndarray, float]]) -> tuple[Region, ...]:
    """The regions of spheres."""
    return tuple(
        region_of(sphere_of(2.0 * radius, tuple(centre)), SPACE, label="", subdivisions=2) for centre, radius in spheres
    )


def groups(matching: Matching) -> frozenset[tuple[frozenset[int], frozenset[int]]]:
    """The links of a matching as numbers."""
    return frozenset(
        (frozenset(int(k) - 1 for k in link.before), frozenset(int(k) - 1 for k in link.after))
        for link in matching.links
    )


STORIES = {"same": (1, 1), "vanished": (1, 0), "new": (0, 1), "split": (1, 2), "merged": (2, 1)}


def matched_rows() -> Iterator[str]:
    """Rows of the table of matchings, then those of the confidence."""
    yield "| lesions | error of registration (mm a direction) | " + " | ".join(f"{s} found" for s in STORIES) + " |"
    yield "| --- | --- |" + " --- |" * len(STORIES)
    sure: list[tuple[float, bool]] = []
    still = Registration.identity(SPACE, SPACE)
    for count in (3, 10, 30, 100):
        for error_mm in (1.0, 3.0, 6.0):
            rng = np.random.default_rng(1000 + count)
            right: dict[str, list[bool]] = {story: [] for story in STORIES}
            for _ in range(max(2, 120 // count)):
                case = patient(rng, count, error_mm)
                matching = match(case.before, case.after, still)
                found = groups(matching)
                for mine, theirs in case.truth:
                    story = next(s for s, sizes in STORIES.items() if sizes == (len(mine), len(theirs)))
                    right[story].append((mine, theirs) in found)
                sure += [
                    (link.confidence, one in case.truth)
                    for link, one in (
                        (link, (frozenset(int(k) - 1 for k in link.before), frozenset(int(k) - 1 for k in link.after)))
                        for link in matching.links
                    )
                ]
            cells = [f"{100 * np.mean(r):.0f} % of {len(r)}" if r else "-" for r in right.values()]
            yield f"| {count} | {error_mm:g} | " + " | ".join(cells) + " |"
    yield ""
    yield "| confidence | links | of them right |"
    yield "| --- | --- | --- |"
    edges = (0.0, 0.5, 0.8, 0.95, 1.0001)
    for low, high in pairwise(edges):
        some = [ok for value, ok in sure if low <= value < high]
        yield f"| {low:g} to {min(high, 1.0):g} | {len(some)} | {100 * np.mean(some):.0f} % |" if some else ""


def fit_matching() -> None:
    """Print the weights of `matching_pairs.WEIGHTS`."""
    settings, still = MatchingSettings(), Registration.identity(SPACE, SPACE)
    rows, same = [], []
    rng = np.random.default_rng(7)
    for count in (3, 10, 30, 100) * 3:
        for error_mm in (1.0, 3.0, 6.0):
            case = patient(rng, count, error_mm)
            before, after = [Place.of(r) for r in case.before], [Place.of(r) for r in case.after]
            seen = pairs(before, after, still, settings)
            for i, j in np.argwhere(np.isfinite(seen.log_odds)):
                group = next(one for one in case.truth if i in one[0])
                if len(group[0]) + len(group[1]) > 2 and j in group[1]:
                    continue  # what split or merged is told by shares, not by these odds
                scale = np.hypot(settings.error_mm, 0.5 * (before[i].radius_mm + after[j].radius_mm))
                overlap = max(seen.near_ahead[i, j], seen.near_back[i, j])
                rows.append([1.0, seen.distance_mm[i, j] / scale, overlap, min(3.0, abs(seen.log_ratio[i, j]))])
                same.append(float(j in group[1]))
    print(len(same), "pairs,", int(sum(same)), "of them one lesion")
    print("WEIGHTS =", logistic(np.array(rows), np.array(same), ridge=1.0).round(2))


def logistic(rows: np.ndarray, shares: np.ndarray, *, ridge: float) -> np.ndarray:
    """The weights of a logistic model by Newton's method, with a little ridge so that no weight runs away."""
    weights = np.zeros(rows.shape[1])
    penalty = ridge * np.diag([0.0] + [1.0] * (rows.shape[1] - 1))
    for _ in range(60):
        expected = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (shares - expected) - penalty @ weights
        curve = (rows * (expected * (1 - expected))[:, None]).T @ rows + penalty + 1e-9 * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def main() -> None:
    """Print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--fit", choices=("registration", "matching"))
    asked = parser.parse_args()
    if asked.fit:
        (fit_registration if asked.fit == "registration" else fit_matching)()
        return
    tables = {"registration": "\n".join(registered()), "matching": "\n".join(matched_rows())}
    for name, table in tables.items():
        print(table, "\n")
        if asked.write:
            page = PAGE.read_text(encoding="utf-8")
            marks = f"<!-- {name}: written by tools/registration_tables.py -->", f"<!-- end of {name} -->"
            pattern = re.compile(re.escape(marks[0]) + ".*?" + re.escape(marks[1]), re.DOTALL)
            PAGE.write_text(pattern.sub(lambda _, t=table, m=marks: f"{m[0]}\n\n{t}\n\n{m[1]}", page), encoding="utf-8")


if __name__ == "__main__":
    main()
