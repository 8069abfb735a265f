"""How the dose in a phantom is converted to that in a patient: AAPM Reports 204 (2011) and, for heads, 293 (2019)."""

from __future__ import annotations

BODY_32 = (3.704369, 0.03671937)
"""Factor and exponent (per cm) of the conversion f = a exp(-b Dw), from the dose in the phantom of 32 cm."""
BODY_16 = (1.874799, 0.03871313)
"""The same from the phantom of 16 cm."""
HEAD_16 = (1.9852, 0.0486)
"""The same for heads."""
