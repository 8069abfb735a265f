"""Pictures: the grey that each value is shown as (PS3.3 C.11), and their form (PS3.18 8.3.5)."""

from __future__ import annotations

import io

import numpy as np
import pytest
from benchmarks.exchange_objects import file_of, image
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from bingcheng.archive.dicomweb.grey_scale import EXACT, LINEAR, SIGMOID, Window, grey_scale
from bingcheng.archive.dicomweb.pictures import GIF, PNG, Shown, header_of, left_out, picture, representative, shown_of
from bingcheng.archive.dicomweb.pixel_map import pixel_map
from bingcheng.core.errors import InputError

VALUES = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def drawn(made: Dataset, frame: int = 0, **asked: str) -> np.ndarray:
    stream = io.BytesIO(file_of(made))
    found = picture(stream, pixel_map(stream), header_of(stream), frame, shown_of(asked), PNG)
    return np.asarray(Image.open(io.BytesIO(found)))


def test_a_window_is_applied_in_the_unit_of_the_image():
    # PS3.3 C.11.2.1.2.1 written out for c = 40, w = 400 on values rescaled by -1024.
    x = VALUES.astype(float) - 1024
    expected = np.clip(((x - (40 - 0.5)) / (400 - 1) + 0.5) * 255, 0, 255)
    np.testing.assert_allclose(drawn(image(pixels=VALUES)), expected, atol=0.5)


@pytest.mark.parametrize("shape", [LINEAR, EXACT, SIGMOID])
def test_each_function_of_the_standard_is_applied(shape):
    x = VALUES.astype(float) - 1024
    c, w = 300.0, 1000.0
    expected = {
        LINEAR: np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1),
        EXACT: np.clip((x - c) / w + 0.5, 0, 1),
        SIGMOID: 1 / (1 + np.exp(-4 * (x - c) / w)),
    }[shape]
    made = image(pixels=VALUES, WindowCenter=c, WindowWidth=w, VOILUTFunction=shape)
    np.testing.assert_allclose(drawn(made), 255 * expected, atol=0.5)
    asked = f"300,1000,{shape.lower().replace('_', '-')}"
    np.testing.assert_array_equal(drawn(image(pixels=VALUES), window=asked), drawn(made))


def test_a_window_of_width_one_is_a_threshold():
    # C.11.2.1.2.1: x <= c - 0.5 is black, all beyond is white.
    shown = drawn(image(pixels=VALUES), window="100,1,linear")
    np.testing.assert_array_equal(shown, np.where(VALUES.astype(int) - 1024 > 99.5, 255, 0))


@pytest.mark.parametrize("how", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}])
def test_the_least_value_may_be_white(how):
    plain, turned = drawn(image(pixels=VALUES)), drawn(image(pixels=VALUES, **how))
    np.testing.assert_allclose(turned.astype(int) + plain, 255, atol=1)


def test_without_a_window_all_values_are_shown_but_padding():
    values = VALUES.copy()
    values[0, :10] = 60000
    made = image(pixels=values, PixelPaddingValue=60000)
    del made.WindowCenter, made.WindowWidth
    shown = drawn(made)
    assert (shown[0, :10] == 0).all()
    assert (int(shown[0, 10]), int(shown[-1, -1])) == (0, 255)
    assert int(shown[32, 0]) == round(255 * (int(values[32, 0]) - 10) / (4095 - 10))


