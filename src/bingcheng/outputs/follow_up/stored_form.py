"""How lesions were matched between exams, in the JSON of an assessment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bingcheng.compare.tracks import FollowedLink
from bingcheng.core.wording import Text
from bingcheng.outputs.assessment import LinkView, MatchedExams
from bingcheng.outputs.follow_up.words import reasons
from bingcheng.quantify.lesion.matching import Link

Json = dict[str, Any]
Say = Callable[[Text | str], str]


def matched_as_json(matched: MatchedExams, say: Say) -> Json:
    """One pair of exams with its links."""
    return {
        "patient": matched.patient,
        "earlier": {"exam": matched.earlier_uid, "label": matched.earlier},
        "later": {"exam": matched.later_uid, "label": matched.later},
        "modality": matched.modality or None,
        "links": [_view(view, say) for view in matched.links],
        "contradictions": [say(one) for one in matched.contradictions],
    }


def link_as_json(one: FollowedLink, say: Say) -> Json:
    """One link of a lesion's way through the exams."""
    return {
        "earlier_exam": one.earlier_uid,
        "later_exam": one.later_uid,
        "modality": one.modality or None,
        **_link(one.link),
        "reasons": [say(reason) for reason in one.link.reasons],
    }


def _view(view: LinkView, say: Say) -> Json:
    return {
        **_link(view.link),
        "labels_before": list(view.before),
        "labels_after": list(view.after),
        "reasons": [say(reason) for reason in reasons(view)],
        "decided_by": view.by or None,
        "decided_because": view.why or None,
    }


def _link(link: Link) -> Json:
    return {
        "kind": link.kind.value,
        "before": list(link.before),
        "after": list(link.after),
        "confidence": link.confidence,
        "needs_reader": link.needs_reader,
        "decided": link.edited,
    }
