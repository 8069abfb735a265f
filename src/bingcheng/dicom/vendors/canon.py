"""Canon (formerly Toshiba)."""

from __future__ import annotations

from bingcheng.dicom.vendors.vendor import Vendor

CANON = Vendor(name="CANON", words=("CANON", "TOSHIBA"))