def test_look_up_tables_of_modality_and_interest_are_applied():
    made = image(pixels=VALUES)
    del made.WindowCenter, made.WindowWidth, made.RescaleSlope, made.RescaleIntercept, made.RescaleType
    modality, voi = Dataset(), Dataset()
    modality.LUTDescriptor, modality.ModalityLUTType = [256, 100, 16], "US"
    modality.LUTData = [2 * n for n in range(256)]
    voi.LUTDescriptor = [512, 0, 8]
    voi.LUTData = [255 - min(n // 2, 255) for n in range(512)]
    for table in (modality, voi):
        table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    made.ModalityLUTSequence, made.VOILUTSequence = [modality], [voi]
    expected = 255 - np.clip(VALUES.astype(int) - 100, 0, 255)
    np.testing.assert_array_equal(drawn(made), expected)


def test_each_frame_has_its_own_transformation():
    made = image(pixels=np.stack((VALUES, VALUES)))
    groups = []
    for center in (0, 1000):
        group, voi, rescale = Dataset(), Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = center, 500
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 2, -500, "HU"
        group.FrameVOILUTSequence, group.PixelValueTransformationSequence = [voi], [rescale]
        groups.append(group)
    made.PerFrameFunctionalGroupsSequence = groups
    for frame, center in enumerate((0, 1000)):
        window = Window(center=center, width=500)
        expected = 255 * window.grey(VALUES.astype(float) * 2 - 500)
        np.testing.assert_allclose(drawn(made, frame), expected, atol=0.5)


def test_colours_by_a_palette_are_shown():
    made = image(pixels=(VALUES % 4).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour, shades in (("Red", (255, 0, 0, 9)), ("Green", (0, 255, 0, 9)), ("Blue", (0, 0, 255, 9))):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [4, 0, 16])
        setattr(made, f"{colour}PaletteColorLookupTableData", np.array(shades, "<u2").__lshift__(8).tobytes())
    shown = drawn(made)
    assert [tuple(int(part) for part in shown[0, n]) for n in range(4)] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (9, 9, 9),
    ]


@settings(max_examples=40)
@given(
    st.floats(-3000, 3000),
    st.floats(1, 5000),
    st.sampled_from([LINEAR, EXACT, SIGMOID]),
    st.floats(-5000, 5000),
    st.floats(0, 1000),
)
def test_a_greater_value_is_never_darker(center, width, shape, value, more):
    window = Window(center=center, width=width, shape=shape)
    low, high = window.grey(np.array([value, value + more]))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32])
def test_the_short_way_and_the_long_way_agree(dtype):
    values = (VALUES.astype(np.int64) - 2000 * (np.iinfo(dtype).min < 0)).astype(dtype)
    scale = grey_scale(Dataset(), 0, Window(center=100, width=700))
    far = values.astype(np.int64)
    far = np.concatenate((far.ravel(), [-(1 << 20), 1 << 20]))
    np.testing.assert_array_equal(scale.picture(far)[:-2], scale.picture(values).ravel())


def test_a_picture_fits_into_the_viewport_with_its_proportions():
    made = image(pixels=np.zeros((100, 50), np.uint16))
    assert drawn(made, viewport="200,100").shape == (100, 50)
    assert drawn(made, viewport="25,400").shape == (50, 25)
    assert drawn(made).shape == (100, 50)


def test_a_part_of_the_image_may_be_shown_and_turned():
    made = image(pixels=VALUES)
    whole = drawn(made)
    np.testing.assert_array_equal(drawn(made, viewport="16,8,4,10,16,8"), whole[10:18, 4:20])
    np.testing.assert_array_equal(drawn(made, viewport="16,8,4,10,-16,-8"), whole[10:18, 4:20][::-1, ::-1])
    np.testing.assert_array_equal(drawn(made, viewport="60,60,4,4,,"), whole[4:, 4:])


def test_quality_changes_the_size_of_a_jpeg():
    stream = io.BytesIO(file_of(image(pixels=VALUES)))
    pixels, header = pixel_map(stream), header_of(stream)
    sizes = [
        len(picture(stream, pixels, header, 0, shown_of({"quality": quality}), "image/jpeg"))
        for quality in ("10", "95")
    ]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    "asked",
    [
        {"viewport": "1"},
        {"viewport": "0,5"},
        {"viewport": "5,5,1"},
        {"viewport": "99999,5"},
        {"viewport": "a,b"},
        {"viewport": "5,5,nan,0,1,1"},
        {"window": "1"},
        {"window": "40,400"},
        {"window": "1,0,linear"},
        {"window": "1,2,cubic"},
        {"window": "inf,2,linear"},
        {"annotation": ""},
        {"annotation": "patient,1"},
        {"quality": "0"},
        {"quality": "101"},
        {"quality": "x"},
    ],
)
def test_parameters_that_make_no_sense_are_refused(asked):
    with pytest.raises(InputError) as refused:
        shown_of(asked)
    assert refused.value.code == "archive.bad-query"


def test_a_region_outside_of_the_image_is_refused():
    with pytest.raises(InputError):
        drawn(image(pixels=VALUES), viewport="10,10,60,60,20,20")


def test_a_thumbnail_has_a_viewport_at_most():
    assert shown_of({}, thumbnail=True) == Shown(size=(160, 160), thumbnail=True)
    assert shown_of({"viewport": "10,20"}, thumbnail=True).size == (10, 20)
    with pytest.raises(InputError):
        shown_of({"viewport": "1,2,3,4,5,6"}, thumbnail=True)


def test_the_representative_frame_is_the_named_one_or_the_middle_one():
    made = Dataset()
    assert representative(made, 5) == 2
    made.RepresentativeFrameNumber = 4
    assert representative(made, 5) == 3
    assert representative(made, 2) == 1


def test_a_parametric_map_is_shown_by_its_numbers():
    # PS3.3 C.7.6.24: floating point values; what is no number is black.
    made = image(pixels=VALUES)
    values = np.linspace(-2.0, 3.0, VALUES.size, dtype="<f4").reshape(VALUES.shape)
    values[0, 0], values[0, 1] = np.nan, np.inf
    del made.PixelData, made.BitsStored, made.HighBit, made.PixelRepresentation, made.RescaleSlope
    del made.RescaleIntercept, made.RescaleType, made.WindowCenter, made.WindowWidth
    made.BitsAllocated, made.FloatPixelData = 32, values.tobytes()
    shown = drawn(made)
    assert (int(shown[0, 0]), int(shown[0, 1]), int(shown[-1, -1])) == (0, 0, 255)
    least = values[0, 2]
    np.testing.assert_allclose(shown[1:], np.rint(255 * (values[1:] - least) / (3.0 - least)), atol=1)


def test_a_palette_in_segments_is_unrolled():
    # PS3.3 C.7.9.2: a run of one value, then a line over 255 entries to the end.
    made = image(pixels=(VALUES % 256).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour, end in (("Red", 255), ("Green", 0), ("Blue", 51)):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        words = np.array([0, 1, 0, 1, 255, end << 8], "<u2")
        setattr(made, f"Segmented{colour}PaletteColorLookupTableData", words.tobytes())
    shown = drawn(made).reshape(-1, 3)[:256].astype(int)
    np.testing.assert_allclose(shown[:, 0], np.arange(256), atol=1)
    assert not shown[:, 1].any()
    np.testing.assert_allclose(shown[:, 2], np.arange(256) / 5, atol=1)


def test_words_are_written_only_where_they_are_asked_for():
    made = image(pixels=np.zeros((256, 256), np.uint16))
    assert not drawn(made, window="100,1,linear").any()
    patient = drawn(made, window="100,1,linear", annotation="patient")
    assert patient[:128].any()
    assert not patient[128:].any()
    technique = drawn(made, window="100,1,linear", annotation="technique")
    assert technique[128:].any()
    assert not technique[:128].any()


def test_words_that_are_not_known_are_told():
    assert left_out({"annotation": "patient,weather"}) == ["The following annotation values are not supported: weather"]
    assert left_out({"annotation": "patient,technique"}) == []


def test_a_thumbnail_of_an_image_with_burned_in_words_cannot_be_read():
    # PS3.18 10.4.1.1.4: it shall not hold anything that identifies the patient.
    values = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    stream = io.BytesIO(file_of(image(pixels=values, BurnedInAnnotation="YES")))
    found = picture(
        stream, pixel_map(stream), header_of(stream), 0, shown_of({"viewport": "480,480"}, thumbnail=True), PNG
    )
    shown = np.asarray(Image.open(io.BytesIO(found))).astype(int)
    assert shown.shape == (480, 480)
    assert len({block.tobytes() for block in shown.reshape(24, 20, 24, 20).swapaxes(1, 2).reshape(-1, 400)}) <= 24 * 24
    assert all(np.ptp(block) == 0 for block in shown.reshape(24, 20, 24, 20).swapaxes(1, 2).reshape(-1, 400))


def test_gif_is_one_of_the_forms():
    stream = io.BytesIO(file_of(image(pixels=VALUES)))
    found = picture(stream, pixel_map(stream), header_of(stream), 0, Shown(), GIF)
    assert Image.open(io.BytesIO(found)).format == "GIF"


@pytest.mark.parametrize(
    ("keyword", "raw"),
    [
        (0x00281050, b"abc "),
        (0x00281052, b"x\\y "),
        (0x00281053, b"--  "),
        (0x00280030, b"0\\0 "),
        (0x00280120, b"\0"),
    ],
)
def test_attributes_that_make_no_sense_give_a_picture_or_words_but_no_fault(keyword, raw):
    stream = io.BytesIO(file_of(image(pixels=VALUES)))
    header = header_of(stream)
    vr = "US" if keyword == 0x00280120 else "DS"
    header[keyword] = RawDataElement(Tag(keyword), vr, len(raw), raw, 0, False, True)  # as it is before it is converted
    codes = {"archive.no-picture"}
    try:
        found = picture(stream, pixel_map(stream), header, 0, Shown(), PNG)
    except InputError as refused:
        codes.remove(refused.code)
    else:
        assert Image.open(io.BytesIO(found)).size == (64, 64)
