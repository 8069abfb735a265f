"""Coded concepts: codes of public systems stay, a hospital's own may tell who it is or whom it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bingcheng.archive.deidentify.elements import Element, plain

CODE_VALUE, CODE_SCHEME, CODE_MEANING, LONG_CODE_VALUE, URN_CODE_VALUE = (
    *(0x00080100, 0x00080102, 0x00080104, 0x00080119, 0x00080120),
)
CODED = frozenset((CODE_VALUE, CODE_SCHEME, CODE_MEANING, LONG_CODE_VALUE, URN_CODE_VALUE))
DUMMIES: Mapping[int, bytes] = MappingProxyType(
    {
        CODE_VALUE: b"0",
        CODE_SCHEME: b"99REMOVED",
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


def scheme(item: Sequence[Element]) -> str | None:
    """The coding scheme of an item that holds a code; None for any other item."""
    meant = False
    found = ""
    for one in item:
        if one.tag == CODE_SCHEME:
            found = plain(one.value)
        meant = meant or one.tag == CODE_MEANING
    return found if meant else None


def is_number_of_somebody(value: str) -> bool:
    """Whether a private code is as long as somebody's number."""
    return _LONG_NUMBER.search(value) is not None


def concept(item: Sequence[Element]) -> str:
    """The code value of a content item's concept name, empty if it has none or a private one."""
    for one in item:
        if one.tag == 0x0040A043 and one.items and (scheme(one.items[0]) or "") in PUBLIC_SCHEMES:
            return next((plain(inner.value) for inner in one.items[0] if inner.tag == CODE_VALUE), "")
    return ""
