"""A series as it is leafed through: its images in order, and what the pictures of all of them share."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects

Element = Mapping[str, Any]
Place = tuple[str, int]
"""SOP instance UID, and frame from 0."""
MOST_STACKS, MOST_LEAVES = 64, 30_000
"""Stacks that are held, and images of all of them."""
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
FRAGMENT_HEAD = 8
"""Bytes ahead of each fragment of compressed pixels (PS3.5 table A.4-1)."""
NO_SIZE = (1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One image of a stack: an instance, and which of its frames, from 0."""

    instance: Instance
    frame: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """A series in the order of its instance numbers.

    Parameters
    ----------
    leaves : the images; none of a series without pixels.
    modality, description, number : of the series.
    pixel_mm : height and width of a pixel; both 1 where the images don't say.
    step_mm : from one image to the next, None if unknown.
    upward : whether the images go from the feet towards the head.
    """

    leaves: tuple[Leaf, ...]
    modality: str
    description: str
    number: str
    pixel_mm: tuple[float, float]
    step_mm: float | None
    upward: bool

    def index_of(self, place: Place) -> int | None:
        """Where in the stack an image is."""
        found = (n for n, leaf in enumerate(self.leaves) if (leaf.instance.sop_uid, leaf.frame) == place)
        return next(found, None)


class Stacks:
    """The stacks that were leafed through lately."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], Stack] = OrderedDict()
        self._lock = Lock()

    def of(self, objects: Objects, instances: Sequence[Instance]) -> Stack:
        """The stack of a series' instances, which are in order."""
        first = instances[0]
        key = (first.space, first.series_uid, first.series_id, first.revision, len(instances))
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = _stack(objects, instances)
        with self._lock:
            self._held[key] = made
            while len(self._held) > 1 and (len(self._held) > MOST_STACKS or self._leaves() > MOST_LEAVES):
                self._held.popitem(last=False)
        return made

    def _leaves(self) -> int:
        return sum(len(one.leaves) for one in self._held.values())

    def by_series(self, objects: Objects, instances: Sequence[Instance]) -> dict[str, Stack]:
        """The stacks of a study's series with images, by UID, in order; segmentations are laid over other images."""
        series: dict[str, list[Instance]] = {}
        for one in instances:
            if one.pixel_offset is not None and one.sop_class_uid != SEGMENTATION:
                series.setdefault(one.series_uid, []).append(one)
        made = {uid: self.of(objects, some) for uid, some in series.items()}
        return {uid: stack for uid, stack in made.items() if stack.leaves}


def _stack(objects: Objects, instances: Sequence[Instance]) -> Stack:
    ends = [instances[0], instances[len(instances) // 2], instances[min(len(instances) // 2 + 1, len(instances) - 1)]]
    first, here, after = (json.loads(one) for one in objects.metadata(ends))
    leaves = tuple(
        Leaf(instance=one, frame=frame)
        for one in instances
        if one.pixel_offset is not None and one.rows and one.columns
        for frame in range(_frames_that_fit(one))
    )
    rise = _height(after, -1) - _height(first, 0)
    return Stack(
        leaves=leaves,
        modality=_text(first, "00080060"),
        description=_text(first, "0008103E"),
        number=_text(first, "00200011"),
        pixel_mm=_pixel_mm(here),
        step_mm=_step_mm(here, after),
        upward=rise > 0,
    )


def _frames_that_fit(one: Instance) -> int:
    """How many frames a file can hold at most, whatever its header claims: a pixel takes a bit, a fragment its head."""
    pixels = max(1, (one.rows or 1) * (one.columns or 1))
    room = one.size // FRAGMENT_HEAD if one.pixel_length is None else one.pixel_length * 8 // pixels
    return min(one.frame_count, max(1, room))


def _text(header: Element, tag: str) -> str:
    values = header.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _numbers(header: Element, tag: str) -> list[float]:
    try:
        return [float(one) for one in header.get(tag, {}).get("Value") or []]
    except (TypeError, ValueError):
        return []


def _group(header: Element, frame: int, sequence: str) -> Element:
    """The functional group of a frame, its own before that of all; the header itself where there is none."""
    own = header.get("52009230", {}).get("Value") or []
    shared = header.get("52009229", {}).get("Value") or []
    for groups in (own[frame:][:1] if own else [], shared):
        for group in groups:
            if items := group.get(sequence, {}).get("Value"):
                found: Element = items[0]
                return found
    return header


def _pixel_mm(header: Element) -> tuple[float, float]:
    found = _numbers(_group(header, 0, "00289110"), "00280030") or _numbers(header, "00181164")
    return (found[0], found[1]) if len(found) == 2 and min(found) > 0 else NO_SIZE


def _position(header: Element, frame: int) -> list[float]:
    return _numbers(_group(header, frame, "00209113"), "00200032")


def _height(header: Element, frame: int) -> float:
    found = _position(header, frame)
    return found[2] if len(found) == 3 else 0.0


def _step_mm(here: Element, after: Element) -> float | None:
    frames = 1 if here is not after and _position(here, 0) != _position(after, 0) else 0
    ends = (_position(here, 0), _position(after, 0)) if frames else (_position(here, 0), _position(here, 1))
    if any(len(end) != 3 for end in ends):
        return None
    step = sum((a - b) ** 2 for a, b in zip(*ends, strict=True)) ** 0.5
    return step or None
