"""Text in pictures: who has to look, and that what is blanked is blank while all else stays."""

from __future__ import annotations

import io
from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from tests.archive.deidentify.making import KEY, SC, US, ct, read, written
from tests.archive.deidentify.pictures import (
    COLUMNS,
    ROWS,
    TEXT_ROWS,
    compressed,
    eight_bits,
    encapsulated,
    grey,
    with_text,
)

from bingcheng.archive.deidentify.approvals import read_approvals
from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.burned_in import SCANNED
from bingcheng.archive.deidentify.devices import Region, own_rules, shipped_rules
from bingcheng.archive.deidentify.glyphs import looks_like_text
from bingcheng.archive.deidentify.pictures import before_and_after, views
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.core.errors import InputError

BASIC = Profile.named("basic")
TOP = (Region(x=0, y=0, width=COLUMNS, height=TEXT_ROWS),)
LOSSLESS = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)


def judged(dataset, **more):
    return Deidentifier(profile=BASIC, key=KEY, **more).one(written(dataset))


def blanked(dataset):
    result = judged(dataset, approvals={str(dataset.SOPInstanceUID): Approval(regions=TOP)})
    assert result.state is State.DONE, result.problem
    return read(result.data)


def rgb():
    return np.random.default_rng(5).integers(1, 255, (ROWS, COLUMNS, 3), dtype=np.uint8)


def halves(dataset):
    """The values of the blanked rows and of the others, whichever axis comes first."""
    values = dataset.pixel_array
    axis = values.shape.index(ROWS)
    return np.split(values, [TEXT_ROWS], axis=axis)


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("ultrasound", {"SOPClassUID": US, "Modality": "US"}),
        ("secondary capture", {"SOPClassUID": SC, "Modality": "OT"}),
        ("it says so", {"BurnedInAnnotation": "YES"}),
        ("a screen of a scanner", {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}),
        ("a dose report", {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "DOSE"]}),
        ("a radiograph that says nothing", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "Modality": "DX"}),
        ("a class that nobody knows", {"SOPClassUID": "1.2.3.4.5.6", "Modality": "OT"}),
    ],
)
def test_what_may_hold_text_waits_for_a_person(why, changes):
    result = judged(ct(**changes))
    assert result.state is State.PERSON, why
    assert result.problem.code == "archive.pixels-need-a-person"
    assert result.reason is not None
    assert result.data is None


def test_text_in_a_scanners_own_image_is_seen():
    assert judged(grey()).state is State.PERSON
    for syntax in LOSSLESS:
        assert judged(compressed(grey(), syntax)).state is State.PERSON, syntax.name
    assert judged(grey(with_text(""))).state is State.DONE


@pytest.mark.parametrize("seed", range(6))
def test_tissue_and_metal_are_no_text(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(1000, 60, (256, 256))
    yy, xx = np.mgrid[:256, :256]
    for y, x, r in rng.integers((40, 40, 3), (216, 216, 12), (5, 3)):
        values[(yy - y) ** 2 + (xx - x) ** 2 < r * r] = 4000 + rng.normal(0, 400)
    assert not looks_like_text(np.clip(values, 0, 4095).astype(np.uint16))


def test_letters_are_text_at_any_size():
    for size in (10, 14, 20, 28):
        assert looks_like_text(with_text("MEYER 7730", size)), size


@pytest.mark.parametrize("level", [1300, 2000, 4094])
def test_letters_of_any_one_value_are_text_though_something_is_brighter(level):
    values = with_text(highest=level)
    values[100:103, 20:23] = 4095
    assert looks_like_text(values)
    assert looks_like_text(values.view("<i2"))
    assert looks_like_text(values.astype(">u2"))
    noise = np.random.default_rng(9).integers(200, 1200, values.shape)
    assert not looks_like_text(np.where(values == level, noise, values).astype("<u2"))


def test_values_that_rescaling_left_out_make_no_letters():
    rng = np.random.default_rng(8)
    smooth = rng.normal(1000, 200, (64, 64)).repeat(3, axis=0).repeat(3, axis=1)
    assert not looks_like_text((smooth / 3).astype(np.uint16) * 3)
    assert not looks_like_text(np.full((64, 64), np.nan, np.float32))


def test_a_person_who_saw_nothing_lets_it_pass_unchanged():
    dataset = ct(BurnedInAnnotation="YES")
    result = judged(dataset, approvals={str(dataset.SOPInstanceUID): Approval(regions=())})
    assert result.state is State.DONE
    assert read(result.data).PixelData == dataset.PixelData
    assert read(result.data).BurnedInAnnotation == "NO"


def test_a_decision_may_hold_for_a_whole_series():
    dataset = ct(BurnedInAnnotation="YES")
    result = judged(dataset, approvals={str(dataset.SeriesInstanceUID): Approval(regions=())})
    assert result.state is State.DONE


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda one: one.name)
def test_native_pixels_are_blanked_in_place(syntax):
    dataset = grey()
    dataset.file_meta.TransferSyntaxUID = syntax
    top, rest = halves(blanked(dataset))
    assert (top == with_text().min()).all()
    assert np.array_equal(rest, with_text()[TEXT_ROWS:])


