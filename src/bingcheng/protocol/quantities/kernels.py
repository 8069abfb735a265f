"""How sharp a CT was reconstructed: as the name of its kernel says, and whether the image agrees."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.quantities.outside.image import EDGE_F50
from bingcheng.protocol.values import Kind

CLASSES = {
    "soft": text("soft"),
    "medium": text("medium"),
    "sharp": text("sharp"),
    "very_sharp": text("very sharp"),
}
KERNEL_NOT_CLASSED = Problem(
    code="protocol.kernel-not-classed",
    says="how sharp this kernel is, is not known for scanners of this vendor",
    remedy="Ask the vendor how sharp the kernel is; then have it added to the table of kernels.",
    owner=Owner.PHYSICIST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """A pattern of kernel names of one vendor, and the class that they belong to."""

    vendor: str
    pattern: re.Pattern[str]
    lowest: int
    highest: int
    sharpness: str

    def fits(self, vendor: str, name: str) -> bool:
        found = self.pattern.fullmatch(name) if vendor == self.vendor else None
        if found is None:
            return False
        number = found.groupdict().get("number")
        return number is None or self.lowest <= int(number) <= self.highest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kernels:
    """The content of ``kernels.toml``."""

    f50_per_mm: Mapping[str, tuple[float, float]]
    names: tuple[_Name, ...]


@attribute(
    "derived.kernel_class",
    label=text("sharpness of the kernel by its name"),
    kind=Kind.WORD,
    words=CLASSES,
    source="vendors' kernel names as tabled in kernels.toml",
)
def kernel_class(acquisition: CtAcquisition) -> str | None:
    """The class of the kernel's name (0018,1210), which PS3.3 C.8.2.1 leaves to the vendor.

    Raises
    ------
    Undefined
        ``protocol.kernel-not-classed``.
    """
    name, vendor = acquisition.convolution_kernel, acquisition.device.vendor
    if not name or vendor is None:
        return None
    found = _class_of(vendor, name)
    if found is None:
        raise Undefined(KERNEL_NOT_CLASSED)
    return found


@attribute(
    "derived.kernel_agrees",
    label=text("kernel and resolution agree"),
    kind=Kind.FLAG,
    why=text("the header names no kernel, or the resolution was not measured in the image"),
    owner=Owner.PHYSICIST,
)
def kernel_agrees(acquisition: CtAcquisition, exam: ExamFacts) -> Told | None:
    """Whether the resolution at the patient's edge lies where kernels of that class can have it.

    Raises
    ------
    Undefined
        ``protocol.kernel-not-classed``.
    """
    measured = exam.measured_in(acquisition, EDGE_F50.key)
    f50_per_mm = measured.value if isinstance(measured, Told) else measured
    sharpness = kernel_class(acquisition)
    if sharpness is None or not isinstance(f50_per_mm, int | float):
        return None
    low, high = _kernels().f50_per_mm[sharpness]
    agrees = low <= f50_per_mm <= high
    remark = text(
        "{kernel} is by its name a kernel that is {sharpness} (f50 of {low} to {high} /mm); the image shows {f50} /mm",
        kernel=str(acquisition.convolution_kernel),
        sharpness=CLASSES[sharpness],
        low=low,
        high=high,
        f50=round(f50_per_mm, 2),
    )
    return Told(agrees, remark)


@lru_cache(maxsize=1024)
def _class_of(vendor: str, name: str) -> str | None:
    # Siemens adds the strength of the iteration after a backslash; blanks and case vary.
    plain = name.split("\\", maxsplit=1)[0].strip().upper()
    return next((one.sharpness for one in _kernels().names if one.fits(vendor, plain)), None)


@cache
def _kernels() -> _Kernels:
    source = files("bingcheng.protocol.quantities").joinpath("kernels.toml").read_text(encoding="utf-8")
    content: dict[str, Any] = tomllib.loads(source)
    return _Kernels(
        f50_per_mm=MappingProxyType({key: tuple(one["f50_per_mm"]) for key, one in content["classes"].items()}),
        names=tuple(
            _Name(
                vendor=one["vendor"],
                pattern=re.compile(one["pattern"]),
                lowest=one.get("from", 0),
                highest=one.get("to", 99),
                sharpness=one["class"],
            )
            for one in content["names"]
        ),
    )
