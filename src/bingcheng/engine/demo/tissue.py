"""What each tissue looks like in each modality. Typical values of adults; sources beside the groups.

CT: portal-venous phase at 120 kV. PET: FDG at one hour, SUV by body weight. MR: fat-suppressed echo-planar signal
without diffusion weighting, diffusivity, and perfusion fraction (intravoxel incoherent motion).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PSEUDO_DIFFUSIVITY_MM2_PER_S = 0.03
"""Diffusion-like coefficient of blood in capillaries: so fast that its signal is gone at b = 150 s/mm2."""


@dataclass(frozen=True, slots=True)
class Tissue:
    """One tissue: CT number, FDG uptake, and how it diffuses.

    `hu` in HU; `suv` in g/ml; `signal` in arbitrary units at b = 0; `diffusivity_mm2_per_s`; `perfusion` is the
    fraction of the signal that flows in capillaries.
    """

    hu: float
    suv: float
    signal: float
    diffusivity_mm2_per_s: float
    perfusion: float = 0.0

    def at_b(self, b_value_s_per_mm2: float) -> float:
        """The signal at a b-value: S0 (f exp(-b D*) + (1 - f) exp(-b D)) (Le Bihan, Radiology 1988;168:497)."""
        fast = self.perfusion * math.exp(-b_value_s_per_mm2 * PSEUDO_DIFFUSIVITY_MM2_PER_S)
        slow = (1.0 - self.perfusion) * math.exp(-b_value_s_per_mm2 * self.diffusivity_mm2_per_s)
        return self.signal * (fast + slow)


TISSUES: Mapping[str, Tissue] = MappingProxyType(
    {
        "skin": Tissue(15, 0.5, 60, 1.2e-3),
        "fat": Tissue(-100, 0.25, 22, 0.4e-3),
        "visceral fat": Tissue(-95, 0.35, 24, 0.5e-3),
        "muscle": Tissue(62, 0.7, 110, 1.5e-3, 0.05),
        "cortical bone": Tissue(520, 0.6, 18, 0.6e-3),
        "rib": Tissue(360, 0.6, 22, 0.6e-3),
        "rib marrow": Tissue(130, 0.9, 60, 0.6e-3),
        "marrow": Tissue(185, 1.3, 95, 0.55e-3, 0.05),
        "disc": Tissue(85, 0.8, 130, 1.7e-3),
        "spinal canal": Tissue(32, 1.1, 420, 2.4e-3),
        "lung": Tissue(-835, 0.4, 14, 1.6e-3),
        "lung vessel": Tissue(40, 1.2, 50, 1.8e-3),
        "bronchus": Tissue(-960, 0.3, 6, 1.0e-3),
        "mediastinum": Tissue(-60, 0.8, 40, 1.2e-3),
        "myocardium": Tissue(110, 2.6, 150, 1.6e-3, 0.1),
        "blood": Tissue(165, 1.6, 45, 2.2e-3, 0.3),
        "aorta": Tissue(175, 1.6, 40, 2.2e-3, 0.3),
        "liver": Tissue(112, 2.0, 185, 1.10e-3, 0.15),
        "liver vessel": Tissue(168, 1.8, 70, 1.8e-3, 0.3),
        "spleen": Tissue(122, 1.7, 360, 0.85e-3, 0.08),
        "kidney": Tissue(178, 3.2, 390, 1.9e-3, 0.12),
        "renal pelvis": Tissue(15, 7.5, 520, 2.6e-3),
        "pancreas": Tissue(98, 1.5, 220, 1.5e-3, 0.1),
        "gallbladder": Tissue(9, 0.6, 640, 2.9e-3),
        "stomach wall": Tissue(78, 2.0, 170, 1.5e-3, 0.08),
        "stomach content": Tissue(14, 0.5, 260, 2.4e-3),
        "gas": Tissue(-985, 0.1, 3, 1.0e-3),
        "bowel wall": Tissue(72, 1.4, 160, 1.4e-3, 0.08),
        "bowel content": Tissue(28, 0.7, 200, 2.0e-3),
        "table": Tissue(-330, 0.0, 0, 1.0e-3),
        "table core": Tissue(-920, 0.0, 0, 1.0e-3),
    }
)
