"""Which lesion of one exam is which of the next: links, how sure each is and why, and what people changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bingcheng.core.wording import Text


class LinkKind(StrEnum):
    """What became of lesions between two exams."""

    SAME = "same"
    SPLIT = "split"
    MERGED = "merged"
    REARRANGED = "rearranged"
    NEW = "new"
    VANISHED = "vanished"
    OUTSIDE_EARLIER = "outside the earlier exam"
    OUTSIDE_LATER = "outside the later exam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One lesion of one exam.

    Parameters
    ----------
    key : its name within the exam.
    label, tracking_uid : as drawn.
    volume_mm3 : of its region.
    """

    key: str
    label: str
    volume_mm3: float
    tracking_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What belongs together.

    Parameters
    ----------
    kind : follows from the numbers of members, and for a lone one from the fields of view.
    before, after : keys of its lesions in the earlier and the later exam, sorted.
    confidence : 0 to 1; 1 where identifiers or a person said so.
    needs_reader : whether a person has to look at it before anything is concluded.
    reasons : why.
    edited : whether a person decided it.
    """

    kind: LinkKind
    before: tuple[str, ...]
    after: tuple[str, ...]
    confidence: float
    needs_reader: bool
    reasons: tuple[Text, ...] = ()
    edited: bool = False


class Action(StrEnum):
    """What a person may do to a matching."""

    LINK = "link"
    UNLINK = "unlink"
    NEW = "new"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One decision of a person: these lesions belong together, or don't.

    Parameters
    ----------
    action : what was done.
    before, after : keys of the lesions in the earlier and the later exam.
    by, at, why : who, when (with time zone) and the reason given.
    """

    action: Action
    before: tuple[str, ...]
    after: tuple[str, ...]
    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The lesions of two exams and their links. Every lesion is in exactly one link.

    Parameters
    ----------
    before, after : all lesions of the earlier and the later exam.
    proposed : the links as computed.
    links : the links that hold, after all edits; in the order of their keys.
    contradictions : what identifiers say against what the images show.
    edits : what people changed, in the order of time.
    """

    before: tuple[Member, ...]
    after: tuple[Member, ...]
    proposed: tuple[Link, ...]
    links: tuple[Link, ...]
    contradictions: tuple[Text, ...] = ()
    edits: tuple[Edit, ...] = ()

    def of_before(self, key: str) -> Link:
        """The link of a lesion of the earlier exam; KeyError if there is no such lesion."""
        return next((link for link in self.links if key in link.before), None) or _missing(key)

    def of_after(self, key: str) -> Link:
        """The link of a lesion of the later exam; KeyError if there is no such lesion."""
        return next((link for link in self.links if key in link.after), None) or _missing(key)

    def volumes_mm3(self, link: Link) -> tuple[float, float]:
        """The volumes to compare: those of all fragments before and after, summed."""
        mine = {member.key: member.volume_mm3 for member in self.before}
        theirs = {member.key: member.volume_mm3 for member in self.after}
        return summed(link, mine, theirs)


def summed(link: Link, before: Mapping[str, float], after: Mapping[str, float]) -> tuple[float, float]:
    """An additive value (volume, diameter) of a link's lesions before and after.

    For diameters this is RECIST 1.1's rule (Eisenhauer, Eur J Cancer 2009;45:228, appendix II): fragments of a lesion
    that split are added, and lesions that coalesced count with the one diameter that they have together.
    """
    return sum(before[key] for key in link.before), sum(after[key] for key in link.after)


def kind_of(before: int, after: int) -> LinkKind:
    """What a link of so many lesions before and after is."""
    if before == 0:
        return LinkKind.NEW
    if after == 0:
        return LinkKind.VANISHED
    if before == 1:
        return LinkKind.SAME if after == 1 else LinkKind.SPLIT
    return LinkKind.MERGED if after == 1 else LinkKind.REARRANGED


def in_order(links: Iterable[Link]) -> tuple[Link, ...]:
    """Links by the keys of their lesions, those without an earlier lesion last."""
    return tuple(sorted(links, key=lambda link: (not link.before, link.before, link.after)))


def _missing(key: str) -> Link:
    raise KeyError(key)
