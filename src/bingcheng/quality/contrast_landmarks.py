"""The vessels and organs that tell the contrast phase of a CT: each found, or the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from bingcheng.core.derived import derived
from bingcheng.core.errors import Undefined
from bingcheng.image.region import Region
from bingcheng.quality.aorta import Aorta, find_aorta
from bingcheng.quality.kidney_tissue import KidneyTissue, tissue_of
from bingcheng.quality.kidneys import NO_KIDNEY, find_kidneys
from bingcheng.quality.line import Line
from bingcheng.quality.liver_parenchyma import LiverParenchyma, find_liver
from bingcheng.quality.portal_vein import PortalVein, find_portal_vein
from bingcheng.quality.upright_grid import UprightGrid

T = TypeVar("T")

UNENHANCED_BLOOD_HU, UNENHANCED_KIDNEY_HU = 40.0, 33.0
ENHANCED_HU, LEAST_SHARE = 40.0, 0.2
"""A fifth of the cardiac output goes to the kidneys: even when contrast has just come, the cortex shows more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContrastLandmarks:
    """What was found in one CT; an error stands for what was not."""

    aorta: Aorta | Undefined
    kidneys: KidneyTissue | Undefined
    liver: LiverParenchyma | Undefined
    portal_vein: PortalVein | Undefined


@derived
def contrast_landmarks(
    upright_grid: UprightGrid, spinal_canal: Line, segments: Mapping[str, Region]
) -> ContrastLandmarks:
    """Aorta, kidneys, liver and portal vein.

    Parameters
    ----------
    upright_grid : coarse CT.
    spinal_canal : from which everything else is found.
    segments : regions by label; ``liver`` is used if it is there.

    Raises
    ------
    Undefined
        ``quality.no-spine``, ``quality.oblique-grid``, ``quality.thin-slab``.
    """
    aorta = _attempt(lambda: find_aorta(upright_grid, spinal_canal))
    liver = _attempt(lambda: find_liver(upright_grid, spinal_canal, segments))
    return ContrastLandmarks(
        aorta=aorta,
        kidneys=_attempt(lambda: _enhanced_with(aorta, tissue_of(find_kidneys(upright_grid, spinal_canal)))),
        liver=liver,
        portal_vein=_attempt(lambda: find_portal_vein(upright_grid, spinal_canal, found(liver))),
    )


def found(landmark: T | Undefined) -> T:
    """The landmark.

    Raises
    ------
    Undefined
        why there is none.
    """
    if isinstance(landmark, Undefined):
        raise landmark
    return landmark


def _enhanced_with(aorta: Aorta | Undefined, kidneys: KidneyTissue) -> KidneyTissue:
    """The kidneys, unless they are far too dim for the blood that they are given: then they are something else.

    Raises
    ------
    Undefined
        ``quality.no-kidney``.
    """
    if isinstance(aorta, Aorta):
        blood_hu = float(np.median(aorta.hu)) - UNENHANCED_BLOOD_HU
        if blood_hu > ENHANCED_HU and kidneys.cortex - UNENHANCED_KIDNEY_HU < LEAST_SHARE * blood_hu:
            raise Undefined(NO_KIDNEY)
    return kidneys


def _attempt(find: Callable[[], T]) -> T | Undefined:
    try:
        return find()
    except Undefined as error:
        return error
