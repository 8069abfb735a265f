"""Coded concepts: codes of public systems stay, a hospital's own may tell who it is or whom it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import cast

from bingcheng.archive.deidentify.elements import Element, plain
from bingcheng.archive.deidentify.vocabulary import device_words, words

CODE_VALUE, CODE_SCHEME, CODE_MEANING, LONG_CODE_VALUE, URN_CODE_VALUE = (
    *(0x00080100, 0x00080102, 0x00080104, 0x00080119, 0x00080120),
)
CODE_VERSION = 0x00080103
CODED = frozenset((CODE_VALUE, CODE_SCHEME, CODE_VERSION, CODE_MEANING, LONG_CODE_VALUE, URN_CODE_VALUE))
DUMMIES: Mapping[int, bytes] = MappingProxyType(
    {
        CODE_VALUE: b"0",
        CODE_SCHEME: b"99REMOVED",
        CODE_VERSION: b"0",
        LONG_CODE_VALUE: b"00000000000000000",  # more than sixteen characters, as PS3.3 8.1 has it
        URN_CODE_VALUE: b"urn:removed",
    }
)
"""What stands for a code that may not stay."""
CODE_VALUES = frozenset((CODE_VALUE, LONG_CODE_VALUE, URN_CODE_VALUE))
PUBLIC_SCHEMES = frozenset(
    (
        *("DCM", "SCT", "SRT", "SNM3", "99SDM", "UCUM", "LN", "RADLEX", "FMA", "NCIt", "UMLS", "ICDO3", "I9", "I9C"),
        *(
            "I10",
            "I10P",
            "IBSI",
            "BI",
            "MSH",
            "NDC",
            "RXNORM",
            "PUBCHEM_CID",
            "UNS",
            "ISO639_2",
            "ISO3166_1",
            "ITIS_TSN",
        ),
        *(
            "CD123",
            "CDT",
            "C4",
            "NEU",
            "MA",
            "RO",
            "ACR",
            "BARI",
            "CPTM",
            "IBR",
            "ICD10",
            "ICD11",
            "HL7",
            "RFC5646",
            "RFC3066",
            "99BINGCHENG",
        ),
    )
)
"""Coding schemes whose meaning anybody can look up (PS3.16 section 8)."""
_LONG_NUMBER = re.compile(r"\d{6,}")
_OWN_SCHEME = re.compile(r"99[A-Z0-9_-]{0,14}|L|LOCAL", re.IGNORECASE)
"""Designators of private coding schemes (PS3.16 section 8)."""
_VERSION = re.compile(r"(?=.*\d)[A-Za-z0-9._-]{1,16}")
_NUMBERS = re.compile(r"\d{1,18}")
_TERM = re.compile(r"(?=.*\d)[A-Za-z0-9._:/+-]{1,64}|[A-Za-z-]{1,8}")
_ANNOTATION = re.compile(r"\{([^{}]*)\}")
_UNIT = re.compile(r"[A-Za-z0-9.*^/%'()\[\]_+-]{1,64}")
_UNIT_WORD = re.compile(
    r"(?:da|[YZEPTGMkhdcmunpfazy])?"
    r"(?:m|s|g|rad|K|C|cd|mol|sr|Hz|N|Pa|J|W|A|V|F|Ohm|S|Wb|Cel|T|H|lm|lx|Bq|Gy|Sv|l|L|ar|t|bar|u|eV|pc|d|h|min|wk|mo"
    r"|a|deg|gon|cal|kat|U|B|Np|osm|eq|dyn|erg|P|Ci|R|RAD|REM|bit|By|Bd|Hg)"
)
"""Letters that make a unit, a prefix before them (UCUM 2.1, tables 1 to 28)."""
_BRACKETED = re.compile(r"\[[A-Za-z0-9'_]{1,12}\]")
_RUNS = re.compile(r"[A-Za-z]+")
_MOST_LETTERS = 3
_MOST_LETTERS_OF: Mapping[str, int] = MappingProxyType({"IBSI": 4})
"""Letters running in codes of a scheme: more of them may be a name."""
_NUMBERED = frozenset(("SCT", "LN"))
"""Schemes whose codes are numbers (with a check digit behind a hyphen in LOINC)."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a coded item.

    Parameters
    ----------
    scheme : its coding scheme; empty if it names none.
    value : the code.
    """

    scheme: str
    value: str

    @property
    def is_public(self) -> bool:
        """Whether anybody can look up what it means."""
        return self.scheme in PUBLIC_SCHEMES

    def may_say(self, tag: int, said: str) -> bool:
        """Whether an attribute of the item may say this: designators, versions and codes have forms."""
        if tag == CODE_SCHEME:
            return self.is_public or (_OWN_SCHEME.fullmatch(said) is not None and _names_nobody(said[2:]))
        if tag == CODE_VERSION:
            return _VERSION.fullmatch(said) is not None and _names_nobody(said)
        return tag not in CODE_VALUES or self._is_code(said)

    def _is_code(self, said: str) -> bool:
        if self.scheme == "UCUM":
            return _is_unit(said)
        if self.scheme in _NUMBERED:
            return _NUMBERS.fullmatch(said.replace("-", "", 1)) is not None
        if (self.scheme, said) in _meanings():
            return True
        if not self.is_public and _LONG_NUMBER.search(said) is not None:
            return False
        return _TERM.fullmatch(said) is not None and _names_nobody(
            said, _MOST_LETTERS_OF.get(self.scheme, _MOST_LETTERS)
        )

    def words(self) -> frozenset[str]:
        """The words of what the code means in public, lower case; none where that isn't known here."""
        meaning = self._meaning()
        return frozenset() if meaning is None else frozenset(word.casefold() for word in _WORDS.findall(meaning))

    def _meaning(self) -> str | None:
        return _meanings().get((self.scheme, self.value))


