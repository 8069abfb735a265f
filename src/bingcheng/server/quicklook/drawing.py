"""Pictures of a stack: one image with the outlines of its lesions, or the projection of all of them."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.dicomweb.frames import values
from bingcheng.archive.dicomweb.grey_scale import Window, functional_group, grey_scale
from bingcheng.archive.dicomweb.pictures import PNG, Shown, header_of
from bingcheng.archive.dicomweb.pictures import picture as whole_picture
from bingcheng.archive.dicomweb.pixel_map import PixelMaps
from bingcheng.archive.dicomweb.problems import NO_PICTURE
from bingcheng.archive.objects.objects import Objects
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.outputs.quicklook.marks import Marks, marks_of
from bingcheng.outputs.quicklook.outline import outlines
from bingcheng.outputs.quicklook.picture import Kind, picture
from bingcheng.outputs.quicklook.projection import from_the_front
from bingcheng.outputs.quicklook.window import CT_WINDOWS, OWN
from bingcheng.server.quicklook.lesions import Segmented, masks
from bingcheng.server.quicklook.stack import Leaf, Stack

if TYPE_CHECKING:
    from pydicom import Dataset

PET, CT = "PT", "CT"
PET_PERCENTILE = 99.5
"""Of the projection's pixels inside the body, what is shown darkest in a PET without a window of its own."""
MOST_FRONT_BYTES = 16 << 20
"""Of all projections that are held: some sixty of a whole body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a picture is wanted.

    Parameters
    ----------
    window : name of a window, ``own``, or centre and width.
    side : longer side in pixels.
    outlined : whether lesions are outlined.
    marked : whether it says which sides of the patient it shows, and how long a centimetre is.
    """

    window: str | tuple[float, float]
    side: int
    outlined: bool
    kind: Kind
    marked: bool = True


class Fronts:
    """Projections that were made lately: each reads a whole series."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def of(self, objects: Objects, maps: PixelMaps, stack: Stack) -> NDArray[np.float32]:
        """The projection of a stack from the front, the head on top; in the unit of the modality transformation."""
        first = stack.leaves[0].instance
        key = (first.space, first.series_uid, first.revision, len(stack.leaves))
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        size = first.rows, first.columns
        same = [leaf for leaf in stack.leaves if (leaf.instance.rows, leaf.instance.columns) == size]
        made = from_the_front(_planes(objects, maps, same))
        made = np.ascontiguousarray(made[::-1] if stack.upward else made)
        with self._lock:
            self._held[key] = made
            while len(self._held) > 1 and sum(one.nbytes for one in self._held.values()) > MOST_FRONT_BYTES:
                self._held.popitem(last=False)
        return made


def image(
    objects: Objects, maps: PixelMaps, stack: Stack, index: int, segmented: Sequence[Segmented], wish: Wish, top: float
) -> bytes:
    """One image of a stack.

    Parameters
    ----------
    top : what is shown darkest in a PET that names no window.

    Raises
    ------
    InputError
        ``archive.no-picture``, ``archive.undecodable``, ``archive.no-pixel-data``.
    RemoteError
        ``archive.object-lost``.
    """
    leaf = stack.leaves[index]
    try:
        shades, header = _shades(objects, maps, leaf, stack.modality, wish, top)
    except BingchengError:
        raise
    except Exception as error:
        # Of the attributes that say how values are shown, any may be malformed; the reader raises what it likes.
        raise InputError(NO_PICTURE, why="damaged") from error
    lines: list[tuple[int, NDArray[np.float64]]] = []
    if wish.outlined:
        place = (leaf.instance.sop_uid, leaf.frame)
        for number, inside in masks(objects, maps, segmented, place):
            if inside.shape == shades.shape[:2]:
                lines.extend((number, line) for line in outlines(inside))
    marks = _marks(header, leaf.frame) if wish.marked else None
    return picture(shades, pixel_mm=stack.pixel_mm, side=wish.side, outlines=lines, marks=marks, kind=wish.kind)


def front(objects: Objects, maps: PixelMaps, fronts: Fronts, stack: Stack, wish: Wish) -> bytes:
    """The projection of a PET from the front, dark on white."""
    made = fronts.of(objects, maps, stack)
    low, high = 0.0, pet_top(made)
    grey = 255.0 - np.clip((made - low) * (255.0 / (high - low)), 0.0, 255.0)
    pixel_mm = (stack.step_mm or stack.pixel_mm[0], stack.pixel_mm[1])
    marks = _front_marks(objects, stack) if wish.marked else None
    return picture(np.rint(grey).astype(np.uint8), pixel_mm=pixel_mm, side=wish.side, marks=marks, kind=wish.kind)


def pet_top(projection: NDArray[np.float32]) -> float:
    """What is shown darkest in a PET: a high percentile of the projection, where there is anything at all."""
    taken = projection[projection > 0]
    return float(np.percentile(taken, PET_PERCENTILE)) if taken.size else 1.0


def _marks(header: Dataset, frame: int) -> Marks:
    """What the image says of its orientation and of the size of its pixels, in its own words: a series may mix them."""
    try:
        oriented = functional_group(header, frame, "PlaneOrientationSequence").get("ImageOrientationPatient")
        spaced = functional_group(header, frame, "PixelMeasuresSequence").get("PixelSpacing")
        cosines = None if oriented is None or len(oriented) != 6 else [float(one) for one in oriented]
        return marks_of(cosines, measured=spaced is not None and len(spaced) == 2 and min(spaced) > 0)
    except Exception:  # noqa: BLE001 - whatever it is, the rest is shown
        # The reader raises what it likes.
        return Marks()  # an image that can't say it is shown without


def _front_marks(objects: Objects, stack: Stack) -> Marks | None:
    """Of the projection: right and left as in its planes, the head on top; None if those aren't axial."""
    leaf = stack.leaves[0]
    with objects.open_bytes(leaf.instance) as stream:
        marks = _marks(header_of(stream), leaf.frame)
    if {marks.left, marks.right} != {"L", "R"}:
        return None
    return replace(marks, top="H", bottom="F", measured=marks.measured and stack.step_mm is not None)