def test_big_endian_pixels_are_blanked_in_place():
    dataset = grey(with_text().byteswap())
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    top, rest = halves(blanked(dataset))
    assert len(np.unique(top)) == 1
    assert np.array_equal(rest, with_text()[TEXT_ROWS:])


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda one: one.name)
@pytest.mark.parametrize("frames", [1, 3])
def test_compressed_pixels_stay_in_their_family_and_lose_only_the_text(syntax, frames):
    values = with_text() if frames == 1 else np.stack([np.minimum(with_text() + n, 4095) for n in range(frames)])
    found = blanked(compressed(grey(values), syntax))
    assert found.file_meta.TransferSyntaxUID == syntax
    top, rest = halves(found)
    assert set(np.unique(top)) == {200 + n for n in range(frames)}
    assert np.array_equal(rest, values[..., TEXT_ROWS:, :])
    assert "LossyImageCompression" not in found


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *LOSSLESS], ids=lambda one: one.name)
def test_colours_are_blanked_black(syntax):
    dataset = eight_bits(rgb(), "RGB", 3)
    top, rest = halves(blanked(dataset if syntax is ExplicitVRLittleEndian else compressed(dataset, syntax)))
    assert not top.any()
    assert np.array_equal(rest, rgb()[TEXT_ROWS:])


def test_colours_in_planes_are_blanked_black():
    top, rest = halves(blanked(eight_bits(np.moveaxis(rgb(), 2, 0), "RGB", 3, planar=1)))
    assert not top.any()
    assert np.array_equal(rest, rgb()[TEXT_ROWS:])


@pytest.mark.parametrize(
    ("dtype", "keyword", "bits"),
    [
        ("<i2", "PixelData", 16),
        ("<u4", "PixelData", 32),
        ("<i4", "PixelData", 32),
        ("<f4", "FloatPixelData", 32),
        ("<f8", "DoubleFloatPixelData", 64),
    ],
)
@pytest.mark.parametrize("frames", [1, 2])
def test_signed_long_and_floating_pixels_are_blanked_in_every_frame(dtype, keyword, bits, frames):
    values = np.stack([with_text().astype(dtype) - (300 if dtype != "<u4" else 0)] * frames)
    if dtype[1] == "f":
        values[0, 100, 100] = np.nan
    dataset = grey(NumberOfFrames=frames, BitsAllocated=bits, BitsStored=bits, HighBit=bits - 1)
    dataset.PixelRepresentation = int(dtype[1] == "i")
    if keyword != "PixelData":
        del dataset.PixelData
        del dataset.PixelRepresentation
        del dataset.BitsStored
    setattr(dataset, keyword, values.tobytes())
    found = np.frombuffer(blanked(dataset)[keyword].value, dtype).reshape(values.shape)
    assert (found[:, :TEXT_ROWS] == np.nanmin(values)).all()
    np.testing.assert_array_equal(found[:, TEXT_ROWS:], values[:, TEXT_ROWS:])


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda one: one.name)
def test_inverted_grey_is_blanked_by_its_highest_value_compressed_too(syntax):
    dataset = compressed(grey(PhotometricInterpretation="MONOCHROME1"), syntax)
    top, rest = halves(blanked(dataset))
    assert (top == 4095).all()
    np.testing.assert_array_equal(rest, with_text()[TEXT_ROWS:])


