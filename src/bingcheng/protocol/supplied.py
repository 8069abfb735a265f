"""What a judgement may rest on besides the headers: what was measured in the images, and what people said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.protocol.attributes import Supply, Told, attributes
from bingcheng.protocol.values import of_kind

UNFIT_SUPPLY = Problem(
    code="protocol.unfit-supply",
    says="'{name}' is no quantity of a protocol, or the value supplied for it is not of its kind",
    remedy="Supply values by the names and kinds that `bingcheng protocols` lists.",
    owner=Owner.OPERATOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """Values by attribute key, in the attribute's unit. They fill what no header says, and never overrule a header.

    Parameters
    ----------
    exam : of the exam, its patient or the department: glucose, EARL accreditation, days since an intervention.
    series : by UID of the series: what was measured in its image, such as the contrast phase.
    lesions : by name of the lesion: its diameters.

    Raises
    ------
    InputError
        ``protocol.unfit-supply``.
    """

    exam: Mapping[str, Supply] = field(default_factory=dict)
    series: Mapping[str, Mapping[str, Supply]] = field(default_factory=dict)
    lesions: Mapping[str, Mapping[str, Supply]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = attributes()
        for values in (self.exam, *self.series.values(), *self.lesions.values()):
            for key, supply in values.items():
                value = supply.value if isinstance(supply, Told) else supply
                if key not in known or not of_kind(value, known[key].kind):
                    raise InputError(UNFIT_SUPPLY, name=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """That a criterion need not be met, by whose decision, why and until when; the caller knows that it holds.

    Parameters
    ----------
    protocol, criterion : identifiers; a role's criterion is ``role.`` and its identifier.
    by, why : as entered by a person of the department; they are no patient data.
    until : last day, as ``2026-12-31``.
    """

    protocol: str
    criterion: str
    by: str
    why: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person said about a series: that it fills a role of a protocol, or that it does not."""

    protocol: str
    role: str
    fills: bool
