"""Objects, units and messages for tests."""

from __future__ import annotations

import io
import socket
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from bingcheng.archive.dimse.events import DimseEvent, EventKind
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.negotiation import request_for
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Received
from bingcheng.archive.workspace import Workspace

SPACE = "hospital/1"
ECHO = "1.2.840.10008.1.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


@dataclass(kw_only=True)
class Site:
    """A listener, and what it told."""

    listener: Listener
    workspace: Workspace
    objects: Objects
    events: list[DimseEvent]
    received: list[Received]
    peers: tuple[Peer, ...]

    @property
    def port(self) -> int:
        return self.listener.port

    def of(self, kind: EventKind) -> list[DimseEvent]:
        return [one for one in self.events if one.kind is kind]


def image(
    *,
    study: int = 1,
    series: int = 1,
    number: int = 1,
    size: int = 8,
    syntax: str = ExplicitVRLittleEndian,
    **more: object,
) -> Dataset:
    """A CT slice."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = f"1.2.3.{study}.{series}.{number}"
    made.StudyInstanceUID = f"1.2.3.{study}"
    made.SeriesInstanceUID = f"1.2.3.{study}.{series}"
    made.StudyDate, made.StudyTime = f"202601{study:02}", "101500"
    made.PatientID, made.PatientName = f"KH-{study}", f"Wang^Xiao{study}=王^小{study}"
    made.PatientBirthDate, made.PatientSex = "19600101", "F"
    made.StudyID, made.AccessionNumber, made.StudyDescription = "1", f"A{study}", "Thorax"
    made.Modality, made.SeriesNumber, made.InstanceNumber = "CT", str(series), str(number)
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = size
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    pixels = np.random.default_rng(number).integers(0, 4096, (size, size), dtype=np.uint16)
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OW"
    for keyword, value in more.items():
        setattr(made, keyword, value)
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def file_of(made: Dataset) -> bytes:
    """The bytes of its file."""
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def data_set_of(file: bytes) -> bytes:
    """What follows the meta header of a file."""
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


def echo_request(title: str = "TESTER", called: str = "BINGCHENG") -> bytes:
    """An A-ASSOCIATE-RQ for an echo."""
    return request_for(called, title, [(ECHO, [IMPLICIT])])


def unit(connected: socket.socket) -> tuple[int, bytes]:
    """Type and body of the next protocol data unit; (0, b"") at the end of the connection."""
    head = whole(connected, 6)
    if len(head) < 6:
        return 0, b""
    return head[0], whole(connected, int.from_bytes(head[2:], "big"))


def whole(connected: socket.socket, count: int) -> bytes:
    """So many bytes, or what came before the end."""
    data = b""
    while len(data) < count:
        try:
            came = connected.recv(count - len(data))
        except ConnectionResetError:
            break
        if not came:
            break
        data += came
    return data
