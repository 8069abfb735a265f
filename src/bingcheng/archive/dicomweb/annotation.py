"""Words burned into a rendered picture, where somebody asks for them (PS3.18 8.3.5.1.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont
    from pydicom import Dataset

PATIENT, TECHNIQUE = "patient", "technique"
SUPPORTED = frozenset((PATIENT, TECHNIQUE))
SMALLEST, LARGEST = 9, 28
"""Pixels of a line of words."""
LINES = 28
"""Lines that would fill a picture from top to bottom."""
_WIDE_FONTS = (
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "msyh.ttc", "simhei.ttf", "PingFang.ttc"),
)
"""Files of fonts with Chinese that systems bring; the one that comes with the program has none."""


def annotated(made: Image, header: Dataset, frame: int, wanted: Collection[str]) -> Image:
    """The picture with the patient at its upper left, the technique at its lower left.

    Parameters
    ----------
    frame : from 0.
    wanted : of `SUPPORTED`.
    """
    from PIL import ImageDraw  # noqa: PLC0415 - only where words are asked for

    size = max(SMALLEST, min(LARGEST, min(made.size) // LINES))
    above = list(patient_lines(header)) if PATIENT in wanted else []
    below = list(technique_lines(header, frame)) if TECHNIQUE in wanted else []
    draw = ImageDraw.Draw(made)
    white, black = ((255, 255, 255), (0, 0, 0)) if made.mode == "RGB" else (255, 0)
    margin = size // 2
    for place, line in enumerate((*above, *below)):
        fit, words = _drawable(line, size)
        top = margin + place * (size + 2)
        if place >= len(above):
            top = made.height - margin - (len(above) + len(below) - place) * (size + 2)
        draw.text((margin, top), words, fill=white, font=fit, stroke_width=1, stroke_fill=black)
    return made


def patient_lines(header: Dataset) -> Iterator[str]:
    """Who it is: name, number, birth date and sex."""
    name = header.get("PatientName")
    groups = [str(part) for part in (getattr(name, "alphabetic", ""), getattr(name, "ideographic", "")) if part]
    if groups:
        yield " ".join(group.replace("^", " ").strip() for group in groups)
    yield from _known(header, "PatientID")
    born, sex = str(header.get("PatientBirthDate") or ""), str(header.get("PatientSex") or "")
    if born or sex:
        yield f"{born} {sex}".strip()


def technique_lines(header: Dataset, frame: int) -> Iterator[str]:
    """How it was made: study and series, date, number and place of the image."""
    when = f"{header.get('StudyDate') or ''} {str(header.get('StudyTime') or '')[:6]}".strip()
    if when:
        yield when
    series = " ".join(str(header.get(keyword) or "") for keyword in ("Modality", "SeriesDescription")).strip()
    if series:
        yield series
    number = header.get("InstanceNumber")
    frames = int(header.get("NumberOfFrames") or 1)
    image = "" if number is None else f"Im {number}"
    yield f"{image} Fr {frame + 1}/{frames}".strip() if frames > 1 else image
    position = header.get("ImagePositionPatient")
    if position is not None and len(position) == 3:
        yield "Pos {:.1f} {:.1f} {:.1f} mm".format(*(float(one) for one in position))


def _known(header: Dataset, keyword: str) -> Iterator[str]:
    if header.get(keyword):
        yield str(header.get(keyword))


def _drawable(line: str, size: int) -> tuple[FreeTypeFont | ImageFont, str]:
    """A font that has the letters, and the line in letters that it has."""
    from PIL import ImageFont  # noqa: PLC0415 - only where words are asked for

    if not line.isascii() and (wide := _wide_font(size)) is not None:
        return wide, line
    return ImageFont.load_default(size), line.encode("latin-1", "replace").decode("latin-1")


@lru_cache(maxsize=8)
def _wide_font(size: int) -> FreeTypeFont | None:
    from PIL import ImageFont  # noqa: PLC0415 - only where words are asked for

    for name in _WIDE_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None
