"""What became of one parameter of a pyradiomics file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text

MALFORMED = Problem(
    code="quantify.pyradiomics-malformed",
    says="'{name}' of the pyradiomics file is {value}; allowed is {allowed}",
    remedy="Correct the parameter file as the documentation of pyradiomics describes it.",
    owner=Owner.PHYSICIST,
)


class Fit(StrEnum):
    """How a parameter was taken over."""

    SAME = "the same"
    DIFFERS = "with a difference"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One parameter: its name in the file, what was given, how it was taken over, and what that means.

    `given` is empty where the file says nothing and pyradiomics' own default counts.
    """

    name: str
    given: str
    fit: Fit
    says: Text


def malformed(name: str, value: object, allowed: str) -> InputError:
    """The error of a parameter that pyradiomics itself would not take."""
    return InputError(MALFORMED, name=name, value=str(value), allowed=allowed)
