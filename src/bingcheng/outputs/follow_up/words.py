"""What links of lesions between exams are called, on pages and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bingcheng.core.wording import Text, text
from bingcheng.outputs.assessment import LinkView, MatchedExams
from bingcheng.quantify.lesion.matching import LinkKind

LINK_WORDS: Mapping[LinkKind, Text] = MappingProxyType(
    {
        LinkKind.SAME: text("Same lesion"),
        LinkKind.SPLIT: text("Split"),
        LinkKind.MERGED: text("Merged"),
        LinkKind.REARRANGED: text("Several into several"),
        LinkKind.NEW: text("New"),
        LinkKind.VANISHED: text("Vanished"),
        LinkKind.OUTSIDE_EARLIER: text("Outside the earlier exam"),
        LinkKind.OUTSIDE_LATER: text("Outside the later exam"),
    }
)
NOTHING = "–"


def labels_of(labels: Sequence[str]) -> str:
    """The labels of the lesions on one side of a link; a dash for none."""
    return " + ".join(labels) or NOTHING


def certainty(view: LinkView) -> Text:
    """How sure a link is, and who said so."""
    if view.link.edited and view.by:
        return text("decided by {who}", who=view.by)
    if view.link.edited:
        return text("decided by a person")
    return text("{percent} % sure", percent=round(100.0 * view.link.confidence))


def whether_to_read(view: LinkView) -> Text | None:
    """That a reader has to look at the link; None if none has to."""
    return text("needs a reader") if view.link.needs_reader else None


def reasons(view: LinkView) -> tuple[Text, ...]:
    """Why a link is as it is; what a person wrote stands for itself."""
    if view.link.edited and view.why:
        return (text("{why}", why=view.why),)
    return view.link.reasons


def waiting(matched: Sequence[MatchedExams]) -> int:
    """How many links a reader has to look at."""
    return sum(view.link.needs_reader for exams in matched for view in exams.links)
