"""The lesions of a study, out of its segmentations: which are on which image, and where each is seen best."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.dicomweb.frames import values
from bingcheng.archive.dicomweb.pictures import header_of
from bingcheng.archive.dicomweb.pixel_map import PixelMaps
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.core.errors import BingchengError
from bingcheng.server.quicklook.stack import SEGMENTATION, Place

if TYPE_CHECKING:
    from pydicom import Dataset

PRODUCT = "Bingcheng"
MOST_HELD = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A segment: its number among those of the study, its name, and the image that shows most of it."""

    number: int
    label: str
    series_uid: str
    best: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a segmentation says of one image: a frame of it belongs to a lesion."""

    lesion: int
    frame: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmented:
    """One segmentation object: by image, which of its frames are of which segment."""

    instance: Instance
    ours: bool
    written: str
    series_uid: str
    labels: Mapping[int, str]
    pieces: Mapping[Place, tuple[Piece, ...]]
    best: Mapping[int, Place]
    above: int


class Segmentations:
    """The segmentations that were looked at lately, read once."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Segmented | None] = OrderedDict()
        self._lock = Lock()

    def of(self, objects: Objects, maps: PixelMaps, instances: Sequence[Instance]) -> tuple[Segmented, ...]:
        """Those among the instances of a study; of a series that Bingcheng segmented only the newest of its own."""
        found = [self._one(objects, maps, one) for one in instances if one.sop_class_uid == SEGMENTATION]
        read = [one for one in found if one is not None]
        newest = {one.series_uid: one for one in sorted(read, key=lambda one: one.written) if one.ours}
        return tuple(one for one in read if newest.get(one.series_uid, one) is one)

    def _one(self, objects: Objects, maps: PixelMaps, instance: Instance) -> Segmented | None:
        with self._lock:
            if instance.location in self._held:
                self._held.move_to_end(instance.location)
                return self._held[instance.location]
        try:
            made = _read(objects, maps, instance)
        except (BingchengError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            made = None  # a picture without the outlines of a segmentation that can't be read
        with self._lock:
            self._held[instance.location] = made
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        return made


def lesions(segmented: Sequence[Segmented]) -> tuple[Lesion, ...]:
    """All lesions of a study, numbered from 0."""
    found: list[Lesion] = []
    for one in segmented:
        for segment, place in sorted(one.best.items()):
            label = one.labels.get(segment, "")
            found.append(Lesion(number=len(found), label=label, series_uid=one.series_uid, best=place))
    return tuple(found)


def masks(
    objects: Objects, maps: PixelMaps, segmented: Sequence[Segmented], place: Place
) -> list[tuple[int, NDArray[np.bool_]]]:
    """Number of the lesion and which pixels (row, column) are inside, for each lesion on an image."""
    found: list[tuple[int, NDArray[np.bool_]]] = []
    first = 0
    for one in segmented:
        order = {segment: first + n for n, segment in enumerate(sorted(one.best))}
        first += len(order)
        pieces = one.pieces.get(place, ())
        if not pieces:
            continue
        pixels = maps.of(one.instance.location, lambda one=one: objects.open_bytes(one.instance))  # type: ignore[misc]
        with objects.open_bytes(one.instance) as stream:
            found.extend(
                (order[piece.lesion], values(stream, pixels, piece.frame) > one.above)
                for piece in pieces
                if piece.lesion in order
            )
    return found


def _read(objects: Objects, maps: PixelMaps, instance: Instance) -> Segmented:
    pixels = maps.of(instance.location, lambda: objects.open_bytes(instance))
    with objects.open_bytes(instance) as stream:
        header = header_of(stream)
        places = _places(header)
        fractional = str(header.get("SegmentationType", "")) == "FRACTIONAL"
        above = int(header.get("MaximumFractionalValue", 1)) // 2 if fractional else 0
        pieces: defaultdict[Place, list[Piece]] = defaultdict(list)
        most: dict[int, tuple[int, Place]] = {}
        for frame, (segment, place) in enumerate(places):
            area = int(np.count_nonzero(values(stream, pixels, frame) > above))
            if place is None or not area:
                continue
            pieces[place].append(Piece(lesion=segment, frame=frame))
            if segment not in most or area > most[segment][0]:
                most[segment] = area, place
    return Segmented(
        instance=instance,
        ours=str(header.get("ManufacturerModelName", "")) == PRODUCT,
        written=f"{header.get('ContentDate', '')}{header.get('ContentTime', '')}",
        series_uid=_about(header),
        labels={int(one.SegmentNumber): str(one.get("SegmentLabel", "")) for one in header.SegmentSequence},
        pieces={place: tuple(some) for place, some in pieces.items()},
        best={segment: place for segment, (_, place) in most.items()},
        above=above,
    )


def _places(header: Dataset) -> list[tuple[int, Place | None]]:
    """Segment and image of each frame (PS3.3 C.8.20.3.1); no image where the object doesn't say on which it lies."""
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    found: list[tuple[int, Place | None]] = []
    for group in header.PerFrameFunctionalGroupsSequence:
        identified: Any = group.get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence")
        derived: Any = group.get("DerivationImageSequence")
        source = derived[0].get("SourceImageSequence") if derived else None
        place = None
        if source:
            frame = source[0].get("ReferencedFrameNumber", 1)
            place = (str(source[0].ReferencedSOPInstanceUID), int(frame) - 1)
        found.append((int(identified[0].ReferencedSegmentNumber), place))
    return found


def _about(header: Dataset) -> str:
    series: Any = header.get("ReferencedSeriesSequence")
    return str(series[0].SeriesInstanceUID) if series else ""
