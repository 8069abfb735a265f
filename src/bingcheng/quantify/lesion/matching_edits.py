"""What people may change of a matching: link, unlink, declare new or vanished; each with who, when and why, and undo.

A matching is never changed: each function gives another one, which holds the links as first proposed and all edits in
order. So the history can be shown, stored, and taken back step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import text
from bingcheng.quantify.lesion.matching import Action, Edit, Link, LinkKind, Matching, in_order, kind_of

UNKNOWN_LESION = Problem(
    code="quantify.matching-unknown-lesion",
    says="the matching has no lesion {key}",
    remedy="Name a lesion as the list of lesions does.",
    owner=Owner.RADIOLOGIST,
)
NOTHING_TO_LINK = Problem(
    code="quantify.matching-nothing-to-link",
    says="a link needs a lesion of each exam",
    remedy="Name at least one lesion of the earlier exam and one of the later.",
    owner=Owner.RADIOLOGIST,
)
NOTHING_TO_UNDO = Problem(
    code="quantify.matching-nothing-to-undo",
    says="nothing was changed that could be taken back",
    remedy="Look at the history of the matching.",
    owner=Owner.RADIOLOGIST,
)


def linked(
    matching: Matching, before: Iterable[str], after: Iterable[str], *, by: str, at: datetime, why: str = ""
) -> Matching:
    """The matching in which these lesions, and no others, belong together.

    Raises
    ------
    InputError
        ``quantify.matching-unknown-lesion``, ``quantify.matching-nothing-to-link``.
    """
    return edited(matching, _edit(Action.LINK, before, after, by, at, why))


def unlinked(
    matching: Matching, before: Iterable[str], after: Iterable[str], *, by: str, at: datetime, why: str = ""
) -> Matching:
    """The matching in which each of these lesions stands alone; what they were linked with stays together.

    Raises
    ------
    InputError
        ``quantify.matching-unknown-lesion``.
    """
    return edited(matching, _edit(Action.UNLINK, before, after, by, at, why))


def declared_new(matching: Matching, key: str, *, by: str, at: datetime, why: str = "") -> Matching:
    """The matching in which a lesion of the later exam is new.

    Raises
    ------
    InputError
        ``quantify.matching-unknown-lesion``.
    """
    return edited(matching, _edit(Action.NEW, (), (key,), by, at, why))


def declared_vanished(matching: Matching, key: str, *, by: str, at: datetime, why: str = "") -> Matching:
    """The matching in which a lesion of the earlier exam is gone.

    Raises
    ------
    InputError
        ``quantify.matching-unknown-lesion``.
    """
    return edited(matching, _edit(Action.VANISHED, (key,), (), by, at, why))


def undone(matching: Matching) -> Matching:
    """The matching without its last edit.

    Raises
    ------
    InputError
        ``quantify.matching-nothing-to-undo``.
    """
    if not matching.edits:
        raise InputError(NOTHING_TO_UNDO)
    first = replace(matching, links=matching.proposed, edits=())
    return reduce(edited, matching.edits[:-1], first)


def edited(matching: Matching, edit: Edit) -> Matching:
    """The matching after one more edit.

    Raises
    ------
    InputError
        ``quantify.matching-unknown-lesion``, ``quantify.matching-nothing-to-link``.
    """
    known = ({member.key for member in matching.before}, {member.key for member in matching.after})
    for keys, of in ((edit.before, known[0]), (edit.after, known[1])):
        for key in keys:
            if key not in of:
                raise InputError(UNKNOWN_LESION, key=key)
    if edit.action is Action.LINK and not (edit.before and edit.after):
        raise InputError(NOTHING_TO_LINK)
    left = [one for link in matching.links for one in _without(link, edit)]
    return replace(matching, links=in_order([*left, *_decided(edit)]), edits=(*matching.edits, edit))


def _edit(action: Action, before: Iterable[str], after: Iterable[str], by: str, at: datetime, why: str) -> Edit:
    return Edit(
        action=action, before=tuple(sorted(set(before))), after=tuple(sorted(set(after))), by=by, at=at, why=why
    )


def _decided(edit: Edit) -> list[Link]:
    """The links that a person decided on."""
    if edit.action is Action.LINK:
        return [_decision(kind_of(len(edit.before), len(edit.after)), edit.before, edit.after)]
    return [
        *(_decision(LinkKind.VANISHED, (key,), ()) for key in edit.before),
        *(_decision(LinkKind.NEW, (), (key,)) for key in edit.after),
    ]


def _decision(kind: LinkKind, before: tuple[str, ...], after: tuple[str, ...]) -> Link:
    return Link(
        kind=kind,
        before=before,
        after=after,
        confidence=1.0,
        needs_reader=False,
        reasons=(text("A person decided so."),),
        edited=True,
    )


def _without(link: Link, edit: Edit) -> list[Link]:
    """What is left of a link once the edit's lesions have gone from it."""
    before, after = _rest(link.before, edit.before), _rest(link.after, edit.after)
    if (before, after) == (link.before, link.after):
        return [link]
    if before and after:
        return [_leftover(before, after)]
    return [*(_leftover((key,), ()) for key in before), *(_leftover((), (key,)) for key in after)]


def _leftover(before: tuple[str, ...], after: tuple[str, ...]) -> Link:
    return Link(
        kind=kind_of(len(before), len(after)),
        before=before,
        after=after,
        confidence=0.0,
        needs_reader=True,
        reasons=(text("A person gave its partner to another link."),),
    )


def _rest(keys: Sequence[str], gone: Sequence[str]) -> tuple[str, ...]:
    return tuple(key for key in keys if key not in gone)
