"""What a cleaned object says of itself: that, by which profile and with which options identities were taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bingcheng import __version__
from bingcheng.archive.deidentify.burned_in import PictureState
from bingcheng.archive.deidentify.elements import Element, Object
from bingcheng.archive.deidentify.faces import Face
from bingcheng.archive.deidentify.profile import CODES, Option, Profile
from bingcheng.dicom.write.header import uid_of

IDENTITY_REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
BURNED_IN, VISUAL_FEATURES, LONGITUDINAL = 0x00280301, 0x00280302, 0x00280303
VERSION = "DICOM PS3.15"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Elements to be added; they take the place of any that were there."""

    elements: tuple[Element, ...]


def marks(profile: Profile, picture: PictureState, face: Face, *, private: bool = False) -> Marks:
    """What a cleaned object says of itself.

    Parameters
    ----------
    picture : CLEAN or BLANK where nothing is burned in any more; NONE without pixels.
    private : whether safe private attributes are in it, also where the profile keeps but those that are needed.
    """
    codes = [code for code in profile.codes if picture is not PictureState.NONE or code[0] != "113101"]
    if private and CODES[Option.SAFE_PRIVATE] not in codes:
        codes.append(CODES[Option.SAFE_PRIVATE])
    found = [
        Element(IDENTITY_REMOVED, "CS", b"YES"),
        Element(METHOD, "LO", _method(profile)),
        Element(METHOD_CODES, "SQ", b"", [_coded(value, meaning) for value, meaning in codes]),
        Element(LONGITUDINAL, "CS", _longitudinal(profile)),
    ]
    if picture is not PictureState.NONE:
        found.append(Element(BURNED_IN, "CS", b"NO"))
        found.append(Element(VISUAL_FEATURES, "CS", b"NO" if face is Face.NO else b"YES"))
    return Marks(elements=tuple(found))


def words_of(profile: Profile) -> tuple[str, ...]:
    """What the marks write out: not the patient's, even where a patient is called like it."""
    return (_method(profile).decode("ascii"), *(meaning[:64] for _, meaning in profile.codes))


def _method(profile: Profile) -> bytes:
    parts = (f"Bingcheng {__version__}"[:64], VERSION, f"Profile {profile.name}"[:64])
    return "\\".join(part.encode("ascii", "replace").decode().replace("\\", "/") for part in parts).encode("ascii")


def _longitudinal(profile: Profile) -> bytes:
    if profile.has(Option.FULL_DATES):
        return b"UNMODIFIED"
    return b"MODIFIED" if profile.has(Option.MODIFIED_DATES) else b"REMOVED"


def _coded(value: str, meaning: str) -> list[Element]:
    return [
        Element(0x00080100, "SH", value.encode()),
        Element(0x00080102, "SH", b"DCM"),
        Element(0x00080104, "LO", meaning[:64].encode()),
    ]


def marked(elements: Sequence[Element], added: Marks) -> list[Element]:
    """The elements with the marks, in the order of tags."""
    tags = {one.tag for one in added.elements}
    return sorted([*(one for one in elements if one.tag not in tags), *added.elements], key=lambda one: one.tag)


def meta(found: Object) -> tuple[tuple[int, str, bytes], ...]:
    """A meta header that says only what it must (PS3.10 7.1)."""
    return (
        (0x0001, "OB", b"\0\1"),
        (0x0002, "UI", found.words(0x00080016).encode("ascii", "replace")),
        (0x0003, "UI", found.words(0x00080018).encode("ascii", "replace")),
        (0x0010, "UI", found.syntax.encode("ascii")),
        (0x0012, "UI", uid_of("bingcheng", "implementation").encode("ascii")),
    )
