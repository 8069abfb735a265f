"""``bingcheng radiomics IMAGE MASK`` from typed to answered: the first time on a machine, and the second."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.clock import Contender, ContenderError, Sample, alternate, this_python, whole
from benchmarks.machine import CORES
from benchmarks.radiomics import lesions
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings
from benchmarks.start import command_of

FIRST_LIMIT_S, AGAIN_LIMIT_S = 60.0, 3.0
FIRST, AGAIN = "the first call", "the second"


def run(settings: Settings) -> Result:
    """Each first call begins with an empty folder of compiled kernels; the second finds what the first left."""
    folder = lesions(settings) / "nifti"
    if not (folder / "mask.nii.gz").exists():
        command = [sys.executable, "-m", "benchmarks.radiomics_cold", str(lesions(settings) / "30k.npz"), str(folder)]
        subprocess.run(command, check=True, timeout=600)
    kernels = settings.scratch / "kernels"
    found = alternate(
        [
            Contender(name=FIRST, once=partial(_first, folder, kernels)),
            Contender(name=AGAIN, once=partial(_call, folder, kernels)),
        ],
        settings.repeats,
    )
    first, again = found[FIRST], found[AGAIN]
    ratios = (
        Ratio(what="the first call, wall", value=first.median("wall_s"), unit="s", at_most=FIRST_LIMIT_S),
        Ratio(what="the second, wall", value=again.median("wall_s"), unit="s", at_most=AGAIN_LIMIT_S),
        Ratio(what="the second, CPU", value=again.median("cpu_s"), unit="s"),
    )
    notes = ("a lesion of 30k voxels as NIfTI, settings for CT: voxels of 2 mm, all families",)
    title = "Radiomics: the command from typed to answered"
    return Result(title=title, series=(first, again), ratios=ratios, notes=notes)


def _first(folder: Path, kernels: Path) -> Sample:
    shutil.rmtree(kernels, ignore_errors=True)
    return _call(folder, kernels)


def _call(folder: Path, kernels: Path) -> Sample:
    """As a person types it; numba is told by its own variable where compiled kernels lie."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    command: list[str | Path] = [
        command_of(this_python()),
        "radiomics",
        folder / "image.nii.gz",
        folder / "mask.nii.gz",
    ]
    options = ["--modality", "CT", "--workers", str(CORES), "--out", str(answer)]
    sample = whole(["env", f"NUMBA_CACHE_DIR={kernels}", *command, *options])
    if len(json.loads(answer.read_text(encoding="utf-8"))["lesions"]) != 1:
        raise ContenderError("the lesion was not measured")
    return sample


def main() -> None:
    """Write the arrays of a lesion as NIfTI."""
    import numpy as np  # noqa: PLC0415 - the measuring process stays small

    from bingcheng.image.geometry import VolumeGeometry  # noqa: PLC0415 - as above
    from bingcheng.image.nifti import write_region, write_volume  # noqa: PLC0415 - as above
    from bingcheng.image.region import Region  # noqa: PLC0415 - as above
    from bingcheng.image.volume import Volume  # noqa: PLC0415 - as above

    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(sys.argv[1]) as held:
        image, mask = held["image"], held["mask"]
    geometry = VolumeGeometry(shape=image.shape, spacing_mm=(1.0, 1.0, 1.0))
    write_volume(Volume(voxels=image, geometry=geometry, unit="[hnsf'U]"), folder / "image.nii.gz")
    write_region(Region.of(mask, geometry, label="lesion"), folder / "mask.nii.gz")


if __name__ == "__main__":
    main()
