"""How the signal of fat was suppressed in MR images, and which images of a Dixon separation a series holds.

Only technical fields are read, never the series' name. A header that lists no suppression does not tell that there
was none, but for three ways to say so: DICOM's enhanced attributes, the vendor's private list of pulses, and the
options of a spin-echo sequence, which are listed with fat saturation among the terms (PS3.3 C.8.3.1, ScanOptions).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from types import MappingProxyType

from bingcheng.dicom.facts.sequence import acquisition_contrast, inversion_recovery, scan_options, scanning_sequence
from bingcheng.dicom.facts.series import SeriesFacts

DIXON_WORDS = MappingProxyType(
    {
        "WATER": "WATER",
        "FAT": "FAT",
        **dict.fromkeys(("IN_PHASE", "INPHASE", "IN-PHASE"), "IN_PHASE"),
        **dict.fromkeys(
            (
                *("OPP_PHASE", "OPPOSED_PHASE", "OPPOSED", "OPPOSED-PHASE", "OPPPHASE"),
                *("OUT_PHASE", "OUT_OF_PHASE", "OUTPHASE", "OUT-OF-PHASE"),
            ),
            "OPPOSED_PHASE",
        ),
    }
)
"""What Siemens, GE and UIH write into ImageType for the images of a separation; unmistakable anywhere in it."""

_SHORT_DIXON_WORDS = MappingProxyType({"W": "WATER", "F": "FAT", "IP": "IN_PHASE", "OP": "OPPOSED_PHASE"})
"""Philips' words, and those of others where a word for the method stands beside them."""

_METHODS = frozenset(("DIXON", "MDIXON", "IDEAL", "FLEX", "WFI", "WFS"))
_ORDER = ("WATER", "FAT", "IN_PHASE", "OPPOSED_PHASE")

_SPECTRAL = frozenset(
    (
        *("FS", "SFS", "SPIR", "SPAIR", "CHESS", "FATSAT", "FAT_SAT", "FAT SAT", "FAT SATURATION"),
        *("SPECIAL", "ASPIR", "SPECIR", "MSOFT", "PASTA"),
    )
)
_WATER_EXCITATION = frozenset(("WE", "WATER_EXCITATION", "WATER EXCITATION", "PROSET", "SSRF"))
_STANDARD_OPTIONS = frozenset(("PER", "RG", "CG", "PPG", "FC", "PFF", "PFP", "SP"))
_IN_NAMES = re.compile(
    r"fs|fat|fett|stir|tirm|spair|spir|dixon|ideal|flex|water|wasser|sat|抑脂|压脂|脂肪|水", re.IGNORECASE
)

NULL_OF_FAT_MS: Sequence[tuple[tuple[float, float], tuple[float, float]]] = (
    ((0.1, 0.7), (70.0, 150.0)),
    ((0.9, 2.0), (120.0, 240.0)),
    ((2.5, 4.0), (170.0, 270.0)),
)
"""By field strength in T, the inversion times in ms that null fat: ln 2 times its T1, less where TR is short.

T1 of subcutaneous fat is 343 ms at 1.5 T and 382 ms at 3 T (de Bazelaire et al., Radiology 2004;230:652-659), so the
null lies at most at 238 and 265 ms; at 1.5 T 150 to 180 ms is what is used. The intervals hold both short and long TR.
"""


def dixon(facts: SeriesFacts) -> tuple[str, ...]:
    """Which images of a Dixon separation the series holds, in the order WATER, FAT, IN_PHASE, OPPOSED_PHASE."""
    philips = facts.vendor is not None and facts.vendor.name == "PHILIPS"
    found = {word for kind in facts.kinds() for word in _separated(kind, short=philips)}
    return tuple(word for word in _ORDER if word in found)


def _separated(kind: Sequence[str], *, short: bool) -> set[str]:
    own = kind[2:]  # the first two values say whether it is original and primary (PS3.3 C.7.6.1.1.2)
    words = {DIXON_WORDS[word] for word in own if word in DIXON_WORDS}
    if short or _METHODS.intersection(own):
        words |= {_SHORT_DIXON_WORDS[word] for word in own if word in _SHORT_DIXON_WORDS}
    return words


def fat_suppression(
    facts: SeriesFacts, separated: Collection[str], inversion_time_ms: float | None, field_strength_t: float | None
) -> str | None:
    """NONE, SPECTRAL, INVERSION, WATER_EXCITATION or DIXON; None where the header does not tell.

    Parameters
    ----------
    separated : the images of a Dixon separation that the series holds (see `dixon`).
    inversion_time_ms, field_strength_t : of the sequence.
    """
    if "WATER" in separated:
        return "DIXON"
    found = _pulse(facts)
    if found in ("SPECTRAL", "WATER_EXCITATION"):
        return found
    if _nulled(facts, inversion_time_ms, field_strength_t):
        return "INVERSION"
    if separated:
        return "NONE"  # fat, in-phase and opposed-phase images show the fat
    return found if found is not None else _without(facts)


def _pulse(facts: SeriesFacts) -> str | None:
    """What the header says of pulses that act on fat or water alone."""
    header = facts.header
    suppressed = (header.text("SpectrallySelectedSuppression") or "").upper()
    excited = (header.text("SpectrallySelectedExcitation") or "").upper()
    options = set(scan_options(header))
    private = facts.vendor.fat_suppression(header) if facts.vendor is not None else None
    if suppressed in ("FAT", "FAT_AND_WATER") or options & _SPECTRAL or private == "SPECTRAL":
        return "SPECTRAL"
    if excited == "WATER" or options & _WATER_EXCITATION:
        return "WATER_EXCITATION"
    if suppressed == "NONE" and excited in ("", "NONE"):
        return "NONE"
    return "NONE" if private == "NONE" and _trusted(facts) else None


def _nulled(facts: SeriesFacts, inversion_time_ms: float | None, field_strength_t: float | None) -> bool:
    """Whether an inversion pulse was timed to null the fat."""
    header = facts.header
    if acquisition_contrast(header) == "STIR" or "STIR" in scan_options(header):
        return True
    if inversion_time_ms is None or field_strength_t is None or not inversion_recovery(header):
        return False
    return any(
        weak <= field_strength_t <= strong and short <= inversion_time_ms <= long
        for (weak, strong), (short, long) in NULL_OF_FAT_MS
    )


def _without(facts: SeriesFacts) -> str | None:
    """NONE where the options of the sequence are listed, and fat saturation is not among them."""
    listed = bool(_STANDARD_OPTIONS.intersection(scan_options(facts.header)))
    return "NONE" if listed and _trusted(facts) else None


def _trusted(facts: SeriesFacts) -> bool:
    """Whether a list without fat saturation means none: of spin echoes, whose name speaks of no other suppression.

    Gradient echoes may excite the water alone, which no list names.
    """
    header = facts.header
    kinds = set(scanning_sequence(header))
    names = " ".join(header.text(keyword) or "" for keyword in ("SeriesDescription", "ProtocolName"))
    return "SE" in kinds and not kinds & {"GR", "EP"} and _IN_NAMES.search(names) is None
