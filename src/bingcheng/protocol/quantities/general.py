"""Quantities that every modality has: device, geometry, image type, patient."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.values import Kind


@attribute("Modality", label=text("modality"), kind=Kind.WORD)
def modality(acquisition: Acquisition) -> str:
    """The DICOM modality (0008,0060)."""
    return acquisition.modality


@attribute("derived.vendor", label=text("scanner vendor"), kind=Kind.WORD)
def vendor(acquisition: Acquisition) -> str | None:
    """The normalised vendor: SIEMENS, GE, PHILIPS, CANON, UIH, or the manufacturer in capitals."""
    return acquisition.device.vendor


@attribute("ManufacturerModelName", label=text("scanner model"), kind=Kind.WORD)
def model(acquisition: Acquisition) -> str | None:
    """The scanner's model (0008,1090)."""
    return acquisition.device.model


@attribute("SoftwareVersions", label=text("scanner software"), kind=Kind.WORDS)
def software(acquisition: Acquisition) -> tuple[str, ...] | None:
    """The scanner's software versions (0018,1020)."""
    return acquisition.device.software_versions or None


@attribute("SliceThickness", label=text("slice thickness"), unit="mm", tolerance=0.005)
def slice_thickness(acquisition: Acquisition) -> float | None:
    """The slice thickness as declared (0018,0050)."""
    return acquisition.slice_thickness_mm


@attribute("derived.recon_interval", label=text("distance between slice centres"), unit="mm", tolerance=0.005)
def recon_interval(acquisition: Acquisition) -> float | None:
    """The distance between slice centres, from their positions."""
    return acquisition.reconstruction_interval_mm


@attribute("derived.slice_gap", label=text("gap between slices"), unit="mm", tolerance=0.05)
def slice_gap(acquisition: Acquisition) -> float | None:
    """Distance between slice centres less the slice thickness; negative where slices overlap.

    From positions, not from SpacingBetweenSlices, which CT seldom fills and older MR fills in several meanings.
    """
    interval_mm, thickness_mm = acquisition.reconstruction_interval_mm, acquisition.slice_thickness_mm
    # Positions are differences of decimal strings: digits below a nanometre are arithmetic, not geometry.
    # Adding 0 makes a negative zero, which would be read as "-0 mm", a plain one.
    return None if interval_mm is None or thickness_mm is None else round(interval_mm - thickness_mm, 6) + 0.0


@attribute(
    "derived.interval_over_thickness", label=text("distance between slices over their thickness"), tolerance=0.005
)
def interval_over_thickness(acquisition: Acquisition) -> float | None:
    """Distance between slice centres over the slice thickness; below 1 where slices overlap."""
    interval_mm, thickness_mm = acquisition.reconstruction_interval_mm, acquisition.slice_thickness_mm
    return None if interval_mm is None or not thickness_mm else interval_mm / thickness_mm


@attribute("derived.coverage_mm", label=text("covered length"), unit="mm")
def coverage(acquisition: Acquisition) -> float | None:
    """Length of the stack of slices, from its first to its last face."""
    count, interval_mm = acquisition.slice_count, acquisition.reconstruction_interval_mm
    return None if count is None or interval_mm is None else count * interval_mm


@attribute("derived.slice_count", label=text("number of slices"))
def slice_count(acquisition: Acquisition) -> float | None:
    """The number of slices of one volume."""
    return None if acquisition.slice_count is None else float(acquisition.slice_count)


@attribute("Rows", label=text("image matrix (rows)"))
def rows(acquisition: Acquisition) -> float | None:
    """Rows of the reconstructed image (0028,0010)."""
    return None if acquisition.rows is None else float(acquisition.rows)


@attribute("ReconstructionDiameter", label=text("reconstruction field of view"), unit="mm", tolerance=1.0)
def reconstruction_diameter(acquisition: Acquisition) -> float | None:
    """Diameter of the reconstructed field (0018,1100), else rows times pixel size.

    The tolerance of 1 mm is below any step that consoles offer for it.
    """
    if acquisition.reconstruction_diameter_mm is not None:
        return acquisition.reconstruction_diameter_mm
    if acquisition.rows is None or acquisition.pixel_spacing_mm is None:
        return None
    return acquisition.rows * acquisition.pixel_spacing_mm[0]


@attribute("derived.fov_mm", label=text("field of view (rows, columns)"), kind=Kind.NUMBERS, unit="mm", tolerance=1.0)
def fov(acquisition: Acquisition) -> tuple[float, ...] | None:
    """Size of the image along (rows, columns): number times pixel size."""
    if acquisition.rows is None or acquisition.columns is None or acquisition.pixel_spacing_mm is None:
        return None
    down_mm, across_mm = acquisition.pixel_spacing_mm
    return acquisition.rows * down_mm, acquisition.columns * across_mm


