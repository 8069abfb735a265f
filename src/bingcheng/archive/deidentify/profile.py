"""De-identification profiles: which options of PS3.15 are taken. They are files, so that a hospital writes its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bingcheng.archive.deidentify.problems import BAD_PROFILE, NO_SUCH_PROFILE
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text


class Option(StrEnum):
    """The options of PS3.15 E.3, and two of ours (the last)."""

    CLEAN_PIXELS = "clean-pixels"
    CLEAN_FACES = "clean-faces"
    GRAPHICS = "graphics"
    STRUCTURED = "structured"
    DESCRIPTORS = "descriptors"
    FULL_DATES = "full-dates"
    MODIFIED_DATES = "modified-dates"
    PATIENT = "patient"
    DEVICE = "device"
    INSTITUTION = "institution"
    UIDS = "uids"
    SAFE_PRIVATE = "safe-private"
    KEEP_WEEKDAY = "keep-weekday"
    NO_FACES = "no-faces"


CODES: Mapping[Option, tuple[str, str]] = MappingProxyType(
    {
        Option.CLEAN_PIXELS: ("113101", "Clean Pixel Data Option"),
        Option.CLEAN_FACES: ("113102", "Clean Recognizable Visual Features Option"),
        Option.GRAPHICS: ("113103", "Clean Graphics Option"),
        Option.STRUCTURED: ("113104", "Clean Structured Content Option"),
        Option.DESCRIPTORS: ("113105", "Clean Descriptors Option"),
        Option.FULL_DATES: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
        Option.MODIFIED_DATES: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        Option.PATIENT: ("113108", "Retain Patient Characteristics Option"),
        Option.DEVICE: ("113109", "Retain Device Identity Option"),
        Option.UIDS: ("113110", "Retain UIDs Option"),
        Option.SAFE_PRIVATE: ("113111", "Retain Safe Private Option"),
        Option.INSTITUTION: ("113112", "Retain Institution Identity Option"),
    }
)
"""Codes of CID 7050 (scheme DCM), PS3.16."""
BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")
_FIELDS = frozenset(("name", "label", "says", "options", "remove", "words"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is kept, cleaned and removed.

    Parameters
    ----------
    name : by which people call it.
    label, says : what it is, in English.
    options : beyond the Basic Profile.
    remove : tags that go in any case, as integers.
    words : further words that descriptions may keep, lower case.
    """

    name: str
    label: str
    says: str
    options: frozenset[Option]
    remove: frozenset[int] = frozenset()
    words: frozenset[str] = frozenset()

    def has(self, option: Option) -> bool:
        """Whether the option is taken."""
        return option in self.options

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Value and meaning of what goes into the De-identification Method Code Sequence."""
        return (BASIC_CODE, *(CODES[option] for option in Option if option in self.options and option in CODES))

    @staticmethod
    def named(name: str) -> Profile:
        """A profile that ships with the program.

        Raises
        ------
        InputError
            ``archive.no-such-profile``.
        """
        folder = files("bingcheng.archive.deidentify").joinpath("profiles")
        if name not in known_profiles():
            raise InputError(NO_SUCH_PROFILE, name=name, known=", ".join(known_profiles()))
        return _profile(tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")))

    @staticmethod
    def read(path: Path) -> Profile:
        """A hospital's own profile.

        Raises
        ------
        InputError
            ``archive.bad-profile``.
        """
        try:
            return _profile(tomllib.loads(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(BAD_PROFILE, fault=text("the file can't be read")) from error


def known_profiles() -> tuple[str, ...]:
    """The names of the profiles that ship with the program."""
    folder = files("bingcheng.archive.deidentify").joinpath("profiles")
    return tuple(sorted(one.name[:-5] for one in folder.iterdir() if one.name.endswith(".toml")))


def _profile(stored: Mapping[str, Any]) -> Profile:
    unknown = sorted(set(stored) - _FIELDS)
    if unknown:
        raise InputError(BAD_PROFILE, fault=text("unknown field '{name}'", name=unknown[0]))
    if not isinstance(stored.get("name"), str) or not stored["name"]:
        raise InputError(BAD_PROFILE, fault=text("it has no name"))
    options = frozenset(_option(name) for name in _strings(stored, "options"))
    if {Option.FULL_DATES, Option.MODIFIED_DATES} <= options:
        raise InputError(BAD_PROFILE, fault=text("dates are either kept or moved, not both"))
    if Option.CLEAN_FACES in options:
        raise InputError(BAD_PROFILE, fault=text("no defacing is built in; take no-faces, or deface before"))
    return Profile(
        name=stored["name"],
        label=str(stored.get("label", stored["name"]))[:64],
        says=str(stored.get("says", "")),
        options=options,
        remove=frozenset(_tag(words) for words in _strings(stored, "remove")),
        words=frozenset(word.casefold() for word in _strings(stored, "words")),
    )


def _strings(stored: Mapping[str, Any], name: str) -> Iterable[str]:
    values = stored.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(BAD_PROFILE, fault=text("'{name}' isn't a list of words", name=name))
    return values


def _option(name: str) -> Option:
    try:
        return Option(name)
    except ValueError as error:
        raise InputError(BAD_PROFILE, fault=text("unknown option '{name}'", name=name)) from error


def _tag(words: str) -> int:
    from pydicom.datadict import tag_for_keyword  # noqa: PLC0415 - only where a profile removes more

    digits = words.strip("()").replace(",", "")
    tag = tag_for_keyword(words)
    if tag is not None:
        return tag
    try:
        return int(digits, 16)
    except ValueError as error:
        raise InputError(BAD_PROFILE, fault=text("unknown attribute '{name}'", name=words)) from error
