"""A small study of two hospitals and the ways in which its files can be spoiled; made in about a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from bingcheng.dicom.acquisition import CtAcquisition, Device, MrAcquisition, PetAcquisition
from bingcheng.dicom.exam import FrameSource, Patient, VolumeFrames
from bingcheng.dicom.write.ct import write_ct
from bingcheng.dicom.write.header import StudyHeader, save, uid_of
from bingcheng.dicom.write.mr import write_mr
from bingcheng.dicom.write.pet import write_pet
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.render import Part, compose, region_of
from bingcheng.image.phantoms.shapes import Ellipsoid, cylinder_of, sphere_of
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume
from bingcheng.outputs.seg import write_seg

NORTH, SOUTH = "North Hospital", "South Hospital"
FIRST = datetime(2026, 3, 2, 10, 0)  # noqa: DTZ001 - a scanner's local time
ANNA = Patient(patient_id="KH-70412", name="Quellberg^Annabeth", birth_date="19580917")
BRUNO = Patient(patient_id="KH-70413", name="Wiesenthal^Brunolf", birth_date="19470221")
CARLA = Patient(patient_id="SX-88120", name="赵=赵^晓燕", birth_date="19660730")
LESION_MM = 30.0
HALF_LIFE_S = 6586.2


def device(site: str, serial: str) -> Device:
    return Device(
        vendor="SIEMENS",
        manufacturer="SIEMENS",
        model="Model 1",
        serial_number=serial,
        software_versions=("1",),
        institution=site,
    )


def grid(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], frame: str) -> VolumeGeometry:
    z, y, x = (-(count - 1) / 2 * step for count, step in zip(shape, spacing_mm, strict=True))
    return VolumeGeometry(
        shape=shape, spacing_mm=spacing_mm, origin_mm=(x, y, z), frame_of_reference_uid=uid_of("frame", frame)
    )


def study(name: str, patient: Patient, at: datetime, **changed: Any) -> StudyHeader:
    told = {"description": "Thorax", "number": "1", "accession_number": "ACC-551203"} | changed
    return StudyHeader(uid=uid_of("study", name), patient=patient, performed_at=at, **told)


def body(value: float, lesion: float, geometry: VolumeGeometry, background: float, unit: str) -> Volume:
    parts = [Part(shape=cylinder_of(280.0), value=value), Part(shape=lesion_shape(), value=lesion)]
    return compose(parts, geometry, (2.0, 1.5, 1.5), background=background, unit=unit)


def lesion_shape() -> Ellipsoid:
    return sphere_of(LESION_MM, (40.0, 10.0, 0.0))


def drawn(geometry: VolumeGeometry, patient: Patient, label: str = "Lesion 1") -> Region:
    found = region_of(lesion_shape(), geometry, label=label)
    return Region(
        mask=found.mask,
        start=found.start,
        grid=geometry,
        label=label,
        tracking_uid=uid_of("lesion", patient.patient_id, patient.name or ""),
        method="manual",
    )


def segment(folder: Path, paths: tuple[Path, ...], region: Region, name: str) -> Path:
    slices = region.grid.shape[0]
    frames = VolumeFrames(
        frames=tuple(FrameSource(path=path) for path in paths[:slices]),
        geometry=region.grid,
        sop_instance_uids=tuple(uid_of("source", name, str(z)) for z in range(slices)),
    )
    write_seg(folder / "seg.dcm", [region], frames, written_at=FIRST + timedelta(hours=5))
    return folder / "seg.dcm"


def ct(
    folder: Path,
    *,
    name: str = "anna-1",
    patient: Patient = ANNA,
    site: str = NORTH,
    at: datetime = FIRST,
    lesion: bool = True,
    label: str = "Lesion 1",
    facts: dict[str, Any] | None = None,
    told: dict[str, Any] | None = None,
) -> VolumeGeometry:
    """A CT exam of a cylinder with a sphere in it, as files in `folder`; returns its grid."""
    geometry = grid((16, 96, 96), (5.0, 4.0, 4.0), name)
    volume = body(40.0, 90.0, geometry, -1000.0, "[hnsf'U]")
    noise = np.random.default_rng(1).normal(0.0, 12.0, geometry.shape).astype(np.float32)
    acquired = CtAcquisition(
        modality="CT",
        series_uid=uid_of("series", name),
        device=device(site, f"{site} CT"),
        started_at=at,
        **(
            {
                "series_description": "Body 5 mm",
                "protocol_name": "Thorax",
                "body_part": "CHEST",
                "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
                "slice_thickness_mm": 5.0,
                "kvp_kv": 120.0,
                "exposure_mas": 100.0,
                "convolution_kernel": "Br40",
                "ctdi_vol_mgy": 8.0,
                "ctdi_phantom_cm": 32.0,
                "patient_position": "HFS",
                "weight_kg": 70.0,
            }
            | (facts or {})
        ),
    )
    shown = Volume(voxels=volume.voxels + noise, geometry=geometry, unit=volume.unit)
    paths = write_ct(shown, acquired, study(name, patient, at, **(told or {})), folder, series_number=2)
    if lesion:
        segment(folder, paths, drawn(geometry, patient, label), name)
    return geometry


def pet(
    folder: Path,
    *,
    name: str = "bruno-1",
    patient: Patient = BRUNO,
    site: str = SOUTH,
    facts: dict[str, Any] | None = None,
) -> VolumeGeometry:
    """An FDG PET of background SUV 1 with a lesion of SUV 6."""
    geometry = grid((16, 48, 48), (5.0, 8.0, 8.0), name)
    dose_bq, weight_kg, uptake_min = 280e6, 70.0, 60.0
    bq_per_ml_a_suv = dose_bq * 2.0 ** (-uptake_min * 60.0 / HALF_LIFE_S) / (weight_kg * 1e3)
    suv = body(1.0, 6.0, geometry, 0.0, "g/ml")
    acquired = PetAcquisition(
        modality="PT",
        series_uid=uid_of("series", name),
        device=device(site, f"{site} PET"),
        started_at=FIRST,
        **(
            {
                "series_description": "PET AC",
                "image_type": ("ORIGINAL", "PRIMARY"),
                "slice_thickness_mm": 5.0,
                "units": "BQML",
                "corrections": ("DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"),
                "attenuation_corrected": True,
                "decay_correction": "START",
                "injected_dose_bq": dose_bq,
                "injected_at": FIRST - timedelta(minutes=uptake_min),
                "decay_reference_at": FIRST,
                "half_life_s": HALF_LIFE_S,
                "radionuclide": "^18^Fluorine",
                "radiopharmaceutical": "Fluorodeoxyglucose",
                "reconstruction_method": "OSEM 3i21s",
                "weight_kg": weight_kg,
                "patient_position": "HFS",
            }
            | (facts or {})
        ),
    )
    activity = Volume(voxels=suv.voxels * np.float32(bq_per_ml_a_suv), geometry=geometry, unit="Bq/ml")
    paths = write_pet(activity, acquired, study(name, patient, FIRST), folder, series_number=3)
    segment(folder, paths, drawn(geometry, patient), name)
    return geometry


def dwi(folder: Path, *, name: str = "carla-1", patient: Patient = CARLA, site: str = SOUTH) -> None:
    """A diffusion series of three b-values: background ADC 2.0, lesion 1.0 thousandths of a mm2/s."""
    geometry = grid((12, 64, 64), (6.0, 5.0, 5.0), name)
    b_values = (0.0, 400.0, 800.0)
    volumes = tuple(
        body(900.0 * np.exp(-b * 2e-3), 900.0 * np.exp(-b * 1e-3), geometry, 0.0, "{arbitrary}") for b in b_values
    )
    acquired = MrAcquisition(
        modality="MR",
        series_uid=uid_of("series", name),
        device=device(site, f"{site} MR"),
        started_at=FIRST,
        series_description="DWI",
        image_type=("ORIGINAL", "PRIMARY", "OTHER"),
        slice_thickness_mm=6.0,
        field_strength_t=3.0,
        repetition_time_ms=5000.0,
        echo_times_ms=(60.0,),
        b_values_s_per_mm2=b_values,
        scanning_sequence=("EP", "SE"),
        patient_position="HFS",
    )
    stack = Stack(volumes=volumes, axis="b_value", values=b_values, unit="s/mm2")
    paths = write_mr(stack, acquired, study(name, patient, FIRST), folder, series_number=4)
    segment(folder, paths, drawn(geometry, patient), name)


def write_study(root: Path) -> Path:
    """Two hospitals, three patients, four exams; the first patient is seen twice."""
    ct(root / "north" / "1")
    ct(root / "north" / "2", name="anna-2", at=FIRST + timedelta(days=56))
    pet(root / "south" / "pet")
    dwi(root / "south" / "mr")
    return root


def change(path: Path, how: Callable[[Dataset], None]) -> None:
    """Open a DICOM file, change it, save it."""
    dataset = pydicom.dcmread(path)
    how(dataset)
    dataset.save_as(path)


def change_all(folder: Path, how: Callable[[Dataset], None]) -> None:
    for path in sorted(folder.glob("0*.dcm")):
        change(path, how)


def flipped(region: Region) -> Region:
    """The same region on a grid whose rows run backwards, as common converters to NIfTI write it."""
    count = region.grid.shape[1]
    z, y, x = region.grid.axes
    corner = region.grid.to_mm((0, count - 1, 0))
    turned = replace(
        region.grid, origin_mm=tuple(map(float, corner)), axes=(z, tuple(-c for c in y), x), frame_of_reference_uid=None
    )
    start = (region.start[0], count - region.start[1] - region.mask.shape[1], region.start[2])
    return replace(region, mask=np.ascontiguousarray(region.mask[:, ::-1]), start=start, grid=turned)


def structure_set(folder: Path) -> Path:
    """An RTSTRUCT on the CT in `folder`: one good ROI, and one whose contour is a point on no slice."""
    images = [pydicom.dcmread(path) for path in sorted(folder.glob("0*.dcm"))]
    first = images[0]
    data = Dataset()
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    data.SOPInstanceUID = uid_of(str(first.SeriesInstanceUID), "structures")
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "StudyDate", "StudyTime"):
        setattr(data, keyword, first[keyword].value)
    data.SeriesInstanceUID = uid_of(str(first.SeriesInstanceUID), "structure series")
    data.Modality = "RTSTRUCT"
    data.FrameOfReferenceUID = first.FrameOfReferenceUID
    square = [(30.0, 0.0), (50.0, 0.0), (50.0, 20.0), (30.0, 20.0)]
    planes = [float(image.ImagePositionPatient[2]) for image in images[7:10]]
    good = [
        sequence_item(image, [(*corner, plane) for corner in square])
        for image, plane in zip(images[7:10], planes, strict=True)
    ]
    odd = [sequence_item(images[7], [(0.0, 0.0, 4711.0)])]
    names, contours, observations = [], [], []
    for number, (name, items) in enumerate((("GTV good", good), ("GTV odd", odd)), start=1):
        roi, contour, observed = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, first.FrameOfReferenceUID
        contour.ReferencedROINumber, contour.ContourSequence = number, Sequence(items)
        observed.ObservationNumber = observed.ReferencedROINumber = number
        observed.RTROIInterpretedType = "GTV"
        names.append(roi)
        contours.append(contour)
        observations.append(observed)
    data.StructureSetROISequence = Sequence(names)
    data.ROIContourSequence = Sequence(contours)
    data.RTROIObservationsSequence = Sequence(observations)
    save(data, folder / "structures.dcm")
    return folder / "structures.dcm"


def sequence_item(image: Dataset, points: list[tuple[float, float, float]]) -> Dataset:
    """A closed planar contour on an image."""
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    contour = Dataset()
    contour.ContourImageSequence = Sequence([reference])
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(points)
    contour.ContourData = [coordinate for point in points for coordinate in point]
    return contour


def library() -> Path:
    """Where the shipped protocols are."""
    return Path(str(files("bingcheng.protocol") / "library"))
