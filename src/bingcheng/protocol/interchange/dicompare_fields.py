"""Which quantity of ours a field of dicompare is, and how their values correspond.

Fields are DICOM keywords in DICOM's own units, which ours under the same keyword share. Source: dicompare's published
schema format (metaschema v1) and DICOM PS3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydicom.datadict import tag_for_keyword

from bingcheng.protocol.attributes import About, Attribute, attributes

SAME_AS: Mapping[str, str] = MappingProxyType(
    {
        "Manufacturer": "derived.vendor",
        "DiffusionBValue": "derived.b_values",
        "NumberOfTemporalPositions": "derived.n_phases",
        "ReceiveCoilType": "derived.coil_type",
    }
)
"""Fields that are a quantity of ours under another name."""

OTHER_MEANING = frozenset(("AcquisitionMatrix",))
"""Quantities under a DICOM keyword that are a part of that entry only: the base matrix of the four numbers."""


def attribute_of(field: str) -> Attribute | None:
    """The quantity that a field is; None if we have none."""
    key = SAME_AS.get(field, field)
    if key not in attributes():
        return None
    found = attributes()[key]
    return found if found.about is About.SERIES and (key == field or field in SAME_AS) else None


def field_of(attribute: Attribute) -> str | None:
    """The field that a quantity is; None if dicompare, which knows DICOM keywords only, has none."""
    for field, key in SAME_AS.items():
        if key == attribute.key:
            return field
    if attribute.key in OTHER_MEANING:
        return None
    return attribute.key if tag_for_keyword(attribute.key) is not None else None


def tag_of(field: str) -> str | None:
    """The DICOM tag of a field as dicompare writes it, ``0018,0081``."""
    tag = tag_for_keyword(field)
    return None if tag is None else f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
