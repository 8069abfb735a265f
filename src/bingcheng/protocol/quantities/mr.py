"""Quantities of MR series: sequence, acquired pixel, diffusion."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.values import Kind

SEVERAL_ECHOES = Problem(
    code="protocol.several-echoes",
    says="the series holds {count} echo times, so there is not one to judge",
    remedy="Send the echoes as separate series.",
    owner=Owner.TECHNOLOGIST,
)
SEVERAL_STATIONS = Problem(
    code="protocol.several-stations",
    says="the series is {length_mm} mm long and so holds several stations, whose sizes the header does not give",
    remedy="Read the slices per station from the console, or send the stations as separate series.",
    owner=Owner.TECHNOLOGIST,
)
STATION_MM = 500.0
"""No clinical magnet images more along its bore at once (the field of view of a station is at most 50 cm)."""

READOUTS = {
    "epi": text("echo-planar"),
    "gradient_echo": text("gradient echo"),
    "spin_echo": text("spin echo"),
    "turbo_spin_echo": text("turbo spin echo"),
}
IN_PLANE_FROM_CONSOLE = text("Read the acquired matrix from the console; if the archive strips it, have it kept.")


@attribute("MagneticFieldStrength", label=text("field strength"), unit="T", tolerance=0.1)
def field_strength(acquisition: MrAcquisition) -> float | None:
    """Field strength (0018,0087); 0.1 T spans what vendors write for the same magnet (1.494, 2.89)."""
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
    """``body`` where the receive coil (0018,1250) bears the name of the built-in body coil, else its own name.

    Names by vendor: Siemens BODY or BC, GE WHOLEBODY or BODY, Philips Q-BODY.
    """
    if not acquisition.receive_coil:
        return None
    name = acquisition.receive_coil.strip().upper()
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
    """The read-out by ScanningSequence (0018,0020) and echo train length (0018,0091)."""
    kinds = {word.upper() for word in acquisition.scanning_sequence}
    if "EP" in kinds:
        return "epi"
    if "SE" in kinds:
        length = acquisition.echo_train_length
        return None if length is None else "turbo_spin_echo" if length > 1 else "spin_echo"
    return "gradient_echo" if "GR" in kinds else None


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


@attribute("derived.temporal_resolution_s", label=text("temporal resolution"), unit="s", tolerance=0.05)
def temporal_resolution(acquisition: MrAcquisition) -> float | None:
    """Time between two volumes of a dynamic series."""
    return acquisition.temporal_resolution_s


@attribute("derived.slices_per_station", label=text("slices per station"))
def slices_per_station(acquisition: MrAcquisition) -> float | None:
    """The number of slices of a series that is short enough to be one station."""
    count, interval_mm = acquisition.slice_count, acquisition.reconstruction_interval_mm
    if count is None or interval_mm is None:
        return None
    if count * interval_mm > STATION_MM:
        raise Undefined(SEVERAL_STATIONS, length_mm=count * interval_mm)
    return float(count)


@attribute("derived.dwi_coverage_mm", label=text("length covered by diffusion series"), unit="mm")
def dwi_coverage(exam: ExamFacts) -> float | None:
    """Sum of the lengths of the exam's original diffusion series; overlaps of stations count twice."""
    lengths_mm = [
        a.slice_count * a.reconstruction_interval_mm
        for a in exam.acquisitions
        if isinstance(a, MrAcquisition)
        and len(set(a.b_values_s_per_mm2)) > 1
        and a.slice_count is not None
        and a.reconstruction_interval_mm is not None
        and a.image_type[:1] != ("DERIVED",)
    ]
    return sum(lengths_mm) if lengths_mm else None


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
