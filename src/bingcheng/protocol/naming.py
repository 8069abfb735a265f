"""What the free-text names of a series say, for breaking ties that physics leaves.

Names are written by people: in several languages, copied from other protocols, and not changed when the settings are.
So a name decides nothing by itself. `picked` answers only which of the values that are *possible by physics* a name
speaks of; the words stand in ``naming.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from bingcheng.dicom.acquisition import Acquisition, MrAcquisition

CERTAINTY = 0.6
"""The most that a name makes certain. In a hospital's archive some names are wrong and none is checked."""

# What separates the tokens of a name: anything but letters and digits, and the seams of "AxT2FSE".
SEPARATORS = re.compile(r"[\W_]+")
SEAMS = re.compile(r"(?<=[a-zäöü])(?=[A-Z])|(?<=[0-9])(?=[A-Z]{2})")


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that a name speaks of, and the word of the vocabulary that it uses."""

    value: str
    word: str


@dataclass(frozen=True, slots=True)
class _Words:
    """How one value is named: tokens as one pattern, and the values that it takes back."""

    pattern: re.Pattern[str]
    instead_of: frozenset[str]


def picked(about: str, possible: Collection[str], acquisition: Acquisition) -> Mention | None:
    """The one value of `possible` that the names of a series speak of; None if they speak of none or of several.

    Parameters
    ----------
    about : section of the vocabulary: ``plane``, ``weighting``, ``content``, ``sequence``, ``contrast`` or ``phase``.
    possible : the values that the physics of the series leaves open.
    acquisition : whose description, protocol name and sequence name are read.
    """
    names = _tokens(acquisition)
    if not names:
        return None
    section = _vocabulary()[about]
    said: dict[str, str] = {}
    for value, words in section.items():
        found = words.pattern.search(names)
        if found is not None:
            said[value] = found.group().strip()
    taken_back = {other for value in said for other in section[value].instead_of}
    left = [Mention(value, word) for value, word in said.items() if value in possible and value not in taken_back]
    return left[0] if len(left) == 1 else None


def spoken_of(about: str, name: str) -> frozenset[str]:
    """All values of a section of the vocabulary that one name speaks of, for what no physics can check.

    Words of a more special value do not count for those that it stands in place of: the "head" of "head coil" names no
    brain, while the "brain" of "brain, head coil" does.
    """
    section = _vocabulary()[about]
    tokens = _tokens_of([name])
    said = {value for value, words in section.items() if words.pattern.search(tokens)}
    for special in [value for value in said if section[value].instead_of]:
        left = section[special].pattern.sub(" ", tokens)
        said -= {other for other in section[special].instead_of if not section[other].pattern.search(left)}
    return frozenset(said)


def _tokens(acquisition: Acquisition) -> str:
    """All names of a series as lower-case tokens with a blank on either side of each."""
    names = [acquisition.series_description, acquisition.protocol_name]
    if isinstance(acquisition, MrAcquisition):
        names.append(acquisition.sequence_name)
    return _tokens_of(names)


def _tokens_of(names: Iterable[str | None]) -> str:
    written = " | ".join(name for name in names if name).replace("2*", "2 star ")
    if not written:
        return ""
    return f" {SEPARATORS.sub(' ', SEAMS.sub(' ', written)).strip().lower()} "


@cache
def _vocabulary() -> Mapping[str, Mapping[str, _Words]]:
    source = files("bingcheng.protocol").joinpath("naming.toml").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            about: {
                value: _Words(_pattern(entry["words"]), frozenset(entry.get("instead_of", ())))
                for value, entry in section.items()
            }
            for about, section in tomllib.loads(source).items()
        }
    )


def _pattern(words: Collection[str]) -> re.Pattern[str]:
    # The longest first, so that the word which is told to the reader is the most telling one.
    return re.compile("|".join(_one(word) for word in sorted(words, key=len, reverse=True)))


def _one(word: str) -> str:
    if any(letter >= "\u4e00" for letter in word):
        return re.escape(word)
    stem = re.escape(word.removesuffix("*"))
    return rf"(?<= ){stem}[^ ]*" if word.endswith("*") else rf"(?<= ){stem}(?= )"
