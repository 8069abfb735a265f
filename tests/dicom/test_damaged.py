"""What a few damaged bytes may claim: refused with its reason before it costs memory or minutes; the rest goes on."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
from tests.dicom.making import image, save, save_series

from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.masks.segmentation import drawn_segments
from bingcheng.dicom.pixels.frames import PixelFile
from bingcheng.dicom.sources import mode_of, open_source

RLE = "1.2.840.10008.1.2.5"


def refused(folder: Path) -> list[str]:
    """The codes of what can't be used of a series of which nothing can."""
    grouping = exams(index([folder]))
    assert [series.volumes for exam in grouping.exams for series in exam.series] in ([], [()])
    return [refusal.code for refusal in grouping.refusals]


@pytest.mark.parametrize("spacing_mm", [[1e-6, 1e-6], [0.75, 1e-3], [1e6, 1e6], [1e30, 0.5]])
def test_a_spacing_that_no_patient_has_refuses_the_series(tmp_path, spacing_mm):
    save_series(tmp_path, PixelSpacing=spacing_mm)
    assert refused(tmp_path) == ["image.impossible-size"]


def test_slices_kilometres_apart_refuse_the_series(tmp_path):
    def change(number, dataset):
        dataset.ImagePositionPatient = [0, 0, number * 1e5]

    save_series(tmp_path, change=change)
    assert refused(tmp_path) == ["image.impossible-size"]


@pytest.mark.parametrize(("sideways_mm", "usable"), [(1.4, True), (5.0, False)])
def test_slices_drift_no_further_than_gantries_tilt(tmp_path, sideways_mm, usable):
    def change(number, dataset):
        dataset.ImagePositionPatient = [0, sideways_mm * number, 2.5 * number]

    save_series(tmp_path, change=change)
    if usable:
        ((series,),) = [exam.series for exam in exams(index([tmp_path])).exams]
        assert series.volumes[0].geometry.sheared
    else:
        assert refused(tmp_path) == ["dicom.slanted-slices"]


def test_a_compressed_frame_that_claims_gigabytes_is_not_decoded(tmp_path):
    dataset = image(0)
    dataset.file_meta.TransferSyntaxUID = RLE
    dataset.PixelData = pydicom.encaps.encapsulate([bytes(64)])
    dataset.Rows = dataset.Columns = 65535
    with save(dataset, tmp_path / "x.dcm").open("rb") as stream, pytest.raises(InputError) as raised:
        PixelFile(stream)
    assert raised.value.code == "dicom.bad-pixel-format"


def test_a_label_map_that_claims_gigabytes_takes_none():
    found = Dataset()
    found.file_meta = pydicom.dataset.FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.Rows = found.Columns = 65535
    found.BitsAllocated, found.SegmentationType, found.NumberOfFrames, found.PixelData = 8, "LABELMAP", 1, b"\0\0"
    place, position, turn, measures, segment = (Dataset() for _ in range(5))
    position.ImagePositionPatient, turn.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [0.05, 0.05], 1
    place.PlanePositionSequence, place.PlaneOrientationSequence = Sequence([position]), Sequence([turn])
    place.PixelMeasuresSequence = Sequence([measures])
    found.PerFrameFunctionalGroupsSequence = Sequence([place])
    segment.SegmentNumber, segment.SegmentLabel = 1, "Lesion"
    found.SegmentSequence = Sequence([segment])
    with pytest.raises(InputError) as raised:
        list(drawn_segments(found))
    assert raised.value.code == "dicom.segmentation-broken"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"1.5\\-2e1\\ 3 \\4 ", [1.5, -20.0, 3.0, 4.0]),
        (b"7", [7.0]),
        *[(bad, []) for bad in (b"", b"1\\\\2", b"1\\nan", b"1_0\\2", b"1\\x", b"\xff\\1")],
    ],
)
def test_coordinates_read_from_bytes_are_those_read_one_by_one(tmp_path, written, expected):
    dataset = image(0)
    dataset.add_new(0x30060050, "OB", written)  # ContourData
    path = save(dataset, tmp_path / "x.dcm")
    data = path.read_bytes()
    at = data.index(b"\x06\x30\x50\x00OB")
    length = len(written) + len(written) % 2
    head = b"\x06\x30\x50\x00DS" + length.to_bytes(2, "little")
    path.write_bytes(data[:at] + head + data[at + 12 : at + 12 + length] + data[at + 12 + length :])
    read = Tags(pydicom.dcmread(path))
    assert read.decimals("ContourData").tolist() == expected
    assert list(read.numbers("ContourData")) == expected
    assert read.decimals("ContourData").tolist() == expected  # and once pydicom has taken it apart


def test_a_damaged_member_of_a_zip_is_refused_as_unreadable(tmp_path):
    content = np.random.default_rng(1).bytes(500) * 40
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", content)
    data = bytearray((tmp_path / "x.zip").read_bytes())
    data[60:90] = bytes(30)
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError) as raised:
        open_source(FrameSource(path=tmp_path / "x.zip", member="x"))
    assert raised.value.code == "dicom.unreadable"


def test_a_path_that_the_system_refuses_is_said_and_the_others_are_read(tmp_path):
    save(image(0), tmp_path / "x.dcm")
    unspeakable = tmp_path / ("a" * 300)
    assert mode_of(unspeakable) == mode_of(tmp_path / "absent") == 0
    found = index([unspeakable, tmp_path])
    assert len(found.headers) == 1
    assert [refusal.code for refusal in found.refusals] == ["dicom.not-readable"]
