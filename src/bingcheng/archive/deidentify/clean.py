"""One object's header cleaned: every element of every dataset in it meets its rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bingcheng.archive.deidentify import change, code_strings, codes, content, lookup_tables
from bingcheng.archive.deidentify.change import Change
from bingcheng.archive.deidentify.charset import TEXT_VRS, WRITTEN_VRS, decoded, encoded
from bingcheng.archive.deidentify.dates import capped_age, moved
from bingcheng.archive.deidentify.diffusion import b_values
from bingcheng.archive.deidentify.dummies import dummy
from bingcheng.archive.deidentify.elements import Element, Object, dictionary_vr, plain
from bingcheng.archive.deidentify.forms import in_form, true_vr
from bingcheng.archive.deidentify.gather import identifiers
from bingcheng.archive.deidentify.identifiers import Identifiers
from bingcheng.archive.deidentify.key import Key
from bingcheng.archive.deidentify.level import DRAWN, Level, never_stays
from bingcheng.archive.deidentify.private import safe
from bingcheng.archive.deidentify.problems import TEXT_IN_TABLE
from bingcheng.archive.deidentify.profile import Option
from bingcheng.archive.deidentify.rules import CLASS_UIDS, Action, Rules
from bingcheng.archive.deidentify.subject import SOP_CLASS, Subject
from bingcheng.archive.deidentify.text_values import TextValues
from bingcheng.archive.deidentify.well_known import is_class, is_well_known
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text

_PERSON_CODE = 0x00401101
_PIXEL_GROUP = 0x7FE0
_FORMED = frozenset((Action.KEEP, Action.SCRUB, Action.TERMS, Action.WORDS, Action.AGE))
"""What leaves a value, or part of it, as it was."""
_Do = Callable[[Element, str, Level], Element | None]
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
    _text: TextValues = field(init=False)
    _spoilt: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._how = {
            Action.REMOVE: self._remove,
            Action.EMPTY: self._empty,
            Action.DUMMY: self._dummy,
            Action.KEEP: self._keep,
            Action.AGE: self._age,
            Action.UID: self._uid,
            Action.MOVE: self._move,
            Action.WORDS: self._words,
            Action.CONTENT: self._content,
            Action.SCRUB: self._scrub,
            Action.TERMS: self._terms,
            Action.INSIDE: self._inside,
            Action.PSEUDONYM: self._pseudonym,
        }

    def clean(self, found: Object) -> None:
        """Clean the header in place; pixels stay as they are.

        Raises
        ------
        InputError
            ``archive.deidentify-text-in-table``.
        """
        self.known = identifiers(found.elements, self.rules)
        self.known.b_values.update(b_values(found.elements, little=found.little))
        self._text = TextValues(rules=self.rules, known=self.known)
        needed = lookup_tables.is_needed(found)
        top = Level(sop_class=found.words(SOP_CLASS))
        found.elements = self._dataset(found.elements, top)
        if self._spoilt:
            if needed:
                raise InputError(TEXT_IN_TABLE)
            found.elements, gone = lookup_tables.without(found.elements)
            for one in gone:
                self._say(one, None, Action.REMOVE, top, change.NO_FORM)

    def _dataset(self, elements: Sequence[Element], level: Level) -> list[Element]:
        level = level.entered(elements)
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

    def _private(self, private: Sequence[Element], level: Level) -> list[Element]:
        stays: list[Element] = []
        every = self.rules.profile.has(Option.SAFE_PRIVATE)
        if every or self.rules.profile.has(Option.PATIENT):  # the factor to SUV tells of dose and weight
            moment = partial(self._moment, level=level)
            items = partial(self._items, level=level)
            stays = list(safe(private, self.known, items, moment, only_needed=not every))
        if self.record:
            left = {one.tag for one in stays}
            for one in private:
                if one.tag not in left:
                    self._say(one, None, Action.REMOVE, level, change.NOT_SAFE)
        return stays

    def _moment(self, one: Element, level: Level) -> Element | None:
        """A date and time in a private element, as the profile has it with dates; None where none stays."""
        action = self.rules.dates
        return self._move(one, "DT", level) if action is Action.MOVE else one if action is Action.KEEP else None

    def _element(self, one: Element, level: Level) -> Element | None:
        if never_stays(one.tag, level):
            self._say(one, None, Action.REMOVE, level, change.OVERLAY if one.tag >> 16 in DRAWN else None)
            return None
        vr = true_vr(one.tag, one.vr)
        if vr == "SQ" and one.items is None:
            self._say(one, None, Action.REMOVE, level, change.NO_FORM)
            return None
        action = self._action(one.tag, vr, level)
        if action in _FORMED and one.items is None:
            if one.tag >> 16 == _PIXEL_GROUP:
                return one  # at the top: it is looked at by itself
            one = self._formed(one, level)
        new = self._how[action](one, vr, level)
        return lookup_tables.with_data(new) if one.tag == lookup_tables.VOI_LUTS else new

    def _formed(self, one: Element, level: Level) -> Element:
        """The element, without what lacks the form of its attribute."""
        after = in_form(one, level.encodings, self._text.description)
        if after is None:
            return one
        if lookup_tables.is_spoilt(one.tag, level.within):
            raise InputError(TEXT_IN_TABLE)
        self._spoilt |= not level.within and one.tag in lookup_tables.PALETTE
        self._say(one, after, Action.EMPTY, level, change.NO_FORM)
        return after

    def _action(self, tag: int, vr: str, level: Level) -> Action:
        """The rule of an attribute, which stricter surroundings overrule."""
        action = self.rules.action(tag, vr, level.sop_class)
        stricter = level.about.action(tag, action, strip=level.strip) if level.content else None
        if stricter is not None:
            return stricter
        if level.coded is not None and tag in codes.CODED:
            return self._code_action(tag, level, level.coded)
        if level.strip and vr in TEXT_VRS and action in (Action.KEEP, Action.SCRUB, Action.WORDS):
            return Action.DUMMY
        return action

    def _code_action(self, tag: int, level: Level, coded: codes.Code) -> Action:
        public = level.within != _PERSON_CODE and coded.is_public
        if level.strip and not public:
            return Action.DUMMY
        return Action.WORDS if tag == codes.CODE_MEANING else Action.SCRUB

    # What each action does; every one of them answers the new element, or None.

    def _remove(self, one: Element, vr: str, level: Level) -> None:
        del vr
        unknown = dictionary_vr(one.tag) == "UN" and one.tag not in self.rules.by_tag
        self._say(one, None, Action.REMOVE, level, change.NOT_KNOWN if unknown else None)

    def _empty(self, one: Element, vr: str, level: Level) -> Element:
        items: list[list[Element]] | None = None if vr != "SQ" else []
        return self._new(one, Element(one.tag, vr, b"", items), Action.EMPTY, level)

    def _dummy(self, one: Element, vr: str, level: Level) -> Element:
        if one.items is not None:
            return self._items(one, replace(level, strip=True))
        if not one.value:
            return one
        if vr == "UI":
            return self._uid(one, vr, level)
        value = codes.DUMMIES.get(one.tag) or dummy(vr, one.value)
        return self._new(one, Element(one.tag, vr, value), Action.DUMMY, level)

    def _uid(self, one: Element, vr: str, level: Level) -> Element:
        if one.items is not None:
            return self._items(one, level)
        if vr != "UI":
            return self._dummy(one, vr, level)
        parts = [self._uid_of(part.strip("\0 ")) for part in one.value.decode("latin-1").split("\\")]
        return self._new(one, Element(one.tag, vr, "\\".join(parts).encode("ascii", "replace")), Action.UID, level)

    def _uid_of(self, uid: str) -> str:
        if not uid or is_well_known(uid):
            return uid
        if uid not in self.uids:
            self.uids[uid] = self.key.new_uid(uid)
        return self.uids[uid]

    def _move(self, one: Element, vr: str, level: Level) -> Element | None:
        said = moved(one.value.decode("latin-1"), vr, self.subject.shift_days)
        if said is None:
            after = self._instead(one, vr, level)
            self._say(one, after, Action.MOVE, level, change.NOT_READABLE)
            return after
        self.told.update(part[:8] for part in said.split("\\") if len(part) >= 8)
        return self._new(one, Element(one.tag, vr, said.encode("ascii")), Action.MOVE, level)

    def _instead(self, one: Element, vr: str, level: Level) -> Element | None:
        """What stands where cleaning leaves nothing, or could not be done."""
        action = self.rules.fallback(one.tag, level.sop_class)
        if action is Action.REMOVE and not (level.content or level.coded is not None):
            return None
        return Element(one.tag, vr, b"" if action is Action.EMPTY else dummy(vr, one.value))

    def _words(self, one: Element, vr: str, level: Level) -> Element | None:
        if one.items is not None:
            return self._items(one, level)
        said = decoded(one.value, level.encodings, vr)
        parts = said.split("\\") if vr not in ("LT", "ST", "UT") else [said]
        stays = self._text.stays(one.tag, vr, parts, level)
        if stays == parts:
            return one
        if not any(stays):
            after = self._instead(one, vr, level)
            self._say(one, after, Action.WORDS, level)
            return after
        value = encoded("\\".join(stays), level.encodings)
        return self._new(one, Element(one.tag, vr, value), Action.WORDS, level)

    def _scrub(self, one: Element, vr: str, level: Level) -> Element | None:
        if one.items is not None:
            return self._items(one, level)
        if vr not in WRITTEN_VRS:
            return one
        said = decoded(one.value, level.encodings, vr)
        if level.coded is not None and not level.coded.may_say(one.tag, said):
            return self._dummy(one, vr, level)
        if not self.known.found_in(said):
            return one
        value = encoded(self.known.without(said), level.encodings) or dummy(vr, one.value)
        return self._new(one, Element(one.tag, vr, value), Action.SCRUB, level)

    def _terms(self, one: Element, vr: str, level: Level) -> Element | None:
        if one.items is not None:
            return self._items(one, level)
        if vr != "CS":
            return self._scrub(one, vr, level)
        parts = plain(one.value).split("\\")
        stays = [code_strings.kept(one.tag, part, self._text.label) for part in parts]
        if stays == parts:
            return one
        value = "\\".join(stays).encode("ascii", "ignore") if any(stays) else b""
        return self._new(one, Element(one.tag, vr, value), Action.TERMS, level)

    def _keep(self, one: Element, vr: str, level: Level) -> Element:
        if one.items is not None:
            return self._items(one, level)
        if vr == "AS":
            value = capped_age(plain(one.value)).encode("ascii")
            same = value == one.value.strip(b"\0 ")
            return one if same else self._new(one, Element(one.tag, vr, value), Action.KEEP, level)
        if vr == "UI" and one.tag in CLASS_UIDS and not all(is_class(part) for part in plain(one.value).split("\\")):
            return self._uid(one, vr, level)
        return one

    def _age(self, one: Element, vr: str, level: Level) -> Element:
        value = level.about.capped(plain(one.value)).encode("ascii")
        return (
            one if value == one.value.strip(b"\0 ") else self._new(one, Element(one.tag, vr, value), Action.AGE, level)
        )

    def _inside(self, one: Element, vr: str, level: Level) -> Element | None:
        return self._items(one, level) if one.items is not None else self._scrub(one, vr, level)

    def _content(self, one: Element, vr: str, level: Level) -> Element | None:
        if one.items is None:
            return self._words(one, vr, level)
        return self._items(one, replace(level, content=True))

    def _pseudonym(self, one: Element, vr: str, level: Level) -> Element:
        return self._new(one, Element(one.tag, vr, self.subject.pseudonym.encode()), Action.PSEUDONYM, level)

    def _items(self, one: Element, level: Level) -> Element:
        within_content = level.content or one.tag == content.CONTENT
        cleaned_items = []
        for number, item in enumerate(one.items or ()):
            path = f"{level.path}{change.numbered(one.tag)}[{number}]." if self.record else ""
            inner = replace(level, path=path, sop_class=None, within=one.tag, content=within_content)
            cleaned_items.append(self._dataset(item, inner))
        return Element(one.tag, "SQ", b"", cleaned_items)

    def _new(self, before: Element, after: Element, action: Action, level: Level) -> Element:
        if before.value == after.value and before.items == after.items:
            return before
        self._say(before, after, action, level)
        return after

    def _say(
        self, before: Element, after: Element | None, action: Action, level: Level, reason: Text | None = None
    ) -> None:
        if not self.record:
            return
        self.changes.append(
            Change(
                path=level.path + change.numbered(before.tag),
                name=change.named(before.tag),
                action=action,
                before=change.shown(before, level.encodings),
                after="" if after is None else change.shown(after, level.encodings),
                reason=reason or change.REASONS[action],
            )
        )
