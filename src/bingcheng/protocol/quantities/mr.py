"""Quantities of MR series: sequence, acquired pixel, diffusion."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.quantities.contrast import ANSWERED_BY, injection_start
from bingcheng.protocol.quantities.recognition.content import content
from bingcheng.protocol.quantities.recognition.dynamic import starts_of
from bingcheng.protocol.quantities.recognition.injection import FROM_THE_INJECTOR
from bingcheng.protocol.quantities.recognition.phase import BETWEEN_PHASES, PHASES, WINDOWS_S, contrast_phase
from bingcheng.protocol.quantities.recognition.sequence import pulses
from bingcheng.protocol.values import Kind

SEVERAL_ECHOES = Problem(
    code="protocol.several-echoes",
    says="the series holds {count} echo times, so there is not one to judge",
    remedy="Send the echoes as separate series.",
    owner=Owner.TECHNOLOGIST,
)
READOUTS = {
    "epi": text("echo-planar"),
    "gradient_echo": text("gradient echo"),
    "spin_echo": text("spin echo"),
    "turbo_spin_echo": text("turbo spin echo"),
}
DIXON_IMAGES = {
    "WATER": text("water"),
    "FAT": text("fat"),
    "IN_PHASE": text("in phase"),
    "OPPOSED_PHASE": text("opposed phase"),
}
PHASES_OF_FAT = frozenset({"IN_PHASE", "OPPOSED_PHASE"})
ISOTROPIC = 1.1
IN_PLANE_FROM_CONSOLE = text("Read the acquired matrix from the console; if the archive strips it, have it kept.")


@attribute("MagneticFieldStrength", label=text("field strength"), unit="T", tolerance=0.12)
def field_strength(acquisition: MrAcquisition) -> float | None:
    """Field strength (0018,0087); 0.12 T spans what vendors write for the same magnet (1.494, 2.8936)."""
    return acquisition.field_strength_t


@attribute("RepetitionTime", label=text("repetition time"), unit="ms")
def repetition_time(acquisition: MrAcquisition) -> float | None:
    """Repetition time (0018,0080)."""
    return acquisition.repetition_time_ms


@attribute("EchoTime", label=text("echo time"), unit="ms", tolerance=0.005)
def echo_time(acquisition: MrAcquisition) -> float | None:
    """The echo time (0018,0081) of a series that has one."""
    times = set(acquisition.echo_times_ms)
    if len(times) > 1:
        raise Undefined(SEVERAL_ECHOES, count=len(times))
    return times.pop() if times else None


@attribute("InversionTime", label=text("inversion time"), unit="ms")
def inversion_time(acquisition: MrAcquisition) -> float | None:
    """Inversion time (0018,0082)."""
    return acquisition.inversion_time_ms


@attribute("EchoTrainLength", label=text("echo train length"))
def echo_train_length(acquisition: MrAcquisition) -> float | None:
    """Echoes per excitation (0018,0091)."""
    return None if acquisition.echo_train_length is None else float(acquisition.echo_train_length)


@attribute("PixelBandwidth", label=text("receiver bandwidth per pixel"), unit="Hz", tolerance=1.0)
def pixel_bandwidth(acquisition: MrAcquisition) -> float | None:
    """Receiver bandwidth per pixel (0018,0095)."""
    return acquisition.pixel_bandwidth_hz


@attribute("AcquisitionMatrix", label=text("acquired matrix (frequency direction)"), supply=IN_PLANE_FROM_CONSOLE)
def acquisition_matrix(acquisition: MrAcquisition) -> float | None:
    """Samples in the frequency direction (0018,1310): the base matrix that consoles show."""
    return None if acquisition.acquisition_matrix is None else float(acquisition.acquisition_matrix[0])


@attribute("derived.n_diffusion_directions", label=text("number of diffusion directions"))
def diffusion_directions(acquisition: MrAcquisition) -> float | None:
    """Distinct directions at the highest b-value; unknown for averaged images, which tell none."""
    return None if acquisition.diffusion_directions is None else float(acquisition.diffusion_directions)


@attribute("derived.isotropic", label=text("isotropic voxels"), kind=Kind.FLAG)
def isotropic(acquisition: MrAcquisition) -> Told | None:
    """Whether the acquired voxel has the same size in all directions, within a tenth of the smallest side.

    In the plane the acquired pixel counts where the header gives it, since interpolation makes none; across it the
    distance between slice centres of a 3D series.
    """
    across_mm = acquisition.reconstruction_interval_mm
    phase_mm, frequency_mm = acq_pixel_phase(acquisition), acq_pixel_freq(acquisition)
    if (phase_mm is None or frequency_mm is None) and acquisition.pixel_spacing_mm is not None:
        phase_mm, frequency_mm = acquisition.pixel_spacing_mm
    if across_mm is None or phase_mm is None or frequency_mm is None:
        return None
    sides = sorted((across_mm, phase_mm, frequency_mm))
    shown = text("{a} x {b} x {c} mm", a=round(phase_mm, 2), b=round(frequency_mm, 2), c=round(across_mm, 2))
    return Told(value=sides[-1] <= sides[0] * ISOTROPIC, remark=shown)


@attribute("derived.dixon_images", label=text("images of the Dixon series"), kind=Kind.WORDS, words=DIXON_IMAGES)
def dixon_images(exam: ExamFacts) -> tuple[str, ...] | None:
    """Which of water, fat, in-phase and opposed-phase images the exam's series hold."""
    found = {word for a in exam.acquisitions if isinstance(a, MrAcquisition) for word in a.dixon}
    return tuple(word for word in DIXON_IMAGES if word in found) or None


