"""Key images on the page: each PNG is embedded once, and shown as often and as closely as needed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from markupsafe import Markup

from bingcheng.outputs.keyimage import bright
from bingcheng.outputs.language import Language
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.report.svg import coordinate, element, path

CLOSE_UP_MARGIN = 2.2
CLOSE_UP_MIN_MM = 60.0
BUDGET_BYTES = 12_000_000
SCALE_BARS_MM = (200, 100, 50, 20, 10, 5, 2, 1)

View = tuple[float, float, float, float]


class Slices:
    """The key images of one page, in the order of their first use, up to a budget of bytes.

    A page of hundreds of exams would grow beyond what a browser opens quickly, so the images that are asked for last
    are left out once the budget is spent; the page says so in their place.
    """

    def __init__(self, language: Language, *, budget_bytes: int = BUDGET_BYTES) -> None:
        self._language = language
        self._left_bytes = budget_bytes
        self._places: dict[int, int | None] = {}
        self._images: list[KeyImage] = []
        self._bright: list[bool] = []

    def whole(self, image: KeyImage, alt: str) -> Markup:
        """The whole field of an image."""
        return self._shown(image, (0.0, 0.0, float(image.size_px[0]), float(image.size_px[1])), alt)

    def close_up(self, image: KeyImage, side_mm: float, alt: str) -> Markup:
        """A square of `side_mm` around the contours of an image; the whole field if it has no contour."""
        bounds = _bounds(image)
        if bounds is None:
            return self.whole(image, alt)
        side = side_mm / image.pixel_mm
        x, y = (
            _start((low + high) / 2, side, size)
            for (low, high), size in zip(bounds, map(float, image.size_px), strict=True)
        )
        return self._shown(image, (x, y, side, side), alt)

    def definitions(self) -> Markup:
        """The embedded PNGs, once each; to stand anywhere on the page."""
        images = [
            element(
                "image",
                id=f"slice-{place}",
                width=str(image.size_px[0]),
                height=str(image.size_px[1]),
                href=f"data:image/png;base64,{b64encode(image.png).decode('ascii')}",
            )
            for place, image in enumerate(self._images)
        ]
        return element("svg", element("defs", *images), class_="definitions", aria_hidden="true", width="0", height="0")

    def _place(self, image: KeyImage) -> int | None:
        if id(image) not in self._places:
            size = len(image.png) * 4 // 3
            if size > self._left_bytes:
                self._places[id(image)] = None
            else:
                self._left_bytes -= size
                self._places[id(image)] = len(self._images)
                self._images.append(image)
                self._bright.append(bright(image))
        return self._places[id(image)]

    def _shown(self, image: KeyImage, view: View, alt: str) -> Markup:
        place = self._place(image)
        if place is None:
            words = self._language.say("This image was left out to keep the page small.")
            return element("p", words, class_="no-image")
        width, height = image.size_px
        parts = [element("use", href=f"#slice-{place}")]
        outline = " ".join(path(list(line), closed=True) for line in image.contours if len(line) > 2)
        if outline:
            parts.append(element("path", class_="contour-halo", d=outline))
            parts.append(element("path", class_="contour", d=outline))
        if image.diameter is not None:
            parts.append(element("path", class_="diameter", d=path(list(image.diameter))))
        whole = (0.0, 0.0, float(width), float(height))
        parts.append(element("g", _letters(image, view), _scale_bar(image, view), class_="marks"))
        if view != whole:
            # Hidden until the reader asks for the whole field of an enlarged close-up.
            parts.append(element("g", _letters(image, whole), _scale_bar(image, whole), class_="marks-whole"))
        return element(
            "svg",
            *parts,
            class_="slice bright" if self._bright[place] else "slice",
            viewBox=_box(view),
            data_whole=_box(whole),
            role="img",
            aria_label=alt,
        )


def close_up_mm(images: Sequence[KeyImage]) -> float:
    """Side of a square that holds the contours of each of `images` with room around them, in mm."""
    extents = [
        (high - low) * image.pixel_mm
        for image in images
        for bounds in [_bounds(image)]
        if bounds is not None
        for low, high in bounds
    ]
    return max([CLOSE_UP_MIN_MM, *(extent * CLOSE_UP_MARGIN for extent in extents)])


def _bounds(image: KeyImage) -> tuple[tuple[float, float], tuple[float, float]] | None:
    points = [point for line in image.contours for point in line]
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs), max(xs)), (min(ys), max(ys))


def _start(centre: float, side: float, size: float) -> float:
    """Where a window of `side` begins, kept inside the image if it fits."""
    if side >= size:
        return (size - side) / 2
    return min(max(centre - side / 2, 0.0), size - side)


def _box(view: View) -> str:
    return " ".join(coordinate(value) for value in view)


def _letters(image: KeyImage, view: View) -> Markup:
    if image.orientation is None:
        return Markup("")
    x, y, width, height = view
    size = width / 15
    left, right, top, _ = image.orientation
    placed = ((left, x + size * 0.7, y + height / 2), (right, x + width - size * 0.7, y + height / 2))
    letters = [
        element("text", letter, x=at_x, y=at_y + size * 0.35, font_size=size, text_anchor="middle")
        for letter, at_x, at_y in (*placed, (top, x + width / 2, y + size * 0.8))
    ]
    return element("g", *letters, class_="letters")


def _scale_bar(image: KeyImage, view: View) -> Markup:
    x, y, width, height = view
    length_mm = next((mm for mm in SCALE_BARS_MM if mm / image.pixel_mm <= width * 0.34), 1)
    length, size = length_mm / image.pixel_mm, width / 17
    right, base = x + width - size, y + height - size
    words = f"{length_mm // 10} cm" if length_mm >= 10 else f"{length_mm} mm"
    return element(
        "g",
        element("path", d=f"M{right - length:.2f} {base:.2f}H{right:.2f}"),
        element("text", words, x=right - length / 2, y=base - size * 0.45, font_size=size, text_anchor="middle"),
        class_="scale-bar",
    )
