"""Why RECIST 1.1 is not calculated for a patient whose lesions were drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bingcheng.compare.observation import Observation
from bingcheng.compare.response_lesions import MODALITIES
from bingcheng.compare.verdict import modality_of
from bingcheng.core.wording import Text, text


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutResponse:
    """A patient whose lesions have no response, and why."""

    patient: str
    reason: Text


def without_response(observations: Iterable[Observation], answered: Collection[str]) -> tuple[WithoutResponse, ...]:
    """The patients with a lesion and without a response, in their order.

    Parameters
    ----------
    observations : in any order.
    answered : patients who have one.
    """
    patients: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        if one.lesion is not None and one.patient not in answered:
            patients[one.patient].append(one)
    return tuple(WithoutResponse(patient=patient, reason=_why(mine)) for patient, mine in sorted(patients.items()))


def _why(drawn: Sequence[Observation]) -> Text:
    measured = [one for one in drawn if modality_of(one) in MODALITIES]
    if not measured:
        return text("RECIST 1.1 measures on CT or MR, and no lesion is drawn there.")
    if all(one.performed_at is None for one in measured):
        return text("The exams whose lesions are drawn have no date, so that none comes before another.")
    return text("One exam alone tells of the lesions: a response needs a later one in which they are drawn or matched.")
