"""Which lesions RECIST 1.1 measures: those that are large enough, the largest first, as nobody has named targets.

Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 3.1.1, 4.2 and 4.3: measurable is a longest diameter of 10 mm,
or of twice the slice thickness, and of lymph nodes a short axis of 15 mm; at most five targets, at most two of an
organ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bingcheng.compare.observation import Observation
from bingcheng.compare.tracks import FollowedLink
from bingcheng.compare.verdict import modality_of
from bingcheng.core.wording import Text, text

MODALITIES = ("CT", "MR")
"""Those on which RECIST measures, in the order in which they are taken."""
MOST_TARGETS, MOST_OF_ORGAN = 5, 2
SMALLEST_MM, SMALLEST_NODE_MM, SLICES = 10.0, 15.0, 2.0
NODE = re.compile(r"\blymph(?!om)|\bnod(?:es?|al)\b|\bln\b|淋巴(?!瘤)", re.IGNORECASE)
"""Words in a label that say that a lesion is a lymph node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLesion:
    """One lesion in one exam; uncertainties are standard ones, None where they are not known."""

    longest_mm: float | None
    short_mm: float | None
    thickness_mm: float | None
    organ: str | None
    longest_uncertainty_mm: float | None = None
    short_uncertainty_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecistLesion:
    """One lesion over a patient's exams.

    Parameters
    ----------
    seen : by exam.
    links : how it was matched, in time.
    """

    track: str
    label: str
    node: bool
    seen: Mapping[str, SeenLesion]
    links: tuple[FollowedLink, ...]

    def size_mm(self, exam_uid: str) -> float | None:
        """The size that counts for RECIST in an exam where it is drawn."""
        found = self.seen[exam_uid]
        return found.short_mm if self.node else found.longest_mm

    def uncertainty_mm(self, exam_uid: str) -> float | None:
        """The standard uncertainty of that size; 0 in an exam where the lesion is not drawn."""
        found = self.seen.get(exam_uid)
        if found is None:
            return 0.0
        return found.short_uncertainty_mm if self.node else found.longest_uncertainty_mm


def recist_modality(drawn: Sequence[Observation]) -> str:
    """Of the modalities with lesions the one of the earliest exam; CT before MR."""
    first = {modality: [one for one in drawn if modality_of(one) == modality] for modality in MODALITIES}
    known = [
        (min(one.performed_at for one in mine if one.performed_at), number, modality)
        for number, (modality, mine) in enumerate(first.items())
        if mine
    ]
    return min(known)[2] if known else MODALITIES[0]


def seen_in(series: Sequence[Sequence[Observation]]) -> SeenLesion:
    """The lesion in the exam's series with the thinnest slices on which it has a diameter."""
    found = [_in_series(one) for one in series]
    with_size = [one for one in found if one.longest_mm is not None] or found
    return min(with_size, key=lambda one: (one.thickness_mm is None, one.thickness_mm or 0.0))


def _in_series(observations: Sequence[Observation]) -> SeenLesion:
    found = {one.measurement.key: one.measurement for one in observations}
    longest, short = found.get("longest_diameter"), found.get("short_axis")
    thickness, organ = (observations[0].conditions.get(name) for name in ("slice_thickness_mm", "organ"))
    return SeenLesion(
        longest_mm=None if longest is None else longest.value,
        short_mm=None if short is None else short.value,
        thickness_mm=float(thickness) if isinstance(thickness, int | float) else None,
        organ=organ.casefold() if isinstance(organ, str) else None,
        longest_uncertainty_mm=None if longest is None else longest.standard_uncertainty,
        short_uncertainty_mm=None if short is None else short.standard_uncertainty,
    )


def chosen_targets(lesions: Sequence[RecistLesion], baseline: str) -> tuple[list[RecistLesion], tuple[Text, ...]]:
    """The lesions of the baseline to measure, and what to say of the choice."""
    remarks = [text("Targets are the largest measurable lesions of the first exam; a reader may have chosen others.")]
    measurable = sorted(
        (one for one in lesions if _measurable(one, baseline)),
        key=lambda one: (-(one.size_mm(baseline) or 0.0), one.track),
    )
    chosen: list[RecistLesion] = []
    of_organ: dict[str, int] = defaultdict(int)
    for one in measurable:
        organ = "lymph node" if one.node else one.seen[baseline].organ
        if len(chosen) < MOST_TARGETS and (organ is None or of_organ[organ] < MOST_OF_ORGAN):
            chosen.append(one)
            of_organ[organ or ""] += 1
    if any(not one.node and one.seen[baseline].organ is None for one in chosen) and len(chosen) > MOST_OF_ORGAN:
        remarks.append(
            text("In which organs they lie is not known, so that more than two of an organ may be among them.")
        )
    if not chosen:
        remarks.append(text("No lesion of the first exam is measurable: only non-targets are followed."))
    return chosen, tuple(remarks)


def _measurable(one: RecistLesion, baseline: str) -> bool:
    size, thickness = one.size_mm(baseline), one.seen[baseline].thickness_mm
    if size is None or thickness is None:
        return False
    return size >= (SMALLEST_NODE_MM if one.node else max(SMALLEST_MM, SLICES * thickness))