def test_a_palette_is_blanked_by_its_darkest_entry_and_inverted_grey_by_its_highest():
    table = {}
    for number, colour in enumerate(("Red", "Green", "Blue")):
        entries = np.full(256, 60000, dtype="<u2")
        entries[77] = 5 + number
        table[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        table[f"{colour}PaletteColorLookupTableData"] = entries.tobytes()
    palette = eight_bits(rgb()[..., 0].copy(), "PALETTE COLOR", **table)
    for dataset in (palette, compressed(eight_bits(rgb()[..., 0].copy(), "PALETTE COLOR", **table), RLELossless)):
        top, rest = halves(blanked(dataset))
        assert (top == 77).all()
        np.testing.assert_array_equal(rest, rgb()[TEXT_ROWS:, :, 0])
    top, _ = halves(blanked(grey(PhotometricInterpretation="MONOCHROME1")))
    assert (top == 4095).all()


@pytest.mark.parametrize("said", [{}, {"LossyImageCompression": "00"}, {"LossyImageCompression": "01"}])
@pytest.mark.parametrize(("mode", "photometric", "samples"), [("L", "MONOCHROME2", 1), ("RGB", "YBR_FULL_422", 3)])
def test_what_was_lossy_is_written_uncompressed_and_stays_described_as_lossy(mode, photometric, samples, said):
    stream = io.BytesIO()
    Image.fromarray(rgb() if samples == 3 else rgb()[..., 0].copy(), mode).save(stream, "JPEG", quality=90)
    dataset = eight_bits(b"", photometric, samples, LossyImageCompressionRatio="9.5", **said)
    before = encapsulated(dataset, [stream.getvalue()], JPEGBaseline8Bit)
    found = blanked(before)
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert found.LossyImageCompression == "01"
    assert float(found.LossyImageCompressionRatio) == 9.5
    top, rest = halves(found)
    assert not (top - top.min()).any()
    expected = np.asarray(Image.open(stream).convert(mode))[TEXT_ROWS:]
    assert np.abs(rest.astype(int) - expected).max() <= 1  # decoders of JPEG may differ by one


def test_pixels_that_are_not_touched_keep_their_compressed_bytes():
    dataset = compressed(grey(with_text("")), JPEGLSLossless)
    result = judged(dataset)
    assert result.state is State.DONE
    assert read(result.data).PixelData == dataset.PixelData


def test_pixels_that_cannot_be_decoded_never_pass():
    broken = compressed(grey(with_text("")), JPEG2000Lossless)
    broken.PixelData = broken.PixelData[:200]
    assert judged(broken).state is not State.DONE
    result = judged(broken, approvals={str(broken.SOPInstanceUID): Approval(regions=TOP)})
    assert result.state is State.REFUSED
    short = ct()
    short.PixelData = short.PixelData[:100]
    assert judged(short).state is not State.DONE


def test_overlays_in_the_high_bits_of_pixels_go():
    values = with_text("")
    hidden = values.copy()
    hidden[10:20, 10:60] |= 0x8000
    dataset = grey(hidden)
    dataset.add_new(0x60000010, "US", ROWS)
    dataset.add_new(0x60000011, "US", COLUMNS)
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 15)
    found = read(judged(dataset, approvals={str(dataset.SOPInstanceUID): Approval(regions=())}).data)
    assert np.array_equal(np.frombuffer(found.PixelData, "<u2").reshape(values.shape), values)
    assert 0x60000010 not in found


def test_device_rules_propose_and_a_hospitals_own_decide(tmp_path):
    capture = ct(
        SOPClassUID=US, Modality="US", Manufacturer="SIEMENS", ManufacturerModelName="S2000", Rows=768, Columns=1024
    )
    result = judged(capture)
    assert result.state is State.PERSON
    assert result.regions == (Region(x=0, y=0, width=1024, height=60),)
    path = tmp_path / "devices.toml"
    path.write_text(
        '[[rule]]\nname = "ours"\nmodality = "US"\nmodel = "S2000"\nregions = [[0, 0, 1024, 50]]\nsure = true\n',
        encoding="utf-8",
    )
    result = judged(capture, devices=own_rules(path))
    assert result.state is State.DONE, result.problem
    assert not np.ptp(read(result.data).pixel_array[:50])
    assert len(shipped_rules()) > 20


@pytest.mark.parametrize(
    "words", ["[[rule]]\nregions = [[0, 0, 5]]", '[[rule]]\nrows = "x"', "[[rule]]\nmagic = 1", "]"]
)
def test_rules_that_cannot_be_are_refused(tmp_path, words):
    path = tmp_path / "devices.toml"
    path.write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=r"archive\.bad-profile"):
        own_rules(path)


