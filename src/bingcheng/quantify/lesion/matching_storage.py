"""A matching as plain mappings, lists, strings and numbers, for JSON or a database, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from typing import Any

from bingcheng.core.wording import Text
from bingcheng.quantify.lesion.matching import Action, Edit, Link, LinkKind, Matching, Member
from bingcheng.quantify.lesion.matching_edits import edited

FORM = "bingcheng.matching/1"
"""Type and version of the stored form."""


def as_mapping(matching: Matching) -> dict[str, object]:
    """The matching as what JSON can hold; the links that hold are not stored, they follow from the edits."""
    return {
        "form": FORM,
        "before": [_member(member) for member in matching.before],
        "after": [_member(member) for member in matching.after],
        "proposed": [_link(link) for link in matching.proposed],
        "contradictions": [one.as_json() for one in matching.contradictions],
        "edits": [_edit(edit) for edit in matching.edits],
    }


def from_mapping(stored: Mapping[str, Any]) -> Matching:
    """The matching that `as_mapping` wrote; ValueError if it is of another form."""
    if stored.get("form") != FORM:
        raise ValueError(f"not a stored matching of the form {FORM}")
    proposed = tuple(_link_from(one) for one in stored["proposed"])
    first = Matching(
        before=tuple(Member(**one) for one in stored["before"]),
        after=tuple(Member(**one) for one in stored["after"]),
        proposed=proposed,
        links=proposed,
        contradictions=tuple(Text.from_json(one) for one in stored["contradictions"]),
    )
    return reduce(edited, (_edit_from(one) for one in stored["edits"]), first)


def _member(member: Member) -> dict[str, object]:
    return {
        "key": member.key,
        "label": member.label,
        "volume_mm3": member.volume_mm3,
        "tracking_uid": member.tracking_uid,
    }


def _link(link: Link) -> dict[str, object]:
    return {
        "kind": str(link.kind),
        "before": list(link.before),
        "after": list(link.after),
        "confidence": link.confidence,
        "needs_reader": link.needs_reader,
        "reasons": [reason.as_json() for reason in link.reasons],
        "edited": link.edited,
    }


def _link_from(stored: Mapping[str, Any]) -> Link:
    return Link(
        kind=LinkKind(stored["kind"]),
        before=tuple(stored["before"]),
        after=tuple(stored["after"]),
        confidence=float(stored["confidence"]),
        needs_reader=bool(stored["needs_reader"]),
        reasons=tuple(Text.from_json(one) for one in stored["reasons"]),
        edited=bool(stored["edited"]),
    )


def _edit(edit: Edit) -> dict[str, object]:
    return {
        "action": str(edit.action),
        "before": list(edit.before),
        "after": list(edit.after),
        "by": edit.by,
        "at": edit.at.isoformat(),
        "why": edit.why,
    }


def _edit_from(stored: Mapping[str, Any]) -> Edit:
    return Edit(
        action=Action(stored["action"]),
        before=tuple(stored["before"]),
        after=tuple(stored["after"]),
        by=str(stored["by"]),
        at=datetime.fromisoformat(stored["at"]),
        why=str(stored["why"]),
    )
