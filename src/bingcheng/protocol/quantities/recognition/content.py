"""What the images of a series show: the acquired signal, or something that was made of it."""

from __future__ import annotations

from functools import lru_cache

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition, MrAcquisition, PetAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.quantities.recognition.likeness import same_place
from bingcheng.protocol.quantities.recognition.sequence import dimensions, is_echo_spacing, pulses, upper_case
from bingcheng.protocol.quantities.recognition.ties import settled
from bingcheng.protocol.values import Kind

CONTENTS = {
    "image": text("images as acquired"),
    "adc_map": text("ADC map"),
    "synthetic_diffusion": text("diffusion image of a computed b-value"),
    "subtraction": text("subtraction"),
    "mip": text("projection (MIP)"),
    "mpr": text("reformatted planes (MPR)"),
    "perfusion_map": text("perfusion map"),
    "parametric_map": text("parametric map"),
    "dixon_set": text("several images of a Dixon or dual-echo acquisition"),
    "dixon_water": text("water images (Dixon)"),
    "dixon_fat": text("fat images (Dixon)"),
    "in_phase": text("in-phase images"),
    "opposed_phase": text("opposed-phase images"),
    "phase": text("phase images"),
    "localiser": text("localiser"),
    "bolus_tracking": text("bolus tracking"),
    "screenshot": text("screenshot"),
}

