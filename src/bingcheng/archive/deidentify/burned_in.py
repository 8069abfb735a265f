"""Whether text may be burned into a picture: what surely is an image of a scanner passes, all else waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bingcheng.archive.deidentify.devices import BURNED_IN, IMAGE_TYPE, DeviceRule, Region
from bingcheng.archive.deidentify.elements import Object
from bingcheng.archive.deidentify.glyphs import looks_like_text
from bingcheng.archive.deidentify.native import PIXEL_TAGS, frames
from bingcheng.archive.deidentify.subject import SOP_CLASS
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

_STORAGE = "1.2.840.10008.5.1.4.1.1."
SCANNED = frozenset(
    _STORAGE + end for end in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "130", "128.1", "20")
)
"""CT, MR, PET and nuclear medicine, also enhanced."""
COMPUTED = frozenset(_STORAGE + end for end in ("66.4", "66.7", "30", "481.2", "66.1", "66.2", "66.3"))
"""Segmentations, parametric maps, doses and registrations: numbers made by programs, never captures of a screen."""
PROJECTED = frozenset(
    _STORAGE + end
    for end in ("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "12.1", "12.1.1", "12.2", "12.2.1", "13.1.3")
)
"""Radiographs, mammograms, angiographies: clean only where the header says so."""
_SAMPLES, _PHOTOMETRIC, _CONVERSION = 0x00280002, 0x00280004, 0x00080064
_PALETTE = "PALETTE COLOR"
_CAPTURES = ("SCREEN", "CAPTURE", "DOSE", "REPORT", "PROTOCOL", "PASTED", "FILM", "SAVE")
_DERIVED = text("The picture was computed, and its header doesn't say whether there is text in it.")


class PictureState(StrEnum):
    """What is known about text in a picture."""

    NONE = "none"
    CLEAN = "clean"
    BLANK = "blank"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The judgement of one picture.

    Parameters
    ----------
    regions : what is blanked (state BLANK) or proposed to a person (state PERSON).
    reason : why a person is needed; None otherwise.
    """

    state: PictureState
    regions: tuple[Region, ...] = ()
    reason: Text | None = None


def judged(found: Object, rules: Sequence[DeviceRule], approved: tuple[Region, ...] | None) -> Picture:
    """Whether a picture may leave, what of it must be blanked, or that a person has to look.

    Parameters
    ----------
    approved : what a person had blanked, empty if the picture is clean to their eyes; None if nobody has looked.
    """
    if not any(one.tag in PIXEL_TAGS for one in found.elements):
        return Picture(state=PictureState.NONE)
    if approved is not None:
        return Picture(state=PictureState.BLANK if approved else PictureState.CLEAN, regions=approved)
    fitting = [rule for rule in rules if rule.fits(found)]
    regions = tuple(region for rule in fitting for region in rule.regions)
    if regions and all(rule.sure for rule in fitting):
        return Picture(state=PictureState.BLANK, regions=regions)
    reason = _doubt(found)
    if reason is None and fitting:
        reason = text("Pictures of this device are known to hold text.")
    if reason is None:
        reason = _seen(found)
    state = PictureState.CLEAN if reason is None else PictureState.PERSON
    return Picture(state=state, regions=regions, reason=reason)


def _doubt(found: Object) -> Text | None:  # noqa: PLR0911 - one doubt after the other
    """What in the header speaks for text; None if nothing does."""
    kind, said = found.words(SOP_CLASS), found.words(BURNED_IN).upper()
    if said == "YES":
        return text("The header says that text is burned in.")
    if kind in COMPUTED and found.number(_SAMPLES, 1) == 1:
        return None
    if kind not in SCANNED | PROJECTED | COMPUTED:
        return text("Pictures of this kind (ultrasound, screen captures and others) often hold text.")
    if any(word in found.words(IMAGE_TYPE).upper() for word in _CAPTURES):
        return text("It is a capture of a screen or a report.")
    if found.words(_CONVERSION):
        return text("It was digitised, drawn or captured, not acquired: its header names a Conversion Type.")
    if found.number(_SAMPLES, 1) != 1 or found.words(_PHOTOMETRIC) == _PALETTE:
        return text("It is in colour, as a scanner's images are not.")
    if kind in PROJECTED and said != "NO":
        return _DERIVED
    return None


def _seen(found: Object) -> Text | None:
    """What the pixels themselves speak for; None if nothing does."""
    if found.words(SOP_CLASS) in COMPUTED:
        return None
    try:
        if any(looks_like_text(frame) for frame in frames(found)):
            return text("There is something in the picture that looks like text.")
    except InputError:
        return text("The picture can't be decoded, so nobody knows what is in it.")
    return None