def test_decisions_are_read_from_a_file(tmp_path):
    path = tmp_path / "seen.toml"
    path.write_text(
        '[[object]]\nuid = "1.2"\nregions = [[1, 2, 3, 4]]\n[[object]]\nuid = "1.3"\nface_allowed = true\n',
        encoding="utf-8",
    )
    found = read_approvals(path)
    assert found["1.2"] == Approval(regions=(Region(x=1, y=2, width=3, height=4),))
    assert found["1.3"] == Approval(regions=None, face_allowed=True)
    path.write_text("[[object]]\nregions = []\n", encoding="utf-8")
    with pytest.raises(InputError):
        read_approvals(path)


def test_a_person_sees_before_and_after():
    data = written(grey())
    picture = Image.open(io.BytesIO(before_and_after(data, TOP)))
    assert picture.size == (2 * COLUMNS + 8, ROWS)
    shown = np.asarray(picture)
    assert shown[:TEXT_ROWS, :COLUMNS].max() == 255
    assert not shown[:TEXT_ROWS, COLUMNS + 8 :].any()
    assert [one.dtype for one in views(data)] == [np.uint8]


@pytest.mark.parametrize(
    "kind", ["1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.1.1.66"]
)
def test_documents_file_sets_and_raw_data_are_refused(kind):
    result = judged(ct(SOPClassUID=kind))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-unsafe-kind"


def test_scanned_classes_are_those_of_scanners():
    assert "1.2.840.10008.5.1.4.1.1.2" in SCANNED
    assert not {SC, US} & SCANNED


BUNDLED = (
    *("MR_small_RLE", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless", "MR_small_bigendian", "MR_small_implicit"),
    *("JPEG2000", "JPEGLSNearLossless_16", "image_dfl"),
    *("SC_rgb_small_odd_big_endian", "SC_rgb_rle_16bit_2frame", "SC_rgb_jls_lossy_line", "SC_rgb_gdcm_KY"),
    *("SC_rgb_dcmtk_+eb+cy+np", "SC_rgb_jpeg_app14_dcmd", "SC_ybr_full_422_uncompressed", "examples_palette"),
)


@pytest.mark.parametrize("name", BUNDLED)
def test_pictures_that_other_programs_wrote_lose_only_what_is_blanked(name):
    path = next((Path(pydicom.__file__).parent / "data").rglob(f"{name}.dcm"), None)
    if path is None:
        pytest.skip("this release of pydicom doesn't carry the file")
    original = pydicom.dcmread(path)
    region = Region(x=0, y=0, width=original.Columns, height=max(1, original.Rows // 4))
    approvals = {str(original.SOPInstanceUID): Approval(regions=(region,), face_allowed=True)}
    result = Deidentifier(profile=BASIC, key=KEY, approvals=approvals).one(path.read_bytes())
    assert result.state is State.DONE, result.problem
    found = read(result.data)
    assert found.BurnedInAnnotation == "NO"
    before, after = original.pixel_array, found.pixel_array
    assert before.shape == after.shape
    colour = original.SamplesPerPixel == 3
    axis = before.ndim - (3 if colour else 2)
    top, rest = np.split(after, [region.height], axis=axis)
    _, same = np.split(before, [region.height], axis=axis)
    within = 2 if "jpeg" in name.lower() or "dcmtk" in name else 0  # decoders of lossy JPEG may differ in rounding
    assert np.abs(rest.astype(int) - same.astype(int)).max() <= within
    for frame in top if int(original.get("NumberOfFrames", 1)) > 1 else [top]:
        assert len(np.unique(frame.reshape(-1, 3) if colour else frame.reshape(-1, 1), axis=0)) == 1


def test_jpeg_lossless_is_written_uncompressed_without_any_loss(tmp_path):
    plain, packed = tmp_path / "plain.dcm", tmp_path / "packed.dcm"
    plain.write_bytes(written(grey()))
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(packed))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    found = blanked(pydicom.dcmread(packed))
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    top, rest = halves(found)
    assert len(np.unique(top)) == 1
    assert np.array_equal(rest, with_text()[TEXT_ROWS:])
    assert "LossyImageCompression" not in found
