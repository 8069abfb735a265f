"""The acceptance test: every shipped reference recomputed on this machine, plug-ins included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bingcheng.core.case import Case, Methods
from bingcheng.core.errors import BingchengError, Owner, Problem, Undefined
from bingcheng.core.measure import Measure, Reference
from bingcheng.core.wording import Text

NO_REFERENCE = Problem(
    code="engine.no-reference",
    says="the measure has no reference by which it could be verified",
    remedy="Give it at least one case with a known answer.",
    owner=Owner.DEVELOPER,
)
CASE_FAILED = Problem(
    code="engine.case-failed",
    says="the case of the reference can't be made ({error})",
    remedy="Report it to whoever maintains the measure.",
    owner=Owner.DEVELOPER,
)
NO_SUCH_PART = Problem(
    code="engine.no-such-part",
    says="the measure gave no value '{key}'",
    remedy="Report it to whoever maintains the measure.",
    owner=Owner.DEVELOPER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One reference, recomputed.

    Parameters
    ----------
    key : of the measure, or of the part that the reference speaks of.
    reference : None for a measure that has none, which is never met.
    value : None where the measure gave none; `reason` says why.
    """

    key: str
    reference: Reference | None
    unit: str
    value: float | None
    reason: Text | None

    @property
    def met(self) -> bool:
        """Whether the value lies within the reference's tolerance."""
        return self.reference is not None and self.value is not None and self.reference.accepts(self.value)


def verified(methods: Methods) -> Iterator[Verified]:
    """Each reference of each measure, recomputed, in the order of the measures' keys."""
    for measure in methods.measures:
        for reference in measure.references:
            yield _recomputed(methods, measure, reference)
        if not measure.references:
            yield _unmet(measure.key, None, measure.unit, Undefined(NO_REFERENCE))


def _recomputed(methods: Methods, measure: Measure, reference: Reference) -> Verified:
    wanted = measure.key if reference.part is None else f"{measure.key}.{reference.part}"
    try:
        givens = reference.case()
    except BingchengError as error:
        return _unmet(wanted, reference, measure.unit, error)
    except Exception as error:  # noqa: BLE001 - a plug-in's own fault is a reference that is not met, not the end
        return _unmet(wanted, reference, measure.unit, Undefined(CASE_FAILED, error=type(error).__name__))
    modality = str(getattr(givens.get("acquisition"), "modality", min(measure.modalities)))
    case = Case(methods, givens, modality=modality)
    found = {single.key: single for single in case.measured(measure)}.get(wanted)
    if found is None:
        return _unmet(wanted, reference, measure.unit, Undefined(NO_SUCH_PART, key=wanted))
    return Verified(
        key=wanted,
        reference=reference,
        unit=found.unit,
        value=found.value,
        reason=None if found.no_value is None else found.no_value.reason,
    )


def _unmet(key: str, reference: Reference | None, unit: str, error: BingchengError) -> Verified:
    return Verified(key=key, reference=reference, unit=unit, value=None, reason=error.reason)
