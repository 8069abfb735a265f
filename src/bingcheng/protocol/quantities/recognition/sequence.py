"""Which kind of pulse sequence made an MR series, from what the header states and, where it is silent, from the times.

Headers state it in their vendor's way. Siemens writes EP alone for any echo-planar sequence, Philips SE for echo-planar
diffusion and IR alone for turbo inversion recovery, GE adds RM; an echo train length of 1 stands in some single-shot
series. What contradicts the times is therefore not taken literally.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.protocol.attributes import Told, attribute
from bingcheng.protocol.quantities.recognition.ties import settled
from bingcheng.protocol.values import Kind

SEQUENCES = {
    "spin_echo": text("spin echo"),
    "turbo_spin_echo": text("turbo spin echo"),
    "gradient_echo": text("gradient echo"),
    "ir_gradient_echo": text("gradient echo after an inversion"),
    "balanced": text("balanced gradient echo"),
    "epi_spin_echo": text("echo-planar spin echo"),
    "epi_gradient_echo": text("echo-planar gradient echo"),
}
DIMENSIONS = {"2D": text("slices (2D)"), "3D": text("volume (3D)")}

SHORTEST_SPIN_ECHO_MS = 4.0
"""No clinical spin echo refocuses earlier: excitation, refocusing and half of the read-out take longer."""

LONGEST_EXCITATION_MS = 100.0
"""A spin echo repeated faster than this is met nowhere; gradient echoes mostly are."""

REFOCUSING_DEG = 100.0
"""Beyond 90 degrees a flip angle is that of refocusing pulses, which Siemens and Canon record."""

GRADIENT_TRAIN_MS = 300.0
"""Above this repetition time an echo train is one of refocused echoes; below, gradient-echo shots are counted too."""

ECHO_PLANAR_HZ = 900.0
"""Bandwidth per pixel that tells an echo-planar read-out: above 900 Hz (MY-RADS: 976 to 5800), turbo spin echoes stay
below, since their trains have time."""

INVERSION_MS = 80.0
"""Shorter inversion times belong to spectral fat pulses (SPAIR, ASPIR), not to an inversion of the whole signal."""

BALANCED_DEG = 30.0
BALANCED_MS = 12.0
"""Flip angle and repetition time at which a steady state gradient echo without spoiling is a balanced one."""

LONG_SHOT_MS = 500.0
"""A 3D gradient echo with a longer repetition time repeats a preparation, not an excitation: 192 x 160 steps of it
would take hours."""

GRADIENT_EPI_MS = 55.0
"""Echo-planar images without diffusion: gradient echoes use TE 25 to 50 ms (T2* of brain); a spin echo with the pair of
read-out halves takes longer."""


LATEST_GRADIENT_ECHO_MS = 55.0
"""A gradient echo this late has lost two thirds of its signal at 1.5 T (T2* 50 ms); susceptibility imaging stops at
40."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """What a header tells of a sequence; None = it may be either.

    `refocused` : a spin echo rather than a gradient echo. `planar` : an echo-planar read-out.
    `inverted` : the whole signal is inverted first.
    """

    refocused: bool | None
    planar: bool | None
    inverted: bool


@lru_cache(maxsize=4096)
def upper_case(words: tuple[str, ...]) -> frozenset[str]:
    """The words of an entry in upper case; the same few lists come again with every series."""
    return frozenset(word.upper().strip() for word in words)


def pulses(acquisition: MrAcquisition) -> Pulses:
    """The pulses of a sequence, by what the header states and what the times allow."""
    stated = upper_case(acquisition.scanning_sequence)
    planar = _planar(acquisition, stated)
    return Pulses(
        refocused=_refocused(acquisition, stated, planar), planar=planar, inverted=_inverted(acquisition, stated)
    )


@attribute(
    "derived.sequence",
    label=text("kind of sequence"),
    kind=Kind.WORD,
    words=SEQUENCES,
    why=text("the header gives neither the scanning sequence nor the times that would tell it"),
    owner=Owner.ARCHIVE,
    source="PS3.3 C.8.3.1.1.2 (Scanning Sequence, Sequence Variant)",
)
def sequence(acquisition: MrAcquisition) -> Told | None:
    """The kind of sequence; the name decides only between kinds that the header leaves open."""
    found = pulses(acquisition)
    if found.refocused is None and found.planar is None and not acquisition.echo_times_ms:
        return None
    possible, certainty = _possible(acquisition, found)
    return settled("sequence", possible, acquisition, reason=_reason(acquisition), words=SEQUENCES, certainty=certainty)


@attribute("MRAcquisitionType", label=text("2D or 3D"), kind=Kind.WORD, words=DIMENSIONS)
def dimensions(acquisition: MrAcquisition) -> str | None:
    """Whether slices or a volume are excited (0018,0023); Philips' ``2D/MS`` and ``MS`` are slices."""
    stated = (acquisition.acquisition_type or "").upper()
    return "3D" if stated.startswith("3D") else "2D" if stated.startswith(("2D", "MS", "M2D")) else None


