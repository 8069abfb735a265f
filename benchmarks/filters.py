"""The response maps of the IBSI 2 on phantoms of 64 voxels a side, against MIRP."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.clock import Contender, ContenderError, alternate, called, this_python
from benchmarks.environments import peer
from benchmarks.radiomics_uncertainty import MIRP
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

OURS, THEIRS = "bingcheng", "MIRP"
TIMES, MAPS = 5.0, 33
SAME_PART = 0.01
"""Of a map's range: the tolerance of the IBSI 2."""
EXPERIMENTAL = frozenset(("9.a", "9.b.1", "10.b.1"))
"""The Riesz transform, which MIRP itself calls experimental: its maps need not be the same."""

SIDE, SPACING_MM, HIGH = 64, 2.0, 255.0
CHECK = 8
BALL_VOXELS = 16.0
SEED = 5


def run(settings: Settings) -> Result:
    """All maps in one thread, image in memory; of MIRP's time what its calls take without a filter is left out."""
    folder = settings.scratch / "phantoms"
    if not (folder / "mask.nii.gz").exists():
        subprocess.run([sys.executable, "-m", "benchmarks.filters", str(folder)], check=True, timeout=600)
    answers = {name: settings.scratch / f"maps-{name}.npz" for name in (OURS, THEIRS)}
    contenders = [Contender(name=OURS, once=partial(called, this_python(), "filters_bingcheng", folder, answers[OURS]))]
    if settings.peers:
        contenders.append(
            Contender(name=THEIRS, once=partial(called, peer(MIRP), "filters_mirp", folder, answers[THEIRS]))
        )
    found = alternate(contenders, settings.repeats)
    ours = found[OURS]
    counts = {sample.facts["maps"] for one in found.values() for sample in one.samples}
    if counts != {float(MAPS)}:
        raise ContenderError(f"not {MAPS} maps but {sorted(counts)}")
    ratios = [Ratio(what=f"{MAPS} maps, wall", value=ours.median("wall_s"), unit="s")]
    notes = [f"phantoms of {SIDE} voxels of {SPACING_MM:g} mm a side, generated"]
    if THEIRS in found:
        theirs = found[THEIRS]
        base_s = min(sample.facts["base_s"] for sample in theirs.samples)
        value = (theirs.median("wall_s") - base_s) / ours.median("wall_s")
        ratios.append(Ratio(what="MIRP / bingcheng, wall", value=value, at_least=TIMES))
        ratios.append(
            Ratio(what="MIRP / bingcheng, CPU, reading included", value=theirs.median("cpu_s") / ours.median("cpu_s"))
        )
        notes.append(f"MIRP's {MAPS} calls take {base_s:.2f} s without a filter")
        notes.append(_agreement(answers[OURS], answers[THEIRS]))
    title = f"Filters: the {MAPS} response maps of the IBSI 2"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios), notes=tuple(notes))


def _agreement(ours: Path, theirs: Path) -> str:
    with np.load(ours) as here, np.load(theirs) as there:
        parts = {name: _apart(here[name], there[name]) for name in here.files}
    differing = {name: part for name, part in parts.items() if part > SAME_PART}
    if set(differing) - EXPERIMENTAL:
        raise ContenderError(f"maps differ by parts of their range: {differing}")
    same = len(parts) - len(differing)
    others = ", ".join(f"{name} by {100 * part:.2g} %" for name, part in differing.items())
    return f"{same} maps are the same within 1 % of their range" + (
        f"; MIRP's Riesz maps differ: {others}" if others else ""
    )


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference as a part of the map's range."""
    return float(np.abs(one - other).max() / (one.max() - one.min()))


def main() -> None:
    """Write the phantoms: an impulse, a checkerboard, a ball, blobs of noise; and a mask of everything."""
    from scipy import ndimage  # noqa: PLC0415 - the measuring process stays small

    from bingcheng.image.geometry import VolumeGeometry  # noqa: PLC0415 - as above
    from bingcheng.image.nifti import write_volume  # noqa: PLC0415 - as above
    from bingcheng.image.volume import Volume  # noqa: PLC0415 - as above

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    shape = (SIDE, SIDE, SIDE)
    z, y, x = np.indices(shape)
    middle = (SIDE - 1) / 2
    phantoms = {
        "impulse": np.where((z == SIDE // 2) & (y == SIDE // 2) & (x == SIDE // 2), HIGH, 0.0),
        "checkerboard": np.where((z // CHECK + y // CHECK + x // CHECK) % 2, HIGH, 0.0),
        "sphere": np.where((z - middle) ** 2 + (y - middle) ** 2 + (x - middle) ** 2 < BALL_VOXELS**2, HIGH, 0.0),
        "pattern_1": HIGH * ndimage.gaussian_filter(np.random.default_rng(SEED).standard_normal(shape), 3.0),
        "mask": np.ones(shape),
    }
    geometry = VolumeGeometry(shape=shape, spacing_mm=(SPACING_MM, SPACING_MM, SPACING_MM))
    for name, voxels in phantoms.items():
        single = voxels.astype(np.float32)
        np.save(folder / f"{name}.npy", single)
        write_volume(Volume(voxels=single, geometry=geometry, unit="1"), folder / f"{name}.nii.gz")


if __name__ == "__main__":
    main()
