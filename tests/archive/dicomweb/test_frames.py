"""Frames of every way in which pixels are stored (PS3.5 8 and A.4)."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from benchmarks.exchange_objects import encapsulated, file_of, image
from hypothesis import given, settings
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.encaps import encapsulate_extended

from bingcheng.archive.dicomweb.frames import (
    decodable,
    frame_numbers,
    offers,
    stored_frame,
    uncompressed_frame,
    values,
)
from bingcheng.archive.dicomweb.pixel_map import PixelMaps, pixel_map
from bingcheng.core.errors import InputError

IMPLICIT, EXPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".2", ".1.99"))
JPEG, LOSSLESS, JLS, J2K, RLE = (f"1.2.840.10008.1.2.{end}" for end in ("4.50", "4.70", "4.80", "4.90", "5"))
RAMP = (np.arange(3 * 20 * 16).reshape(3, 20, 16) * 5 % 4001).astype(np.uint16)


def read(file: bytes, number: int = 0):
    stream = io.BytesIO(file)
    pixels = pixel_map(stream)
    return pixels, stored_frame(stream, pixels, number), values(stream, pixels, number)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG, DEFLATED])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_native_frames_are_little_endian_whatever_they_are_stored_in(syntax, number):
    stored = RAMP.astype(">u2") if syntax == BIG else RAMP
    made = image(pixels=RAMP)
    made.PixelData = stored.tobytes()
    pixels, raw, shown = read(file_of(made, syntax), number)
    assert raw == RAMP[number].astype("<u2").tobytes()
    np.testing.assert_array_equal(shown, RAMP[number])
    assert not pixels.encapsulated


@settings(max_examples=25)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.randoms(use_true_random=False))
def test_frames_of_single_bits_begin_with_a_byte(rows, columns, count, random):
    bits = np.array([random.random() < 0.5 for _ in range(rows * columns * count)], dtype=np.uint8)
    made = image(matrix=(rows, columns))
    packed = np.packbits(bits, bitorder="little").tobytes()
    made.PixelData = packed + b"\0" * (len(packed) % 2)
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = 0
    made.NumberOfFrames = count
    file = file_of(made)
    for number in range(count):
        _, raw, shown = read(file, number)
        expected = bits.reshape(count, rows, columns)[number]
        np.testing.assert_array_equal(shown, expected)
        assert raw == np.packbits(expected.ravel(), bitorder="little").tobytes()


def streams() -> list[bytes]:
    return [b"\xff\xd8" + bytes([n]) * (20 + 2 * n) + b"\xff\xd9" for n in (1, 2, 3)]


@pytest.mark.parametrize("table", [True, False])
def test_compressed_frames_are_given_as_they_are_stored(table):
    file = encapsulated(image(pixels=RAMP), streams(), JPEG, table=table)
    for number, stream in enumerate(streams()):
        pixels = pixel_map(io.BytesIO(file))
        assert stored_frame(io.BytesIO(file), pixels, number).rstrip(b"\0") == stream.rstrip(b"\0")


@pytest.mark.parametrize("how", ["basic table", "extended table", "ends of streams"])
def test_frames_of_several_fragments_are_put_together(how):
    made = image(pixels=RAMP)
    pieces = [stream[at : at + 10] for stream in streams() for at in range(0, len(stream), 10)]
    padded = [one + b"\0" * (len(one) % 2) for one in pieces]
    item = b"\xfe\xff\x00\xe0"
    counts = [-(-len(stream) // 10) for stream in streams()]
    firsts = [0, counts[0], counts[0] + counts[1]]
    offsets = [sum(8 + len(one) for one in padded[:first]) for first in firsts]
    table = b"".join(offset.to_bytes(4, "little") for offset in offsets) if how == "basic table" else b""
    value = item + len(table).to_bytes(4, "little") + table
    made.PixelData = value + b"".join(item + len(one).to_bytes(4, "little") + one for one in padded)
    if how == "extended table":
        made.ExtendedOffsetTable = b"".join(offset.to_bytes(8, "little") for offset in offsets)
        made.ExtendedOffsetTableLengths = b"".join(len(one).to_bytes(8, "little") for one in streams())
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    file = file_of(made, JPEG)
    pixels = pixel_map(io.BytesIO(file))
    assert pixels.frame_count == 3
    for number, stream in enumerate(streams()):
        assert stored_frame(io.BytesIO(file), pixels, number).rstrip(b"\0") == stream.rstrip(b"\0")


def test_an_extended_table_of_another_writer_is_read():
    made = image(pixels=RAMP)
    made.PixelData, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = encapsulate_extended(streams())
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    file = file_of(made, JPEG)
    pixels = pixel_map(io.BytesIO(file))
    assert stored_frame(io.BytesIO(file), pixels, 2).rstrip(b"\0") == streams()[2].rstrip(b"\0")


def test_where_frames_begin_is_not_guessed():
    file = encapsulated(image(pixels=RAMP), [b"no stream that ends", b"nor this"], JPEG, table=False)
    with pytest.raises(InputError) as refused:
        pixel_map(io.BytesIO(file))
    assert refused.value.code == "archive.no-frame-bounds"


@pytest.mark.parametrize("syntax", [J2K, JLS, RLE])
def test_lossless_frames_decode_to_what_was_stored(syntax):
    whole = np.tile(RAMP[0], (3, 4))
    made = image(pixels=whole)
    made.BitsStored, made.HighBit = 12, 11
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = EXPLICIT
    if syntax == J2K:
        file = encapsulated(made, [encode_array(whole, bits_stored=12, use_mct=False)], syntax)
    else:
        made.compress(syntax, generate_instance_uid=False)
        file = file_of(made, syntax)
    pixels, raw, shown = read(file)
    assert pixels.encapsulated
    assert decodable(pixels)
    np.testing.assert_array_equal(shown, whole)
    assert raw != whole.tobytes()
    assert uncompressed_frame(io.BytesIO(file), pixels, 0) == whole.tobytes()


def test_signed_values_keep_their_sign():
    signed = RAMP[0].astype(np.int16) - 1000
    made = image(pixels=RAMP[0], PixelRepresentation=1)
    made.PixelData = signed.tobytes()
    np.testing.assert_array_equal(read(file_of(made))[2], signed)
    made.BitsStored, made.HighBit = 13, 12
    made.PixelData = (signed.view(np.uint16) & 0x1FFF | 0x4000).tobytes()  # an overlay in the bits above
    np.testing.assert_array_equal(read(file_of(made))[2], signed)


COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [90, 120, 200]]], np.uint8).repeat(4, 0).repeat(4, 1)


@pytest.mark.parametrize("planar", [0, 1])
def test_native_colours_are_given_by_pixel(planar):
    made = image(pixels=COLOURS, PlanarConfiguration=planar)
    if planar:
        made.PixelData = COLOURS.transpose(2, 0, 1).tobytes()
    np.testing.assert_array_equal(read(file_of(made))[2], COLOURS)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_luminance_and_chroma_become_red_green_and_blue(photometric):
    # PS3.3 C.7.6.3.1.2, which gives the matrix the other way.
    matrix = np.array([[0.2990, 0.5870, 0.1140], [-0.1687, -0.3313, 0.5000], [0.5000, -0.4187, -0.0813]])
    ybr = np.rint(COLOURS @ matrix.T + [0, 128, 128]).clip(0, 255).astype(np.uint8)
    made = image(pixels=ybr, PhotometricInterpretation=photometric)
    if photometric == "YBR_FULL_422":
        made.PixelData = np.stack((ybr[:, 0::2, 0], ybr[:, 1::2, 0], ybr[:, 0::2, 1], ybr[:, 0::2, 2]), -1).tobytes()
    # Each of the four numbers was rounded to a whole one: half a unit of chroma times 1.772, and half of luminance.
    np.testing.assert_allclose(read(file_of(made))[2].astype(int), COLOURS.astype(int), atol=2)


def test_compressed_colours_decode_to_red_green_and_blue():
    written = io.BytesIO()
    smooth = np.full((16, 16, 3), (200, 60, 30), np.uint8)
    Image.fromarray(smooth).save(written, "JPEG", quality=95)
    made = image(pixels=smooth, PhotometricInterpretation="YBR_FULL_422")
    _, _, shown = read(encapsulated(made, [written.getvalue()], JPEG))
    # An even area: only the rounding of its mean, quantised by 2 at most at this quality, is lost.
    np.testing.assert_allclose(shown.astype(int), smooth.astype(int), atol=3)


@pytest.mark.parametrize("cut", [1, 50, 300])
def test_pixels_that_are_cut_off_are_no_frame(cut):
    file = file_of(image(pixels=RAMP))
    stream = io.BytesIO(file[:-cut])
    with pytest.raises(InputError) as refused:
        stored_frame(stream, pixel_map(stream), 2)
    assert refused.value.code == "archive.no-picture"


@pytest.mark.parametrize("damage", [b"", b"nonsense", bytes(200), file_of(image())[:150]])
def test_what_is_no_image_has_no_pixels(damage):
    with pytest.raises(InputError):
        pixel_map(io.BytesIO(damage))


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_refused_and_nothing_else_happens(data):
    file = bytearray(encapsulated(image(pixels=RAMP), streams(), JPEG))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(132, len(file) - 1))] = data.draw(st.integers(0, 255))
    stream = io.BytesIO(bytes(file))
    try:
        pixels = pixel_map(stream)
        for number in range(min(pixels.frame_count, len(pixels.pieces))):
            stored_frame(stream, pixels, number)
    except InputError:
        pass


def test_damaged_compressed_pixels_are_said_to_be_undecodable():
    file = encapsulated(image(pixels=RAMP[0]), [b"\xff\xd8nonsense\xff\xd9"], JPEG)
    with pytest.raises(InputError) as refused:
        read(file)
    assert refused.value.code == "archive.undecodable"


@pytest.mark.parametrize("written", ["", "a", "1,", ",1", "0", "1,0", "-1", "1 ,2", "1,2,3" * 9999, "1" * 20, "١"])
def test_a_list_of_frames_must_be_one(written):
    with pytest.raises(InputError) as refused:
        frame_numbers(written, 3)
    assert refused.value.code == "archive.bad-frames"


def test_frames_count_from_one():
    assert frame_numbers("3,1,1", 3) == (2, 0, 0)
    with pytest.raises(InputError) as refused:
        frame_numbers("4", 3)
    assert refused.value.code == "archive.no-such-frame"


def test_only_one_frame_can_come_alone():
    pixels = pixel_map(io.BytesIO(file_of(image(pixels=RAMP))))
    assert {one.multipart for one in offers(pixels, single=True)} == {True, False}
    assert {one.multipart for one in offers(pixels, single=False)} == {True}


def test_maps_are_kept_for_a_while():
    opened = []

    def open_one():
        opened.append(1)
        return io.BytesIO(file_of(image()))

    maps = PixelMaps(most=2)
    for key in ("a", "a", "b", "c", "a"):
        maps.of(key, open_one)
    assert len(opened) == 4


def test_values_below_the_high_bit_are_shifted_down():
    # PS3.5 8.1.1: twelve bits may stand at the top of sixteen.
    made = image(pixels=RAMP[0] << 4)
    made.BitsStored, made.HighBit = 12, 15
    _, _, shown = read(file_of(made))
    np.testing.assert_array_equal(shown, RAMP[0] & 0xFFF)


def test_a_high_bit_that_cannot_be_is_none():
    made = image(pixels=RAMP[0])
    made.BitsStored, made.HighBit = 16, 40
    _, _, shown = read(file_of(made))
    np.testing.assert_array_equal(shown, RAMP[0])


def test_floating_point_values_are_read_as_such():
    made = image(pixels=RAMP[0])
    values = np.linspace(-1, 1, RAMP[0].size, dtype="<f4").reshape(RAMP[0].shape)
    del made.PixelData
    made.BitsAllocated, made.FloatPixelData = 32, values.tobytes()
    pixels, raw, shown = read(file_of(made))
    assert pixels.floating
    assert raw == values.tobytes()
    np.testing.assert_array_equal(shown, values)


def test_colours_of_sixteen_bits_are_shown_by_their_upper_eight():
    wide = np.arange(8 * 6 * 3, dtype=np.uint16).reshape(8, 6, 3) * 400
    made = image(pixels=wide)
    _, _, shown = read(file_of(made))
    np.testing.assert_array_equal(shown, wide >> 8)


def test_an_odd_number_of_columns_cannot_share_colours():
    made = image(pixels=np.zeros((4, 5, 3), np.uint8))
    made.PhotometricInterpretation, made.PixelData = "YBR_FULL_422", bytes(4 * 5 * 2)
    with pytest.raises(InputError) as refused:
        read(file_of(made))
    assert refused.value.code == "archive.no-picture"
