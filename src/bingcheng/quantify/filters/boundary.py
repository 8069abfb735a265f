"""What an image is taken to be beyond its edge, for filters that look there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem

UNKNOWN_BOUNDARY = Problem(
    code="quantify.unknown-boundary",
    says="the boundary condition {given} isn't known; known are {known}",
    remedy="Name a known boundary condition, or give a constant intensity.",
    owner=Owner.PHYSICIST,
)


class Beyond(StrEnum):
    """Kinds of boundary condition of the IBSI 2 reference manual (section on boundary conditions)."""

    CONSTANT = "constant"
    NEAREST = "nearest"
    PERIODIC = "periodize"
    MIRROR = "mirror"


NUMPY_MODES: Mapping[Beyond, str] = MappingProxyType(
    {
        Beyond.CONSTANT: "constant",
        Beyond.NEAREST: "edge",
        Beyond.PERIODIC: "wrap",
        Beyond.MIRROR: "symmetric",
    }
)
"""What `numpy.pad` calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """One boundary condition.

    Parameters
    ----------
    beyond : ``constant``, ``nearest`` (the edge voxel repeats), ``periodize`` (the image repeats) or ``mirror``
        (the image is mirrored at the outer faces of its edge voxels, which therefore occur twice).
    constant : intensity outside the image for ``constant``; 0 makes it the manual's zero padding.

    Raises
    ------
    InputError
        ``quantify.unknown-boundary``.
    """

    beyond: Beyond
    constant: float = 0.0

    def __post_init__(self) -> None:
        if not isfinite(self.constant) or (self.constant and self.beyond is not Beyond.CONSTANT):
            raise _unknown(f"{self.beyond}: {self.constant}")

    @staticmethod
    def of(given: object) -> Boundary:
        """The boundary condition of its plain form: its name, ``zero``, or ``{"constant": intensity}``.

        Raises
        ------
        InputError
            ``quantify.unknown-boundary``.
        """
        if isinstance(given, Boundary):
            return given
        if isinstance(given, Mapping):
            return _constant(given)
        if given == "zero":
            return ZERO
        try:
            return Boundary(beyond=Beyond(str(given)))
        except ValueError:
            raise _unknown(str(given)) from None

    def plain(self) -> object:
        """The form that `of` reads."""
        if self.beyond is not Beyond.CONSTANT:
            return str(self.beyond)
        return {"constant": self.constant} if self.constant else "zero"

    def indices(self, size: int, before: int, after: int) -> NDArray[np.int64]:
        """Which of `size` voxels of a line each place of the padded line takes its intensity from.

        Parameters
        ----------
        size : voxels of the line, at least 1.
        before, after : places beyond the first and the last voxel, any number.

        Returns
        -------
        (before + size + after,): indices from 0 to size - 1, or -1 for the constant.
        """
        place = np.arange(-before, size + after)
        if self.beyond is Beyond.CONSTANT:
            return np.where((place < 0) | (place >= size), -1, place)
        if self.beyond is Beyond.NEAREST:
            return np.clip(place, 0, size - 1)
        if self.beyond is Beyond.PERIODIC:
            return place % size
        folded = place % (2 * size)
        return np.where(folded < size, folded, 2 * size - 1 - folded)


ZERO = Boundary(beyond=Beyond.CONSTANT)
NEAREST = Boundary(beyond=Beyond.NEAREST)
PERIODIC = Boundary(beyond=Beyond.PERIODIC)
MIRROR = Boundary(beyond=Beyond.MIRROR)


def _constant(given: Mapping[object, object]) -> Boundary:
    value = given.get("constant")
    if list(given) != ["constant"] or isinstance(value, bool) or not isinstance(value, int | float):
        raise _unknown(str(dict(given)))
    return Boundary(beyond=Beyond.CONSTANT, constant=float(value))


def _unknown(given: str) -> InputError:
    return InputError(UNKNOWN_BOUNDARY, given=given, known=", ".join(["zero", *Beyond]))