@attribute(
    "derived.in_or_opposed_phase",
    label=text("in-phase or opposed-phase images"),
    kind=Kind.FLAG,
    why=text("field strength or echo time is missing, and without them no echo is known to be in phase"),
)
def in_or_opposed_phase(acquisition: MrAcquisition, exam: ExamFacts) -> Told | None:
    """Whether a series holds images in which water and fat are in or in opposed phase, for the fat of the liver."""
    told = content(acquisition, exam)
    if told is None:
        return None
    held = set(acquisition.dixon)
    if told.value in {"in_phase", "opposed_phase"} or (
        told.value == "dixon_set" and (not held or held & PHASES_OF_FAT)
    ):
        return Told(True, told.remark, told.certainty)
    timed = acquisition.field_strength_t is not None and acquisition.echo_times_ms
    if told.value == "image" and not timed and pulses(acquisition).refocused is not True:
        return None
    return Told(False, told.remark, told.certainty)


@attribute(
    "derived.dedicated_breast_coil",
    label=text("dedicated breast coil"),
    kind=Kind.FLAG,
    why=text("the header does not name a coil that is known to be, or not to be, one for the breast"),
    supply=text("Say with which coil the exam was made."),
    owner=Owner.TECHNOLOGIST,
)
def dedicated_breast_coil(acquisition: MrAcquisition) -> bool | None:
    """Yes where the coil's name (0018,1250) speaks of the breast, no for the built-in body coil; else unknown."""
    name = coil_type(acquisition)
    if name is None:
        return None
    if any(word in name for word in ("BREAST", "MAMMA", "BRUST", "SENTINELLE")):
        return True
    return False if name == "body" else None


@attribute("derived.fatsat_or_subtraction", label=text("fat suppression or subtraction"), kind=Kind.FLAG)
def fatsat_or_subtraction(acquisition: MrAcquisition, exam: ExamFacts) -> bool | Told | None:
    """Whether a series suppresses fat, or the exam holds subtractions that take the fat away."""
    if acquisition.fat_suppression not in (None, "NONE"):
        return True
    if any(is_subtraction(other, exam) for other in exam.acquisitions):
        return Told(value=True, remark=text("by subtraction"))
    return False if acquisition.fat_suppression == "NONE" else None


@attribute("NumberOfAverages", label=text("number of averages"))
def averages(acquisition: MrAcquisition) -> float | None:
    """Number of averages (0018,0083)."""
    return acquisition.averages


@attribute("ParallelReductionFactorInPlane", label=text("acceleration factor"), tolerance=0.05)
def acceleration(acquisition: MrAcquisition) -> float | None:
    """In-plane factor of parallel imaging (0018,9069)."""
    return acquisition.parallel_reduction_factor


