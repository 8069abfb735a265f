"""DICOM objects with something planted in them."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from bingcheng.archive.deidentify.attributes import attributes
from bingcheng.archive.deidentify.key import Key

CT, MR, SC, US = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "4", "7", "6.1"))
KEY = Key(b"a key for tests, of no worth at all")
OTHER_KEY = Key(b"another key for tests, of no worth")
TEXTS = ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")


def ct(**changes) -> Dataset:
    """A small CT image as a scanner writes it."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values = {
        "SOPClassUID": CT,
        "SOPInstanceUID": "1.2.276.0.7230010.3.1.4.8323329.5576.1",
        "StudyInstanceUID": "1.2.276.0.7230010.3.1.2.8323329.5576.2",
        "SeriesInstanceUID": "1.2.276.0.7230010.3.1.3.8323329.5576.3",
        "FrameOfReferenceUID": "1.2.276.0.7230010.3.1.4.8323329.5576.4",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "Modality": "CT",
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Biograph 64",
        "PatientName": "Quixworth^Zebediah",
        "PatientID": "MRN-7730921",
        "PatientBirthDate": "19520317",
        "PatientSex": "M",
        "PatientAge": "071Y",
        "PatientWeight": "81.5",
        "StudyDate": "20240213",
        "SeriesDate": "20240213",
        "StudyTime": "101112",
        "StudyDescription": "CT CHEST",
        "BodyPartExamined": "CHEST",
        "AccessionNumber": "ACC5521907",
        "StudyID": "1",
        "SeriesNumber": "2",
        "InstanceNumber": "3",
        "KVP": "120",
        "SliceThickness": "5",
        "ImagePositionPatient": ["-10", "-10", "42.5"],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "PixelSpacing": ["0.7", "0.7"],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 32,
        "Columns": 40,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
    }
    for name, value in (values | changes).items():
        setattr(dataset, name, value)
    if "PixelData" not in changes:
        rng = np.random.default_rng(7)
        dataset.PixelData = rng.integers(0, 3000, (dataset.Rows, dataset.Columns), dtype=np.uint16).tobytes()
    return dataset


def written(dataset: Dataset, preamble: bytes = bytes(128), trailing: bytes = b"") -> bytes:
    """The dataset as a file."""
    stream = io.BytesIO()
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dcmwrite(stream, dataset, enforce_file_format=True)
    return preamble + stream.getvalue()[128:] + trailing


def read(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))


@dataclass
class Planted:
    """What was planted: texts that must be nowhere in the bytes, and numbers by tag."""

    texts: dict[int, str] = field(default_factory=dict)
    numbers: dict[int, object] = field(default_factory=dict)


def vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "LO"


def plant(dataset: Dataset, seed: int = 0, leave: frozenset[int] = frozenset()) -> Planted:
    """Put a value of its own into every attribute of the table."""
    planted = Planted()
    for number, one in enumerate(attributes()):
        if "x" in one.tag or one.tag == "private":
            continue
        tag = int(one.tag, 16)
        if tag >> 16 < 8 or tag in leave:
            continue
        _plant_one(dataset, tag, number + seed, planted)
    return planted


def _plant_one(dataset: Dataset, tag: int, number: int, planted: Planted) -> None:
    vr = vr_of(tag)
    text = f"QZ{number:05d}XW"
    if vr in TEXTS:
        planted.texts[tag] = text
        dataset.add_new(tag, vr, text if vr != "UR" else f"http://{text}.example")
    elif vr == "UI":
        planted.texts[tag] = f"1.2.276.5.{number + 70000}.9.1"
        dataset.add_new(tag, vr, planted.texts[tag])
    elif vr in ("DA", "DT"):
        day = f"{1930 + number // 300}{1 + number % 12:02d}{1 + number % 28:02d}"
        planted.texts[tag] = day
        dataset.add_new(tag, vr, day if vr == "DA" else f"{day}101112.5")
    elif vr == "TM":
        planted.numbers[tag] = f"{number % 24:02d}{number % 60:02d}{number % 59:02d}.{number:06d}"
        dataset.add_new(tag, vr, planted.numbers[tag])
    elif vr == "SQ":
        item = Dataset()
        item.add_new(0x00080104, "LO", text)
        item.add_new(0x00080100, "SH", f"Q{number}W")
        item.add_new(0x00080102, "SH", "99LOCAL")
        item.add_new(0x00100010, "PN", f"{text}^Inner")
        planted.texts[tag] = text
        dataset.add_new(tag, "SQ", Sequence([item]))
    elif vr in ("OB", "OW", "UN"):
        planted.texts[tag] = text
        dataset.add_new(tag, vr, (text + " ").encode())
    elif vr in ("CS", "AS", "DS", "IS"):
        value = {"CS": text, "AS": f"{number % 88:03d}W", "DS": f"{number}.25", "IS": str(number + 7_000_000)}[vr]
        planted.numbers[tag] = value
        dataset.add_new(tag, vr, value)
    elif vr == "US":
        planted.numbers[tag] = number + 20000
        dataset.add_new(tag, vr, number + 20000)
    else:
        raise AssertionError(vr)


def odd_elements(number: int) -> bytes:
    """Explicit VR little endian bytes of private elements, a curve, an overlay with a comment, each with a canary."""
    made = b""
    for tag, vr, value in (
        (0x50000005, b"US", struct.pack("<H", 2)),
        (0x50002500, b"LO", f"QZCURVE{number:03d}".encode()),
        (0x50003000, b"OW", f"QZCURVEDATA{number:03d}".encode()),
        (0x60000010, b"US", struct.pack("<H", 4)),
        (0x60000022, b"LO", f"QZOVERLAY{number:03d}".encode()),
        (0x60003000, b"OW", f"QZOVERLAYDATA{number:03d}".encode()),
        (0x60004000, b"LT", f"QZOVERLAYTEXT{number:03d}".encode()),
    ):
        padded = value + b" " * (len(value) % 2)
        head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
        length = struct.pack("<HI", 0, len(padded)) if vr == b"OW" else struct.pack("<H", len(padded))
        made += head + length + padded
    return made


def uid(words: str) -> UID:
    return UID(words)
