"""Where in an object a dataset stands, and what stays in no place whatever any profile says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bingcheng.archive.deidentify import codes, content
from bingcheng.archive.deidentify.charset import DEFAULT, encodings
from bingcheng.archive.deidentify.elements import Element
from bingcheng.archive.deidentify.native import TOP_PIXELS
from bingcheng.archive.deidentify.subject import CHARSET

_ICC_PROFILE = 0x00282000
"""Holds texts of who made it, and whatever else its tags may."""
_PIXEL_GROUP, _WAVEFORMS = 0x7FE0, 0x54000100
_WAVES = "1.2.840.10008.5.1.4.1.1.9."


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where in the object a dataset stands.

    Parameters
    ----------
    sop_class : at the top; None in sequences.
    strip : whether text is replaced whatever it says (a sequence that the profile replaces by a dummy).
    coded : the code of a coded item; None for other datasets.
    about : what a content item speaks of.
    content : whether the dataset is an item of structured content, or in one.
    """

    encodings: Sequence[str] = DEFAULT
    path: str = ""
    sop_class: str | None = None
    within: int = 0
    strip: bool = False
    coded: codes.Code | None = None
    about: content.Subject = content.NOTHING
    content: bool = False

    def entered(self, elements: Sequence[Element]) -> Level:
        """The same place, knowing what the dataset says of itself: its character set, its code, what it speaks of."""
        stated = next((one for one in elements if one.tag == CHARSET), None)
        known = self.encodings if stated is None else encodings(stated.value)
        if self.sop_class is not None and not self.within:
            return replace(self, encodings=known)
        about = self.about.within(elements, self.within) if self.content else content.NOTHING
        return replace(self, encodings=known, coded=codes.code(elements), about=about)


DRAWN = frozenset((*range(0x5000, 0x5100), *range(0x6000, 0x6100)))
"""Curves and overlays."""


def never_stays(tag: int, level: Level) -> bool:
    """Whether an attribute goes whatever any profile says: what nobody needs, and what nobody can look into."""
    group = tag >> 16
    if tag == _ICC_PROFILE or group < 0x0008 or not tag & 0xFFFF or group in DRAWN:
        return True
    if group == _PIXEL_GROUP:  # of pixels in sequences nobody knows the form; those at the top are looked at
        return level.within != 0 or tag not in TOP_PIXELS
    waves = level.sop_class is not None and level.sop_class.startswith(_WAVES)
    return tag == _WAVEFORMS and not waves  # sound may be a voice
