"""Re-segmentation: which voxels of a lesion have intensities that count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.quantify.radiomics import validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Resegmentation:
    """Range (IBSI USB3) and outlier (IBSI 7ACA) re-segmentation; both leave the morphological mask as drawn.

    Parameters
    ----------
    low, high : the closed range of intensities that stay, in the image's unit; None leaves that end open.
    outlier_sd : voxels further than this many standard deviations from the lesion's mean are left out; None keeps
        them. The manual and Collewet et al. (Magn Reson Imaging 2004;22:81-91) use 3.
    """

    low: float | None = None
    high: float | None = None
    outlier_sd: float | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, validation.number(f"resegmentation.{name}", value))
        if self.low is not None and self.high is not None and self.low > self.high:
            raise validation.not_allowed("resegmentation.low", self.low, f"a number up to {self.high:g}")
        if self.outlier_sd is not None:
            checked = validation.number("resegmentation.outlier_sd", self.outlier_sd, above=0.0)
            object.__setattr__(self, "outlier_sd", checked)

    @property
    def active(self) -> bool:
        """Whether any voxel may be left out."""
        return self.low is not None or self.high is not None or self.outlier_sd is not None

    def limits(self, values: NDArray[Any]) -> tuple[float, float]:
        """The closed range of intensities that stay, of a lesion with intensities `values` (n,); n may be 0.

        With both methods it is the intersection of the two ranges: mean and standard deviation (of the lesion as a
        population, not as a sample) are those of all its voxels, as the manual has it, not of those in the range.
        """
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        if self.outlier_sd is not None and values.size:
            mean, sd = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
            low, high = max(low, mean - self.outlier_sd * sd), min(high, mean + self.outlier_sd * sd)
        return low, high


def resegmented(intensity: NDArray[Any], mask: NDArray[np.bool_], rules: Resegmentation) -> NDArray[np.bool_]:
    """The voxels (z, y, x) of `mask` whose intensity stays; `mask` itself if the rules leave out none."""
    if not rules.active:
        return mask
    values = intensity[mask]
    # As numbers of double precision: a limit beyond single precision must not be made one of it.
    low, high = (np.float64(limit) for limit in rules.limits(values))
    stays = (values >= low) & (values <= high)
    if stays.all():
        return mask
    found = np.zeros(mask.shape, dtype=bool)
    found[mask] = stays
    return found
