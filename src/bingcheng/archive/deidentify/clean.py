"""One object's header cleaned: every element of every dataset in it meets its rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bingcheng.archive.deidentify import change, codes
from bingcheng.archive.deidentify.change import Change
from bingcheng.archive.deidentify.charset import DEFAULT, TEXT_VRS, WRITTEN_VRS, decoded, encoded, encodings
from bingcheng.archive.deidentify.dates import capped_age, moved
from bingcheng.archive.deidentify.dummies import dummy
from bingcheng.archive.deidentify.elements import Element, Object, dictionary_vr, plain
from bingcheng.archive.deidentify.gather import identifiers
from bingcheng.archive.deidentify.identifiers import Identifiers
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.private import safe
from bingcheng.archive.deidentify.profile import Option
from bingcheng.archive.deidentify.rules import Action, Rules
from bingcheng.archive.deidentify.subject import CHARSET, SOP_CLASS, Subject
from bingcheng.archive.deidentify.vocabulary import cleaned
from bingcheng.core.wording import Text

WELL_KNOWN_ROOT = "1.2.840.10008."
_PERSON_CODE = 0x00401101
_AGE = 0x00101010
_ICC_PROFILE = 0x00282000
"""Holds texts of who made it, and whatever else its tags may."""
_NUMBERS: Mapping[str, re.Pattern[bytes]] = MappingProxyType(
    {
        "DS": re.compile(rb"[-+0-9.eE \\\0]*"),
        "IS": re.compile(rb"[-+0-9 \\\0]*"),
        "TM": re.compile(rb"[0-9.: \\\0-]*"),
    }
)
"""What numbers and times are written with (PS3.5 table 6.2-1); anything else there is text."""
_TEXT_VALUE, _NAME_VALUE, _NUMBER_VALUE = 0x0040A160, 0x0040A123, 0x0040A30A
_CONTENT_DATES = frozenset((0x0040A120, 0x0040A121))
_SUBJECT_NAME, _SUBJECT_ID, _SUBJECT_BIRTH, _SUBJECT_AGE = "121029", "121030", "121031", "121033"
_TELLS_WHO = frozenset(("121008", "121009", "121013", "121016", "121017", "121011"))
"""Concepts of TID 1001 to 1008 whose text is an observer, an organization, a device or a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """Where in the object a dataset stands.

    Parameters
    ----------
    sop_class : at the top; None in sequences.
    strip : whether text is replaced whatever it says (a sequence that the profile replaces by a dummy).
    scheme : coding scheme of a coded item; None for other datasets.
    concept : code of a content item's concept name.
    content : whether the dataset is an item of structured content.
    """

    encodings: Sequence[str] = DEFAULT
    path: str = ""
    sop_class: str | None = None
    within: int = 0
    strip: bool = False
    scheme: str | None = None
    concept: str = ""
    content: bool = False


_Do = Callable[[Element, str, _Level], Element | None]
"""Does an action to an element, by its true VR; answers the new element, or None where it goes."""


