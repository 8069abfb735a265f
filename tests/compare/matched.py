"""Tracks over exams of a patient P1 whose lesions were matched, as the matching of images would leave them."""

from __future__ import annotations

from bingcheng.compare.tracks import MatchedPair, NamedLesions, tracks
from bingcheng.quantify.lesion.matching import Link, Matching, Member, kind_of


def followed(exams, *pairs):
    """Tracks over exams (names by day), with what was matched: (earlier, later, links, needs a reader)."""
    named = {
        day: NamedLesions(exam_uid=f"P1.{day}", labels={name: name for name in names}) for day, names in exams.items()
    }
    return tracks(
        {"P1": list(named.values())}, [_pair(named[a], named[b], links, **more) for a, b, links, more in pairs]
    )


def _pair(earlier, later, groups, *, doubted=(), confidence=0.97, kinds=None, edit=None):
    """The matching of two exams; of its links those that are `doubted` need a reader."""
    links = tuple(
        Link(
            kind=(kinds or {}).get((before, after)) or kind_of(len(before), len(after)),
            before=tuple(before),
            after=tuple(after),
            confidence=confidence,
            needs_reader=(before, after) in doubted,
        )
        for before, after in groups
    )
    before, after = (
        tuple(Member(key=name, label=name, volume_mm3=1.0) for name in exam.labels) for exam in (earlier, later)
    )
    matching = Matching(before=before, after=after, proposed=links, links=links)
    if edit is not None:
        matching = edit(matching)
    return MatchedPair(earlier_uid=earlier.exam_uid, later_uid=later.exam_uid, modality="CT", matching=matching)
