"""Facts of the department: what it is accredited for, and when what was tested."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute, outside
from bingcheng.protocol.values import Kind

ASK_SITE = text("Ask the department's quality manager and enter the answer.")


def _site(key: str, label: Text, *, unit: str = "1", kind: Kind = Kind.NUMBER, ages: bool = False) -> Attribute:
    why = text("this is a fact of the department, not of an exam: {what}", what=label)
    return outside(key, label=label, kind=kind, unit=unit, why=why, supply=ASK_SITE, owner=Owner.PHYSICIST, ages=ages)


EARL = _site("site.earl_accredited_recon", text("the reconstruction is EARL-accredited"), kind=Kind.FLAG)
PHANTOM_INTERVAL = _site("site.phantom_interval_days", text("days since the last phantom scan"), unit="d", ages=True)
KERNEL_WITHOUT_ENHANCEMENT = _site(
    "site.kernel_without_edge_enhancement",
    text("the kernel is the sharpest of the scanner that does not enhance edges"),
    kind=Kind.FLAG,
)
SINCE_NORMALIZATION = _site(
    "site.normalization_interval_days", text("days since the last test: normalisation"), unit="d", ages=True
)
SINCE_CROSS_CALIBRATION = _site(
    "site.cross_calibration_interval_days", text("days since the last test: cross calibration"), unit="d", ages=True
)
SINCE_ATTENUATION_CALIBRATION = _site(
    "site.attenuation_calibration_interval_days",
    text("days since the last test: attenuation calibration"),
    unit="d",
    ages=True,
)
SINCE_SENSITIVITY = _site(
    "site.sensitivity_interval_days", text("days since the last test: sensitivity"), unit="d", ages=True
)
SINCE_SPATIAL_RESOLUTION = _site(
    "site.spatial_resolution_interval_days", text("days since the last test: spatial resolution"), unit="d", ages=True
)
SINCE_IMAGE_QUALITY = _site(
    "site.image_quality_interval_days", text("days since the last test: image quality"), unit="d", ages=True
)