@attribute("PatientWeight", label=text("patient weight"), unit="kg", owner=Owner.TECHNOLOGIST)
def weight(acquisition: Acquisition) -> float | None:
    """The patient's weight at the exam (0010,1030)."""
    return acquisition.weight_kg


@attribute("PatientSize", label=text("patient height"), unit="m", owner=Owner.TECHNOLOGIST)
def height(acquisition: Acquisition) -> float | None:
    """The patient's height at the exam (0010,1020)."""
    return acquisition.height_m


@attribute("BodyPartExamined", label=text("body part"), kind=Kind.WORD)
def body_part(acquisition: Acquisition) -> str | None:
    """The body part as the console named it (0018,0015), in capitals; a weak witness."""
    return acquisition.body_part.upper() if acquisition.body_part else None


@attribute("derived.is_localiser", label=text("localiser image"), kind=Kind.FLAG)
def is_localiser(acquisition: Acquisition) -> bool | None:
    """Whether value 3 of the image type says LOCALIZER (PS3.3 C.8.2.1.1.1), or the series has fewer than 3 slices."""
    if any(word.upper() == "LOCALIZER" for word in acquisition.image_type):
        return True
    if acquisition.slice_count is not None and acquisition.slice_count < 3:
        return True
    return False if acquisition.image_type or acquisition.slice_count is not None else None


@attribute("derived.is_original", label=text("original image, not derived"), kind=Kind.FLAG)
def is_original(acquisition: Acquisition) -> bool | None:
    """Whether value 1 of the image type is ORIGINAL (PS3.3 C.7.6.1.1.2)."""
    return acquisition.image_type[0].upper() == "ORIGINAL" if acquisition.image_type else None


@attribute("derived.is_reformatted", label=text("reformatted image"), kind=Kind.FLAG)
def is_reformatted(acquisition: Acquisition) -> bool | None:
    """Whether the image type says that the planes were made anew from others (REFORMATTED, MPR, MIP, PROJECTION)."""
    marks = {"REFORMATTED", "MPR", "MIP", "MINIP", "MNIP", "AVERAGE", "PROJECTION IMAGE", "CSAPARALLEL", "VRT"}
    if not acquisition.image_type:
        return None
    return any(word.upper() in marks for word in acquisition.image_type)


@attribute("derived.exam_has_pet", label=text("exam contains PET"), kind=Kind.FLAG)
def exam_has_pet(exam: ExamFacts) -> bool:
    """Whether any series of the exam is a PET series."""
    return any(acquisition.modality == "PT" for acquisition in exam.acquisitions)


@attribute(
    "derived.modality_and_body_part",
    label=text("body parts by modality"),
    kind=Kind.WORDS,
    why=text("an MR series does not say which part of the body it shows"),
    owner=Owner.TECHNOLOGIST,
)
def modality_and_body_part(exam: ExamFacts) -> tuple[str, ...] | None:
    """Which body parts were examined with which modality, as ``MR CHEST``.

    None when a series of MR leaves its body part open, since that one might be any.
    """
    found = set()
    for acquisition in exam.acquisitions:
        if acquisition.body_part:
            part = "CHEST" if acquisition.body_part.upper() in {"CHEST", "THORAX", "LUNG"} else acquisition.body_part
            found.add(f"{acquisition.modality} {part.upper()}")
        elif acquisition.modality == "MR":
            return None
    return tuple(sorted(found))


@attribute(
    "derived.exam_acq_minutes",
    label=text("time from first to last acquisition"),
    unit="min",
    why=text("the headers give the start of each series but not the end of the last one"),
    supply=text("Read the total scan time from the console or from the exam log."),
    owner=Owner.TECHNOLOGIST,
)
def exam_minutes(exam: ExamFacts) -> float | None:
    """Minutes from the start of the first to the start of the last series.

    That is less than the whole time; it is given only where it alone already exceeds an hour, beyond any limit asked.
    """
    starts = [a.started_at for a in exam.acquisitions if a.started_at is not None]
    if len(starts) < 2:
        return None
    minutes = (max(starts) - min(starts)).total_seconds() / 60.0
    return minutes if minutes >= 60.0 else None


@attribute("PatientAge", label=text("patient age"), unit="a", owner=Owner.TECHNOLOGIST)
def age(acquisition: Acquisition) -> float | None:
    """The patient's age at the exam (0010,1010), else from the date of birth."""
    return acquisition.age_a
