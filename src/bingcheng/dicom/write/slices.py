"""A series as one file a slice: what all slices share is encoded once, and each slice adds what is its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element, write_file_meta_info

from bingcheng.dicom.write.header import file_meta, place, uid_of
from bingcheng.image.geometry import VolumeGeometry

PREAMBLE = bytes(128) + b"DICM"
"""What a DICOM file begins with (PS3.10 7.1)."""


def write_slices(
    shared: Dataset, geometry: VolumeGeometry, folder: Path, fill: Callable[[Dataset, int], None], *, first: int = 1
) -> tuple[Path, ...]:
    """Write one file a slice, explicit little endian.

    Parameters
    ----------
    shared : what all slices share, the format of their pixels (sixteen bits) included.
    geometry : whose slices they are; each is placed on it.
    folder : where to; made if absent.
    fill : puts the pixels of a slice, and what else is its own, into an empty data set.
    first : number of the first slice, and of its file.

    Returns
    -------
    The files, in the order of z.
    """
    folder.mkdir(parents=True, exist_ok=True)
    correct_ambiguous_vr(shared, is_little_endian=True)
    elements = _encoded(shared)
    paths = []
    for index in range(geometry.shape[0]):
        number = first + index
        own = Dataset()
        own.InstanceNumber = number
        own.SOPInstanceUID = uid_of(str(shared.SeriesInstanceUID), "instance", str(number))
        place(own, geometry, index)
        fill(own, index)
        own["PixelData"].VR = "OW"  # more than eight bits (PS3.5 A.2)
        path = folder / f"{number:05d}.dcm"
        whole = elements | _encoded(own)
        start = _start(str(shared.SOPClassUID), str(own.SOPInstanceUID))
        path.write_bytes(b"".join((start, *(whole[tag] for tag in sorted(whole)))))
        paths.append(path)
    return tuple(paths)


def _encoded(data: Dataset) -> dict[int, bytes]:
    """Each element as it stands in a file, by its tag."""
    spelling = data.get("SpecificCharacterSet")
    found = {}
    for element in data:
        buffer = _buffer()
        write_data_element(buffer, element, spelling)
        found[int(element.tag)] = buffer.getvalue()
    return found


def _start(sop_class_uid: str, sop_instance_uid: str) -> bytes:
    """What stands before the data set."""
    buffer = _buffer()
    buffer.write(PREAMBLE)
    write_file_meta_info(buffer, file_meta(sop_class_uid, sop_instance_uid), enforce_standard=True)
    return buffer.getvalue()


def _buffer() -> DicomBytesIO:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    return buffer