@attribute("derived.coil_type", label=text("receive coil"), kind=Kind.WORD)
def coil_type(acquisition: MrAcquisition) -> str | None:
    """``body`` where the receive coil is the built-in body coil, else its own name (0018,1250), else its type.

    By the type (0018,9043) where the header states it as BODY, else by the vendors' names: Siemens BODY or BC, GE
    WHOLEBODY or BODY, Philips Q-BODY.
    """
    if (acquisition.receive_coil_type or "").upper() == "BODY":
        return "body"
    name = (acquisition.receive_coil or acquisition.receive_coil_type or "").strip().upper()
    if not name:
        return None
    return "body" if name in {"BODY", "BC", "WHOLEBODY", "WHOLE BODY", "Q-BODY", "QBODY"} else name


@attribute("derived.b_values", label=text("b-values"), kind=Kind.NUMBERS, unit="s/mm2", tolerance=1.0)
def b_values(acquisition: MrAcquisition) -> tuple[float, ...] | None:
    """The distinct b-values of the series, ascending."""
    return tuple(sorted(set(acquisition.b_values_s_per_mm2))) or None


@attribute("derived.n_b_values", label=text("number of different b-values"))
def n_b_values(acquisition: MrAcquisition) -> float | None:
    """How many different b-values the series has."""
    return float(len(set(acquisition.b_values_s_per_mm2))) or None


@attribute("derived.max_b", label=text("highest b-value"), unit="s/mm2", tolerance=1.0)
def max_b(acquisition: MrAcquisition) -> float | None:
    """The highest b-value of the series."""
    return max(acquisition.b_values_s_per_mm2, default=None)


@attribute("derived.is_adc_map", label=text("ADC map"), kind=Kind.FLAG)
def is_adc_map(acquisition: MrAcquisition) -> bool | None:
    """Whether the image type says ADC (PS3.3 C.8.13.3.1.1 gives it as value 4; Siemens and Philips as value 3 or 4)."""
    return any(word.upper().startswith("ADC") for word in acquisition.image_type) if acquisition.image_type else None


@attribute("derived.readout", label=text("read-out"), kind=Kind.WORD, words=READOUTS)
def readout(acquisition: MrAcquisition) -> str | None:
    """The read-out by ScanningSequence (0018,0020) and echo train length (0018,0091).

    A gradient echo, prepared or not, is also told by times that no spin echo has.
    """
    kinds = {word.upper() for word in acquisition.scanning_sequence}
    if "EP" in kinds:
        return "epi"
    if "SE" in kinds:
        length = acquisition.echo_train_length
        return None if length is None else "turbo_spin_echo" if length > 1 else "spin_echo"
    found = pulses(acquisition)
    return "gradient_echo" if found.refocused is False and not found.planar else None


@attribute(
    "derived.single_shot_epi",
    label=text("single-shot echo-planar read-out"),
    kind=Kind.FLAG,
    why=text("the header does not say whether one shot reads the whole slice"),
    supply=text("Read the number of shots from the console."),
    owner=Owner.TECHNOLOGIST,
)
def single_shot_epi(acquisition: MrAcquisition) -> bool | None:
    """Whether diffusion is read by single-shot EPI: no for any other read-out; yes where the vendor's name tells it.

    Siemens names single-shot diffusion EPI ``ep_b...`` and the read-out segmented kind ``re_b...`` (0018,0024).
    """
    kind = readout(acquisition)
    if kind is not None and kind != "epi":
        return False
    if acquisition.device.vendor == "SIEMENS" and acquisition.sequence_name:
        name = acquisition.sequence_name.lstrip("*").lower()
        return True if name.startswith("ep_b") else False if name.startswith("re_b") else None
    return None


@attribute(
    "derived.acq_pixel_phase",
    label=text("acquired pixel, phase direction"),
    unit="mm",
    tolerance=0.005,
    supply=IN_PLANE_FROM_CONSOLE,
)
def acq_pixel_phase(acquisition: MrAcquisition) -> float | None:
    """Field of view over acquired steps in the phase direction; not PixelSpacing, which is interpolated.

    The phase field of view is the frequency field of view times PercentPhaseFieldOfView (0018,0094).
    """
    fields = _frequency_and_phase_fields(acquisition)
    if fields is None or acquisition.acquisition_matrix is None:
        return None
    return fields[1] / acquisition.acquisition_matrix[1] if acquisition.acquisition_matrix[1] else None


