"""What a profile does with each attribute: PS3.15 Table E.1-1 resolved once for all objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bingcheng.archive.deidentify.attributes import attributes, types
from bingcheng.archive.deidentify.elements import dictionary_vr
from bingcheng.archive.deidentify.profile import Option, Profile
from bingcheng.archive.deidentify.vocabulary import device_words


class Action(StrEnum):
    """What is done to an attribute; the first five are the standard's letters."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    KEEP = "K"
    UID = "U"
    MOVE = "C date"
    WORDS = "C words"
    CONTENT = "C content"
    SCRUB = "K text"
    TERMS = "K terms"
    INSIDE = "K items"
    AGE = "K age"
    PSEUDONYM = "Z pseudonym"
    BLANK = "C pixels"
    ADD = "+"


PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
CLASS_UIDS = frozenset(
    (
        *(0x00080016, 0x00081150, 0x0008001A, 0x0008001B, 0x00080062, 0x0008115A, 0x0008010C, 0x00080117, 0x00080118),
        *(0x00083002, 0x04000010, 0x00741202, 0x00020002, 0x00020010),
    )
)
"""UIDs that name a kind of object, a transfer syntax or a code system, whoever has registered them."""
_NEVER_KEPT = frozenset((0x04000500, 0x04000510, 0x04000520))
"""Attributes encrypted by others: nobody can look into them."""
_WRITTEN = frozenset(("LO", "LT", "SH", "ST", "UC", "UT", "AE", "CS"))
_WORDED = frozenset(("LO", "LT", "SH", "ST", "UC", "UT"))
_TYPED_CODES = frozenset((0x00180015,))
"""Code strings that people write: Body Part Examined."""
_DEVICE_CODES = frozenset((0x00203401,))
"""Code strings that are a device's identity: Modifying Device ID."""
_DATES = frozenset(("DA", "DT"))
_COLUMNS = {
    "safe_private": Option.SAFE_PRIVATE,
    "uids": Option.UIDS,
    "device": Option.DEVICE,
    "institution": Option.INSTITUTION,
    "patient": Option.PATIENT,
    "full_dates": Option.FULL_DATES,
    "modified_dates": Option.MODIFIED_DATES,
    "descriptors": Option.DESCRIPTORS,
    "structured": Option.STRUCTURED,
    "graphics": Option.GRAPHICS,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to one attribute of the table.

    Parameters
    ----------
    basic : the standard's action where nothing else holds, and where cleaning leaves nothing.
    chosen : the action by an option; None for the basic one.
    """

    basic: str
    chosen: Action | None


class Rules:
    """A profile's actions by tag."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.device_words = device_words() | profile.words
        self.by_tag: Mapping[int, Rule] = {
            int(one.tag, 16): Rule(one.basic, _chosen(one.tag, one.options, profile))
            for one in attributes()
            if "x" not in one.tag and one.tag != "private"
        }
        self.dates = (
            Action.KEEP
            if profile.has(Option.FULL_DATES)
            else Action.MOVE
            if profile.has(Option.MODIFIED_DATES)
            else Action.DUMMY
        )

    def action(self, tag: int, vr: str, sop_class: str | None) -> Action:
        """What to do with an attribute.

        Parameters
        ----------
        sop_class : of the object, for an attribute at its top; None for one in a sequence.
        """
        if tag in self.profile.remove:
            return Action.REMOVE
        if tag in (PATIENT_NAME, PATIENT_ID):
            return Action.PSEUDONYM
        rule = self.by_tag.get(tag)
        if rule is None:
            return self._unlisted(tag, vr)
        if rule.chosen is not None:
            return rule.chosen
        return resolved(rule.basic, sop_class, tag)

    def fallback(self, tag: int, sop_class: str | None) -> Action:
        """What to do where cleaning leaves nothing."""
        rule = self.by_tag.get(tag)
        return Action.DUMMY if rule is None else resolved(rule.basic, sop_class, tag)

    def _unlisted(self, tag: int, vr: str) -> Action:  # noqa: PLR0911 - one kind of value after the other
        """The standard keeps what it doesn't list; names, dates and UIDs go all the same, and text but known words.

        A hospital's machines are known by the titles of their application entities (AE).
        """
        if vr == "SQ":
            return Action.INSIDE
        if dictionary_vr(tag) == "UN" or 0x7F00 <= tag >> 16 < 0x7FE0 or tag in _NEVER_KEPT:
            return Action.REMOVE  # nobody knows what it is, or who can read it
        if vr == "UI":
            return Action.KEEP if tag in CLASS_UIDS or self.profile.has(Option.UIDS) else Action.UID
        if vr in ("PN", "UR", "AE"):
            return Action.DUMMY
        if vr in _DATES:
            return self.dates
        if vr in _WORDED or tag in _TYPED_CODES:
            return Action.WORDS
        return Action.TERMS if vr == "CS" else Action.KEEP


def _chosen(tag: str, options: Mapping[str, str], profile: Profile) -> Action | None:
    vr = dictionary_vr(int(tag, 16))
    taken = {column: letter for column, letter in options.items() if profile.has(_COLUMNS[column])}
    if not taken:
        return None
    if "modified_dates" in taken:
        # A date that tells of a device too is still a date.
        return Action.MOVE if vr in ("DA", "DT") else Action.KEEP if vr == "TM" else None
    if "C" not in taken.values():
        return _whole(int(tag, 16), vr)
    if "structured" in taken or "graphics" in taken:
        return Action.CONTENT if vr == "SQ" else None
    if vr == "SQ":
        return Action.INSIDE
    return Action.TERMS if vr == "CS" else Action.WORDS if vr in _WORDED else None


def _whole(tag: int, vr: str) -> Action:
    """What is done to an attribute that an option keeps as it is."""
    if vr == "CS" and tag not in _DEVICE_CODES:
        return Action.TERMS
    return Action.INSIDE if vr == "SQ" else Action.SCRUB if vr in _WRITTEN else Action.KEEP


_PREFERRED = {"1": "DZX", "1C": "DZX", "2": "ZDX", "2C": "ZDX", "3": "XZD"}


def resolved(basic: str, sop_class: str | None, tag: int) -> Action:
    """One action of several (X/Z/D and the like), by the attribute's type in its object (PS3.15 E.3, table E.1-1a).

    Where the type isn't known the object stays as the standard wants it: a dummy, else an empty value.
    """
    if len(basic) == 1:
        return Action(basic)
    if "U*" in basic:
        return Action.INSIDE
    kind = types().get((sop_class, tag)) if sop_class else None
    for letter in _PREFERRED.get(kind or "1"):  # type: ignore[union-attr]
        if letter in basic:
            return Action(letter)
    return Action.REMOVE
