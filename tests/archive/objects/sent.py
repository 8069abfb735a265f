"""DICOM files as a hospital might send them, made small."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
ENCAPSULATED = (
    JPEG_BASELINE,
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.5",
)
SYNTAXES = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN, *ENCAPSULATED)
STUDY, SERIES = "1.2.3", "1.2.3.1"


def dataset(
    number: int = 1, *, study: str = STUDY, series: str = SERIES, size: int = 8, **attributes: object
) -> Dataset:
    """A CT slice; any attribute may be given, None takes it out."""
    made = Dataset()
    standard = {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientID": "P1",
        "PatientName": "Wang^XiaoDong=王^小东",
        "PatientBirthDate": "19700101",
        "PatientSex": "M",
        "StudyDate": "20260105",
        "StudyTime": "101500",
        "AccessionNumber": "A1",
        "StudyID": "S1",
        "StudyDescription": "Chest CT",
        "ReferringPhysicianName": "Li^Na",
        "Modality": "CT",
        "SeriesNumber": 2,
        "SeriesDescription": "thin",
        "InstanceNumber": number,
        "SOPClassUID": CTImageStorage,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "SOPInstanceUID": f"{series}.{number}",
        "Rows": size,
        "Columns": size,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "ImagePositionPatient": [0.5, 1.25, float(number)],
        "Manufacturer": "ACME",
        "BodyPartExamined": "CHEST",
    }
    for keyword, value in {**standard, **attributes}.items():
        if value is not None:
            setattr(made, keyword, value)
    return made


def file(
    number: int = 1,
    *,
    syntax: str = EXPLICIT,
    frames: tuple[bytes, ...] | None = None,
    pixels: bytes | None = None,
    preamble: bytes = bytes(128),
    **attributes: object,
) -> bytes:
    """The bytes of such a slice in a transfer syntax."""
    made = dataset(number, **attributes)  # type: ignore[arg-type]
    if syntax in ENCAPSULATED:
        made.PixelData = encapsulate(list(frames or (bytes(range(number % 50, 64 + number % 50)),)))
        made["PixelData"].VR = "OB"
    elif pixels != b"":
        shape = (int(made.Rows), int(made.Columns))
        kind = ">i2" if syntax == BIG_ENDIAN else "<i2"
        made.PixelData = pixels or np.random.default_rng(number).integers(-9, 9, shape).astype(kind).tobytes()
        made["PixelData"].VR = "OW"
    return written(made, syntax, preamble)


def item(**attributes: object) -> Dataset:
    """An item of a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def written(made: Dataset, syntax: str = EXPLICIT, preamble: bytes = bytes(128)) -> bytes:
    """A dataset as the bytes of a file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = str(made.get("SOPInstanceUID") or "") or "1.2"
    meta.TransferSyntaxUID = UID(syntax)
    made.file_meta = meta
    made.preamble = preamble
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def deflated(inner: bytes) -> bytes:
    """A file whose dataset is deflated, of the bytes of an explicit little endian file."""
    length = struct.unpack_from("<I", inner, 140)[0]
    start = 144 + length
    meta = inner[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = meta[:140] + struct.pack("<I", length + 2) + meta[144:]
    at = meta.index(b"1.2.840.10008.1.2.1.99")
    meta = meta[: at - 2] + struct.pack("<H", 22) + meta[at:]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return meta + packer.compress(inner[start:]) + packer.flush()
