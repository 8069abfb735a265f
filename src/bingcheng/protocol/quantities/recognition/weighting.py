"""By what an MR series is weighted, from the signal equations and not from its name.

Of derived images (ADC maps, subtractions, projections) it is the weighting of the acquisition behind them; what was
made of it is `derived.content`.
"""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.protocol.attributes import Told, attribute
from bingcheng.protocol.quantities.recognition.relaxation import (
    FAT_T1_MS,
    SOFT_TISSUE_T1_MS,
    SOFT_TISSUE_T2_MS,
    decay_weight,
    nulled_t1,
    spin_echo_t1_weight,
    spoiled_t1_weight,
    t1_at,
    t2_star_at,
)
from bingcheng.protocol.quantities.recognition.sequence import (
    Pulses,
    dimensions,
    is_balanced,
    is_echo_spacing,
    is_prepared,
    pulses,
    upper_case,
)
from bingcheng.protocol.quantities.recognition.ties import settled
from bingcheng.protocol.values import Kind

WEIGHTINGS = {
    "t1": text("T1"),
    "t2": text("T2"),
    "pd": text("proton density"),
    "t2_star": text("T2*"),
    "t2_t1": text("T2/T1 (balanced)"),
    "flair": text("FLAIR"),
    "stir": text("STIR"),
    "diffusion": text("diffusion"),
}
DECLARED = {
    "T1": "t1",
    "T2": "t2",
    "PROTON_DENSITY": "pd",
    "T2_STAR": "t2_star",
    "FLUID_ATTENUATED": "flair",
    "STIR": "stir",
    "DIFFUSION": "diffusion",
}
"""Acquisition Contrast (0008,9209) of enhanced MR, PS3.3 C.8.13.3.1.1; terms that are no weighting are left out."""

NO_TIMES = Problem(
    code="protocol.no-echo-times",
    says="the header gives no repetition time or no echo time, so what the series is weighted by can't be told",
    remedy="Send the series again from the scanner or the archive without stripping its header.",
    owner=Owner.ARCHIVE,
)

STRONG = 0.45
"""A T1 weight from which an image is T1-weighted; the spoiled gradient echo at its Ernst angle has about one half."""

WEAK = 0.4
"""A T1 weight up to which it no longer competes with proton density."""

T2_FROM, T2_UNTIL = 0.8, 0.6
"""T2 weight (TE/T2) from which a spin echo is T2-weighted, and up to which it is not: 52 and 39 ms."""

SINGLE_SHOT_ECHOES = 64
"""A 2D train that long reads a slice in one shot (HASTE, SSFSE): each slice is excited once, and TR says nothing."""

SINGLE_SHOT_T2_FROM = 0.6
"""Its late, long train decays on: T2 shows already at this TE/T2."""

T2_STAR_FROM, T2_STAR_UNTIL = 0.4, 0.28
"""T2* weight of a gradient echo: 20 and 14 ms at 1.5 T, 10 and 7 ms at 3 T."""

NULLS_FAT = (0.55, 1.65)
"""The nulled T1, relative to that of fat, with which an inversion is meant for fat: TI 110 to 270 ms at 1.5 T at long
TR."""

NULLS_FLUID_MS = 2200.0
"""The nulled T1 from which an inversion is meant for fluid (cerebrospinal fluid has 4200 ms; finite trains shorten what
is nulled in effect)."""

EARLIEST_FLUID_MS = 1400.0
"""No T2 FLAIR waits less than this between inversion and read-out; T1 FLAIR does."""

NULLS_TISSUE_MS = 500.0
PREPARED_T1_MS = 300.0
"""Inversion times from which a prepared gradient echo is T1-weighted; shorter ones null fat."""


@attribute(
    "derived.weighting",
    label=text("weighting"),
    kind=Kind.WORD,
    words=WEIGHTINGS,
    why=text("the header gives no repetition time or no echo time"),
    owner=Owner.ARCHIVE,
    source="de Bazelaire et al., Radiology 2004;230:652 (relaxation times); PS3.3 C.8.3.1.1 and C.8.13.3.1.1",
)
def weighting(acquisition: MrAcquisition) -> Told:
    """What the contrast of the images depends on most: T1, T2, proton density, T2*, diffusion; fluid or fat nulled.

    The relaxation time to which the signal equation is most sensitive (`relaxation`) at the stated times. A weighting
    that the header declares (enhanced MR) chooses among what the times allow, a name chooses after it.

    Raises
    ------
    Undefined
        ``protocol.no-echo-times``, ``protocol.several-possible``, ``protocol.nothing-fits``.
    """
    diffusion = _diffusion(acquisition)
    if diffusion is not None:
        return diffusion
    declared = DECLARED.get(acquisition.acquisition_contrast or "")
    if acquisition.repetition_time_ms is None or not acquisition.echo_times_ms:
        if declared is None:
            raise Undefined(NO_TIMES)
        return Told(declared, text("acquisition contrast in the header"), 0.9)
    found = pulses(acquisition)
    possible = _by_signal(acquisition, found)
    certainty = 0.95 if acquisition.scanning_sequence else 0.85
    if declared in possible:
        possible, certainty = (declared,), 0.98
    return settled(
        "weighting", possible, acquisition, reason=_reason(acquisition), words=WEIGHTINGS, certainty=certainty
    )


def _diffusion(acquisition: MrAcquisition) -> Told | None:
    largest = max(acquisition.b_values_s_per_mm2, default=0.0)
    if largest > 0.0:
        return Told("diffusion", text("b-values up to {b} s/mm²", b=largest))
    kind = upper_case(acquisition.image_type)
    if kind & {"DIFFUSION", "ADC", "TRACEW"} or acquisition.acquisition_contrast == "DIFFUSION":
        return Told("diffusion", text("the image type says diffusion"), 0.95)
    return None


