"""What a picture must say to be read: which side of the patient each edge is, and how long a centimetre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

SMALLEST_SIDE = 256
"""Pixels of a picture's longer side below which marks would hide the image."""
OBLIQUE = 0.25
"""Part of a direction along an axis from which on its letter is added: some 15 degrees."""
LENGTHS_MM = (200.0, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5)
LONGEST = 0.3
"""Part of the picture's width that the scale may take."""
WHITE, BLACK = "#ffffff", "#000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The marks of one picture.

    Parameters
    ----------
    left, top, right, bottom : letters of the side of the patient (PS3.3 C.7.6.1.1.1); empty where it is unknown.
    measured : whether lengths in the picture are lengths in the patient.
    """

    left: str = ""
    top: str = ""
    right: str = ""
    bottom: str = ""
    measured: bool = False


def letters(direction: Sequence[float]) -> str:
    """The sides of the patient that a direction in patient coordinates (LPS) leads to, the foremost first.

    Parameters
    ----------
    direction : (x, y, z) cosines.
    """
    parts = sorted(zip(direction, ("LR", "PA", "HF"), strict=True), key=lambda one: -abs(one[0]))
    return "".join(ends[0] if part > 0 else ends[1] for part, ends in parts if abs(part) >= OBLIQUE)


def marks_of(cosines: Sequence[float] | None, *, measured: bool) -> Marks:
    """The marks of an image from its orientation.

    Parameters
    ----------
    cosines : Image Orientation (Patient): of the rows and of the columns; None if unknown.
    """
    if cosines is None or len(cosines) != 6:
        return Marks(measured=measured)
    along, down = cosines[:3], cosines[3:]
    return Marks(
        left=letters([-part for part in along]),
        top=letters([-part for part in down]),
        right=letters(along),
        bottom=letters(down),
        measured=measured,
    )


def marked(made: Image.Image, marks: Marks, pixels_per_mm: float) -> Image.Image:
    """The picture with its marks, white with a dark rim, so that they are seen on any ground.

    Parameters
    ----------
    pixels_per_mm : of the picture, whose pixels are square.
    """
    size = max(11, round(max(made.size) / 30))
    font = ImageFont.load_default(size)
    made = made if made.mode == "RGB" else made.convert("L")
    draw = ImageDraw.Draw(made)
    white, black = (WHITE, BLACK) if made.mode == "RGB" else (255, 0)
    middle, edge = (made.width / 2, made.height / 2), size // 2
    for words, place, anchor in (
        (marks.left, (edge, middle[1]), "lm"),
        (marks.right, (made.width - edge, middle[1]), "rm"),
        (marks.top, (middle[0], edge), "mt"),
        (marks.bottom, (middle[0], made.height - edge), "mb"),
    ):
        if words:
            draw.text(place, words, fill=white, font=font, anchor=anchor, stroke_width=2, stroke_fill=black)
    length_mm = scale_mm(made.width / pixels_per_mm) if marks.measured and pixels_per_mm > 0 else None
    if length_mm is not None:
        right, foot = made.width - edge, made.height - edge - 2
        left = right - length_mm * pixels_per_mm
        for width, colour in ((5, black), (2, white)):
            rim = (width - 2) // 2
            draw.line([(left - rim, foot), (right + rim, foot)], fill=colour, width=width)
            for end in (left, right):
                draw.line([(end, foot - 4 - rim), (end, foot + rim)], fill=colour, width=width)
        words = f"{length_mm / 10:g} cm" if length_mm >= 10 else f"{length_mm:g} mm"
        draw.text((right, foot - 7), words, fill=white, font=font, anchor="rb", stroke_width=2, stroke_fill=black)
    return made


def scale_mm(width_mm: float) -> float | None:
    """The longest round length that fits into its part of the picture; None if none does."""
    return next((one for one in LENGTHS_MM if one <= LONGEST * width_mm), None)
