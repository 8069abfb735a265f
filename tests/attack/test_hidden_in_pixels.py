"""Text hidden where a picture's decoder doesn't look: none of it leaves, and the picture stays as it was."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
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


def in_a_segment_that_nobody_knows(stream):
    return put_in(stream, 2, b"\xff\x07")


def between_runs(stream):
    """Behind the runs of the first of two segments, whose decoder stops when its plane is full."""
    count, first, second = struct.unpack_from("<3I", stream)
    assert count == 2
    moved = second + len(CANARY) + 1
    return struct.pack("<3I", count, first, moved) + stream[12:second] + CANARY + b"!" + stream[second:]


def in_lengths_of_packets(stream):
    """In place of the lengths of packets in the header of a tile."""
    at = stream.index(b"\xff\x90")
    made = bytearray(put_in(stream, at + 12, b"\xff\x58", b"\0"))
    length = struct.unpack_from(">I", made, at + 6)[0]
    struct.pack_into(">I", made, at + 6, length + len(made) - len(stream) if length else 0)
    return bytes(made)


def in_lengths_of_tiles(stream):
    at = stream.index(b"\xff\x90")
    return put_in(stream, at, b"\xff\x55", b"\0\x60")


HIDDEN = {
    "JPEG comment and segments": (JPEGBaseline8Bit, lambda: jpeg(comment=CANARY, exif=b"Exif\0\0" + CANARY)),
    "JPEG behind its end": (JPEGBaseline8Bit, lambda: jpeg() + CANARY),
    "JPEG-LS comment": (JPEGLSLossless, lambda: put_in(stream_of(JPEGLSLossless), 2, b"\xff\xfe")),
    "JPEG-LS behind its end": (JPEGLSLossless, lambda: stream_of(JPEGLSLossless) + CANARY),
    "JPEG 2000 remark": (JPEG2000Lossless, lambda: in_header_of_2000(stream_of(JPEG2000Lossless))),
    "JPEG 2000 remark in a tile": (JPEG2000Lossless, lambda: in_tile_of_2000(stream_of(JPEG2000Lossless))),
    "JPEG 2000 box": (JPEG2000Lossless, lambda: in_boxes(stream_of(JPEG2000Lossless))),
    "JPEG 2000 behind its end": (JPEG2000Lossless, lambda: stream_of(JPEG2000Lossless) + CANARY),
    "JPEG 2000 lengths of packets": (JPEG2000Lossless, lambda: in_lengths_of_packets(stream_of(JPEG2000Lossless))),
    "JPEG 2000 lengths of tiles": (JPEG2000Lossless, lambda: in_lengths_of_tiles(stream_of(JPEG2000Lossless))),
    "RLE between its runs": (RLELossless, lambda: between_runs(stream_of(RLELossless))),
    "JPEG before its end": (JPEGBaseline8Bit, lambda: jpeg()[:-2] + CANARY + b"\xff\xd9"),
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


def restated(data, syntax):
    """A file that claims another transfer syntax."""
    at = data.index(b"\x02\0\x10\0UI")
    length = struct.unpack_from("<H", data, at + 6)[0]
    value = syntax.encode() + bytes(len(syntax) % 2)
    return data[: at + 6] + struct.pack("<H", len(value)) + value + data[at + 8 + length :]


def approved(image, profile="basic"):
    approvals = {str(image.SOPInstanceUID): Approval(regions=())}
    return Deidentifier(profile=Profile.named(profile), key=KEY, approvals=approvals).one(written(image))


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2.4.110",  # JPEG XL
        "1.2.840.10008.1.2.8.1",  # deflated frames
        "1.2.840.10008.1.2.4.94",  # JPIP: the pixels are elsewhere
        "1.2.840.10008.1.2.7.1",  # SMPTE ST 2110
        "1.2.840.113619.5.2",  # private, of a maker
        "1.2.276.Elbonia",
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_transfer_syntax_that_nobody_knows_is_refused_whatever_a_person_allows(syntax, wrapped):
    image = ct()
    if wrapped:
        image = encapsulated(image, [CANARY + b"!"], JPEGBaseline8Bit)
    approvals = {str(image.SOPInstanceUID): Approval(regions=())}
    worker = Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=approvals)
    result = worker.one(restated(written(image), syntax))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-unknown-syntax"


def test_pixels_that_are_not_written_as_their_syntax_says_are_refused():
    wrapped = encapsulated(eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2"), [CANARY + b"!"], JPEGBaseline8Bit)
    bare = eight_bits(jpeg().ljust(ROWS * COLUMNS, b"\0"), "MONOCHROME2")
    for image, claims in ((wrapped, "1.2.840.10008.1.2.1"), (bare, "1.2.840.10008.1.2.5")):
        approvals = {str(image.SOPInstanceUID): Approval(regions=())}
        worker = Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=approvals)
        assert worker.one(restated(written(image), claims)).problem.code == "archive.pixels-not-read"


def test_an_object_without_pixels_is_written_plainly_whatever_its_syntax():
    image = encapsulated(ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR"), [jpeg()], JPEGBaseline8Bit)
    del image.PixelData
    result = approved(image)
    assert result.state is State.DONE, result.problem
    assert read(result.data).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize(
    "make", [in_a_segment_that_nobody_knows, lambda stream: stream.replace(b"\xff\xda", b"\xff\xde", 1)]
)
def test_segments_that_nobody_knows_are_refused(make):
    image = encapsulated(eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2"), [make(jpeg())], JPEGBaseline8Bit)
    assert approved(image).problem.code == "archive.pixels-not-read"


def test_a_stream_that_shows_more_than_the_header_tells_is_refused():
    for syntax, stream in ((JPEGBaseline8Bit, jpeg()), (JPEG2000Lossless, stream_of(JPEG2000Lossless))):
        image = encapsulated(eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2"), [stream], syntax)
        image.Rows = ROWS - 20
        assert approved(image).state is State.REFUSED


def test_what_says_something_among_coded_pixels_is_written_anew_with_the_same_pixels():
    """A decoder passes over what it doesn't need; only letters tell that somebody else may read it."""
    image = eight_bits(bytes(ROWS * COLUMNS), "MONOCHROME2")
    plain = encapsulated(image, [jpeg()], JPEGBaseline8Bit)
    bytes_before, before = plain.PixelData, read(written(plain)).pixel_array
    assert read(approved(plain).data).PixelData == bytes_before
    hidden = encapsulated(image, [jpeg()[:-2] + CANARY + b"\xff\xd9"], JPEGBaseline8Bit)
    found = read(approved(hidden).data)
    np.testing.assert_array_equal(found.pixel_array, before)
    assert found.LossyImageCompression == "01"


