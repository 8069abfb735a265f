"""How far a registration may be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.registration.displacement import Displacement


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What a registration came to.

    Parameters
    ----------
    likeness_before : correlation of the two exams' values in the body where it began: in place if they share a frame
        of reference, else where they overlap best.
    likeness_rigid : the same after the rigid motion.
    likeness_after : the same after the deformation.
    overlap : share of the smaller body that both exams show, 0 to 1.
    folded : share of the body in which the map turns inside out, 0 to 1.
    inverse_error_mm : 95th percentile, over the body, of how far a point comes back from itself when the exams are
        also deformed the other way, both without the finest resolution; None without a deformation.
    """

    likeness_before: float
    likeness_rigid: float
    likeness_after: float
    overlap: float
    folded: float
    inverse_error_mm: float | None

    @property
    def confidence(self) -> float:
        """How sure it is that most of the body's points lie within 5 mm of the truth, 0 to 1.

        A logistic curve in likeness and inverse error. Generated pairs of one body (correlation 0.94 or more, inverse
        error 3.4 mm or less) and of two parts of a trunk (0.82 or less, 5.3 mm or more) separate wholly, so any steep
        curve would fit; the weights are set by hand between both groups, gently, for real pairs lie between them.
        ``tools/registration_tables.py --fit registration`` shows the pairs. It ranks registrations; it promises
        nothing for one lesion, and it can't tell one patient from another of like build.
        """
        if self.inverse_error_mm is None:
            score = RIGID_CONFIDENCE[0] + RIGID_CONFIDENCE[1] * self.likeness_after
        else:
            error = min(self.inverse_error_mm, 20.0)
            score = CONFIDENCE[0] + CONFIDENCE[1] * self.likeness_after + CONFIDENCE[2] * error
        return 1.0 / (1.0 + math.exp(-score)) * min(1.0, self.overlap / 0.5)


RIGID_CONFIDENCE = (-7.0, 10.0)
"""Intercept and weight of the likeness where nothing was deformed; set by hand between generated pairs of one body
(0.58 to 0.98) and of two parts of it (0.25 to 0.87): where they overlap, only a deformation tells them apart."""
CONFIDENCE = (-13.0, 20.0, -0.9)
"""Intercept, weight of the likeness, weight of the inverse error a mm; see `Quality.confidence`."""


def correlation(one: NDArray[np.float32], two: NDArray[np.float32], within: NDArray[np.bool_]) -> float:
    """Pearson's correlation of two images (z, y, x) in a mask; 0 where one of them is constant or the mask empty."""
    a, b = one[within].astype(float), two[within].astype(float)
    if a.size < 2:
        return 0.0
    a -= a.mean()
    b -= b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / spread if spread > 0.0 else 0.0


def inverse_error_mm(ahead: Displacement, behind: Displacement, points_mm: NDArray[np.float64]) -> float:
    """95th percentile of the distance between points (n, 3) and where they come back."""
    if len(points_mm) == 0:
        return 0.0
    return float(np.percentile(np.linalg.norm(behind(ahead(points_mm)) - points_mm, axis=1), 95))


def folded(field: Displacement, within: NDArray[np.bool_]) -> float:
    """The share of the mask in which the field's map turns inside out."""
    return float((field.determinants()[within] <= 0.0).mean()) if within.any() else 0.0
