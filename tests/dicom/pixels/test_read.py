"""Voxels come out in their real unit and place, or the volume is refused by name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import compress
from pydicom.sequence import Sequence
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless, RLELossless
from tests.dicom.making import COLUMNS, ROWS, enhanced, image, put_pixels, save, save_series, stored

from bingcheng.core.errors import InputError, Undefined
from bingcheng.dicom.exam import Series, VolumeFrames
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.pixels.read import read_stack, read_volume
from bingcheng.dicom.pixels.transfer_syntaxes import PixelFormat, stored_values
from bingcheng.image.volume import Volume


def only_series(folder: Path) -> Series:
    ((series,),) = (exam.series for exam in exams(index([folder])).exams)
    return series


def only_volume(folder: Path) -> VolumeFrames:
    (volume,) = only_series(folder).volumes
    return volume


def read_one(folder: Path, dataset: Dataset) -> Volume:
    save(dataset, folder / "x")
    return read_volume(only_volume(folder))


def refused(folder: Path, dataset: Dataset) -> str:
    with pytest.raises(InputError) as caught:
        read_one(folder, dataset)
    return caught.value.code


def test_ct_is_in_hounsfield_units_slice_by_slice(tmp_path: Path) -> None:
    def own_slope(number: int, dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + number, -1000 - number

    save_series(tmp_path, 4, change=own_slope)
    volume = read_volume(only_volume(tmp_path))
    assert volume.unit == "[hnsf'U]"
    assert volume.voxels.dtype == np.float32
    assert volume.valid is None
    assert not volume.voxels.flags.writeable
    for z in range(4):
        np.testing.assert_array_equal(volume.voxels[z], stored(z) * (1 + z) - 1000 - z)


def test_voxels_of_a_zip_are_those_of_the_folder(tmp_path: Path) -> None:
    paths = save_series(tmp_path / "in", 3)
    direct = read_volume(only_volume(tmp_path / "in"))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    np.testing.assert_array_equal(read_volume(only_volume(tmp_path / "x.zip")).voxels, direct.voxels)


def test_small_slopes_of_pet_lose_nothing(tmp_path: Path) -> None:
    volume = read_one(tmp_path, image(3, modality="PT", RescaleSlope="0.123456789012"))
    np.testing.assert_allclose(volume.voxels[0], stored(3) * 0.123456789012, rtol=2**-24)  # one rounding to float32


@pytest.mark.parametrize(
    ("changes", "unit"),
    [
        ({"Units": "BQML"}, "Bq/ml"),
        ({"Units": "GML"}, "g/ml"),
        ({"Units": "GML", "SUVType": "LBM"}, "g/ml{SUVlbm}"),
        ({"Units": "CNTS"}, "{counts}"),
        ({"Units": "PROPCPS"}, "{counts}"),
    ],
)
def test_pet_units_are_those_of_the_header(tmp_path: Path, changes: dict[str, str], unit: str) -> None:
    assert read_one(tmp_path, image(0, modality="PT", **changes)).unit == unit


@pytest.mark.parametrize(
    ("modality", "changes", "code"),
    [
        ("CT", {"RescaleSlope": 0}, "dicom.zero-slope"),
        ("CT", {"RescaleSlope": None}, "dicom.missing-rescale"),
        ("CT", {"RescaleType": "Z_EFF"}, "dicom.not-hounsfield"),
        ("PT", {"RescaleIntercept": None}, "dicom.missing-rescale"),
        ("PT", {"Units": "1CM"}, "dicom.unknown-pet-units"),
        ("PT", {"Units": "GML", "SUVType": "BSA"}, "dicom.unknown-pet-units"),
        ("MR", {"RescaleSlope": 0}, "dicom.zero-slope"),
        ("MR", {"BitsStored": 12, "HighBit": 15}, "dicom.bad-pixel-format"),
    ],
)
def test_values_without_a_meaning_are_refused(
    tmp_path: Path, modality: str, changes: dict[str, Any], code: str
) -> None:
    assert refused(tmp_path, image(0, modality=modality, **changes)) == code


def test_a_modality_table_is_refused(tmp_path: Path) -> None:
    dataset, table = image(0, modality="MR", RescaleSlope=None, RescaleIntercept=None), Dataset()
    table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [2, 0, 16], "US", [0, 1]
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    dataset.ModalityLUTSequence = Sequence([table])
    assert refused(tmp_path, dataset) == "dicom.modality-lut"


def mapping(unit: str, slope: float | None = 0.5) -> Dataset:
    """A real-world value mapping; a table if `slope` is None."""
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item.MeasurementUnitsCodeSequence = Sequence([code])
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 1
    item["RealWorldValueFirstValueMapped"].VR = item["RealWorldValueLastValueMapped"].VR = "US"
    if slope is None:
        item.RealWorldValueLUTData = [0.0, 1.0]
    else:
        item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, 3.0
    return item


@pytest.mark.parametrize(
    ("code", "unit"), [("ms", "ms"), ("10-6.mm2/s", "um2/s"), ("1", "{arbitrary}"), ("um2/s", "um2/s")]
)
def test_a_real_world_value_mapping_goes_before_the_rescale(tmp_path: Path, code: str, unit: str) -> None:
    volume = read_one(tmp_path, image(2, modality="MR", RealWorldValueMappingSequence=Sequence([mapping(code)])))
    assert volume.unit == unit
    np.testing.assert_array_equal(volume.voxels[0], stored(2) * 0.5 + 3)


def test_a_mapping_by_table_is_refused(tmp_path: Path) -> None:
    dataset = image(0, modality="MR", RealWorldValueMappingSequence=Sequence([mapping("ms", None)]))
    assert refused(tmp_path, dataset) == "dicom.real-world-lut"


def test_a_mapping_to_an_unknown_unit_is_not_used(tmp_path: Path) -> None:
    dataset = image(1, modality="MR", RealWorldValueMappingSequence=Sequence([mapping("furlong")]))
    volume = read_one(tmp_path, dataset)
    assert volume.unit == "{arbitrary}"
    np.testing.assert_array_equal(volume.voxels[0], stored(1))


@pytest.mark.parametrize(
    ("limits", "padded"), [((105,), {105}), ((103, 106), {103, 104, 105, 106}), ((106, 103), {103, 104, 105, 106})]
)
def test_padding_is_air_and_not_valid(tmp_path: Path, limits: tuple[int, ...], padded: set[int]) -> None:
    dataset = image(1)
    for keyword, value in zip(("PixelPaddingValue", "PixelPaddingRangeLimit"), limits, strict=False):
        setattr(dataset, keyword, value)
        dataset[keyword].VR = "SS"
    volume = read_one(tmp_path, dataset)
    expected = np.isin(stored(1), list(padded))
    assert volume.valid is not None
    np.testing.assert_array_equal(volume.valid[0], ~expected)
    np.testing.assert_array_equal(volume.voxels[0], np.where(expected, -1000.0, stored(1) - 1024.0))


def test_negative_padding_of_signed_pixels(tmp_path: Path) -> None:
    dataset = image(0)
    pixels = stored(0)
    pixels[0, 0] = -2000
    put_pixels(dataset, pixels)
    dataset.PixelPaddingValue = -2000
    dataset["PixelPaddingValue"].VR = "SS"
    volume = read_one(tmp_path, dataset)
    assert volume.voxels[0, 0, 0] == -1000
    assert volume.valid is not None
    assert volume.valid.sum() == ROWS * COLUMNS - 1


def test_inverted_display_does_not_invert_values(tmp_path: Path) -> None:
    volume = read_one(tmp_path, image(1, modality="MR", PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(volume.voxels[0], stored(1))


@given(
    values=st.lists(st.integers(-2048, 2047), min_size=4, max_size=4),
    rubbish=st.integers(0, 15),
    signed=st.booleans(),
)
def test_bits_above_those_stored_do_not_count(values: list[int], rubbish: int, signed: bool) -> None:
    true = np.array(values) if signed else np.array(values) + 2048
    written = ((true & 0x0FFF) | (rubbish << 12)).astype(np.uint16).reshape(2, 2)
    form = PixelFormat(
        rows=2, columns=2, bits_allocated=16, bits_stored=12, signed=signed, photometric="MONOCHROME2", frame_count=1
    )
    raw = written.view(np.int16) if signed else written
    np.testing.assert_array_equal(stored_values(raw, form), true.reshape(2, 2))
    # Decoders may hand over the unsigned twin of what is signed.
    np.testing.assert_array_equal(stored_values(written, form), true.reshape(2, 2))


def packed(dataset: Dataset, syntax: UID, frame: bytes) -> Dataset:
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return dataset


@pytest.mark.parametrize(
    ("syntax", "signed"),
    [
        (RLELossless, True),
        (RLELossless, False),
        (JPEGLSLossless, False),  # JPEG-LS codes no signs: see the next test
        (JPEG2000Lossless, True),
        (JPEG2000Lossless, False),
    ],
)
def test_lossless_compression_changes_nothing(tmp_path: Path, syntax: UID, signed: bool) -> None:
    rng = np.random.default_rng(7)
    pixels = rng.integers(-2000 if signed else 0, 3000, (40, 32)).astype(np.int16 if signed else np.uint16)
    dataset = image(0, modality="MR", PixelRepresentation=int(signed))
    put_pixels(dataset, pixels)
    if syntax == JPEG2000Lossless:
        dataset = packed(dataset, syntax, bytes(encode_array(pixels, bits_stored=16)))
    else:
        compress(dataset, syntax, generate_instance_uid=False)
    np.testing.assert_array_equal(read_one(tmp_path, dataset).voxels[0], pixels)


def test_jpeg_ls_gives_signed_pixels_back(tmp_path: Path) -> None:
    pixels = np.random.default_rng(7).integers(-2000, 3000, (40, 32)).astype(np.int16)
    dataset = image(0, modality="MR")
    put_pixels(dataset, pixels.view(np.uint16))
    dataset.PixelRepresentation = 0
    compress(dataset, JPEGLSLossless, generate_instance_uid=False)
    dataset.PixelRepresentation = 1
    np.testing.assert_array_equal(read_one(tmp_path, dataset).voxels[0], pixels)


@pytest.mark.parametrize("kind", ["JPEGLosslessProcess14", "JPEGLosslessProcess14_1", "JPEGBaselineProcess1"])
def test_jpeg_gives_the_pixels_back(tmp_path: Path, kind: str) -> None:
    lossless = kind.startswith("JPEGLossless")
    dataset = image(0, modality="MR", PixelRepresentation=0)
    pixels = np.add.outer(np.arange(40), 2 * np.arange(48)).astype(np.uint16 if lossless else np.uint8)
    if not lossless:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    put_pixels(dataset, pixels)
    save(dataset, tmp_path / "plain")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "plain"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, kind)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "packed"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    (tmp_path / "plain").unlink()
    volume = read_volume(only_volume(tmp_path))
    # Baseline JPEG quantises; on a ramp at the encoder's default quality it errs by a few grey levels of 256.
    np.testing.assert_allclose(volume.voxels[0], pixels, atol=0 if lossless else 6)


JPEG_EXTENDED = UID("1.2.840.10008.1.2.4.51")


def by_hand(blocks: np.ndarray, columns: int, *, precision: int = 12, band: tuple[int, int] = (0, 63)) -> bytes:
    """JPEG extended, coded by hand: `blocks` (rows, columns, 2) are the constant and the first horizontal coefficient.

    Quantised by 1, so that nothing is lost (ISO/IEC 10918-1 annexes A.3, B, F.1.2).
    """
    bits, before = "", 0
    for constant, wave in blocks.reshape(-1, 2).tolist():
        for value, code in ((constant - before, lambda size: f"{size:05b}"), (wave, lambda size: f"1{size - 1:04b}")):
            if value == 0 and code(1).startswith("1"):
                continue  # no wave
            size = int(abs(value)).bit_length()
            low = value if value > 0 else value + (1 << size) - 1
            bits += code(size) + (f"{low:0{size}b}" if size else "")
        bits += "0"  # end of block
        before = constant
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")

    def segment(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content

    def lengths(**counts: int) -> bytes:
        return bytes(counts.get(f"of_{length}", 0) for length in range(1, 17))

    frame = bytes((precision,)) + (8 * len(blocks)).to_bytes(2, "big") + columns.to_bytes(2, "big") + b"\1\1\x11\0"
    return (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + b"\1" * 64)
        + segment(0xC1, frame)
        + segment(0xC4, b"\0" + lengths(of_5=16) + bytes(range(16)))
        + segment(0xC4, b"\x10" + lengths(of_1=1, of_5=15) + b"\0" + bytes(range(1, 16)))
        + segment(0xDA, bytes((1, 1, 0, *band, 0)))
        + coded
        + b"\xff\xd9"
    )


@pytest.mark.parametrize("band", [(0, 63), (0, 0)])  # some encoders leave the field empty
def test_jpeg_of_twelve_bits_has_the_values_that_were_coded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], band: tuple[int, int]
) -> None:
    levels = np.array([[0, 4095], [100, 3001]])
    waves = np.array([[0, 0], [400, -1000]])
    blocks = np.stack([8 * (levels - 2048), waves], axis=-1)
    dataset = image(0, modality="MR", BitsStored=12, HighBit=11, PixelRepresentation=0, Rows=16, Columns=12)
    volume = read_one(tmp_path, packed(dataset, JPEG_EXTENDED, by_hand(blocks, 12, band=band)))
    # 10918-1 A.3.3: a coefficient of the first horizontal frequency adds F cos((2x + 1) pi / 16) / (4 sqrt 2).
    shape = np.cos((2 * np.arange(8) + 1) * np.pi / 16) / (4 * np.sqrt(2))
    expected = np.repeat(np.repeat(levels, 8, axis=0), 8, axis=1) + np.repeat(np.kron(waves, shape), 8, axis=0)
    flat, waved = slice(0, 8), slice(8, 16)
    np.testing.assert_array_equal(volume.voxels[0, flat], expected[flat, :12])
    # Whole numbers are decoded: half a grey level of rounding, and as much for the decoder's fixed-point cosines.
    np.testing.assert_allclose(volume.voxels[0, waved], np.clip(expected[waved, :12], 0, 4095), atol=1.0)
    assert capfd.readouterr().err == ""


def test_jpeg_extended_of_eight_bits_is_read_too(tmp_path: Path) -> None:
    levels = np.array([[0, 255], [17, 128]])
    blocks = np.stack([8 * (levels - 128), np.zeros_like(levels)], axis=-1)
    dataset = image(0, modality="MR", BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0)
    dataset.Rows = dataset.Columns = 16
    volume = read_one(tmp_path, packed(dataset, JPEG_EXTENDED, by_hand(blocks, 16, precision=8)))
    np.testing.assert_array_equal(volume.voxels[0], np.kron(levels, np.ones((8, 8))))


def test_a_real_image_in_twelve_bits_has_the_values_that_dcmtk_decodes(tmp_path: Path) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    source = pydicom.dcmread(folder / "JPGExtended.dcm")
    (frame,) = generate_frames(source.PixelData, number_of_frames=1)
    dataset = image(0, modality="MR", BitsStored=12, HighBit=11, Rows=source.Rows, Columns=source.Columns)
    dataset.PixelRepresentation = 0
    voxels = read_one(tmp_path, packed(dataset, JPEG_EXTENDED, frame)).voxels.astype(np.int64)
    # dcmdjpeg 3.6.7: least, most and sum of its pixels, and the sum weighted by the row, which tells their places.
    weighted = int((voxels[0].sum(axis=1) * np.arange(1024)).sum())
    assert (voxels.min(), voxels.max(), voxels.sum(), weighted) == (0, 264, 3767007, 1505372351)


def test_jpeg_of_signed_or_odd_pixels_is_refused(tmp_path: Path) -> None:
    blocks = np.zeros((1, 1, 2), dtype=int)
    shape = {"BitsStored": 12, "HighBit": 11, "Rows": 8, "Columns": 8}
    # PS3.5 table 8.2.1-1 allows neither signed pixels nor ten bits.
    signed = image(0, modality="MR", PixelRepresentation=1, **shape)
    assert refused(tmp_path, packed(signed, JPEG_EXTENDED, by_hand(blocks, 8))) == "dicom.corrupt-pixels"
    odd = image(0, modality="MR", PixelRepresentation=0, **shape)
    assert refused(tmp_path, packed(odd, JPEG_EXTENDED, by_hand(blocks, 8, precision=10))) == "dicom.corrupt-pixels"


MR_SMALL = ("RLE", "bigendian", "expb", "implicit", "jp2klossless", "jpeg_ls_lossless")


@pytest.mark.parametrize("name", MR_SMALL)
def test_one_image_in_many_encodings_has_one_set_of_values(name: str) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    one = read_volume(only_volume(folder / "MR_small.dcm"))
    other = read_volume(only_volume(folder / f"MR_small_{name}.dcm"))
    np.testing.assert_array_equal(one.voxels, other.voxels)


@pytest.mark.parametrize("name", ["jp2klossless", "jpeg_ls_lossless", "RLE"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_corrupt_compressed_frame_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    dataset = pydicom.dcmread(folder / f"MR_small_{name}.dcm")
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    frame = frame[: len(frame) // 2] if damage == "cut" else bytes(40) + frame[40:]
    assert refused(tmp_path, packed(dataset, dataset.file_meta.TransferSyntaxUID, frame)) == "dicom.corrupt-pixels"


def test_a_corrupt_jpeg_is_refused(tmp_path: Path) -> None:
    dataset = image(0, modality="MR", BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0)
    broken = packed(dataset, UID("1.2.840.10008.1.2.4.50"), b"\xff\xd8\xff\xe0\x00\x10JFIF and then nothing")
    assert refused(tmp_path, broken) == "dicom.corrupt-pixels"


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    dataset = packed(image(0), UID("1.2.840.10008.1.2.4.100"), b"film")
    assert refused(tmp_path, dataset) == "dicom.unknown-transfer-syntax"


def test_a_file_that_changed_since_it_was_indexed_is_refused(tmp_path: Path) -> None:
    path = save(image(0), tmp_path / "x")
    frames = only_volume(tmp_path)
    dataset = image(0)
    put_pixels(dataset, stored(0, (8, 8)))
    save(dataset, path)
    with pytest.raises(InputError) as caught:
        read_volume(frames)
    assert caught.value.code == "dicom.other-size"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError) as caught:
        read_volume(frames)
    assert caught.value.code == "dicom.truncated"
    path.unlink()
    with pytest.raises(InputError) as caught:
        read_volume(frames)
    assert caught.value.code == "dicom.unreadable"


def test_units_must_not_change_within_a_volume(tmp_path: Path) -> None:
    def unlike(number: int, dataset: Dataset) -> None:
        dataset.Units = "GML" if number == 2 else "BQML"

    save_series(tmp_path, 3, modality="PT", change=unlike)
    with pytest.raises(InputError) as caught:
        read_volume(only_volume(tmp_path))
    assert caught.value.code == "dicom.mixed-units"


def test_frames_of_an_enhanced_object_are_rescaled_each(tmp_path: Path) -> None:
    dataset = enhanced([{"z": 2.5}, {"z": 0.0}], slope=2.0)
    last = dataset.PerFrameFunctionalGroupsSequence[1].PixelValueTransformationSequence[0]
    last.RescaleSlope = 3.0
    volume = read_one(tmp_path, dataset)
    np.testing.assert_array_equal(volume.voxels[0], stored(1) * 3.0)
    np.testing.assert_array_equal(volume.voxels[1], stored(0) * 2.0)


def diffusion(folder: Path, frames: list[dict[str, Any]], values: list[float]) -> Series:
    dataset = enhanced(frames)
    put_pixels(dataset, np.stack([np.full((ROWS, COLUMNS), value, np.int16) for value in values]))
    save(dataset, folder / "x")
    return only_series(folder)


def test_a_stack_averages_directions_geometrically(tmp_path: Path) -> None:
    frames = [
        {"z": 0.0, "b": 0.0},
        {"z": 0.0, "b": 500.0, "direction": [1.0, 0.0, 0.0]},
        {"z": 0.0, "b": 500.0, "direction": [0.0, 1.0, 0.0]},
        {"z": 0.0, "b": 500.0, "direction": [0.0, 0.0, 1.0]},
    ]
    stack = read_stack(diffusion(tmp_path, frames, [900, 100, 200, 400]), "b_value")
    assert (stack.axis, stack.values, stack.unit) == ("b_value", (0.0, 500.0), "s/mm2")
    assert stack.volumes[0].voxels[0, 0, 0] == 900
    # The cube root of 100 x 200 x 400 = 8e6.
    np.testing.assert_allclose(stack.volumes[1].voxels, 200.0, rtol=1e-6)
    assert stack.volumes[1].voxels.dtype == np.float32


def test_the_scanners_own_trace_image_stands_alone(tmp_path: Path) -> None:
    frames = [{"z": 0.0, "b": 0.0}, {"z": 0.0, "b": 500.0, "direction": [1.0, 0.0, 0.0]}, {"z": 0.0, "b": 500.0}]
    stack = read_stack(diffusion(tmp_path, frames, [900, 100, 300]), "b_value")
    assert stack.volumes[1].voxels[0, 0, 0] == 300


def test_repetitions_are_averaged_arithmetically(tmp_path: Path) -> None:
    direction = [1.0, 0.0, 0.0]
    frames = [{"z": 0.0, "b": 0.0}] + [{"z": 0.0, "b": 500.0, "direction": direction}] * 2
    stack = read_stack(diffusion(tmp_path, frames, [900, 100, 300]), "b_value")
    assert stack.volumes[1].voxels[0, 0, 0] == 200


def test_a_stack_needs_several_values_and_only_one_axis(tmp_path: Path) -> None:
    series = diffusion(tmp_path / "one", [{"z": 0.0, "b": 500.0}], [1])
    with pytest.raises(Undefined) as undefined:
        read_stack(series, "b_value")
    assert undefined.value.code == "dicom.no-such-axis"
    frames = [{"z": 0.0, "b": b, "echo": echo} for b in (0.0, 500.0) for echo in (60.0, 90.0)]
    series = diffusion(tmp_path / "two", frames, [1, 2, 3, 4])
    with pytest.raises(InputError) as caught:
        read_stack(series, "b_value")
    assert caught.value.code == "dicom.ambiguous-stack"
