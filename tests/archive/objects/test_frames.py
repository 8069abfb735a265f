"""Frames are read by seeking to them."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID
from tests.archive.objects.conftest import FROM, SPACE
from tests.archive.objects.sent import BIG_ENDIAN, DEFLATED, JPEG_BASELINE, dataset, file, written

from bingcheng.core.errors import InputError


def put(objects, data):
    received = objects.receive(data, space=SPACE, origin=FROM)
    return objects.instance([SPACE], None, None, received.sop_instance_uid)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG_ENDIAN])
def test_a_frame_of_many_is_cut_out_of_native_pixels(objects, syntax):
    pixels = np.random.default_rng(1).integers(0, 255, 5 * 8 * 8 * 2).astype(np.uint8).tobytes()
    instance = put(objects, file(syntax=syntax, pixels=pixels, NumberOfFrames=5))
    assert not instance.encapsulated
    for number in range(1, 6):
        assert objects.frame(instance, number) == pixels[(number - 1) * 128 : number * 128]


def test_colour_frames_have_three_samples(objects):
    pixels = bytes(range(192)) * 2
    colour = {"SamplesPerPixel": 3, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PlanarConfiguration": 0}
    instance = put(objects, file(pixels=pixels, NumberOfFrames=2, **colour))
    assert objects.frame(instance, 2) == pixels[192:]


def test_a_frame_of_single_bits_begins_on_a_byte(objects):
    # 3 x 3 bits a frame: the second frame begins inside a byte (PS3.5 8.1.1).
    masks = np.random.default_rng(2).integers(0, 2, (4, 9)).astype(np.uint8)
    pixels = np.packbits(masks.ravel(), bitorder="little").tobytes()
    pixels += bytes(len(pixels) % 2)
    bits = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "NumberOfFrames": 4, "size": 3}
    instance = put(objects, file(pixels=pixels, **bits))
    for number in range(1, 5):
        spread = np.unpackbits(np.frombuffer(objects.frame(instance, number), np.uint8), bitorder="little")[:9]
        assert spread.tolist() == masks[number - 1].tolist()


FRAMES = [bytes([n]) * (10 + 2 * n) for n in range(1, 5)]


@pytest.mark.parametrize("fragments", [1, 2])
def test_a_compressed_frame_is_its_fragments_joined(objects, fragments):
    made = dataset(NumberOfFrames=4)
    made.PixelData = encapsulate(FRAMES, fragments_per_frame=fragments)
    made["PixelData"].VR = "OB"
    instance = put(objects, written(made, JPEG_BASELINE))
    assert instance.encapsulated
    assert [objects.frame(instance, n) for n in range(1, 5)] == FRAMES


def test_one_compressed_frame_may_be_any_number_of_fragments(objects):
    made = dataset()
    made.PixelData = encapsulate([FRAMES[3]], fragments_per_frame=3, has_bot=False)
    made["PixelData"].VR = "OB"
    assert objects.frame(put(objects, written(made, JPEG_BASELINE)), 1) == FRAMES[3]


def test_frames_are_found_by_an_extended_offset_table(objects):
    made = dataset(NumberOfFrames=4)
    made.PixelData, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = encapsulate_extended(FRAMES)
    made["PixelData"].VR = "OB"
    instance = put(objects, written(made, UID(JPEG_BASELINE)))
    assert [objects.frame(instance, n) for n in range(1, 5)] == FRAMES


def test_frames_without_any_table_and_with_fragments_to_share_out_are_told_as_such(objects):
    made = dataset(NumberOfFrames=4)
    made.PixelData = encapsulate(FRAMES, fragments_per_frame=2, has_bot=False)
    made["PixelData"].VR = "OB"
    with pytest.raises(InputError, match="no-frame-bounds"):
        objects.frame(put(objects, written(made, JPEG_BASELINE)), 1)


@pytest.mark.parametrize("number", [0, -1, 2])
def test_a_frame_that_is_not_there_is_told_as_such(objects, number):
    with pytest.raises(InputError, match="no-such-frame"):
        objects.frame(put(objects, file()), number)


def test_an_object_without_pixels_has_no_frames(objects):
    with pytest.raises(InputError, match="no-pixel-data"):
        objects.frame(put(objects, file(pixels=b"")), 1)


def test_frames_of_a_deflated_file_are_read_too(objects):
    pixels = bytes(range(128)) * 3
    instance = put(objects, file(syntax=DEFLATED, pixels=pixels, NumberOfFrames=3))
    assert objects.frame(instance, 2) == pixels[128:256]


def test_pixels_shorter_than_their_frames_are_told_as_such(objects):
    instance = put(objects, file(pixels=bytes(130), NumberOfFrames=3))
    with pytest.raises(InputError, match="no-frame-bounds"):
        objects.frame(instance, 3)
