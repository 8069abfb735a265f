"""One measured value: with its uncertainty and provenance, or with the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.core.errors import BingchengError, Owner
from bingcheng.core.provenance import Provenance
from bingcheng.core.wording import Text


class Tells(StrEnum):
    """Of what a measure of a whole series speaks."""

    SCANNER = "scanner"
    """How good the image is; hospitals are compared by it."""
    PATIENT = "patient"
    """What depends on the patient and not on the scanner; listed, but no hospital is judged by it."""
    EVIDENCE = "evidence"
    """What other parts of the program reason from; stored and written into tables, but not listed on pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoValue:
    """Why a measure gave no value, and who can mend that."""

    code: str
    reason: Text
    remedy: Text
    owner: Owner

    @staticmethod
    def of(error: BingchengError) -> NoValue:
        """The record of `error`."""
        return NoValue(
            code=error.code,
            reason=error.reason,
            remedy=Text(error.problem.remedy, error.reason.facts),
            owner=error.problem.owner,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The result of one measure on one subject.

    Parameters
    ----------
    key : the measure's key, ``measure`` or ``measure.part``.
    label, unit : as the measure describes them; unit is a UCUM code.
    value : None exactly when `no_value` is given.
    standard_uncertainty : k = 1, in `unit`; None where it is not known.
    tells : of what a value of a whole series speaks.
    """

    key: str
    label: str
    unit: str
    value: float | None
    standard_uncertainty: float | None
    no_value: NoValue | None
    provenance: Provenance
    tells: Tells = Tells.SCANNER

    @property
    def expanded_uncertainty(self) -> float | None:
        """With coverage factor 2: about 95 % (JCGM 100:2008, 6.2)."""
        return None if self.standard_uncertainty is None else 2.0 * self.standard_uncertainty
