"""Settings as the header records them, under their DICOM keywords, for protocols that fix a scanner's whole set-up.

Guidelines ask for what these amount to (the acquired pixel, the kind of sequence); studies that copy one scanner's
protocol to others ask for the entries themselves.
"""

from __future__ import annotations

from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, MrAcquisition
from bingcheng.protocol.attributes import attribute
from bingcheng.protocol.values import Kind


@attribute("Columns", label=text("image matrix (columns)"))
def columns(acquisition: Acquisition) -> float | None:
    """Columns of the reconstructed image (0028,0011)."""
    return None if acquisition.columns is None else float(acquisition.columns)


@attribute(
    "PixelSpacing", label=text("pixel of the image (down, across)"), kind=Kind.NUMBERS, unit="mm", tolerance=0.005
)
def pixel_spacing(acquisition: Acquisition) -> tuple[float, ...] | None:
    """Distance between the centres of rows and of columns (0028,0030); of an interpolated image less than acquired."""
    return acquisition.pixel_spacing_mm


@attribute("SeriesDescription", label=text("series description"), kind=Kind.WORD)
def series_description(acquisition: Acquisition) -> str | None:
    """What the series is called (0008,103E)."""
    return acquisition.series_description


@attribute("ProtocolName", label=text("protocol name at the scanner"), kind=Kind.WORD)
def protocol_name(acquisition: Acquisition) -> str | None:
    """What the scanner's protocol is called (0018,1030)."""
    return acquisition.protocol_name


@attribute("ImageType", label=text("image type"), kind=Kind.WORDS)
def image_type(acquisition: Acquisition) -> tuple[str, ...] | None:
    """The words of the image type (0008,0008)."""
    return acquisition.image_type or None


@attribute("ScanOptions", label=text("scan options"), kind=Kind.WORDS)
def scan_options(acquisition: Acquisition) -> tuple[str, ...] | None:
    """The words of the scan options (0018,0022)."""
    return acquisition.scan_options or None


@attribute("FlipAngle", label=text("flip angle"), unit="deg", tolerance=0.05)
def flip_angle(acquisition: MrAcquisition) -> float | None:
    """The flip angle (0018,1314)."""
    return acquisition.flip_angle_deg


@attribute("ScanningSequence", label=text("scanning sequence"), kind=Kind.WORDS)
def scanning_sequence(acquisition: MrAcquisition) -> tuple[str, ...] | None:
    """The words of the scanning sequence (0018,0020): SE, IR, GR, EP, RM."""
    return acquisition.scanning_sequence or None


@attribute("SequenceVariant", label=text("sequence variant"), kind=Kind.WORDS)
def sequence_variant(acquisition: MrAcquisition) -> tuple[str, ...] | None:
    """The words of the sequence variant (0018,0021)."""
    return acquisition.sequence_variant or None


@attribute("SequenceName", label=text("sequence name"), kind=Kind.WORD)
def sequence_name(acquisition: MrAcquisition) -> str | None:
    """The vendor's name of the sequence (0018,0024)."""
    return acquisition.sequence_name


@attribute("InPlanePhaseEncodingDirection", label=text("phase encoding direction in the image"), kind=Kind.WORD)
def phase_direction(acquisition: MrAcquisition) -> str | None:
    """Whether the phase is encoded along rows or columns (0018,1312): ROW or COL."""
    return acquisition.phase_direction


@attribute("PercentPhaseFieldOfView", label=text("field of view in the phase direction"), unit="%", tolerance=0.05)
def percent_phase_fov(acquisition: MrAcquisition) -> float | None:
    """The field of view in the phase direction, in per cent of that in the frequency direction (0018,0094)."""
    return acquisition.percent_phase_fov


@attribute("derived.acq_matrix_phase", label=text("acquired matrix (phase direction)"))
def acquisition_matrix_phase(acquisition: MrAcquisition) -> float | None:
    """Samples in the phase direction (0018,1310)."""
    return None if acquisition.acquisition_matrix is None else float(acquisition.acquisition_matrix[1])


@attribute("ReceiveCoilName", label=text("receive coil"), kind=Kind.WORD)
def receive_coil(acquisition: MrAcquisition) -> str | None:
    """The name of the receive coil (0018,1250)."""
    return acquisition.receive_coil
