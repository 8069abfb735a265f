"""Text hidden where a picture's decoder doesn't look: none of it leaves, and the picture stays as it was."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless
from tests.archive.deidentify.making import KEY, ct, read, written
from tests.archive.deidentify.pictures import COLUMNS, ROWS, compressed, eight_bits, encapsulated, grey

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.profile import Profile

CANARY = b"Elbonia Mission Clinic 77"
"""In no header: the second pass can't know it."""


def cleaned(dataset, profile="research-follow-up"):
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=())}
    result = Deidentifier(profile=Profile.named(profile), key=KEY, approvals=approvals).one(written(dataset))
    assert result.state is State.DONE, result.problem
    return result.data


def jpeg(**more):
    stream = io.BytesIO()
    values = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)).astype(np.uint8)
    Image.fromarray(values).save(stream, "JPEG", **more)
    return stream.getvalue()


def stream_of(syntax):
    return next(generate_frames(compressed(grey(), syntax).PixelData, number_of_frames=1))


def put_in(stream, at, marker, fixed=b""):
    content = fixed + CANARY + b"!"
    return stream[:at] + marker + struct.pack(">H", len(content) + 2) + content + stream[at:]


def in_header_of_2000(stream):
    at = stream.index(b"\xff\x4f\xff\x51")
    return put_in(stream, at + 4 + struct.unpack_from(">H", stream, at + 4)[0], b"\xff\x64", b"\0\1")


def in_tile_of_2000(stream):
    at = stream.index(b"\xff\x90")
    made = bytearray(put_in(stream, at + 12, b"\xff\x64", b"\0\1"))
    length = struct.unpack_from(">I", made, at + 6)[0]
    if length:
        struct.pack_into(">I", made, at + 6, length + len(made) - len(stream))
    return bytes(made)


def in_boxes(stream):
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">I", 8 + len(CANARY)) + b"xml " + CANARY
    return boxes + struct.pack(">I", 8 + len(stream)) + b"jp2c" + stream


def in_unused_offsets(stream):
    return stream[:16] + (CANARY + bytes(48))[:48] + stream[64:]


HIDDEN = {
    "JPEG comment and segments": (JPEGBaseline8Bit, lambda: jpeg(comment=CANARY, exif=b"Exif\0\0" + CANARY)),
    "JPEG behind its end": (JPEGBaseline8Bit, lambda: jpeg() + CANARY),
    "JPEG-LS comment": (JPEGLSLossless, lambda: put_in(stream_of(JPEGLSLossless), 2, b"\xff\xfe")),
    "JPEG-LS behind its end": (JPEGLSLossless, lambda: stream_of(JPEGLSLossless) + CANARY),
    "JPEG 2000 remark": (JPEG2000Lossless, lambda: in_header_of_2000(stream_of(JPEG2000Lossless))),
    "JPEG 2000 remark in a tile": (JPEG2000Lossless, lambda: in_tile_of_2000(stream_of(JPEG2000Lossless))),
    "JPEG 2000 box": (JPEG2000Lossless, lambda: in_boxes(stream_of(JPEG2000Lossless))),
    "JPEG 2000 behind its end": (JPEG2000Lossless, lambda: stream_of(JPEG2000Lossless) + CANARY),
    "RLE unused offsets": (RLELossless, lambda: in_unused_offsets(stream_of(RLELossless))),
    "RLE behind its runs": (RLELossless, lambda: stream_of(RLELossless) + CANARY),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_nothing_hides_beside_compressed_pixels(where):
    syntax, make = HIDDEN[where]
    stream = make()
    assert CANARY in stream
    image = eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2") if syntax == JPEGBaseline8Bit else grey()
    data = cleaned(encapsulated(image, [stream], syntax))
    assert CANARY not in data
    plain = jpeg() if syntax == JPEGBaseline8Bit else stream_of(syntax)
    np.testing.assert_array_equal(
        read(data).pixel_array, read(written(encapsulated(image, [plain], syntax))).pixel_array
    )


def test_frames_of_which_one_hides_something_stay_in_order():
    frames = [jpeg(quality=quality) for quality in (30, 60, 90)]
    image = eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2", NumberOfFrames=3)
    before = read(written(encapsulated(image, frames, JPEGBaseline8Bit))).pixel_array
    data = cleaned(encapsulated(image, [frames[0], frames[1] + CANARY, frames[2]], JPEGBaseline8Bit))
    assert CANARY not in data
    np.testing.assert_array_equal(read(data).pixel_array, before)


def test_a_damaged_stream_is_refused_since_nobody_can_look_into_it():
    image = encapsulated(eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2"), [jpeg()[:-200]], JPEGBaseline8Bit)
    approvals = {str(image.SOPInstanceUID): Approval(regions=())}
    result = Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=approvals).one(written(image))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.pixels-not-read"


def test_nothing_stands_behind_native_pixels():
    image = ct()
    pixels = image.PixelData
    image.PixelData = pixels + CANARY + b"!"
    data = cleaned(image)
    assert CANARY not in data
    assert read(data).PixelData == pixels


@pytest.mark.parametrize("signed", [0, 1])
def test_bits_above_those_stored_are_cleared_though_no_header_tells_of_an_overlay(signed):
    image = ct(PixelRepresentation=signed)
    values = np.frombuffer(image.PixelData, "<u2") & 0x07FF
    hidden = values.copy()
    bits = np.unpackbits(np.frombuffer(CANARY, np.uint8)).astype(np.uint16)
    hidden[: bits.size] |= (bits << 12) | (bits[::-1] << 13)
    image.PixelData = hidden.tobytes()
    np.testing.assert_array_equal(np.frombuffer(read(cleaned(image)).PixelData, "<u2"), values)


def test_the_one_value_by_which_a_scanner_pads_stays():
    values = np.random.default_rng(1).integers(0, 4000, (32, 40), dtype=np.uint16)
    values[:5] = 63536
    image = ct(PixelData=values.tobytes())
    assert read(cleaned(image)).PixelData == image.PixelData


@pytest.mark.parametrize("profile", ["basic", "research-follow-up", "teaching"])
def test_text_in_the_place_of_numbers_and_in_colour_profiles_goes(profile):
    image = ct(ICCProfile=CANARY)
    for tag in (0x00180060, 0x00200013, 0x00080030, 0x00101030, 0x00280030):
        image.add_new(tag, "LO", CANARY.decode())
    assert CANARY not in cleaned(image, profile)
