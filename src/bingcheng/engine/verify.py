"""The acceptance test: every shipped reference recomputed on this machine, plug-ins included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bingcheng.core.case import Case, Methods
from bingcheng.core.measure import Measure, Reference
from bingcheng.core.wording import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One reference, recomputed. `value` is None where the measure gave none; `reason` says why."""

    key: str
    reference: Reference
    unit: str
    value: float | None
    reason: Text | None

    @property
    def met(self) -> bool:
        """Whether the value lies within the reference's tolerance."""
        return self.value is not None and self.reference.accepts(self.value)


def verified(methods: Methods) -> Iterator[Verified]:
    """Each reference of each measure, recomputed, in the order of the measures' keys."""
    for measure in methods.measures:
        for reference in measure.references:
            yield _recomputed(methods, measure, reference)


def _recomputed(methods: Methods, measure: Measure, reference: Reference) -> Verified:
    modality = min(measure.modalities)
    givens = reference.case()
    modality = str(getattr(givens.get("acquisition"), "modality", modality))
    case = Case(methods, givens, modality=modality)
    wanted = measure.key if reference.part is None else f"{measure.key}.{reference.part}"
    found = {single.key: single for single in case.measured(measure)}[wanted]
    return Verified(
        key=wanted,
        reference=reference,
        unit=found.unit,
        value=found.value,
        reason=None if found.no_value is None else found.no_value.reason,
    )
