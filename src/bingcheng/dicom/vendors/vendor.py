"""What one vendor writes differently: its names, its times, its SUV factors, its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bingcheng.dicom.facts.tags import Tags

_TIME_OF_FLIGHT = re.compile(r"TOF|TIME.OF.FLIGHT", re.IGNORECASE)
_POINT_SPREAD = re.compile(r"PSF|TRUE ?X|ULTRAHD|SHARP ?IR|POINT.SPREAD", re.IGNORECASE)


def nowhere(header: Tags) -> None:
    """The look-up of a vendor that has no private place for this fact."""
    del header


def nothing(header: Tags) -> tuple[tuple[str, float], ...]:
    """The look-up of a vendor that writes no private PET factors."""
    del header
    return ()


def in_words(method: str) -> tuple[bool | None, bool | None]:
    """What most vendors' PET reconstruction names say in plain words: (time of flight, point spread function)."""
    return (True if _TIME_OF_FLIGHT.search(method) else None), (True if _POINT_SPREAD.search(method) else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One vendor's habits.

    Parameters
    ----------
    name : as facts name it, in capitals.
    words : parts of Manufacturer (0008,0070), in capitals, by which it is recognised.
    decay_reference : moment to which a PET image is decay-corrected, from a private element, as written: its date
        may have been shifted apart from the public dates by de-identification.
    mid_frame_reference : whether FrameReferenceTime (0054,1300) speaks of the moment of the frame's mean count rate
        (PS3.3 C.8.9.4.1.5), or of the frame's start.
    iterations : (iterations, subsets) of an iterative PET reconstruction, from private elements.
    reconstruction : (time of flight, point spread function) as the name of the PET reconstruction says, each None if
        it does not.
    iterative : iterative or deep-learning reconstruction of a CT image with its strength, as people call it.
    duration_s : seconds that the whole run took, from private elements.
    fat_suppression : ``SPECTRAL`` or ``NONE``, as far as private elements tell of saturation pulses.
    pet_factors : private factors by fact name: ``suv_factor`` and ``stored_unit_factor`` of `PetAcquisition`.
    """

    name: str
    words: tuple[str, ...]
    decay_reference: Callable[[Tags], datetime | None] = nowhere
    mid_frame_reference: bool = True
    iterations: Callable[[Tags], tuple[int, int] | None] = nowhere
    reconstruction: Callable[[str], tuple[bool | None, bool | None]] = in_words
    iterative: Callable[[Tags], str | None] = nowhere
    duration_s: Callable[[Tags], float | None] = nowhere
    fat_suppression: Callable[[Tags], str | None] = nowhere
    pet_factors: Callable[[Tags], tuple[tuple[str, float], ...]] = nothing
