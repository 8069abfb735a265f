"""Places in the images of a case: chosen by series and number of the image, as people see them, never by UIDs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection

from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.facts import CaseExam, case_exams
from bingcheng.archive.cases.problems import NO_SUCH_IMAGE
from bingcheng.core.errors import InputError
from bingcheng.server.quicklook.router import held
from bingcheng.server.quicklook.stack import Stack
from bingcheng.server.site import Site

LARGEST = 1_000_000
"""Of what a form says of an image's number, column and row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shelf:
    """One series of a case, to leaf through."""

    exam: CaseExam
    series_uid: str
    stack: Stack

    @property
    def height(self) -> float:
        """How high an image is shown where its width is 1: pixels need not be square."""
        rows, columns = self._size()
        return rows * self.stack.pixel_mm[0] / (columns * self.stack.pixel_mm[1])

    @property
    def rows(self) -> int:
        """Rows of an image."""
        return self._size()[0]

    @property
    def columns(self) -> int:
        """Columns of an image."""
        return self._size()[1]

    def _size(self) -> tuple[int, int]:
        first = self.stack.leaves[0].instance
        return first.rows or 1, first.columns or 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spot:
    """An image of a series (from 0), and the pixel of it that is meant, if any: column and row."""

    shelf: Shelf
    index: int
    x: float | None = None
    y: float | None = None

    @property
    def sop_uid(self) -> str:
        """UID of its object."""
        return self.shelf.stack.leaves[self.index].instance.sop_uid

    @property
    def frame(self) -> int:
        """Its frame in that object, from 1."""
        return self.shelf.stack.leaves[self.index].frame + 1

    @property
    def across(self) -> float | None:
        """How far from the left the pixel lies, as a fraction of the image's width."""
        return None if self.x is None else (self.x + 0.5) / self.shelf.columns

    @property
    def down(self) -> float | None:
        """How far from the top it lies, in image widths."""
        return None if self.y is None else (self.y + 0.5) / self.shelf.rows * self.shelf.height

    @property
    def picture(self) -> str:
        """The address of the image's picture."""
        return f"/quicklook/{self.shelf.exam.study_uid}/{self.shelf.series_uid}/{self.index}.webp"

    @property
    def query(self) -> str:
        """How the page of the case's images is asked to show it."""
        place = "" if self.x is None or self.y is None else f"&x={self.x:g}&y={self.y:g}"
        return f"series={self.shelf.series_uid}&image={self.index + 1}{place}"


Shelves = Mapping[str, Shelf]
"""The series of a case with images, by UID, exam by exam in time."""


def shelves(request: Request, connection: Connection, where: Site, number: int) -> Shelves:
    """The series of a case. Whoever calls this has made sure that the case may be read."""
    kept = held(request).stacks
    found: dict[str, Shelf] = {}
    for exam in case_exams(connection, number):
        instances = where.objects.instances_of([case_space(number)], exam.study_uid)
        for uid, stack in kept.by_series(where.objects, instances).items():
            found[uid] = Shelf(exam=exam, series_uid=uid, stack=stack)
    return found


def spot_at(known: Shelves, series: str, image: str, x: str = "", y: str = "") -> Spot:
    """The place that a form names.

    Raises
    ------
    InputError
        ``archive.case-no-such-image``: there is no such series, or no image of that number in it.
    """
    shelf, number = known.get(series), _number(image)
    if shelf is None or number is None or not 1 <= number <= len(shelf.stack.leaves):
        raise InputError(NO_SUCH_IMAGE, image=image[:20])
    column, row = _number(x), _number(y)
    inside = column is not None and row is not None and column < shelf.columns and row < shelf.rows
    if not inside or column is None or row is None:
        return Spot(shelf=shelf, index=number - 1)
    return Spot(shelf=shelf, index=number - 1, x=float(column), y=float(row))


def spot_of(known: Shelves, sop_uid: str, frame: int, x: float | None = None, y: float | None = None) -> Spot | None:
    """The place of an image that was chosen before; None if the case does not show it any more."""
    for shelf in known.values():
        index = shelf.stack.index_of((sop_uid, frame - 1))
        if index is not None:
            return Spot(shelf=shelf, index=index, x=x, y=y)
    return None


def _number(words: str) -> int | None:
    said = words.strip()
    return int(said) if said.isascii() and said.isdecimal() and int(said[:9]) < LARGEST and len(said) < 10 else None
