"""What holds of the lesions of a patient's exams: proposals with people's decisions applied to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.archive.matchings import Decision, Proposal
from bingcheng.compare.tracks import MatchedPair, NamedLesions, by_name, repeated
from bingcheng.quantify.lesion.matching import Edit, Matching
from bingcheng.quantify.lesion.matching_edits import edited


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Pairs of exams with all decisions that apply, and the decisions that speak of lesions that are no longer there.

    Parameters
    ----------
    pairs : in the order of the earlier, then the later exam in time.
    lost : decisions about exams or lesions that the workspace does not hold any more, or about exams that are two
        patients' now; they are kept, and hold again when the lesions come back, or the patients are one again.
    """

    pairs: tuple[MatchedPair, ...]
    lost: tuple[Decision, ...]


def held(
    exams: Mapping[str, NamedLesions],
    proposed: Sequence[Proposal],
    decided: Sequence[Decision],
    whose: Mapping[str, str] = MappingProxyType({}),
) -> Held:
    """What holds.

    Parameters
    ----------
    exams : all exams by UID, each patient's in time.
    proposed, decided : as they are stored.
    whose : the patients by the UIDs of the exams; empty where all exams are of one.
    """
    matchings: dict[tuple[str, str], dict[str, Matching]] = {}
    for one in proposed:
        pair = (one.pair.earlier_uid, one.pair.later_uid)
        if pair[0] not in exams or pair[1] not in exams or whose.get(pair[0]) != whose.get(pair[1]):
            continue
        if one.matching is not None:
            matchings.setdefault(pair, {})[one.pair.modality] = one.matching
        elif any(repeated(exams[uid].labels) for uid in pair):  # whose lesions numbers must not pair
            matchings.setdefault(pair, {}).setdefault("", by_name(exams[pair[0]], exams[pair[1]]))
    lost: list[Decision] = []
    for decision in decided:
        pair = (decision.earlier_uid, decision.later_uid)
        if whose.get(pair[0]) != whose.get(pair[1]) or not _known(exams, decision):
            lost.append(decision)
            continue
        here = matchings.setdefault(pair, {})
        meant = [modality for modality, matching in here.items() if _speaks_of(matching, decision.edit)]
        if not meant:  # lesions that were not matched by the images: names say what holds besides
            here.setdefault("", by_name(exams[pair[0]], exams[pair[1]]))
            meant = [""]
        for modality in meant:
            here[modality] = edited(here[modality], decision.edit)
    place = {uid: number for number, uid in enumerate(exams)}
    pairs = [
        MatchedPair(earlier_uid=pair[0], later_uid=pair[1], modality=modality, matching=matching)
        for pair, by_modality in sorted(matchings.items(), key=lambda one: (place[one[0][0]], place[one[0][1]]))
        for modality, matching in sorted(by_modality.items())
    ]
    return Held(pairs=tuple(pairs), lost=tuple(lost))


def _known(exams: Mapping[str, NamedLesions], decision: Decision) -> bool:
    """Whether all lesions that a decision speaks of are there."""
    earlier, later = exams.get(decision.earlier_uid), exams.get(decision.later_uid)
    if earlier is None or later is None:
        return False
    return set(decision.edit.before) <= set(earlier.labels) and set(decision.edit.after) <= set(later.labels)


def _speaks_of(matching: Matching, edit: Edit) -> bool:
    known = {one.key for one in matching.before}, {one.key for one in matching.after}
    return set(edit.before) <= known[0] and set(edit.after) <= known[1]
