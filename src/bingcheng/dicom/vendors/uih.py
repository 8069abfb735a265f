"""United Imaging Healthcare (联影)."""

from __future__ import annotations

from bingcheng.dicom.vendors.vendor import Vendor

UIH = Vendor(name="UIH", words=("UIH", "UNITED IMAGING", "UNITED-IMAGING", "联影"))
