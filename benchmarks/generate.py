"""The data of the benchmarks, generated in a process of its own so that the measuring process stays small.

``python -m benchmarks.generate headers FOLDER FILES`` or ``... exam FOLDER SLICES MATRIX SYNTAX``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.dicom.exam import FrameSource, Patient, VolumeFrames
from bingcheng.dicom.write.ct import write_ct
from bingcheng.dicom.write.header import StudyHeader, coded, sequence, uid_of
from bingcheng.engine.demo.images import Scene, ct_scene
from bingcheng.engine.demo.stories import stories
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.cases import centred
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.volume import Volume
from bingcheng.outputs.seg import write_seg

SEED = 20260724
AT = datetime.fromisoformat("2026-07-24T09:05")
HU = "[hnsf'U]"

SERIES_SLICES = 100
SMALL_MATRIX = 64

FIELD_MM = 410.0
SLICE_MM = 1.0
BLUR_MM = 0.68
NOISE_HU = 13.5
SLAB = 25
"""Slices painted at once: the whole volume would need its memory three times."""

UNCOMPRESSED = "uncompressed"
JPEG_LOSSLESS = "jpeg-lossless"
JPEG_2000 = "jpeg-2000"
SYNTAXES = {UNCOMPRESSED: None, JPEG_LOSSLESS: "JPEGLosslessProcess14_1", JPEG_2000: "JPEG2000Lossless"}
"""What is offered, and GDCM's name of the transfer syntax: 1.2.840.10008.1.2.4.70 and .90."""


def main() -> None:
    kind, folder, *rest = sys.argv[1:]
    if kind == "headers":
        write_headers(Path(folder), int(rest[0]))
    else:
        write_exam(Path(folder), int(rest[0]), int(rest[1]), rest[2])