MARKS: tuple[tuple[str, frozenset[str]], ...] = (
    ("localiser", frozenset({"LOCALIZER", "LOCALISER", "SCOUT", "TOPOGRAM", "SURVIEW"})),
    ("screenshot", frozenset({"SCREEN SAVE", "SCREENSHOT", "SCREEN CAPTURE", "SCREEN_CAPTURE", "CAPTURE", "VRT"})),
    (
        "mip",
        frozenset(
            {"MIP", "MINIP", "MNIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "REPROJECTION", "MAXIMUM", "MINIMUM"}
        ),
    ),
    ("subtraction", frozenset({"SUB", "SUBTRACT", "SUBTRACTION", "SUBTRACTED", "SUBTRACTION IMAGE"})),
    (
        "perfusion_map",
        frozenset(
            {"RCBV", "RCBF", "CBV", "CBF", "RELCBV", "RELCBF", "RELMTT", "MTT", "TTP", "TMAX", "PBP", "GBP", "KTRANS"}
            | {
                "KEP",
                "VE",
                "IAUC",
                "WASH_IN",
                "WASH_OUT",
                "WASHIN",
                "WASHOUT",
                "WIN",
                "WOUT",
                "PEI",
                "PE1",
                "PE2",
                "SER",
                "MSLOPE",
                "T0",
            }
        ),
    ),
    (
        "adc_map",
        frozenset({"ADC", "ADC_SE", "ADC MAP", "ADC_MAP", "ADC_UNSPECIFIED", "APPARENT DIFFUSION COEFFICIENT"}),
    ),
    (
        "synthetic_diffusion",
        frozenset({"CALC_BVALUE", "CALCULATED_BVALUE", "COMPUTED_BVALUE", "SYNTHETIC_BVALUE", "CDWI"}),
    ),
    (
        "parametric_map",
        frozenset(
            {"FA", "TENSOR", "EADC", "EXPONENTIAL", "T1 MAP", "T2 MAP", "T2_STAR MAP", "R2_STAR MAP", "R2STAR"}
            | {"FAT_FRACTION", "FATFRAC", "WATER_FRACTION", "VELOCITY", "B0 MAP", "FIELD MAP", "FIELD_MAP", "Q_MAP"}
        ),
    ),
    ("phase", frozenset({"P", "PHASE", "PHASE MAP", "PHASE_MAP"})),
    (
        "mpr",
        frozenset({"MPR", "REFORMATTED", "CSA MPR", "CSAPARALLEL", "CSA PARALLEL", "CSA RESAMPLED", "CURVED", "CPR"}),
    ),
)
"""Words of the image type (0008,0008) from its third value on, and what they tell, the most telling first. Values 3
and 4 are the modality's (PS3.3 C.7.6.1.1.2, C.8.3.1.1.1, C.8.13.3.1.1); the rest are the vendors' own."""

STILL_IMAGES = frozenset(
    {"TRACEW", "TRACE", "ISOTROPIC", "COMBINED", "NORM", "FM", "DIS2D", "DIS3D", "FIL", "FILTERED", "SCIC", "PURE", "M"}
    | {"M_SE", "M_FFE", "M_IR", "M_TSE", "M_EPI", "COMP_SUM", "COMPOSED", "MOSAIC", "MEAN", "AVERAGE", "DIFFUSION"}
    | {"MONOENERGETIC", "MIXED", "SWI", "SET_ASSEMBLED"}
)
"""Words of derived images that are filtered, averaged or put together, and so still show the acquired signal."""

DIXON = {"WATER": "dixon_water", "FAT": "dixon_fat", "IN_PHASE": "in_phase", "OPPOSED_PHASE": "opposed_phase"}

FAT_SHIFT_HZ_PER_T = 3.4 * 42.577
"""Water and fat (methylene) lie 3.4 ppm apart, and protons precess at 42.577 MHz/T."""

PHASE_ROOM = 0.2
"""Part of a turn by which an echo may miss in or opposed phase; dual-echo read-outs round to whole read-out steps."""

FEW_SLICES = 3
FEW_MR_SLICES = 7
WIDE_GAP = 0.5
"""Scouts leave gaps of at least half a slice between a few slices; diagnostic stacks do not."""

LATEST_DUAL_ECHO_MS = 12.0


@attribute(
    "derived.content",
    label=text("what the images show"),
    kind=Kind.WORD,
    words=CONTENTS,
    why=text(
        "the header has no image type, so whether these are acquired images or something made of them is not known"
    ),
    owner=Owner.ARCHIVE,
    source="PS3.3 C.7.6.1.1.2 and the modalities' image types",
)
def content(acquisition: Acquisition, exam: ExamFacts) -> Told | None:
    """What the images of a series show, from the image type and what the header says of Dixon and of computed b-values.

    Where nothing but DERIVED is said, the name picks among what may be derived from such an acquisition.
    """
    if isinstance(acquisition, MrAcquisition) and acquisition.synthetic_b:
        return Told("synthetic_diffusion", text("the header says that the b-value was computed"))
    told = _by_image_type(acquisition.image_type)
    if told is not None and told.value != "image":
        return told
    of_fat_and_water = _fat_and_water(acquisition, exam) if isinstance(acquisition, MrAcquisition) else None
    if of_fat_and_water is not None:
        return of_fat_and_water
    if told is None:
        return _derived(acquisition) if acquisition.image_type else None
    return _few_slices(acquisition) or told


@lru_cache(maxsize=4096)
def _by_image_type(image_type: tuple[str, ...]) -> Told | None:
    """What the image type alone tells; None if it says no more than that the images are derived, or nothing.

    Only words that this program knows are told on: vendors put free text into the last values.
    """
    words = upper_case(image_type[2:])
    for value, marks in MARKS:
        found = words & marks
        if found:
            return Told(value, text("the image type says {kind}", kind=min(found)))
    if not image_type or (image_type[0].upper() == "DERIVED" and not words & STILL_IMAGES):
        return None
    return Told("image", text("the image type says nothing else"), 0.98)


def _fat_and_water(acquisition: MrAcquisition, exam: ExamFacts) -> Told | None:
    if acquisition.dixon:
        value = DIXON[acquisition.dixon[0]] if len(acquisition.dixon) == 1 else "dixon_set"
        return Told(value, text("the header names the images of a Dixon acquisition"))
    echoes_ms = acquisition.echo_times_ms
    if (
        not 1 <= len(echoes_ms) <= 2
        or max(echoes_ms) > LATEST_DUAL_ECHO_MS
        or pulses(acquisition).refocused is not False
    ):
        return None
    if len(echoes_ms) == 2:
        phases = {_phase_of_fat(acquisition, echo_ms) for echo_ms in echoes_ms}
        return Told("dixon_set", _echoes(*echoes_ms), 0.9) if phases == {"in_phase", "opposed_phase"} else None
    mine = _phase_of_fat(acquisition, echoes_ms[0])
    if mine is None:
        return None
    for other in exam.acquisitions:
        # An in-phase image is one only beside its opposed twin; alone, such an echo time means nothing.
        if isinstance(other, MrAcquisition) and other is not acquisition and _twin_echo(acquisition, other):
            theirs = _phase_of_fat(other, other.echo_times_ms[0])
            if theirs is not None and theirs != mine:
                return Told(mine, _echoes(echoes_ms[0], other.echo_times_ms[0]), 0.9)
    return None


def _echoes(mine_ms: float, theirs_ms: float) -> Text:
    return text(
        "echoes at {first_ms} and {second_ms} ms, between which fat turns against water by half a turn",
        first_ms=min(mine_ms, theirs_ms),
        second_ms=max(mine_ms, theirs_ms),
    )


def _twin_echo(mine: MrAcquisition, other: MrAcquisition) -> bool:
    return (
        len(other.echo_times_ms) == 1
        and other.echo_times_ms != mine.echo_times_ms
        and max(other.echo_times_ms) <= LATEST_DUAL_ECHO_MS
        and other.repetition_time_ms == mine.repetition_time_ms
        and other.flip_angle_deg == mine.flip_angle_deg
        and not other.dixon
        and other.image_type[:1] == mine.image_type[:1]
        and other.started_at == mine.started_at
        and same_place(mine, other)
    )


def _phase_of_fat(acquisition: MrAcquisition, echo_ms: float) -> str | None:
    if acquisition.field_strength_t is None:
        return None
    turns = (echo_ms / 1000.0) * FAT_SHIFT_HZ_PER_T * acquisition.field_strength_t % 1.0
    if min(turns, 1.0 - turns) <= PHASE_ROOM:
        return "in_phase"
    return "opposed_phase" if abs(turns - 0.5) <= PHASE_ROOM else None


def _derived(acquisition: Acquisition) -> Told:
    if isinstance(acquisition, MrAcquisition) and acquisition.b_values_s_per_mm2:
        possible: tuple[str, ...] = ("image", "adc_map", "synthetic_diffusion", "parametric_map")
    elif isinstance(acquisition, MrAcquisition):
        possible = (
            "subtraction",
            "mip",
            "mpr",
            "perfusion_map",
            "adc_map",
            "parametric_map",
            "dixon_water",
            "dixon_fat",
        )
    else:
        possible = ("mpr", "mip", "screenshot") if isinstance(acquisition, CtAcquisition) else ("image", "mip", "mpr")
    reason = text("the image type says no more than that the images are derived")
    return settled("content", possible, acquisition, reason=reason, words=CONTENTS, certainty=1.0)


def _few_slices(acquisition: Acquisition) -> Told | None:
    """What a short series of acquired images is: a scout, or the slice that waits for the contrast agent."""
    count = acquisition.slice_count
    if count is None or isinstance(acquisition, PetAcquisition):
        return None
    reason = text("{count} slices only", count=count)
    if count < FEW_SLICES and isinstance(acquisition, CtAcquisition):
        possible = ("bolus_tracking",) if (acquisition.volume_count or 1) > 2 else ("bolus_tracking", "localiser")
        return settled("content", possible, acquisition, reason=reason, words=CONTENTS, certainty=0.85)
    if isinstance(acquisition, MrAcquisition) and count < FEW_SLICES:
        # Scouts are fast; a lone slice of anything else is a measurement (a phantom, a spectroscopy plan).
        fast = pulses(acquisition).refocused is False or is_echo_spacing(acquisition)
        possible = ("localiser",) if fast and not acquisition.b_values_s_per_mm2 else ("image", "localiser")
        return settled("content", possible, acquisition, reason=reason, words=CONTENTS, certainty=0.85)
    return Told("localiser", reason, 0.85) if _looks_like_scout(acquisition, count) else None


def _looks_like_scout(acquisition: Acquisition, count: int) -> bool:
    if not isinstance(acquisition, MrAcquisition) or count > FEW_MR_SLICES or dimensions(acquisition) == "3D":
        return False
    interval_mm, thickness_mm = acquisition.reconstruction_interval_mm, acquisition.slice_thickness_mm
    if interval_mm is None or not thickness_mm:
        return False
    return interval_mm - thickness_mm >= WIDE_GAP * thickness_mm
