"""What was done to one attribute, before and after, and why: the rows of a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.datadict import dictionary_description

from bingcheng.archive.deidentify.charset import WRITTEN_VRS, decoded
from bingcheng.archive.deidentify.elements import Element, dictionary_vr
from bingcheng.archive.deidentify.rules import Action
from bingcheng.core.wording import Text, text

REASONS: Mapping[Action, Text] = MappingProxyType(
    {
        Action.REMOVE: text("The standard's profile removes it."),
        Action.EMPTY: text("The standard's profile empties it."),
        Action.DUMMY: text("A value must stand here, so one that says nothing does."),
        Action.UID: text("A new UID, the same wherever the old one stood."),
        Action.MOVE: text("Moved by the patient's own number of days; intervals stay."),
        Action.WORDS: text("Only words that describe an examination stay."),
        Action.CONTENT: text("Cleaned, item by item."),
        Action.SCRUB: text("It repeated a name or number of the patient or hospital."),
        Action.TERMS: text("Only terms that the standard lists for this attribute, and words of technique, stay."),
        Action.PSEUDONYM: text("The pseudonym of the patient in this project."),
        Action.BLANK: text("Parts of the picture were blanked."),
        Action.ADD: text("Says that and how identities were taken out."),
        Action.KEEP: text("Ages over 89 years are told as 90."),
        Action.AGE: text("Ages over 89 years are told as 90."),
    }
)
NOT_SAFE = text("A maker's own attribute that isn't known to be safe.")
NOT_KNOWN = text("The standard doesn't know this attribute.")
WEIGHTING = text("The b-value or direction that a maker's own attribute tells, which says nothing of the patient.")
OVERLAY = text("Drawings and curves over the picture may hold text.")
NOT_READABLE = text("The date can't be understood, so it can't be moved.")
NO_FORM = text("It has not the form that the standard prescribes for this attribute, so it may say anything.")
MOST_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One attribute that isn't as it was.

    Parameters
    ----------
    path : tags from the top of the object, ``(0040,a730)[0].(0040,a160)``.
    name : the standard's name; empty for private attributes.
    before, after : values as people read them, shortened; empty where there is none. Before holds patient data.
    """

    path: str
    name: str
    action: Action
    before: str
    after: str
    reason: Text


def named(tag: int) -> str:
    """What the standard calls an attribute; empty if it doesn't know it."""
    try:
        return "" if tag >> 16 & 1 else dictionary_description(tag)
    except KeyError:
        return ""


def numbered(tag: int) -> str:
    """A tag as people write it."""
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def shown(one: Element, known: Sequence[str]) -> str:
    """A value as people read it, shortened; of what they don't its length.

    Parameters
    ----------
    known : the encodings of text where it stands.
    """
    if one.items is not None:
        return f"[{len(one.items)}]"
    vr = one.vr if one.vr != "UN" else dictionary_vr(one.tag)
    if vr in WRITTEN_VRS or vr in ("DA", "DT", "TM", "UI", "AS", "DS", "IS"):
        return decoded(one.value, known, vr)[:MOST_SHOWN]
    return f"<{len(one.value)}>"