@dataclass(slots=True, eq=False)
class Cleaner:
    """Cleans one object; what was done is in its fields afterwards.

    Parameters
    ----------
    record : whether every change is kept for a preview; it costs time.
    changes : one for each attribute that isn't as it was.
    uids : new UIDs by old ones.
    told : every date that was written anew, and how often: one may equal another date of the original.
    known : names and numbers that were found in the object.
    """

    rules: Rules
    key: Key
    subject: Subject
    record: bool = False
    changes: list[Change] = field(default_factory=list)
    uids: dict[str, str] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    known: Identifiers = field(default_factory=Identifiers)
    _how: Mapping[Action, _Do] = field(init=False)

    def __post_init__(self) -> None:
        self._how = {
            Action.REMOVE: self._remove,
            Action.EMPTY: self._empty,
            Action.DUMMY: self._dummy,
            Action.KEEP: self._keep,
            Action.UID: self._uid,
            Action.MOVE: self._move,
            Action.WORDS: self._words,
            Action.CONTENT: self._content,
            Action.SCRUB: self._scrub,
            Action.INSIDE: self._inside,
            Action.PSEUDONYM: self._pseudonym,
        }

    def clean(self, found: Object) -> None:
        """Clean the header in place; pixels stay as they are."""
        self.known = identifiers(found.elements, self.rules)
        found.elements = self._dataset(found.elements, _Level(sop_class=found.words(SOP_CLASS)))

    def _dataset(self, elements: Sequence[Element], level: _Level) -> list[Element]:
        level = self._entered(elements, level)
        kept: list[Element] = []
        private: list[Element] = []
        for one in elements:
            if one.tag >> 16 & 1:
                private.append(one)
                continue
            new = self._element(one, level)
            if new is not None:
                kept.append(new)
        if private:
            kept += self._private(private, level)
            kept.sort(key=lambda one: one.tag)
        return kept

    def _entered(self, elements: Sequence[Element], level: _Level) -> _Level:
        stated = next((one for one in elements if one.tag == CHARSET), None)
        known = level.encodings if stated is None else encodings(stated.value)
        if level.sop_class is not None and not level.within:
            return replace(level, encodings=known)
        return replace(
            level,
            encodings=known,
            scheme=codes.scheme(elements),
            concept=codes.concept(elements) if level.content else "",
        )

    def _private(self, private: Sequence[Element], level: _Level) -> list[Element]:
        stays: list[Element] = []
        if self.rules.profile.has(Option.SAFE_PRIVATE):
            stays = list(safe(private, self.known, lambda one: self._items(one, level)))
        if self.record:
            left = {one.tag for one in stays}
            for one in private:
                if one.tag not in left:
                    self._say(one, None, Action.REMOVE, level, change.NOT_SAFE)
        return stays

    def _element(self, one: Element, level: _Level) -> Element | None:
        group = one.tag >> 16
        if (
            one.tag == _ICC_PROFILE
            or group < 0x0008
            or not one.tag & 0xFFFF
            or 0x5000 <= group <= 0x50FF
            or 0x6000 <= group <= 0x60FF
        ):
            self._say(one, None, Action.REMOVE, level, change.OVERLAY if group >= 0x5000 else None)
            return None
        vr = one.vr if one.vr != "UN" else dictionary_vr(one.tag)
        action = self._action(one.tag, vr, level)
        if action in (Action.KEEP, Action.SCRUB) and one.items is None and self._is_no_number(one):
            known = dictionary_vr(one.tag)
            return self._new(one, Element(one.tag, known, dummy(known, one.value)), Action.DUMMY, level)
        if action is Action.KEEP and one.items is None and one.tag != _AGE:
            return one
        if vr == "SQ" and one.items is None:
            return None  # a sequence that couldn't be read as one
        return self._how[action](one, vr, level)

    @staticmethod
    def _is_no_number(one: Element) -> bool:
        """Whether text stands where the standard has a number or a time."""
        written = _NUMBERS.get(dictionary_vr(one.tag))
        return written is not None and not written.fullmatch(one.value)

    def _action(self, tag: int, vr: str, level: _Level) -> Action:
        """The rule of an attribute, which stricter surroundings overrule."""
        action = self.rules.action(tag, vr, level.sop_class)
        if level.content and tag in _CONTENT_DATES | {_TEXT_VALUE, _NAME_VALUE, _NUMBER_VALUE}:
            return self._content_action(tag, action, level)
        if level.scheme is not None and tag in codes.CODED:
            return self._code_action(tag, level)
        if level.strip and vr in TEXT_VRS and action in (Action.KEEP, Action.SCRUB, Action.WORDS):
            return Action.DUMMY
        return action

    def _code_action(self, tag: int, level: _Level) -> Action:
        if level.within != _PERSON_CODE and level.scheme in codes.PUBLIC_SCHEMES:
            return Action.SCRUB
        if level.strip:
            return Action.DUMMY
        return Action.WORDS if tag == codes.CODE_MEANING else Action.SCRUB

    def _content_action(self, tag: int, action: Action, level: _Level) -> Action:
        if level.concept in (_SUBJECT_ID, _SUBJECT_NAME) and tag in (_TEXT_VALUE, _NAME_VALUE):
            return Action.PSEUDONYM
        if tag == _NUMBER_VALUE:
            return Action.KEEP
        if tag in _CONTENT_DATES:
            return Action.DUMMY if level.concept == _SUBJECT_BIRTH else action
        if tag == _NAME_VALUE or level.strip or level.concept in _TELLS_WHO:
            return Action.DUMMY
        return Action.WORDS

    # What each action does; every one of them answers the new element, or None.

    def _remove(self, one: Element, vr: str, level: _Level) -> None:
        del vr
        unknown = dictionary_vr(one.tag) == "UN" and one.tag not in self.rules.by_tag
        self._say(one, None, Action.REMOVE, level, change.NOT_KNOWN if unknown else None)

    def _empty(self, one: Element, vr: str, level: _Level) -> Element:
        items: list[list[Element]] | None = None if vr != "SQ" else []
        return self._new(one, Element(one.tag, vr, b"", items), Action.EMPTY, level)

    def _dummy(self, one: Element, vr: str, level: _Level) -> Element:
        if one.items is not None:
            return self._items(one, replace(level, strip=True))
        if not one.value:
            return one
        if vr == "UI":
            return self._uid(one, vr, level)
        value = codes.DUMMIES.get(one.tag) or dummy(vr, one.value)
        return self._new(one, Element(one.tag, vr, value), Action.DUMMY, level)

    def _uid(self, one: Element, vr: str, level: _Level) -> Element:
        if one.items is not None:
            return self._items(one, level)
        if vr != "UI":
            return self._dummy(one, vr, level)
        parts = [self._new_uid(part.strip("\0 ")) for part in one.value.decode("latin-1").split("\\")]
        return self._new(one, Element(one.tag, vr, "\\".join(parts).encode("ascii", "replace")), Action.UID, level)

    def _new_uid(self, uid: str) -> str:
        if not uid or uid.startswith(WELL_KNOWN_ROOT):
            return uid
        if uid not in self.uids:
            self.uids[uid] = self.key.new_uid(uid)
        return self.uids[uid]

    def _move(self, one: Element, vr: str, level: _Level) -> Element | None:
        said = moved(one.value.decode("latin-1"), vr, self.subject.shift_days)
        if said is None:
            after = self._instead(one, vr, level)
            self._say(one, after, Action.MOVE, level, change.NOT_READABLE)
            return after
        self.told.update(part[:8] for part in said.split("\\") if len(part) >= 8)
        return self._new(one, Element(one.tag, vr, said.encode("ascii")), Action.MOVE, level)

    def _instead(self, one: Element, vr: str, level: _Level) -> Element | None:
        """What stands where cleaning leaves nothing, or could not be done."""
        action = self.rules.fallback(one.tag, level.sop_class)
        if action is Action.REMOVE and not (level.content or level.scheme is not None):
            return None
        return Element(one.tag, vr, b"" if action is Action.EMPTY else dummy(vr, one.value))

    def _words(self, one: Element, vr: str, level: _Level) -> Element | None:
        if one.items is not None:
            return self._items(one, level)
        said = decoded(one.value, level.encodings, vr)
        parts = said.split("\\") if vr not in ("LT", "ST", "UT") else [said]
        stays = [cleaned(part, self.known.forbids, self.rules.profile.words) for part in parts]
        if stays == parts:
            return one
        if not any(stays):
            after = self._instead(one, vr, level)
            self._say(one, after, Action.WORDS, level)
            return after
        value = encoded("\\".join(stays), level.encodings)
        return self._new(one, Element(one.tag, vr, value), Action.WORDS, level)

    def _scrub(self, one: Element, vr: str, level: _Level) -> Element | None:
        if one.items is not None:
            return self._items(one, level)
        if vr not in WRITTEN_VRS:
            return one
        said = decoded(one.value, level.encodings, vr)
        private_code = one.tag in codes.CODE_VALUES and level.scheme not in codes.PUBLIC_SCHEMES
        if private_code and codes.is_number_of_somebody(said):
            return self._dummy(one, vr, level)
        if not self.known.found_in(said):
            return one
        value = encoded(self.known.without(said), level.encodings) or dummy(vr, one.value)
        return self._new(one, Element(one.tag, vr, value), Action.SCRUB, level)

    def _keep(self, one: Element, vr: str, level: _Level) -> Element:
        if one.items is not None:
            return self._items(one, level)
        if one.tag == _AGE or vr == "AS":
            value = capped_age(plain(one.value)).encode("ascii")
            same = value == one.value.strip(b"\0 ")
            return one if same else self._new(one, Element(one.tag, vr, value), Action.KEEP, level)
        if level.concept == _SUBJECT_AGE and one.tag == _NUMBER_VALUE:
            years = capped_age(plain(one.value).partition(".")[0].zfill(3) + "Y")
            return one if years[:3] != "090" else self._new(one, Element(one.tag, vr, b"90"), Action.KEEP, level)
        return one

    def _inside(self, one: Element, vr: str, level: _Level) -> Element | None:
        return self._items(one, level) if one.items is not None else self._scrub(one, vr, level)

    def _content(self, one: Element, vr: str, level: _Level) -> Element | None:
        if one.items is None:
            return self._words(one, vr, level)
        return self._items(one, replace(level, content=True))

    def _pseudonym(self, one: Element, vr: str, level: _Level) -> Element:
        return self._new(one, Element(one.tag, vr, self.subject.pseudonym.encode()), Action.PSEUDONYM, level)

    def _items(self, one: Element, level: _Level) -> Element:
        content = level.content or one.tag == 0x0040A730
        cleaned_items = []
        for number, item in enumerate(one.items or ()):
            path = f"{level.path}{change.numbered(one.tag)}[{number}]." if self.record else ""
            inner = replace(level, path=path, sop_class=None, within=one.tag, content=content)
            cleaned_items.append(self._dataset(item, inner))
        return Element(one.tag, "SQ", b"", cleaned_items)

    def _new(self, before: Element, after: Element, action: Action, level: _Level) -> Element:
        if before.value == after.value and before.items == after.items:
            return before
        self._say(before, after, action, level)
        return after

    def _say(
        self, before: Element, after: Element | None, action: Action, level: _Level, reason: Text | None = None
    ) -> None:
        if not self.record:
            return
        self.changes.append(
            Change(
                path=level.path + change.numbered(before.tag),
                name=change.named(before.tag),
                action=action,
                before=_shown(before, level.encodings),
                after="" if after is None else _shown(after, level.encodings),
                reason=reason or change.REASONS[action],
            )
        )


def _shown(one: Element, known: Sequence[str]) -> str:
    if one.items is not None:
        return f"[{len(one.items)}]"
    vr = one.vr if one.vr != "UN" else dictionary_vr(one.tag)
    if vr in WRITTEN_VRS or vr in ("DA", "DT", "TM", "UI", "AS", "DS", "IS"):
        return decoded(one.value, known, vr)[: change.MOST_SHOWN]
    return f"<{len(one.value)}>"