def _shades(
    objects: Objects, maps: PixelMaps, leaf: Leaf, modality: str, wish: Wish, top: float
) -> tuple[NDArray[np.uint8], Dataset]:
    pixels = maps.of(leaf.instance.location, lambda: objects.open_bytes(leaf.instance))
    with objects.open_bytes(leaf.instance) as stream:
        header = header_of(stream)
        if pixels.samples > 1 or pixels.photometric == "PALETTE COLOR":
            return _coloured(whole_picture(stream, pixels, header, leaf.frame, Shown(), PNG)), header
        stored = values(stream, pixels, leaf.frame)
    window = _window(wish.window, modality, top)
    shades = grey_scale(header, leaf.frame, window).picture(stored)
    return (255 - shades if modality == PET else shades), header


def _window(wish: str | tuple[float, float], modality: str, top: float) -> Window | None:
    """The window to be used in place of the image's own."""
    if isinstance(wish, tuple):
        return Window(center=wish[0], width=wish[1])
    if modality == PET:
        return Window(center=top / 2, width=top, shape="LINEAR_EXACT")
    if wish != OWN and modality == CT:
        return Window(center=CT_WINDOWS[wish].center, width=CT_WINDOWS[wish].width)
    return None


def _coloured(png: bytes) -> NDArray[np.uint8]:
    from PIL import Image  # noqa: PLC0415 - few images have colours

    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB"), dtype=np.uint8)


def _planes(objects: Objects, maps: PixelMaps, leaves: Sequence[Leaf]) -> Iterator[NDArray[np.float32]]:
    for leaf in leaves:
        pixels = maps.of(leaf.instance.location, lambda leaf=leaf: objects.open_bytes(leaf.instance))  # type: ignore[misc]
        with objects.open_bytes(leaf.instance) as stream:
            header = header_of(stream)
            stored = values(stream, pixels, leaf.frame)
        yield _real(header, leaf.frame, stored)


def _real(header: Dataset, frame: int, stored: NDArray[Any]) -> NDArray[np.float32]:
    scale = grey_scale(header, frame, None)
    return stored.astype(np.float32) * np.float32(scale.slope) + np.float32(scale.intercept)
