"""Objects whose headers lie about frames, sizes and segments: answered quickly, and never by a fault."""

from __future__ import annotations

import io
import time

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from tests.server.examples import OBJECT, SERIES, STUDY, ct_file

from bingcheng.archive.authorisation import hospital_space
from bingcheng.archive.objects.received import Origin

IMAGE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{{}}"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def put(served, change, uid="1.2.3.4"):
    image = dcmread(io.BytesIO(ct_file()))
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid
    change(image)
    file = io.BytesIO()
    dcmwrite(file, image, enforce_file_format=True)
    origin = Origin(kind="stow", peer="test")
    served.site.objects.receive(file.getvalue(), space=hospital_space(served.north), origin=origin)


def looked_at(served, uid="1.2.3.4"):
    client = served.browser("radiologist")
    image = IMAGE.format(uid)
    paths = (f"/quicklook/{STUDY}", f"/quicklook/{STUDY}/{SERIES}/0.webp", f"{image}/rendered", f"{image}/frames/1")
    return [client.get(path).status_code for path in paths]


def test_twenty_million_claimed_frames_cost_nothing(served):
    put(served, lambda one: setattr(one, "NumberOfFrames", 20_000_000))
    begun = time.process_time()
    statuses = looked_at(served)
    assert time.process_time() - begun < 5, "46 s and 2 GB while each claimed frame was believed"
    assert statuses[:2] == [200, 200]


@pytest.mark.parametrize("value", [0, None])
def test_an_image_without_rows_is_no_picture(served, value):
    put(served, lambda one: setattr(one, "Rows", value))
    assert all(status < 500 for status in looked_at(served))


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        (b"\x02\x00\x10\x00UI", b"\x02\x00\x10\x00Ui"),
        (b"\x02\x00\x00\x00UL\x04\x00", b"\x02\x00\x00\x00XX\x04\x00"),
        (b"\xe0\x7f\x10\x00OW", b"\xe0\x7f\x10\x00SQ"),
        (b"\xe0\x7f\x10\x00OW", b"\xe0\x7f\x10\x00UT"),
    ],
)
def test_a_header_in_which_readers_stumble_is_answered_and_its_pixels_are_no_text(served, whole, damaged):
    data = ct_file()
    assert data.count(whole) == 1
    origin = Origin(kind="stow", peer="test")
    served.site.objects.receive(data.replace(whole, damaged), space=hospital_space(served.north), origin=origin)
    assert all(status < 500 for status in looked_at(served, OBJECT))
    client = served.browser("radiologist")
    for kind in ("application/dicom+json", 'multipart/related; type="application/dicom+xml"'):
        answer = client.get(f"{IMAGE.format(OBJECT)}/metadata", headers={"accept": kind})
        assert answer.status_code == 200
        assert "/bulk/7FE00010" in answer.text


def _segmentation(series="1.2.3.9"):
    def change(one):
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = SEGMENTATION
        one.Modality, one.SeriesInstanceUID, one.SegmentationType = "SEG", series, "BINARY"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelData = 8, 8, 7, b"\1" * 16
        one.SegmentSequence, one.ReferencedSeriesSequence = [Dataset()], [Dataset()]
        one.SegmentSequence[0].SegmentNumber, one.SegmentSequence[0].SegmentLabel = 1, "<script>x</script>"
        one.ReferencedSeriesSequence[0].SeriesInstanceUID = SERIES
        group, segment, derived, source = Dataset(), Dataset(), Dataset(), Dataset()
        source.ReferencedSOPInstanceUID, segment.ReferencedSegmentNumber = "1.2.3.4", 1
        derived.SourceImageSequence = [source]
        group.SegmentIdentificationSequence, group.DerivationImageSequence = [segment], [derived]
        one.PerFrameFunctionalGroupsSequence = [group]
        return one, segment, source, group

    return change


DAMAGE = {
    "two frames of one image": lambda one, segment, source, group: setattr(source, "ReferencedFrameNumber", [1, 2]),
    "no segment": lambda one, segment, source, group: delattr(group, "SegmentIdentificationSequence"),
    "an empty segment number": lambda one, segment, source, group: setattr(segment, "ReferencedSegmentNumber", None),
    "no segments": lambda one, segment, source, group: setattr(one, "SegmentSequence", None),
    "no groups": lambda one, segment, source, group: setattr(one, "PerFrameFunctionalGroupsSequence", None),
    "more groups than frames": lambda one, segment, source, group: setattr(
        one, "PerFrameFunctionalGroupsSequence", [group] * 500
    ),
    "an empty maximum": lambda one, segment, source, group: (
        setattr(one, "SegmentationType", "FRACTIONAL"),
        setattr(one, "MaximumFractionalValue", None),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_segmentation_takes_only_its_outlines_away(served, damage):
    put(served, lambda one: None)
    put(served, lambda one: DAMAGE[damage](*_segmentation()(one)), uid="1.2.3.9.1")
    assert looked_at(served) == [200, 200, 200, 200]


def test_a_segment_s_label_is_no_script(served):
    put(served, lambda one: None)
    put(served, _segmentation(), uid="1.2.3.9.1")
    page = served.browser("radiologist").get(f"/quicklook/{STUDY}").text
    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page