@attribute(
    "derived.fat_suppressed",
    label=text("fat suppressed"),
    kind=Kind.FLAG,
    why=text("the header does not say whether fat was suppressed"),
    owner=Owner.TECHNOLOGIST,
)
def fat_suppressed(acquisition: MrAcquisition) -> bool | Told | None:
    """Whether the images show no fat: by a pulse, an inversion at the null of fat, or as the water images of Dixon."""
    if acquisition.dixon:
        return "WATER" in acquisition.dixon
    stated = acquisition.fat_suppression
    if stated is None:
        return None
    return Told(stated != "NONE", text("fat suppression in the header: {how}", how=stated))


def is_echo_spacing(acquisition: MrAcquisition) -> bool:
    """Whether what stands as repetition time is the time between two echoes, as Siemens writes of single shots (HASTE).

    No echo comes later than the next excitation, so that TE above TR can't be meant literally.
    """
    repetition_ms = acquisition.repetition_time_ms
    return repetition_ms is not None and min(acquisition.echo_times_ms, default=0.0) > repetition_ms


def is_balanced(acquisition: MrAcquisition) -> bool | None:
    """Whether a gradient echo keeps its transverse magnetisation in balance (TrueFISP, FIESTA, bFFE); None = it may.

    By the steady state (SS) without spoiling (SP), or by what spoiled sequences are hardly run with: a flip angle of 30
    degrees and more within a few milliseconds, read in the middle of the repetition.
    """
    repetition_ms, flip_deg = acquisition.repetition_time_ms, acquisition.flip_angle_deg
    if repetition_ms is None or flip_deg is None or flip_deg < BALANCED_DEG or repetition_ms > BALANCED_MS:
        return False
    variant = upper_case(acquisition.sequence_variant)
    if "SP" in variant:
        return False
    if "SS" in variant:
        return True
    echo_ms = min(acquisition.echo_times_ms, default=0.0)
    return True if 0.35 <= echo_ms / repetition_ms <= 0.6 else None


def _planar(acquisition: MrAcquisition, stated: frozenset[str]) -> bool | None:
    if "EP" in stated:
        return True
    if not acquisition.b_values_s_per_mm2:
        return False if stated else None
    bandwidth_hz = acquisition.pixel_bandwidth_hz
    if bandwidth_hz is not None:
        return bandwidth_hz >= ECHO_PLANAR_HZ
    # Philips writes SE for echo-planar diffusion; the others mean it.
    return False if stated and acquisition.device.vendor not in {None, "PHILIPS"} else None


def _refocused(acquisition: MrAcquisition, stated: frozenset[str], planar: bool | None) -> bool | None:
    if max(acquisition.b_values_s_per_mm2, default=0.0) > 0.0 or "DIFFUSION" in upper_case(acquisition.image_type):
        return True
    if ("SE" in stated) != ("GR" in stated):
        return "SE" in stated
    if planar:
        echo_ms = min(acquisition.echo_times_ms, default=None)
        return None if echo_ms is None else echo_ms >= GRADIENT_EPI_MS
    return _refocused_by_times(acquisition)


