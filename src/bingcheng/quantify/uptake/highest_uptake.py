"""The highest uptake anywhere in a PET image: a check of its scaling, not a property of a tumour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Givens, Reference, ReferenceKind, measure
from bingcheng.core.measurement import Tells
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake import known_images as known
from bingcheng.quantify.uptake.lesion_uptake import BUDGET, PET

NOTHING_RECORDED = Problem(
    code="quantify.no-recorded-uptake",
    says="the scanner recorded no value in any voxel of the PET image",
    remedy="Send the reconstructed series again; if it is empty at the scanner too, reconstruct it anew.",
    owner=Owner.ARCHIVE,
)


def _hot_corner_unrecorded() -> Givens:
    """A cube of SUV 10 and 4 whose hotter half the scanner did not record."""
    givens = dict(known.two_levels())
    volume = givens["volume"]
    assert isinstance(volume, Volume)
    givens["volume"] = replace(volume, valid=volume.voxels < 9.0 * known.BQ_PER_ML_PER_SUV)
    return givens


@measure(
    label="Highest SUV in the image",
    unit="g/ml",
    modalities=PET,
    source="Pierce et al., A digital reference object to analyze calculation accuracy of PET standardized uptake "
    "value, Radiology 2015;277:538-545",
    tells=Tells.PATIENT,
    budget=BUDGET,
    references=[
        Reference(
            name="cube of SUV 10 and 4",
            case=known.two_levels,
            expect=10.0,
            rtol=1e-6,
            kind=ReferenceKind.ANALYTIC,
            source="closed form",
            why="Voxels are float32, which rounds each by at most 6e-8 of its value.",
        ),
        Reference(
            name="cube of SUV 10 and 4, the hotter half unrecorded",
            case=_hot_corner_unrecorded,
            expect=4.0,
            rtol=1e-6,
            kind=ReferenceKind.ANALYTIC,
            source="closed form",
            why="Voxels are float32, which rounds each by at most 6e-8 of its value.",
        ),
    ],
)
def suv_highest(suv: Volume) -> float:
    """The highest SUVbw of all recorded voxels of the image, in g/ml.

    It needs no outline, so that it is there for every PET series whose values can be turned into SUV, and it is what
    other workstations show for the whole image: if it differs there, dose, weight, times or units were read
    differently.

    Parameters
    ----------
    suv : the image as SUVbw.

    Raises
    ------
    Undefined
        ``quantify.no-recorded-uptake``; what `suv` raises.

    Notes
    -----
    In a patient it is mostly the bladder, the brain or the site of the injection, and so tells nothing about a tumour,
    nor about a scanner.
    """
    recorded = suv.voxels if suv.valid is None else suv.voxels[suv.valid]
    if not recorded.size:
        raise Undefined(NOTHING_RECORDED)
    return float(np.max(recorded))
