"""What a person is shown is what a viewer would show, so that burned-in text is seen."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.pixels import convert_color_space
from tests.archive.deidentify.making import CT, KEY, read, written
from tests.archive.deidentify.pictures import COLUMNS, ROWS, eight_bits, grey, with_text
from tests.web import burned_in

from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.pictures import before_and_after, of_all_frames, one_frame, views
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.core.errors import InputError

RED = np.zeros((ROWS, COLUMNS, 3), np.uint8)
RED[10:20, 30:60] = (200, 30, 20)


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_a_palette_is_looked_up_before_a_person_looks():
    one = burned_in.palette()
    (view,) = views(one.data)
    left, top, right, bottom = one.box
    assert view.shape == (one.rows, one.columns, 3)
    assert (view[top:bottom, left:right] == 255).mean() > 0.1, "number 5 is white, its neighbour black"
    assert (opened(one_frame(one.data, 0)) == view).all()
    assert (opened(before_and_after(one.data, ()))[:, : one.columns] == view).all()


@pytest.mark.parametrize("bits", [8, 16])
def test_tables_of_16_bits_are_seen_however_they_are_filled(bits):
    dataset = read(burned_in.palette().data)
    shades = np.arange(256, dtype="<u2") * (257 if bits == 16 else 1)
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableData", shades.tobytes())
    (view,) = views(written(dataset))
    assert (view[..., 0] == dataset.pixel_array).all()


def test_a_palette_that_is_cut_off_is_no_picture():
    dataset = read(burned_in.palette().data)
    del dataset.GreenPaletteColorLookupTableData
    with pytest.raises(InputError) as refused:
        views(written(dataset))
    assert refused.value.code == "archive.pixels-not-blanked"


def test_brightness_and_two_differences_are_shown_as_colours():
    stored = convert_color_space(RED, "RGB", "YBR_FULL")
    (view,) = views(written(eight_bits(stored, "YBR_FULL", samples=3)))
    assert np.abs(view.astype(int) - RED).max() <= 2, "each conversion rounds once"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_frame_is_that_frame(number):
    frames = np.stack([with_text(words) for words in ("FIRST", "SECOND", "THIRD")])
    data = written(grey(frames))
    shown = opened(one_frame(data, number))
    assert shown.shape == (ROWS, COLUMNS)
    assert ((shown == 255) == (frames[number] >= np.percentile(frames[number], 99.9))).all()
    letters = (frames == 4095).any(axis=0)
    assert (opened(of_all_frames(data))[letters] == 255).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_dark_words_on_light_in_one_frame_are_seen_in_the_darkest_of_all(photometric):
    letters = with_text() == 4095
    frames = np.full((3, ROWS, COLUMNS), 3000)
    frames[2][letters] = 100
    if photometric == "MONOCHROME1":
        frames = 4000 - frames
    data = written(grey(frames, PhotometricInterpretation=photometric))
    brightest, darkest = (opened(of_all_frames(data, darkest=darkest)).astype(int) for darkest in (False, True))
    assert darkest[~letters].min() - darkest[letters].max() > 200
    assert np.ptp(brightest) == 0, "where they are nowhere to be seen"


def test_there_is_no_frame_behind_the_last():
    with pytest.raises(InputError):
        one_frame(written(grey()), 1)


def test_a_scanner_s_picture_drawn_by_a_palette_is_in_colour_and_waits():
    """Its numbers say nothing of what is bright: letters in them are not seen by the program."""
    dataset = read(burned_in.palette().data)
    dataset.SOPClassUID, dataset.Modality, dataset.BodyPartExamined = CT, "CT", "CHEST"
    result = Deidentifier(profile=Profile.named("teaching"), key=KEY).one(written(dataset))
    assert result.state is State.PERSON
    assert "colour" in str(result.reason)
