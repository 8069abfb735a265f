"""Which exams' doses may be compared: those of the same body regions in patients of about the same size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bingcheng.core.codes import Code
from bingcheng.core.wording import Text, text


class BodyRegion(StrEnum):
    """A part of the body, from head to foot."""

    HEAD = "head"
    NECK = "neck"
    CHEST = "chest"
    ABDOMEN = "abdomen"
    PELVIS = "pelvis"
    SPINE = "spine"
    LIMB = "limb"


_HEAD, _NECK, _CHEST = BodyRegion.HEAD, BodyRegion.NECK, BodyRegion.CHEST
_ABDOMEN, _PELVIS, _SPINE, _LIMB = BodyRegion.ABDOMEN, BodyRegion.PELVIS, BodyRegion.SPINE, BodyRegion.LIMB
WHOLE_BODY = frozenset({_HEAD, _NECK, _CHEST, _ABDOMEN, _PELVIS})

REGION_CODES: Mapping[str, frozenset[BodyRegion]] = MappingProxyType(
    {
        **dict.fromkeys(("69536005", "T-D1100"), frozenset({_HEAD})),
        **dict.fromkeys(("45048000", "T-D1600"), frozenset({_NECK})),
        **dict.fromkeys(("51185008", "816094009", "T-D3000"), frozenset({_CHEST})),
        **dict.fromkeys(("113345001", "818981001", "T-D4000"), frozenset({_ABDOMEN})),
        **dict.fromkeys(("12921003", "816092008", "T-D6000"), frozenset({_PELVIS})),
        **dict.fromkeys(("774007",), frozenset({_HEAD, _NECK})),
        **dict.fromkeys(("417437006", "R-FAB52"), frozenset({_NECK, _CHEST})),
        **dict.fromkeys(("416152001", "R-FAB53"), frozenset({_NECK, _CHEST, _ABDOMEN})),
        **dict.fromkeys(("416319003", "R-FAB54"), frozenset({_NECK, _CHEST, _ABDOMEN, _PELVIS})),
        **dict.fromkeys(("416550000", "R-FAB55"), frozenset({_CHEST, _ABDOMEN})),
        **dict.fromkeys(("416775004", "R-FAB56"), frozenset({_CHEST, _ABDOMEN, _PELVIS})),
        **dict.fromkeys(("416949008", "818982008", "R-FAB57"), frozenset({_ABDOMEN, _PELVIS})),
        **dict.fromkeys(("38266002", "T-D0010"), WHOLE_BODY),
    }
)
"""Regions by their codes (PS3.16 CID 4030), SNOMED's newer and older identifiers."""

_WORDS: tuple[tuple[re.Pattern[str], frozenset[BodyRegion]], ...] = tuple(
    (re.compile(words, re.IGNORECASE), regions)
    for words, regions in (
        (r"whole.?body|entire.?body|全身", WHOLE_BODY),
        (r"spine|lumbar|sacr|脊|腰椎", frozenset({_SPINE})),
        (r"head|brain|skull|kopf|sch(ä|ae)del|头|颅|脑", frozenset({_HEAD})),
        (r"neck|hals|larynx|颈", frozenset({_NECK})),
        (r"chest|thora|lung|heart|mediast|brust|胸|肺", frozenset({_CHEST})),
        (r"abd|liver|pancrea|kidney|renal|spleen|stomach|bauch|腹|肝|胰|肾", frozenset({_ABDOMEN})),
        (r"pelv|bladder|prostate|rectum|uterus|hip|becken|盆", frozenset({_PELVIS})),
        (r"arm|leg|hand|foot|knee|extrem|shoulder|femur|四肢|膝", frozenset({_LIMB})),
    )
)

_NAMES: Mapping[frozenset[BodyRegion], Text] = MappingProxyType(
    {
        frozenset({_HEAD}): text("head"),
        frozenset({_NECK}): text("neck"),
        frozenset({_CHEST}): text("chest"),
        frozenset({_ABDOMEN}): text("abdomen"),
        frozenset({_PELVIS}): text("pelvis"),
        frozenset({_SPINE}): text("spine"),
        frozenset({_LIMB}): text("limb"),
        frozenset({_HEAD, _NECK}): text("head and neck"),
        frozenset({_NECK, _CHEST}): text("neck and chest"),
        frozenset({_CHEST, _ABDOMEN}): text("chest and abdomen"),
        frozenset({_ABDOMEN, _PELVIS}): text("abdomen and pelvis"),
        frozenset({_CHEST, _ABDOMEN, _PELVIS}): text("chest, abdomen and pelvis"),
        frozenset({_NECK, _CHEST, _ABDOMEN}): text("neck, chest and abdomen"),
        frozenset({_NECK, _CHEST, _ABDOMEN, _PELVIS}): text("neck, chest, abdomen and pelvis"),
        WHOLE_BODY: text("whole body"),
    }
)


