"""Values of many megabytes that are no pixels, a document, a curve: what is asked of them is given piece by piece."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EncapsulatedPDFStorage
from tests.attack.conftest import reader_of
from tests.server.examples import OBJECT, SERIES, STUDY, ct_file

WHOLE_MIB = 64
INSTANCE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}"
ALONE, MANY = "application/octet-stream", "multipart/related"
PATHS = ("/bulk/00420011", "/bulk/54000100/0/54001010")


def most_mib():
    """The most memory that this process has held since that was last set back."""
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", told)[1]) / 1024


@pytest.fixture
def large(listening, tmp_path):
    """A client of a server that keeps a document of 64 MB and a curve of as many; and that value."""
    here = listening()
    file = tmp_path / "long.dcm"
    file.write_bytes(ct_file())
    made = dcmread(file)
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(made, keyword)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    value = np.random.default_rng(1).integers(0, 256, WHOLE_MIB << 20, dtype=np.uint8).tobytes()
    curve = Dataset()
    curve.WaveformBitsAllocated = 16
    curve.WaveformData = value
    curve["WaveformData"].VR = "OW"
    made.WaveformSequence = Sequence([curve])
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = value
    made.save_as(file, enforce_file_format=True)
    del made, curve
    with reader_of(here, file) as client:
        yield client, memoryview(value)


@pytest.mark.parametrize(
    ("path", "accept", "least"),
    [
        ("/metadata", "application/dicom+json", 0),
        *((path, accept, WHOLE_MIB) for path in PATHS for accept in (ALONE, MANY)),
        ("/bulkdata", MANY, 2 * WHOLE_MIB),
        ("/rendered", "application/pdf", WHOLE_MIB),
    ],
)
def test_no_value_is_held_as_a_whole(large, path, accept, least):
    client, _ = large
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most that was held is counted anew
    before, came = most_mib(), 0
    with client.stream("GET", INSTANCE + path, headers={"accept": accept}) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_raw():
            came += len(piece)
    assert came >= least << 20
    assert most_mib() - before < WHOLE_MIB / 2


@pytest.mark.parametrize("path", PATHS)
def test_a_value_is_given_as_it_was_stored_whole_and_in_parts(large, path):
    client, value = large
    whole = client.get(INSTANCE + path, headers={"accept": ALONE})
    assert whole.headers["content-length"] == str(len(value))
    assert whole.content == value
    part = client.get(INSTANCE + path, headers={"accept": ALONE, "range": "bytes=524287-1048577"})
    assert (part.status_code, part.content) == (206, value[524_287:1_048_578])
    together = client.get(INSTANCE + path, headers={"accept": MANY}).content
    _, _, behind = together.partition(b"\r\n\r\n")
    assert behind[: len(value)] == value