def _by_signal(acquisition: MrAcquisition, found: Pulses) -> tuple[str, ...]:
    """All weightings that the times allow, the likeliest first."""
    possible: list[str] = []
    if found.refocused is not False:
        possible += _spin_echo(acquisition, found)
    if found.refocused is not True:
        possible += _gradient_echo(acquisition, found)
    return tuple(dict.fromkeys(possible))


def _spin_echo(acquisition: MrAcquisition, found: Pulses) -> tuple[str, ...]:
    if found.inverted:
        return _inversion_recovery(acquisition)
    repetition_ms, (first_ms, last_ms) = _repetition_ms(acquisition), _echoes_ms(acquisition)
    long_train = (acquisition.echo_train_length or 0) >= SINGLE_SHOT_ECHOES and dimensions(acquisition) != "3D"
    single_shot = long_train or is_echo_spacing(acquisition)
    t1 = 0.0 if single_shot else spin_echo_t1_weight(repetition_ms, _t1_ms(acquisition))
    first, last = decay_weight(first_ms, SOFT_TISSUE_T2_MS), decay_weight(last_ms, SOFT_TISSUE_T2_MS)
    if first >= (SINGLE_SHOT_T2_FROM if single_shot else T2_FROM):
        return ("t2",)
    if first <= T2_UNTIL < T2_FROM <= last:
        return ("pd", "t2")  # a double echo: one image of each
    by_t1 = ("t1",) if t1 >= STRONG else ("pd",) if t1 <= WEAK else ("t1", "pd")
    return by_t1 if last <= T2_UNTIL else (*by_t1, "t2")


def _inversion_recovery(acquisition: MrAcquisition) -> tuple[str, ...]:
    repetition_ms, (echo_ms, _) = _repetition_ms(acquisition), _echoes_ms(acquisition)
    inversion_ms = acquisition.inversion_time_ms
    if inversion_ms is None:
        if acquisition.fat_suppression == "INVERSION":
            return ("stir",)
        return ("t1", "stir") if repetition_ms < 4000.0 else ("stir", "flair")
    nulled_ms = nulled_t1(inversion_ms, repetition_ms)
    relative = nulled_ms / t1_at(FAT_T1_MS, acquisition.field_strength_t)
    if NULLS_FAT[0] <= relative <= NULLS_FAT[1]:
        return ("stir",)
    if nulled_ms >= NULLS_FLUID_MS and inversion_ms >= EARLIEST_FLUID_MS:
        return ("flair",)
    short_echo = decay_weight(echo_ms, SOFT_TISSUE_T2_MS) <= T2_UNTIL
    return ("t1",) if nulled_ms >= NULLS_TISSUE_MS and short_echo else ()


def _gradient_echo(acquisition: MrAcquisition, found: Pulses) -> tuple[str, ...]:
    first_ms, last_ms = _echoes_ms(acquisition)
    t2_star = decay_weight((first_ms + last_ms) / 2.0, t2_star_at(acquisition.field_strength_t))
    if t2_star >= T2_STAR_FROM:
        return ("t2_star",)
    if found.planar:
        return ()  # an echo-planar image with so early an echo is a perfusion tag or a field map
    balanced = is_balanced(acquisition)
    if balanced is not False:
        return ("t2_t1",) if balanced else ("t2_t1", *_spoiled(acquisition))
    if is_prepared(acquisition, found) and (acquisition.inversion_time_ms or PREPARED_T1_MS) >= PREPARED_T1_MS:
        return ("t1",)
    by_t1 = _spoiled(acquisition)
    return by_t1 if t2_star <= T2_STAR_UNTIL else (*by_t1, "t2_star")


def _spoiled(acquisition: MrAcquisition) -> tuple[str, ...]:
    flip_deg = acquisition.flip_angle_deg
    if flip_deg is None:
        return "t1", "pd"
    t1 = spoiled_t1_weight(_repetition_ms(acquisition), flip_deg, _t1_ms(acquisition))
    return ("t1",) if t1 >= STRONG else ("pd",) if t1 <= WEAK else ("t1", "pd")


def _t1_ms(acquisition: MrAcquisition) -> float:
    return t1_at(SOFT_TISSUE_T1_MS, acquisition.field_strength_t)


def _repetition_ms(acquisition: MrAcquisition) -> float:
    assert acquisition.repetition_time_ms is not None
    return acquisition.repetition_time_ms


def _echoes_ms(acquisition: MrAcquisition) -> tuple[float, float]:
    return min(acquisition.echo_times_ms), max(acquisition.echo_times_ms)


def _reason(acquisition: MrAcquisition) -> Text:
    repetition_ms, (first_ms, last_ms) = _repetition_ms(acquisition), _echoes_ms(acquisition)
    if last_ms > first_ms:
        return text(
            "TR {tr_ms} ms and TE {first_ms} to {last_ms} ms", tr_ms=repetition_ms, first_ms=first_ms, last_ms=last_ms
        )
    if acquisition.inversion_time_ms is not None:
        return text(
            "TR {tr_ms} ms, TI {ti_ms} ms and TE {te_ms} ms",
            tr_ms=repetition_ms,
            ti_ms=acquisition.inversion_time_ms,
            te_ms=first_ms,
        )
    if acquisition.flip_angle_deg is not None and repetition_ms < 1000.0:
        return text(
            "TR {tr_ms} ms, TE {te_ms} ms and flip angle {flip_deg}°",
            tr_ms=repetition_ms,
            te_ms=first_ms,
            flip_deg=acquisition.flip_angle_deg,
        )
    return text("TR {tr_ms} ms and TE {te_ms} ms", tr_ms=repetition_ms, te_ms=first_ms)