def regions_of_code(code: Code | None) -> frozenset[BodyRegion]:
    """The body regions of a coded target region, by its code, else by the words of its meaning; empty if unknown."""
    if code is None:
        return frozenset()
    return REGION_CODES.get(code.value.strip()) or regions_of_words(code.meaning)


def regions_of_words(words: str | None) -> frozenset[BodyRegion]:
    """The body regions that words name (``CHESTABDPELVIS``, ``T-SPINE``, 胸部), in English, German or Chinese."""
    found = frozenset[BodyRegion]()
    for pattern, regions in _WORDS:
        if pattern.search(words or ""):
            found |= regions
    return found - {_CHEST, _ABDOMEN, _NECK} if _SPINE in found else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """What was scanned. The CT of a PET/CT is a procedure of its own: much of it is made for attenuation correction.

    Parameters
    ----------
    regions : from head to foot, each once; empty where the exam doesn't say.
    hybrid : whether it is the CT of a PET/CT.
    protocol : the protocol that the exam followed, where the hospitals compare by protocol; else None.
    """

    regions: tuple[BodyRegion, ...]
    hybrid: bool = False
    protocol: str | None = None

    @staticmethod
    def of(regions: Iterable[BodyRegion], *, hybrid: bool = False, protocol: str | None = None) -> Procedure:
        """The procedure that covers `regions`, in whatever order and number they come."""
        held = set(regions)
        return Procedure(
            regions=tuple(region for region in BodyRegion if region in held), hybrid=hybrid, protocol=protocol
        )

    @property
    def label(self) -> Text:
        """Its name for people."""
        name = _name(self.regions)
        name = text("CT of a PET/CT, {regions}", regions=name) if self.hybrid else name
        return (
            name if self.protocol is None else text("{procedure} ({protocol})", procedure=name, protocol=self.protocol)
        )


class SizeScheme(StrEnum):
    """By what patients are told apart; records of different schemes are never compared."""

    DIAMETER = "water-equivalent diameter"
    WEIGHT = "weight"
    AGE = "age"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBand:
    """A range of patient sizes, from `low` (inside) to `high` (outside); None where it is open.

    The unit is that of its scheme: cm, kg or years.
    """

    scheme: SizeScheme
    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a size lies in the band."""
        return (self.low is None or value >= self.low) and (self.high is None or value < self.high)

    @property
    def label(self) -> Text:
        """Its name for people."""
        what, unit = _SCHEME_WORDS[self.scheme]
        if self.low is None and self.high is None:
            return what
        if self.low is None:
            return text("{what} under {high} {unit}", what=what, high=self.high or 0.0, unit=unit)
        if self.high is None:
            return text("{what} {low} {unit} and more", what=what, low=self.low, unit=unit)
        return text("{what} {low} to {high} {unit}", what=what, low=self.low, high=self.high, unit=unit)


UNKNOWN_SIZE = SizeBand(scheme=SizeScheme.UNKNOWN)
"""The band of patients whose size is not known; nobody is judged in it."""

_SCHEME_WORDS: Mapping[SizeScheme, tuple[Text, Text]] = MappingProxyType(
    {
        SizeScheme.DIAMETER: (text("Dw"), text("cm")),
        SizeScheme.WEIGHT: (text("weight"), text("kg")),
        SizeScheme.AGE: (text("age"), text("years")),
        SizeScheme.UNKNOWN: (text("patient size unknown"), text("")),
    }
)


def bands(scheme: SizeScheme, edges: Iterable[float]) -> tuple[SizeBand, ...]:
    """The bands between rising `edges`, with an open one at either end."""
    inner = list(edges)
    lows: list[float | None] = [None, *inner]
    highs: list[float | None] = [*inner, None]
    return tuple(SizeBand(scheme=scheme, low=low, high=high) for low, high in zip(lows, highs, strict=True))


def _name(regions: tuple[BodyRegion, ...]) -> Text:
    if not regions:
        return text("body region unknown")
    known = _NAMES.get(frozenset(regions))
    if known is not None:
        return known
    named = _NAMES[frozenset(regions[:1])]
    for region in regions[1:]:
        named = text("{first}, {second}", first=named, second=_NAMES[frozenset({region})])
    return named
