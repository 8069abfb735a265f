"""Which SOP classes hold slices that make a volume, and which regions drawn on them (PS3.4 table B.5-1)."""

from __future__ import annotations

IMAGE_CLASSES = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.2.1",  # enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # legacy converted enhanced CT
        "1.2.840.10008.5.1.4.1.1.4",  # MR
        "1.2.840.10008.5.1.4.1.1.4.1",  # enhanced MR
        "1.2.840.10008.5.1.4.1.1.4.4",  # legacy converted enhanced MR
        "1.2.840.10008.5.1.4.1.1.128",  # PET
        "1.2.840.10008.5.1.4.1.1.130",  # enhanced PET
        "1.2.840.10008.5.1.4.1.1.128.1",  # legacy converted enhanced PET
        "1.2.840.10008.5.1.4.1.1.30",  # parametric map
    )
)
"""Storage classes of cross-sectional images; all others are kept as series without volumes."""
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
MASK_CLASSES = frozenset((SEG, LABEL_MAP_SEG, RTSTRUCT))
"""Storage classes of regions drawn on images."""
