"""Pictures with names burned in, as ultrasound scanners and screens make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset
from tests.archive.deidentify.making import SC, US, ct, written

from bingcheng.dicom.write.header import uid_of

STUDY = uid_of("burned-in", "study")
NAME = "QUIXWORTH ZEBEDIAH 7730921"
US_FRAMES = "1.2.840.10008.5.1.4.1.1.3.1"
SINGLE_BITS = "1.2.840.10008.5.1.4.1.1.7.1"
FILM_FRAMES, LATE_FRAME = 60, 37


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnedIn:
    """One picture.

    Parameters
    ----------
    box : (left, top, right, bottom) of the words in it, in pixels.
    frame : on which alone they are; None for each.
    """

    name: str
    data: bytes
    uid: str
    rows: int
    columns: int
    box: tuple[int, int, int, int]
    frame: int | None = None


def lettered(rows: int, columns: int, at: tuple[int, int], size: int) -> tuple[Any, tuple[int, int, int, int]]:
    """Where the letters of a name are, (rows, columns) of truth values, and the box around them."""
    picture = Image.new("L", (columns, rows))
    ImageDraw.Draw(picture).text(at, NAME, fill=255, font=ImageFont.load_default(size=size))
    letters = np.asarray(picture) > 127
    down, across = np.nonzero(letters)
    return letters, (int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1)


def _speckle(rows: int, columns: int, seed: int) -> Any:
    """A fan of speckle on black, as of an ultrasound probe, 0 to 180."""
    y, x = np.mgrid[0:rows, 0:columns]
    away = np.hypot(y + rows * 0.1, x - columns / 2)
    angle = np.abs(np.arctan2(x - columns / 2, y + rows * 0.1))
    inside = (away > rows * 0.25) & (away < rows * 1.0) & (angle < 0.6)
    noise = np.random.default_rng(seed).integers(0, 180, (rows, columns))
    return np.where(inside, noise, 0).astype(np.uint8)


def _made(name: str, series: str, kind: str, pixels: Any, **more: Any) -> Dataset:
    grey = more.get("SamplesPerPixel", 1) == 1
    rows, columns = pixels.shape[-2:] if grey else pixels.shape[-3:-1]
    values = {
        "SOPClassUID": kind,
        "SOPInstanceUID": uid_of("burned-in", name),
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": uid_of("burned-in", series),
        "Modality": "US" if kind in (US, US_FRAMES) else "OT",
        "BodyPartExamined": "LIVER",
        "SeriesDescription": f"US LIVER {series}",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelData": pixels.tobytes(),
    }
    dataset = ct(**values | more)
    for keyword in ("RescaleIntercept", "RescaleSlope", "KVP", "ImagePositionPatient", "ImageOrientationPatient"):
        delattr(dataset, keyword)
    return dataset


def _picture(name: str, dataset: Dataset, box: tuple[int, int, int, int], frame: int | None = None) -> BurnedIn:
    return BurnedIn(
        name=name,
        data=written(dataset),
        uid=str(dataset.SOPInstanceUID),
        rows=dataset.Rows,
        columns=dataset.Columns,
        box=box,
        frame=frame,
    )


def film() -> BurnedIn:
    """Sixty frames of ultrasound, on one of which a name stands."""
    letters, box = lettered(240, 320, (20, 200), 14)
    frames = np.stack([_speckle(240, 320, seed) for seed in range(FILM_FRAMES)])
    frames[LATE_FRAME][letters] = 255
    made = _made("film", "film", US_FRAMES, frames, NumberOfFrames=FILM_FRAMES, FrameTime="40")
    return _picture("film", made, box, LATE_FRAME)


def single_bits() -> BurnedIn:
    """A capture of one bit a pixel, whose rows begin in the middle of bytes."""
    letters, box = lettered(203, 301, (11, 30), 16)
    packed = np.packbits(letters.reshape(-1), bitorder="little")
    made = _made(
        "bits",
        "bits",
        SINGLE_BITS,
        letters,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        NumberOfFrames=1,
        ConversionType="WSD",
    )
    made.PixelData = packed.tobytes() + bytes(len(packed) % 2)
    return _picture("bits", made, box)


def screen() -> BurnedIn:
    """A screen of 4000 by 3000 pixels in colour, with small letters in a corner."""
    letters, box = lettered(3000, 4000, (3300, 2900), 40)
    across = np.linspace(30, 120, 4000, dtype=np.uint8)
    pixels = np.stack([np.broadcast_to(across // part, (3000, 4000)) for part in (1, 2, 3)], axis=-1).copy()
    pixels[letters] = (255, 220, 40)
    made = _made(
        "screen",
        "screen",
        SC,
        pixels,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        ConversionType="WSD",
    )
    return _picture("screen", made, box)


def palette() -> BurnedIn:
    """An ultrasound picture drawn by a palette in which neighbouring numbers are black and white."""
    letters, box = lettered(240, 320, (16, 16), 14)
    pixels = _speckle(240, 320, 5) // 2 + 60
    pixels[pixels == 60] = 4
    pixels[letters] = 5
    shades = np.arange(256, dtype="<u2") * 257
    shades[4], shades[5] = 0, 0xFFFF
    table = {"Descriptor": [256, 0, 16], "Data": shades.tobytes()}
    more = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour in ("Red", "Green", "Blue")
        for part, value in table.items()
    }
    made = _made("palette", "palette", US, pixels, PhotometricInterpretation="PALETTE COLOR", **more)
    return _picture("palette", made, box)


def oblong() -> BurnedIn:
    """Pixels twice as tall as they are wide."""
    letters, box = lettered(120, 320, (8, 8), 12)
    pixels = _speckle(120, 320, 7)
    pixels[letters] = 255
    return _picture("oblong", _made("oblong", "oblong", US, pixels, PixelAspectRatio=["2", "1"]), box)


def two_sizes() -> tuple[BurnedIn, BurnedIn]:
    """Two pictures of one series, whose sizes differ, and so where the name stands."""
    made = []
    for name, (rows, columns) in (("small", (240, 320)), ("large", (480, 640))):
        letters, box = lettered(rows, columns, (columns // 20, rows // 20), rows // 16)
        pixels = _speckle(rows, columns, 11)
        pixels[letters] = 255
        made.append(_picture(name, _made(name, "two", US, pixels, InstanceNumber=str(len(made) + 1)), box))
    return made[0], made[1]


def exam() -> tuple[BurnedIn, ...]:
    """All of them: one exam."""
    return (film(), single_bits(), screen(), palette(), oblong(), *two_sizes())