def test_what_the_decoder_finds_superfluous_is_refused():
    hidden = encapsulated(grey(), [stream_of(JPEGLSLossless)[:-2] + CANARY + b"\xff\xd9"], JPEGLSLossless)
    assert approved(hidden).state is State.REFUSED


def test_lengths_of_tiles_are_true_or_made_so():
    stream = stream_of(JPEG2000Lossless)
    at = stream.index(b"\xff\x90")
    told = struct.unpack_from(">HI", stream, at + 4)
    true = b"\xff\x55" + struct.pack(">HBBHI", 10, 0, 0x60, told[0], told[1] or len(stream) - 2 - at)
    lie = true[:6] + b"MEIER7"
    for told_so in (true, lie):
        data = approved(encapsulated(grey(), [stream[:at] + told_so + stream[at:]], JPEG2000Lossless)).data
        assert b"MEIER7" not in data
        assert read(data).PixelData.count(true) == 1


def with_extended_offsets(image, offsets, lengths, total=None):
    image.ExtendedOffsetTable, image.ExtendedOffsetTableLengths = offsets, lengths
    if total is not None:
        image.add_new(0x7FE00003, "UV", total)
    return image


def test_offset_tables_hold_offsets_only():
    frames = [stream_of(JPEGLSLossless), stream_of(JPEGLSLossless)]
    frames = [one + bytes(len(one) % 2) for one in frames]
    image = encapsulated(grey(np.stack([np.zeros((ROWS, COLUMNS), "<u2")] * 2)), frames, JPEGLSLossless)
    size = len(frames[0])
    true = struct.pack("<2Q", 0, size + 8), struct.pack("<2Q", size, size)
    image.PixelData = b"\xfe\xff\0\xe0\0\0\0\0" + image.PixelData[image.PixelData.index(b"\xfe\xff\0\xe0", 4) :]
    kept = read(approved(with_extended_offsets(image, *true, total=2 * size)).data)
    assert (kept.ExtendedOffsetTable, kept.ExtendedOffsetTableLengths) == true
    for lie in ((CANARY[:16], true[1]), (true[0], CANARY[:16]), (true[0] + CANARY[:8], true[1])):
        data = approved(with_extended_offsets(image, *lie)).data
        assert CANARY[:8] not in data
        assert read(data).PixelData == image.PixelData
    data = approved(with_extended_offsets(image, *true, total=int.from_bytes(CANARY[:8], "little"))).data
    assert CANARY[:8] not in data


