"""Whether this installation reaches the values of the Image Biomarker Standardisation Initiative, on this machine.

The digital phantom is always computed. The CT phantom (CC BY-NC 3.0) and the phantoms of the filters are public, but
not part of this package: who has a folder of them (see the documentation) names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.engine.problems import NO_SUCH_PATH
from bingcheng.image.nifti import read_regions, read_volume
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.configurations import RESPONSE_MAPS
from bingcheng.quantify.radiomics.conformance import (
    CT_PHANTOM,
    DIGITAL_PHANTOM,
    ConformanceRow,
    conformance_of,
    digital_phantom,
)

NO_IBSI_DATA = Problem(
    code="engine.no-ibsi-data",
    says="the folder '{folder}' holds neither {ct} nor {maps}",
    remedy="Lay out the reference data as the documentation says, or leave the folder out.",
    owner=Owner.OPERATOR,
)

CT_FOLDER = "01_ibsi1/ibsi_1_ct_radiomics_phantom/nifti"
FILTER_FOLDER = "02_ibsi2"
RESPONSE_MAP = "response map"
MAP_TOLERANCE = 0.01
"""Of the range of the reference map, at each voxel (IBSI 2 reference manual, arXiv:2006.05470)."""
Told = Callable[[Text, int, int], None]
STEP = text("Recomputing the values of the IBSI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many values of one case and family were reached.

    Parameters
    ----------
    without_consensus : values that are computed, and that there is nothing to hold against.
    """

    case: str
    family: str
    reached: int
    missed: int
    without_consensus: int


def recomputed(folder: Path | None, told: Told) -> Iterator[ConformanceRow]:
    """Every reference value with what this installation gives.

    Parameters
    ----------
    folder : of public reference data; None leaves out what needs it.

    Raises
    ------
    InputError
        ``engine.no-such-path``, ``engine.no-ibsi-data``; what reading the files raises.
    """
    ct_folder, filter_folder = _folders(folder)
    names = tuple(RESPONSE_MAPS) if filter_folder is not None else ()
    total = 1 + (len(CT_PHANTOM) if ct_folder is not None else 0) + len(names)
    told(STEP, 0, total)
    yield from conformance_of(DIGITAL_PHANTOM, *digital_phantom())
    told(STEP, 1, total)
    done = 1
    if ct_folder is not None:
        phantom = _ct_phantom(ct_folder)
        for case in CT_PHANTOM:
            yield from conformance_of(case, *phantom)
            done += 1
            told(STEP, done, total)
    for name in names:
        assert filter_folder is not None
        yield _response_map(filter_folder, name)
        done += 1
        told(STEP, done, total)


def summaries(rows: Sequence[ConformanceRow]) -> tuple[Summary, ...]:
    """The values counted by case and family, in their order."""
    counted = Counter((row.case, row.family, row.reached) for row in rows)
    places = dict.fromkeys((row.case, row.family) for row in rows)
    return tuple(
        Summary(
            case=case,
            family=family,
            reached=counted[case, family, True],
            missed=counted[case, family, False],
            without_consensus=counted[case, family, None],
        )
        for case, family in places
    )


def _folders(folder: Path | None) -> tuple[Path | None, Path | None]:
    if folder is None:
        return None, None
    if not folder.exists():
        raise InputError(NO_SUCH_PATH, path=str(folder))
    ct, maps = folder / CT_FOLDER, folder / FILTER_FOLDER
    if not ct.is_dir() and not maps.is_dir():
        raise InputError(NO_IBSI_DATA, folder=str(folder), ct=CT_FOLDER, maps=FILTER_FOLDER)
    return ct if ct.is_dir() else None, maps if maps.is_dir() else None


def _ct_phantom(folder: Path) -> tuple[Volume, Region]:
    volume = read_volume(folder / "image" / "phantom.nii.gz", unit="[hnsf'U]")
    (region,) = read_regions(folder / "mask" / "mask.nii.gz", label="GTV-1")
    return volume, region


def _response_map(folder: Path, name: str) -> ConformanceRow:
    """A filtered phantom beside its reference: the largest difference, in parts of the reference's range."""
    benchmark = RESPONSE_MAPS[name]
    ours: float | None = None
    why: Text | None = None
    try:
        image = folder / "nifti" / benchmark.phantom / "image" / f"{benchmark.phantom}.nii.gz"
        phantom = read_volume(image, unit="1")
        reference = folder / "reference_response_maps" / f"{name.replace('.', '_')}-ValidCRM.nii.gz"
        expected = read_volume(reference, unit="1").voxels
        voxels = np.asarray(phantom.voxels, dtype=np.float32)
        response = benchmark.filter.response(voxels, phantom.geometry.spacing_mm)
        ours = float(np.abs(response - expected).max() / np.ptp(expected))
    except BingchengError as error:
        why = error.reason
    reached = ours is not None and ours <= MAP_TOLERANCE
    if not reached and why is None:
        why = text("The value lies outside the published tolerance.")
    return ConformanceRow(
        case="IBSI 2",
        tag=name,
        family=RESPONSE_MAP,
        expect=0.0,
        tolerance=MAP_TOLERANCE,
        consensus="consensus",
        ours=ours,
        reached=reached,
        why=why,
    )
