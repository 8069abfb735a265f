"""Enhanced trunks of known CT numbers: the references of the measures of contrast."""

from __future__ import annotations

from functools import cache, lru_cache
from types import MappingProxyType

from bingcheng.core.measure import Givens
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.image.phantoms.abdomen import enhanced_abdomen
from bingcheng.image.phantoms.bolus import Injection, ct_numbers

DELAYS_S = {
    "precontrast": 0.0,
    "early_arterial": 20.0,
    "late_arterial": 32.0,
    "portal_venous": 65.0,
    "nephrographic": 110.0,
    "delayed": 180.0,
    "excretory": 480.0,
}
"""A delay in the middle of each phase, counted from the start of the injection."""


@cache
def truth(phase: str) -> dict[str, float]:
    """CT numbers by tissue in a phase, for a typical patient and injection."""
    return ct_numbers(Injection(), DELAYS_S[phase])


@lru_cache(maxsize=4)
def enhanced(phase: str) -> Givens:
    """A trunk in a phase, with noise of 10 HU; several measures are held against the same few."""
    acquisition = CtAcquisition(modality="CT", device=Device(), series_uid="2.25.3", kvp_kv=120.0)
    volume = enhanced_abdomen(
        truth(phase), spacing_mm=(5.0, 2.5, 2.5), noise_hu=10.0, levels_mm=(-65.0, 110.0), field_mm=370.0, seed=4
    )
    return MappingProxyType({"volume": volume, "acquisition": acquisition, "segments": {}})
