"""Windows by name: which values are shown from black to white."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.core.wording import Text, text


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWindow:
    """A window that people know by its name; centre and width in Hounsfield units."""

    label: Text
    center: float
    width: float


CT_WINDOWS: Mapping[str, NamedWindow] = MappingProxyType(
    {
        "soft": NamedWindow(label=text("Soft tissue"), center=40, width=400),
        "lung": NamedWindow(label=text("Lung"), center=-600, width=1500),
        "liver": NamedWindow(label=text("Liver"), center=60, width=160),
        "bone": NamedWindow(label=text("Bone"), center=400, width=1800),
        "brain": NamedWindow(label=text("Brain"), center=40, width=80),
    }
)
"""The usual windows of CT; soft tissue and lung as in the key images of the reports."""
OWN = "own"
"""The window that the image itself names."""