def _refocused_by_times(acquisition: MrAcquisition) -> bool | None:
    repetition_ms, echo_ms = acquisition.repetition_time_ms, min(acquisition.echo_times_ms, default=None)
    if is_echo_spacing(acquisition) or (echo_ms or 0.0) >= LATEST_GRADIENT_ECHO_MS:
        return True
    if (repetition_ms is not None and repetition_ms < LONGEST_EXCITATION_MS) or (
        echo_ms is not None and echo_ms < SHORTEST_SPIN_ECHO_MS
    ):
        return False
    if (acquisition.flip_angle_deg or 0.0) >= REFOCUSING_DEG:
        return True
    train = acquisition.echo_train_length or 1
    return True if train > 1 and (repetition_ms or 0.0) >= GRADIENT_TRAIN_MS else None


def _inverted(acquisition: MrAcquisition, stated: frozenset[str]) -> bool:
    if "IR" in stated or acquisition.fat_suppression == "INVERSION":
        return True
    inversion_ms = acquisition.inversion_time_ms
    return inversion_ms is not None and inversion_ms >= INVERSION_MS and acquisition.fat_suppression != "SPECTRAL"


def _possible(acquisition: MrAcquisition, found: Pulses) -> tuple[tuple[str, ...], float]:
    """The kinds that may be it, and the certainty if there is one only."""
    stated = upper_case(acquisition.scanning_sequence)
    certainty = 0.95 if stated else 0.85
    if found.planar:
        if found.refocused is None:
            return ("epi_spin_echo", "epi_gradient_echo"), certainty
        return ("epi_spin_echo" if found.refocused else "epi_gradient_echo",), certainty
    kinds: tuple[str, ...] = ()
    if found.planar is None and acquisition.b_values_s_per_mm2:
        kinds += ("epi_spin_echo",)
    if found.refocused is not False:
        kinds += _refocused_kinds(acquisition)
    if found.refocused is not True:
        kinds += _gradient_kinds(acquisition, found)
    return kinds, certainty


def _refocused_kinds(acquisition: MrAcquisition) -> tuple[str, ...]:
    train = acquisition.echo_train_length
    variant = upper_case(acquisition.sequence_variant)
    # A volume of spin echoes, or segmented k-space (SK) of them, is read in trains; so is a diffusion one without EPI.
    trained = (train is not None and train > 1) or is_echo_spacing(acquisition)
    if trained or "SK" in variant or dimensions(acquisition) == "3D":
        return ("turbo_spin_echo",)
    if train is None and not variant:
        return ("spin_echo", "turbo_spin_echo")
    return ("spin_echo",)


def _gradient_kinds(acquisition: MrAcquisition, found: Pulses) -> tuple[str, ...]:
    balanced = is_balanced(acquisition)
    if balanced is not False:
        return ("balanced",) if balanced else ("balanced", "gradient_echo")
    if is_prepared(acquisition, found):
        return ("ir_gradient_echo",)
    # Prepared (MP) without more: by an inversion (Philips' TFE of the brain) or by a fat pulse (its THRIVE).
    prepared = "MP" in upper_case(acquisition.sequence_variant)
    if prepared and acquisition.fat_suppression in {None, "NONE"}:
        return ("ir_gradient_echo", "gradient_echo")
    return ("gradient_echo",)


def is_prepared(acquisition: MrAcquisition, found: Pulses) -> bool:
    """Whether a gradient echo follows an inversion (MPRAGE, BRAVO): by statement, or by repeating shots."""
    if found.inverted:
        return True
    repetition_ms = acquisition.repetition_time_ms
    return repetition_ms is not None and repetition_ms > LONG_SHOT_MS and dimensions(acquisition) == "3D"


def _reason(acquisition: MrAcquisition) -> Text:
    stated = "/".join(acquisition.scanning_sequence).upper()
    if not stated:
        return text("the header does not state the scanning sequence; the times were judged")
    if acquisition.echo_train_length is None:
        return text("scanning sequence {stated}", stated=stated)
    return text(
        "scanning sequence {stated}, echo train of {length}", stated=stated, length=acquisition.echo_train_length
    )