_WORDS = re.compile(r"[^\W\d_]+|\d+")


@cache
def _meanings() -> Mapping[tuple[str, str], str]:
    """What the codes of DICOM's own context groups mean, by scheme and code (PS3.16)."""
    from pydicom.sr._concepts_dict import concepts  # noqa: PLC0415 - heavy, and needed for few objects

    listed = cast("Mapping[str, Mapping[str, Mapping[str, tuple[str, list[int]]]]]", concepts)
    return MappingProxyType(
        {
            (scheme, code): meaning
            for scheme, by_keyword in listed.items()
            for by_code in by_keyword.values()
            for code, (meaning, _) in by_code.items()
        }
    )


def _names_nobody(said: str, most: int = _MOST_LETTERS) -> bool:
    """Whether no letters run that aren't a known word and could be a name."""
    return all(len(run) <= most or _is_word(run.casefold()) for run in _RUNS.findall(said))


def _is_word(low: str) -> bool:
    return low in words() or low in device_words()


def _is_unit(said: str) -> bool:
    """Whether a code is a unit of UCUM; what stands in braces is a remark, of which known words may stay."""
    if not all(word in words() for remark in _ANNOTATION.findall(said) for word in _LETTERS.findall(remark.casefold())):
        return False
    bare = _ANNOTATION.sub("", said)
    if bare and _UNIT.fullmatch(bare) is None:
        return False
    inside = all(_names_nobody(one, 4) for one in _BRACKETED.findall(bare))
    # Makers write units that UCUM doesn't have (HU, SUV): known words name nobody.
    return inside and all(_UNIT_WORD.fullmatch(run) or _names_nobody(run, 2) for run in _outside(bare))


def _outside(bare: str) -> list[str]:
    return _RUNS.findall(_BRACKETED.sub("", bare))


_LETTERS = re.compile(r"[^\W\d_]+")


def code(item: Sequence[Element]) -> Code | None:
    """The code of an item that holds one; None for any other item."""
    meant = False
    scheme = value = ""
    for one in item:
        if one.tag == CODE_SCHEME:
            scheme = plain(one.value)
        elif one.tag in CODE_VALUES:
            value = plain(one.value)
        meant = meant or one.tag == CODE_MEANING
    return Code(scheme, value) if meant or scheme else None


def concept(item: Sequence[Element]) -> str:
    """The code value of a content item's concept name, empty if it has none or a private one."""
    for one in item:
        if one.tag == 0x0040A043 and one.items:
            named = code(one.items[0])
            return named.value if named is not None and named.is_public else ""
    return ""