def write_headers(folder: Path, files: int) -> None:
    """CT series of 100 small slices, five a study, with the load of a scanner's header.

    What a scanner adds to the attributes that reading needs is added in kind: coded sequences, and private elements of
    about 5 kB, which every reader has to step over.
    """
    for number in range(-(-files // SERIES_SLICES)):
        slices = min(SERIES_SLICES, files - number * SERIES_SLICES)
        geometry = centred((slices, SMALL_MATRIX, SMALL_MATRIX), (2.0, 5.0, 5.0))
        volume = Volume(voxels=np.full(geometry.shape, 40.0, dtype=np.float32), geometry=geometry, unit=HU)
        study = number // 5
        facts = _facts(uid_of("benchmark headers", str(number)), f"Series {number}", 2.0)
        place = folder / f"study{study}" / f"series{number}"
        for path in write_ct(volume, facts, _study(study), place, series_number=number % 5 + 1):
            dataset = pydicom.dcmread(path)
            _load(dataset)
            dataset.save_as(path, enforce_file_format=True)


def write_exam(folder: Path, slices: int, matrix: int, syntax: str) -> None:
    """A CT of the trunk with one liver lesion: ``ct`` holds the slices, ``seg.dcm`` the lesion as drawn by a reader."""
    story = stories()[1]
    lesion = story.person.lesions[0].growth(follow_up=False)
    pixel_mm = FIELD_MM / matrix
    geometry = centred((slices, matrix, matrix), (SLICE_MM, pixel_mm, pixel_mm))
    voxels = np.empty(geometry.shape, dtype=np.float32)
    scene = Scene(build=story.person.build, lesions=(lesion,))
    for start in range(0, slices, SLAB):
        part = geometry.box((start, 0, 0), (min(SLAB, slices - start), matrix, matrix))
        voxels[start : start + SLAB] = ct_scene(scene, part, (SLICE_MM / 2.355, BLUR_MM, BLUR_MM))[0].voxels
    grain = noise.ct_slices(
        slices,
        (matrix, matrix),
        (pixel_mm, pixel_mm),
        sd=NOISE_HU,
        blur_mm=BLUR_MM,
        rng=np.random.default_rng(SEED),
    )
    for index, layer in enumerate(grain):
        voxels[index] += layer
    facts = _facts(uid_of("benchmark exam", syntax), "CE CT 1 mm", SLICE_MM)
    volume = Volume(voxels=voxels, geometry=geometry, unit=HU)
    paths = write_ct(volume, facts, _study(0), folder / "ct", series_number=2)
    drawn = region_of(lesion.shape, geometry, label="Liver lesion")
    frames = VolumeFrames(
        frames=tuple(FrameSource(path=path) for path in paths), geometry=geometry, sop_instance_uids=_uids(paths)
    )
    tracked = replace(drawn, tracking_uid=uid_of("benchmark lesion"), method="manual")
    write_seg(folder / "seg.dcm", [tracked], frames, written_at=AT + timedelta(hours=1))
    name = SYNTAXES[syntax]
    if name is not None:
        for path in paths:
            _compress(path, name)


def _facts(series_uid: str, description: str, slice_mm: float) -> CtAcquisition:
    return CtAcquisition(
        modality="CT",
        device=Device(
            vendor="UIH",
            manufacturer="UIH",
            model="uCT 780",
            serial_number="780001",
            software_versions=("R001",),
            station_name="CT1",
            institution="Benchmark Hospital (fictitious)",
        ),
        series_uid=series_uid,
        series_description=description,
        protocol_name="Abdomen portal venous",
        body_part="ABDOMEN",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        started_at=AT,
        slice_thickness_mm=slice_mm,
        patient_position="HFS",
        contrast_agent="Iohexol 350",
        contrast_started_at=AT - timedelta(seconds=70),
        reconstruction_diameter_mm=FIELD_MM,
        kvp_kv=120.0,
        tube_current_ma=210.0,
        exposure_mas=118.0,
        rotation_time_s=0.5,
        pitch=0.9,
        total_collimation_mm=40.0,
        single_collimation_mm=0.625,
        convolution_kernel="B",
        ctdi_vol_mgy=7.8,
        ctdi_phantom_cm=32.0,
        gantry_tilt_deg=0.0,
    )


def _study(number: int) -> StudyHeader:
    patient = Patient(patient_id=f"BENCH{number:03d}", name="Benchmark^Phantom", birth_date="19700101")
    return StudyHeader(
        uid=uid_of("benchmark study", str(number)), patient=patient, performed_at=AT, description="Abdomen CT"
    )


def _load(dataset: Dataset) -> None:
    item = Dataset()
    item.RequestedProcedureDescription = "CT abdomen"
    item.ScheduledProcedureStepID = "1"
    item.ScheduledProtocolCodeSequence = sequence(coded(Code("113014", "DCM", "Study")))
    dataset.RequestAttributesSequence = sequence(item)
    dataset.ProcedureCodeSequence = sequence(coded(Code("CTABD", "99BENCH", "CT abdomen")))
    reference = Dataset()
    reference.ReferencedSOPClassUID = dataset.SOPClassUID
    reference.ReferencedSOPInstanceUID = uid_of("benchmark reference", str(dataset.InstanceNumber))
    dataset.ReferencedImageSequence = sequence(reference)
    for group in (0x0019, 0x0029):
        block = dataset.private_block(group, "BENCHMARK HEADER", create=True)
        for low in range(16):
            block.add_new(low, "LO", f"scanner's own value {low}")
    dataset.private_block(0x0029, "BENCHMARK HEADER").add_new(0x40, "OB", bytes(range(256)) * 16)


def _uids(paths: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(str(pydicom.dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID) for path in paths)


def _compress(path: Path, name: str) -> None:
    import gdcm  # noqa: PLC0415 - only needed for a compressed exam

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
    writer = gdcm.ImageWriter()
    compressed = path.with_suffix(".compressed")
    writer.SetFileName(str(compressed))
    done = reader.Read()
    change.SetInput(reader.GetImage())
    done = done and change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not (done and writer.Write()):
        sys.exit(f"GDCM could not compress {path.name}")
    compressed.replace(path)


if __name__ == "__main__":
    main()
