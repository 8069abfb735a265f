"""Images with text burned in."""

from __future__ import annotations

import numpy as np
from openjpeg.utils import encode_array
from PIL import Image, ImageDraw, ImageFont
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless
from tests.archive.deidentify.making import ct

ROWS, COLUMNS, TEXT_ROWS = 128, 160, 30
PLUGINS = {RLELossless: "pydicom", JPEGLSLossless: "pyjpegls"}


def with_text(words="QUIXWORTH 7730921", size=12, highest=4095):
    """Noise with words written in its highest value at the top, (rows, columns) uint16."""
    values = np.random.default_rng(3).integers(200, 1200, (ROWS, COLUMNS)).astype("<u2")
    picture = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(picture).text((8, 8), words, fill=255, font=ImageFont.load_default(size=size))
    values[np.asarray(picture) > 128] = highest
    return values


def grey(values=None, **changes):
    values = with_text() if values is None else values
    frames = values.shape[0] if values.ndim == 3 else 1
    more = {"NumberOfFrames": frames} if frames > 1 else {}
    return ct(Rows=ROWS, Columns=COLUMNS, PixelData=values.astype("<u2").tobytes(), **(more | changes))


def eight_bits(values, photometric, samples=1, planar=0, **changes):
    data = values.tobytes() if isinstance(values, np.ndarray) else values
    return ct(
        Rows=ROWS,
        Columns=COLUMNS,
        SamplesPerPixel=samples,
        PhotometricInterpretation=photometric,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=data,
        **({"PlanarConfiguration": planar} if samples > 1 else {}),
        **changes,
    )


def compressed(dataset, syntax):
    """The dataset with its pixels in a lossless syntax."""
    if syntax == JPEG2000Lossless:
        values = dataset.pixel_array
        frames = values if int(dataset.get("NumberOfFrames", 1)) > 1 else values[None]
        colour = 1 if dataset.SamplesPerPixel == 3 else 2
        made = [
            encode_array(f, bits_stored=dataset.BitsStored, photometric_interpretation=colour, use_mct=False)
            for f in frames
        ]
        return encapsulated(dataset, made, syntax)
    dataset.compress(syntax, generate_instance_uid=False, encoding_plugin=PLUGINS[syntax])
    return dataset


def encapsulated(dataset, frames, syntax):
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset
