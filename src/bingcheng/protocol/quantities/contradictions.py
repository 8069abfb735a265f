"""What the reader of a header found to contradict itself or had to correct, by what it touches, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.attributes import Told, attribute
from bingcheng.protocol.values import listed


class Touches(StrEnum):
    """What a contradiction makes doubtful."""

    ENTRIES = "entries"
    """Written in another unit than the standard's, which the reader corrected and other software will not; or
    impossible, so that the reader left it out."""
    TIMES = "times"
    DECAY = "decay"
    """Tracer, nuclide and decay correction: they decide what activity a PET image shows."""
    NOTHING = "nothing"
    """No contradiction: only from where a fact was read."""


FOUND: Mapping[str, tuple[Touches, Text]] = MappingProxyType(
    {
        "field-strength-in-gauss": (Touches.ENTRIES, text("field strength in gauss")),
        "weight-in-grams": (Touches.ENTRIES, text("weight in grams")),
        "height-in-centimetres": (Touches.ENTRIES, text("height in centimetres")),
        "height-in-millimetres": (Touches.ENTRIES, text("height in millimetres")),
        "dose-in-megabecquerel": (Touches.ENTRIES, text("administered activity in MBq instead of Bq")),
        "half-life-in-minutes": (Touches.ENTRIES, text("half-life in minutes")),
        "half-life-in-hours": (Touches.ENTRIES, text("half-life in hours")),
        "acquisition-duration-in-milliseconds": (Touches.ENTRIES, text("acquisition duration in milliseconds")),
        "field-strength-impossible": (Touches.ENTRIES, text("impossible field strength")),
        "weight-impossible": (Touches.ENTRIES, text("impossible weight")),
        "height-impossible": (Touches.ENTRIES, text("impossible height")),
        "dose-unit-ambiguous": (Touches.ENTRIES, text("administered activity that fits no unit")),
        "acquisition-duration-impossible": (Touches.ENTRIES, text("impossible acquisition duration")),
        "temporal-resolution-ambiguous": (Touches.ENTRIES, text("temporal resolution that fits no unit")),
        "temporal-resolution-contradicts-times": (
            Touches.TIMES,
            text("temporal resolution against the times of the volumes"),
        ),
        "acquisition-date-contradicts-study-date": (Touches.TIMES, text("acquisition on another date than the exam")),
        "series-date-shifted": (Touches.TIMES, text("series on another date than its acquisition")),
        "private-scan-date-shifted": (Touches.TIMES, text("vendor's scan date against the acquisition date")),
        "injection-date-shifted": (Touches.TIMES, text("injection on another date than the scan")),
        "contrast-stop-before-start": (Touches.TIMES, text("contrast injection that ends before it starts")),
        "contrast-time-implausible": (Touches.TIMES, text("contrast injection hours away from the scan")),
        "tracer-told-as-several": (Touches.DECAY, text("several tracers named")),
        "tracer-contradicts-radionuclide": (Touches.DECAY, text("tracer against radionuclide")),
        "half-life-contradicts-nuclide": (Touches.DECAY, text("half-life against radionuclide")),
        "decay-correction-contradicts-corrected-image": (
            Touches.DECAY,
            text("decay correction against the list of corrections"),
        ),
        "half-life-from-nuclide": (Touches.NOTHING, text("half-life from the nuclide")),
        "scan-start-from-private-time": (Touches.NOTHING, text("scan start from the vendor's entry")),
        "scan-start-from-series-time": (Touches.NOTHING, text("scan start from the series time")),
        "series-time-after-acquisition": (Touches.NOTHING, text("series made after the acquisition")),
        "injection-before-midnight": (Touches.NOTHING, text("injection before midnight")),
    }
)
"""By the code that the reader notes: what it touches, and its name."""

ENTRIES_OF: Mapping[Touches, tuple[str, ...]] = MappingProxyType(
    {
        Touches.ENTRIES: ("weight_kg", "height_m", "field_strength_t", "injected_dose_bq", "half_life_s", "ended_at"),
        Touches.TIMES: ("started_at",),
        Touches.DECAY: ("decay_correction", "half_life_s", "tracer"),
    }
)
"""Facts of which at least one must be known before the absence of a contradiction says something."""


@attribute(
    "derived.wrong_entries",
    label=text("entries in a wrong unit or with an impossible value"),
    why=text("the header gives no weight, height, activity or field strength, so none can be wrong"),
)
def wrong_entries(acquisition: Acquisition) -> Told | None:
    """How many entries stand in another unit than PS3.3 defines, or hold what no patient and no scanner has."""
    return _count(acquisition, Touches.ENTRIES)


@attribute(
    "derived.time_contradictions",
    label=text("dates and times that contradict each other"),
    why=text("the header does not say when the series was acquired"),
)
def time_contradictions(acquisition: Acquisition) -> Told | None:
    """How many dates and times contradict each other."""
    return _count(acquisition, Touches.TIMES)


@attribute(
    "derived.decay_contradictions",
    label=text("contradictions about tracer and decay"),
    why=text("the header gives neither tracer nor half-life nor decay correction"),
)
def decay_contradictions(acquisition: Acquisition) -> Told | None:
    """How many entries about tracer, nuclide and decay correction contradict each other."""
    return _count(acquisition, Touches.DECAY)


@attribute(
    "derived.n_header_contradictions",
    label=text("contradictions in the header"),
    why=text("the header says nothing that could contradict itself"),
)
def header_contradictions(acquisition: Acquisition) -> Told | None:
    """How many entries of the header contradict each other or had to be corrected."""
    return _count(acquisition, *ENTRIES_OF)


def _count(acquisition: Acquisition, *touches: Touches) -> Told | None:
    """How many there are; the remark names them with the values that were found.

    None where nothing is known that could contradict anything.
    """
    shown = [
        text("{what} ({found})", what=FOUND[code][1] if code in FOUND else Text(code), found=found)
        for code, found in acquisition.contradictions
        if _touched(code) in touches
    ]
    entries = (entry for one in touches for entry in ENTRIES_OF[one])
    if not shown and all(getattr(acquisition, entry, None) is None for entry in entries):
        return None
    return Told(float(len(shown)), listed(shown) if shown else None)


def _touched(code: str) -> Touches:
    # What a plug-in's reader notes is unknown here; nothing says that it is harmless.
    return FOUND[code][0] if code in FOUND else Touches.ENTRIES
