"""What people say of lesions of two exams, as buttons and as what was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bingcheng.core.wording import Text, text
from bingcheng.quantify.lesion.matching import Action, LinkKind

UNKNOWN = text("Not known")
CONFIRM_WORDS: Mapping[LinkKind, Text] = MappingProxyType(
    {
        LinkKind.SAME: text("Confirm: the same lesion"),
        LinkKind.SPLIT: text("Confirm: pieces of one lesion"),
        LinkKind.MERGED: text("Confirm: grown into one"),
        LinkKind.REARRANGED: text("Confirm: they belong together"),
        LinkKind.NEW: text("Confirm: it is new"),
        LinkKind.VANISHED: text("Confirm: it has vanished"),
        LinkKind.OUTSIDE_EARLIER: text("It is new"),
        LinkKind.OUTSIDE_LATER: text("It has vanished"),
    }
)
"""What the button says that confirms a link; of a lesion outside the other exam's sight, what a person may know."""
ACTION_WORDS: Mapping[Action, Text] = MappingProxyType(
    {
        Action.LINK: text("{before} → {after}: one lesion"),
        Action.UNLINK: text("{before} → {after}: not the same"),
        Action.NEW: text("{after}: new"),
        Action.VANISHED: text("{before}: vanished"),
    }
)


def said(action: Action, before: Sequence[str], after: Sequence[str]) -> Text:
    """A decision in words; `before` and `after` are labels of lesions."""
    return Text(ACTION_WORDS[action].template, {"before": " + ".join(before), "after": " + ".join(after)})