def test_nothing_stands_behind_the_pixels_of_a_segmentation_of_one_bit():
    bits = np.packbits(np.arange(ROWS * COLUMNS * 3) % 7 == 0, bitorder="little").tobytes()
    image = ct(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4",
        Modality="SEG",
        Rows=ROWS,
        Columns=COLUMNS,
        NumberOfFrames=3,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=bits + CANARY + b"!",
    )
    result = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(image))
    assert result.state is State.DONE, result.problem
    assert read(result.data).PixelData == bits


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


def with_palette(text, **more):
    image = ct(**more)
    ramp = np.linspace(0, 65535, 256).astype("<u2").tobytes()
    for colour, entries in (("Red", ramp[:256] + text + ramp[256 + len(text) :]), ("Green", ramp), ("Blue", ramp)):
        setattr(image, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(image, f"{colour}PaletteColorLookupTableData", entries)
    return image


def test_a_grey_picture_loses_all_of_a_palette_in_which_text_stands():
    spoilt, sound = read(cleaned(with_palette(CANARY * 2))), read(cleaned(with_palette(b"")))
    assert not [one.keyword for one in spoilt if "Palette" in one.keyword]
    assert len([one.keyword for one in sound if "Palette" in one.keyword]) == 6


@pytest.mark.parametrize("more", [{"PhotometricInterpretation": "PALETTE COLOR"}, {"PixelPresentation": "MIXED"}])
def test_a_picture_that_is_drawn_by_such_a_palette_is_refused(more):
    image = with_palette(CANARY * 2, **more)
    approved = {image.SOPInstanceUID: Approval(regions=(), face_allowed=True)}
    one = Deidentifier(profile=Profile.named("teaching"), key=KEY, approvals=approved).one(written(image))
    assert one.problem.code == "archive.deidentify-text-in-table"


def lut(text):
    item = Dataset()
    item.LUTDescriptor, item.LUTExplanation, ramp = [64, 0, 16], "NORMAL", np.arange(64, dtype="<u2").tobytes()
    item.add_new(0x00283006, "OW", ramp[:60] + text + ramp[60 + len(text) :])
    return item


def test_a_proposal_of_how_to_show_an_image_goes_where_text_runs_through_it():
    assert "VOILUTSequence" not in read(cleaned(ct(VOILUTSequence=[lut(CANARY)])))
    (left,) = read(cleaned(ct(VOILUTSequence=[lut(CANARY), lut(b"")]))).VOILUTSequence
    assert left.LUTData == lut(b"").LUTData


def test_values_whose_meaning_stands_in_such_a_table_are_refused():
    one = Deidentifier(profile=Profile.named("basic"), key=KEY).one(written(ct(ModalityLUTSequence=[lut(CANARY)])))
    assert one.problem.code == "archive.deidentify-text-in-table"
