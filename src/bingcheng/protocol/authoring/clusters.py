"""Series of different exams that were made for the same purpose, told from what they show, not from their names.

A cluster is what its series have in common: content, weighting and plane of MR, contrast phase of CT, tracer of PET.
Where one exam holds two series of a cluster (for lung and for soft tissue, thin and thick), the sharpness of the
kernel and the slice thickness tell them apart if they do so in all exams.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.attributes import SURE, Reading, attributes
from bingcheng.protocol.demands import Evidence
from bingcheng.protocol.supplied import Supplied
from bingcheng.protocol.values import Value

TOLD_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "CT": ("derived.attenuation_ct", "derived.contrast_phase"),
        "MR": (
            "derived.content",
            "derived.weighting",
            "derived.plane",
            "derived.fat_suppressed",
            "derived.after_contrast",
            "derived.is_dynamic",
        ),
        "PT": ("derived.tracer", "derived.attenuation_corrected"),
    }
)
"""Quantities that tell for what a series was made, by modality, the most telling first."""
LEFT_OUT: Mapping[str, bool] = MappingProxyType(
    {"derived.is_localiser": True, "derived.is_reformatted": True, "derived.is_original": False}
)
"""Series of which these are known are no images to learn from."""
KERNEL = "derived.kernel_class"
SHARPNESS: tuple[tuple[str, ...], ...] = (("soft", "medium"), ("sharp", "very_sharp"))
"""Classes of kernels for soft tissue, and for lung and bone; vendors draw the line within each differently."""
THICKNESS = "SliceThickness"
APART = 1.25
"""The least ratio of two slice thicknesses that stand for two reconstructions; consoles offer steps of a quarter."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoodExam:
    """An exam to learn from: its series, and what was measured in them or answered about it."""

    acquisitions: Sequence[AnyAcquisition]
    supplied: Supplied = field(default_factory=Supplied)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """A series in a cluster, of the exam that stands at `exam`, and what tells its facts."""

    exam: int
    acquisition: AnyAcquisition
    evidence: Evidence

    def value(self, key: str) -> Value | None:
        """The quantity `key` of the series, if it is known for sure."""
        return sure(self.evidence.reading(attributes()[key], self.acquisition))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cluster:
    """Series made for the same purpose.

    `facts` are what they have in common, by key of the quantity; several values mean one of them. `thinner_than_mm`
    and `thicker_than_mm` bound the slice thickness where that tells them from another cluster.
    """

    modality: str
    facts: Mapping[str, Value]
    members: tuple[Member, ...]
    thinner_than_mm: float | None = None
    thicker_than_mm: float | None = None

    @property
    def exams(self) -> frozenset[int]:
        """The exams that have such a series."""
        return frozenset(member.exam for member in self.members)


def sure(reading: Reading) -> Value | None:
    """The value of a reading that leaves no doubt."""
    return reading.value if reading.certainty >= SURE else None


def clusters(exams: Sequence[GoodExam], modality: str, *, least: int) -> tuple[Cluster, ...]:
    """The clusters of `modality` that at least `least` exams have, those that most exams have first.

    Series of which less is known than of others are a cluster of their own, with what is known.
    """
    found: dict[tuple[tuple[str, Value], ...], list[Member]] = defaultdict(list)
    for place, exam in enumerate(exams):
        evidence = Evidence(exam.acquisitions, exam.supplied)
        for acquisition in exam.acquisitions:
            if acquisition.modality == modality:
                member = Member(exam=place, acquisition=acquisition, evidence=evidence)
                if all(member.value(key) is not unwanted for key, unwanted in LEFT_OUT.items() if _has(key, modality)):
                    found[_facts(member)].append(member)
    made = [
        part
        for facts, members in found.items()
        for whole in _by_sharpness(Cluster(modality=modality, facts=dict(facts), members=tuple(members)))
        for part in _by_thickness(whole)
        if len(part.exams) >= least
    ]
    return tuple(sorted(made, key=lambda one: (-len(one.exams), str(sorted(one.facts.items())), _thickness(one))))


def _has(key: str, modality: str) -> bool:
    modalities = attributes()[key].modalities
    return not modalities or modality in modalities


def _facts(member: Member) -> tuple[tuple[str, Value], ...]:
    keys = TOLD_BY.get(member.acquisition.modality, ())
    values = ((key, member.value(key)) for key in keys)
    return tuple((key, value) for key, value in values if value is not None)


def _by_sharpness(cluster: Cluster) -> Iterable[Cluster]:
    """The cluster, or its parts by the kernel's class where an exam has series of several."""
    if cluster.modality != "CT" or len(cluster.members) == len(cluster.exams):
        return (cluster,)
    classes = [member.value(KERNEL) for member in cluster.members]
    parts = [
        (group, tuple(m for m, known in zip(cluster.members, classes, strict=True) if known in group))
        for group in SHARPNESS
    ]
    if None in classes or not all(members for _, members in parts):
        return (cluster,)
    return [replace(cluster, facts={**cluster.facts, KERNEL: group}, members=members) for group, members in parts]


def _by_thickness(cluster: Cluster) -> Iterable[Cluster]:
    """The cluster, or its two parts where every exam that has several such series has them on both sides of a gap."""
    known = sorted({mm for member in cluster.members if (mm := _mm(member)) is not None})
    if len(cluster.members) == len(cluster.exams) or len(known) < 2 or any(_mm(m) is None for m in cluster.members):
        return (cluster,)
    ratio, thin, thick = max((high / low, low, high) for low, high in pairwise(known))
    if ratio < APART:
        return (cluster,)
    limit_mm = round((thin + thick) / 2.0, 2)
    below = tuple(member for member in cluster.members if (_mm(member) or 0.0) < limit_mm)
    above = tuple(member for member in cluster.members if (_mm(member) or 0.0) > limit_mm)
    # A split that leaves several series of an exam on one side has not told for what they were made.
    if any(len(part) != len({member.exam for member in part}) for part in (below, above)):
        return (cluster,)
    return (
        replace(cluster, members=below, thinner_than_mm=limit_mm),
        replace(cluster, members=above, thicker_than_mm=limit_mm),
    )


def _mm(member: Member) -> float | None:
    return member.acquisition.slice_thickness_mm or None


def _thickness(cluster: Cluster) -> float:
    return cluster.thinner_than_mm or cluster.thicker_than_mm or 0.0