@attribute(
    "derived.acq_pixel_freq",
    label=text("acquired pixel, frequency direction"),
    unit="mm",
    tolerance=0.005,
    supply=IN_PLANE_FROM_CONSOLE,
)
def acq_pixel_freq(acquisition: MrAcquisition) -> float | None:
    """Field of view over acquired samples in the frequency direction; not PixelSpacing, which is interpolated."""
    fields = _frequency_and_phase_fields(acquisition)
    if fields is None or acquisition.acquisition_matrix is None:
        return None
    return fields[0] / acquisition.acquisition_matrix[0] if acquisition.acquisition_matrix[0] else None


@attribute(
    "derived.acq_pixel_min",
    label=text("smaller side of the acquired pixel"),
    unit="mm",
    tolerance=0.05,
    supply=IN_PLANE_FROM_CONSOLE,
)
def acq_pixel_min(acquisition: MrAcquisition) -> float | None:
    """The smaller side of the acquired pixel; 0.05 mm allows for fields of view rounded to whole millimetres."""
    phase_mm, frequency_mm = acq_pixel_phase(acquisition), acq_pixel_freq(acquisition)
    return None if phase_mm is None or frequency_mm is None else min(phase_mm, frequency_mm)


@attribute(
    "derived.contrast_delays_s",
    label=text("delays of the volumes after the start of injection"),
    kind=Kind.NUMBERS,
    unit="s",
    supply=FROM_THE_INJECTOR,
    owner=Owner.TECHNOLOGIST,
    answered_by=ANSWERED_BY,
)
def contrast_delays(acquisition: MrAcquisition, exam: ExamFacts) -> tuple[float, ...] | None:
    """Seconds from the start of injection to the start of each volume; a dynamic in one series has many."""
    injected = injection_start(acquisition, exam)
    return None if injected is None else tuple((m - injected).total_seconds() for m in starts_of(acquisition)) or None


@attribute(
    "derived.phases_held",
    label=text("contrast phases that the series holds"),
    kind=Kind.WORDS,
    words=PHASES,
    supply=FROM_THE_INJECTOR,
    owner=Owner.TECHNOLOGIST,
)
def phases_held(acquisition: MrAcquisition, exam: ExamFacts) -> Told | None:
    """The phases of the liver into which the volumes of a series fall; a series of one volume has one phase.

    Raises
    ------
    Undefined
        ``protocol.no-contrast-start``, ``protocol.between-phases``, ``protocol.several-possible``.
    """
    delays_s: tuple[float, ...] = contrast_delays(acquisition, exam) or ()
    if len(delays_s) < 2:
        told = contrast_phase(acquisition, exam)
        return Told((str(told.value),), told.remark, told.certainty)
    found = {phase for phase, low_s, high_s in WINDOWS_S if any(low_s <= d <= high_s for d in delays_s)}
    found |= {"precontrast"} if delays_s[0] <= 0.0 else set()
    if not found:
        raise Undefined(BETWEEN_PHASES, delay_s=delays_s[0])
    remark = text(
        "volumes from {first_s} to {last_s} s after the start of injection", first_s=delays_s[0], last_s=delays_s[-1]
    )
    return Told(tuple(phase for phase in PHASES if phase in found), remark)


def is_subtraction(acquisition: Acquisition, exam: ExamFacts) -> bool:
    """Whether a series is recognised as a subtraction."""
    told = content(acquisition, exam)
    return told is not None and told.value == "subtraction"


def _frequency_and_phase_fields(acquisition: MrAcquisition) -> tuple[float, float] | None:
    # InPlanePhaseEncodingDirection (0018,1312): ROW means that phase runs along a row, i.e. across the columns.
    rows, columns, pixel_mm = acquisition.rows, acquisition.columns, acquisition.pixel_spacing_mm
    if rows is None or columns is None or pixel_mm is None or acquisition.phase_direction not in {"ROW", "COL"}:
        return None
    down_mm, across_mm = rows * pixel_mm[0], columns * pixel_mm[1]
    frequency_mm, phase_mm = (down_mm, across_mm) if acquisition.phase_direction == "ROW" else (across_mm, down_mm)
    if acquisition.percent_phase_fov is not None:
        # The image may be padded to a square; what was acquired is the stated share of the frequency field.
        phase_mm = frequency_mm * acquisition.percent_phase_fov / 100.0
    return frequency_mm, phase_mm
