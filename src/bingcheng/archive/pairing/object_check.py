"""Whether an object may cross: its own header is held against the profile that it claims. Looked at on both sides.

This is no second de-identification, and does not know the original: it is the last gate, by which an object that came
here by mistake does not pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from bingcheng.archive.deidentify.batch import UNSAFE_CLASSES
from bingcheng.archive.deidentify.codes import CODED
from bingcheng.archive.deidentify.dummies import dummy
from bingcheng.archive.deidentify.elements import PIXEL_DATA, Element, Object, dictionary_vr, plain, read
from bingcheng.archive.deidentify.identifiers import Identifiers
from bingcheng.archive.deidentify.marks import (
    BURNED_IN,
    IDENTITY_REMOVED,
    LONGITUDINAL,
    METHOD,
    METHOD_CODES,
    VISUAL_FEATURES,
)
from bingcheng.archive.deidentify.private import may_stay
from bingcheng.archive.deidentify.profile import CODES, Option, Profile
from bingcheng.archive.deidentify.rules import CLASS_UIDS, Action, Rules
from bingcheng.archive.deidentify.subject import SERIES, SOP_CLASS, SOP_INSTANCE, STUDY
from bingcheng.archive.pairing.manifest import ListedObject, PointedImage
from bingcheng.archive.pairing.problems import NOT_WHITELISTED
from bingcheng.archive.pairing.shortened import shortened
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

NEVER_CROSSES = frozenset((Option.FULL_DATES, Option.UIDS))
"""True dates and UIDs lead back to the patient for whoever has the archive of the hospital."""
PSEUDONYM = re.compile(r"P-[A-Z2-7]{10}")
WELL_KNOWN, OURS = "1.2.840.10008.", "2.25."
_MARKS = frozenset((IDENTITY_REMOVED, METHOD, METHOD_CODES, LONGITUDINAL, BURNED_IN, VISUAL_FEATURES))
_BY_CODE = {code: option for option, (code, _) in CODES.items()}
_DUMMIED = frozenset(("DA", "DT", "LO", "SH", "ST", "LT", "UT", "UC", "AE"))
_CODE_VALUE, _CODE_SCHEME = 0x00080100, 0x00080102
_FRAMES, _ROWS, _COLUMNS = 0x00280008, 0x00280010, 0x00280011


def check_object(stream: BinaryIO, listed: ListedObject, pointed: Sequence[PointedImage] = ()) -> None:
    """Raise unless this file is the listed object, de-identified as it claims; its pixels are not loaded.

    Parameters
    ----------
    pointed : the key images that are images of it: each must be one, and point at a pixel that it has.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``; what can't be read counts too.
    """
    short = shortened(stream)
    try:
        found = read(short.data)
    except InputError as error:
        raise InputError(NOT_WHITELISTED, what=text("an object that can't be read")) from error
    if short.data[128:132] == b"DICM" and any(short.data[:128]):
        raise InputError(NOT_WHITELISTED, what=text("something before the beginning of an object"))
    if short.pixels and found.first(PIXEL_DATA) is not None:
        raise InputError(NOT_WHITELISTED, what=text("an object that has its pixels twice"))
    pixels = short.pixels or found.first(PIXEL_DATA) is not None
    _check_marks(found, pixels=pixels)
    if any(not (pixels and _shows(found, one)) for one in pointed):
        raise InputError(NOT_WHITELISTED, what=text("a key image that its object does not have"))
    told = (found.words(SOP_INSTANCE), found.words(SOP_CLASS), found.words(STUDY), found.words(SERIES))
    if told != (listed.sop_uid, listed.sop_class_uid, listed.study_uid, listed.series_uid):
        raise InputError(NOT_WHITELISTED, what=text("an object other than the listed one"))
    rules = Rules(Profile(name="claimed", label="", says="", options=_options(found)))
    _Walk(rules, found).dataset(found.elements, found.words(SOP_CLASS))


def _check_marks(found: Object, *, pixels: bool) -> None:
    wrong = (
        (found.words(IDENTITY_REMOVED) != "YES", text("an object that was not de-identified")),
        (found.words(SOP_CLASS) in UNSAFE_CLASSES, text("a kind of object that nobody can look through")),
        (
            pixels and found.words(BURNED_IN) != "NO",
            text("a picture that nobody looked at"),
        ),
    )
    for holds, what in wrong:
        if holds:
            raise InputError(NOT_WHITELISTED, what=what)


def _shows(found: Object, pointed: PointedImage) -> bool:
    frames = found.words(_FRAMES).partition("\\")[0].strip()
    last = int(frames) if frames.isascii() and frames.isdecimal() and len(frames) < 12 else 1
    if pointed.frame > max(last, 1):
        return False
    if pointed.x is None or pointed.y is None:
        return True
    return pointed.x < found.number(_COLUMNS) and pointed.y < found.number(_ROWS)


def _options(found: Object) -> frozenset[Option]:
    """The options of PS3.15 that the object says were taken."""
    stated = found.first(METHOD_CODES)
    codes = {_code(item) for item in (stated.items if stated is not None else None) or ()}
    options = frozenset(_BY_CODE[code] for code in codes if code in _BY_CODE)
    if "113100" not in codes:
        raise InputError(NOT_WHITELISTED, what=text("an object that was not de-identified"))
    if options & NEVER_CROSSES:
        raise InputError(NOT_WHITELISTED, what=text("an object that keeps its dates or UIDs"))
    return options


def _code(item: Sequence[Element]) -> str:
    values = {one.tag: plain(one.value) for one in item}
    return values.get(_CODE_VALUE, "") if values.get(_CODE_SCHEME) == "DCM" else ""


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    rules: Rules
    found: Object

    def dataset(self, elements: Sequence[Element], sop_class: str | None, *, content: bool = False) -> None:
        private = [one for one in elements if one.tag >> 16 & 1]
        self._check_private(private)
        coded = any(one.tag == _CODE_SCHEME for one in elements)
        for one in elements:
            if one.tag >> 16 & 1 or (sop_class is not None and one.tag in _MARKS):
                continue
            self._check_group(one)
            if not (coded and one.tag in CODED):
                self._check_element(one, sop_class, content=content)
            for item in one.items or ():
                self.dataset(item, None, content=content or one.tag == 0x0040A730)

    def _check_private(self, private: Sequence[Element]) -> None:
        creators = {one.tag: plain(one.value) for one in private if one.tag & 0xFFFF < 0x100}
        for one in private:
            if one.tag & 0xFFFF < 0x100:
                continue
            creator = creators.get(one.tag >> 16 << 16 | (one.tag & 0xFFFF) >> 8, "")
            if not may_stay(one, (one.tag >> 16, creator, one.tag & 0xFF), Identifiers()):
                self._refuse(one, text("a private attribute"))
            for item in one.items or ():
                self.dataset(item, None)
        if private and not self.rules.profile.has(Option.SAFE_PRIVATE):
            self._refuse(private[0], text("a private attribute"))

    def _check_group(self, one: Element) -> None:
        group = one.tag >> 16
        if group < 0x0008 or not one.tag & 0xFFFF or 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF:
            self._refuse(one, text("an attribute that is always taken out"))

    def _check_element(self, one: Element, sop_class: str | None, *, content: bool) -> None:
        vr = one.vr if one.vr != "UN" else dictionary_vr(one.tag)
        action = self.rules.action(one.tag, vr, sop_class)
        said = plain(one.value) if one.items is None else ""
        if vr == "PN" and said and said != plain(dummy("PN", b"")) and not PSEUDONYM.fullmatch(said):
            self._refuse(one, text("a name"))
        if vr == "UI" and one.tag not in CLASS_UIDS and action is not Action.KEEP:
            self._check_uids(one, said)
        if content and one.items is None:
            return  # text of reports is cleaned word by word; what stays is not to be told from here
        self._check_action(one, action, vr, said)

    def _check_action(self, one: Element, action: Action, vr: str, said: str) -> None:
        if action is Action.REMOVE and (one.value or one.items):
            self._refuse(one, text("an attribute that its profile takes out"))
        elif action is Action.EMPTY and (one.value or one.items):
            self._refuse(one, text("an attribute that its profile empties"))
        elif action is Action.PSEUDONYM and said and not PSEUDONYM.fullmatch(said):
            self._refuse(one, text("a name or number of a patient"))
        elif action is Action.DUMMY and vr in _DUMMIED and said not in ("", plain(dummy(vr, one.value))):
            self._refuse(one, text("a value where a dummy belongs"))

    def _check_uids(self, one: Element, said: str) -> None:
        if any(uid and not uid.startswith((WELL_KNOWN, OURS)) for uid in said.split("\\")):
            self._refuse(one, text("a UID that was not replaced"))

    def _refuse(self, one: Element, what: Text) -> None:
        raise InputError(NOT_WHITELISTED, what=text("{what}: {tag}", what=what, tag=f"{one.tag:08X}"))
