"""Marks and corrections as a person writes them in the command line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bingcheng.cli.usage import WrongUsage
from bingcheng.core.errors import Owner, Problem
from bingcheng.engine.segmenting.lesions import Correction
from bingcheng.engine.segmenting.places import Frame, direction, position_mm
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.lesion import edit
from bingcheng.quantify.lesion.prompt import Box, Click, Prompt, PromptKind, RecistLine

POSITION_NOT_UNDERSTOOD = Problem(
    code="cli.segment-position",
    says="'{written}' is no position",
    remedy="Write {form} with numbers and commas, without blanks.",
    owner=Owner.OPERATOR,
)
EDIT_NOT_UNDERSTOOD = Problem(
    code="cli.segment-edit",
    says="the correction '{written}' is not understood",
    remedy="Write it as: {form}.",
    owner=Owner.OPERATOR,
)

ONE, TWO = "X,Y,Z", "X,Y,Z:X,Y,Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place that was marked, as written."""

    kind: PromptKind
    points: tuple[Triple, ...]

    def prompt(self, frame: Frame, geometry: VolumeGeometry) -> Prompt:
        """The mark in the patient."""
        points = [position_mm(point, frame, geometry) for point in self.points]
        if self.kind is PromptKind.CLICK:
            return Click(position_mm=points[0])
        if self.kind is PromptKind.BOX:
            return Box(corner_mm=points[0], opposite_mm=points[1])
        return RecistLine(start_mm=points[0], end_mm=points[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A correction as written: of its parameters, positions and directions wait for the image."""

    function: Callable[..., Region]
    plain: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, Triple] = field(default_factory=dict)
    directions: Mapping[str, Triple] = field(default_factory=dict)

    def correction(self, frame: Frame, geometry: VolumeGeometry) -> Correction:
        """The correction in the patient."""
        places = {name: position_mm(point, frame, geometry) for name, point in self.places.items()}
        ways = {name: direction(way, frame, geometry) for name, way in self.directions.items()}
        return Correction(function=self.function, parameters={**places, **ways, **self.plain})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What stands behind the name of a correction.

    Parameters
    ----------
    says : how it is written, for people.
    number, place, radius, way : the parameter that a bare number, a position, ``r=`` and ``normal=`` give.
    sign : of the bare number.
    switch : a word and the parameter that it turns on.
    fixed : parameters that the name itself gives.
    """

    function: Callable[..., Region]
    says: str
    number: str | None = None
    sign: float = 1.0
    place: str | None = None
    radius: str | None = None
    way: str | None = None
    switch: tuple[str, str] | None = None
    fixed: Mapping[str, object] = field(default_factory=dict)


def _brush(name: str, **fixed: object) -> _Form:
    return _Form(
        function=edit.brushed,
        says=f"{name} X,Y,Z r=MM",
        place="centre_mm",
        radius="radius_mm",
        fixed=fixed,
    )


FORMS: Mapping[str, _Form] = MappingProxyType(
    {
        "grow": _Form(function=edit.grown_by, says="grow MM", number="margin_mm"),
        "shrink": _Form(function=edit.grown_by, says="shrink MM", number="margin_mm", sign=-1.0),
        "smooth": _Form(function=edit.smoothed, says="smooth MM", number="width_mm"),
        "fill-holes": _Form(
            function=edit.holes_filled, says="fill-holes [in-slices]", switch=("in-slices", "in_slices")
        ),
        "fill-slices": _Form(function=edit.filled_between_slices, says="fill-slices"),
        "largest": _Form(function=edit.largest_part, says="largest"),
        "part": _Form(function=edit.part_at, says="part X,Y,Z", place="position_mm"),
        "cut": _Form(function=edit.cut_by_plane, says="cut X,Y,Z normal=X,Y,Z", place="point_mm", way="normal"),
        "add-sphere": _brush("add-sphere"),
        "erase-sphere": _brush("erase-sphere", erase=True),
        "add-disc": _brush("add-disc", in_slice=True),
        "erase-disc": _brush("erase-disc", erase=True, in_slice=True),
    }
)


def marks(clicks: Sequence[str], boxes: Sequence[str], lines: Sequence[str]) -> tuple[Mark, ...]:
    """All marks: clicks, then boxes, then lines.

    Raises
    ------
    WrongUsage
        ``cli.segment-position``.
    """
    at = [Mark(kind=PromptKind.CLICK, points=_points(one, 1)) for one in clicks]
    boxed = [Mark(kind=PromptKind.BOX, points=_points(one, 2)) for one in boxes]
    lined = [Mark(kind=PromptKind.RECIST_LINE, points=_points(one, 2)) for one in lines]
    return (*at, *boxed, *lined)


def edits(written: Sequence[str]) -> tuple[Edit, ...]:
    """The corrections in their order.

    Raises
    ------
    WrongUsage
        ``cli.segment-edit``.
    """
    return tuple(_edit(one) for one in written)


def _edit(written: str) -> Edit:
    name, *words = written.split() or [""]
    form = FORMS.get(name.casefold())
    if form is None:
        raise WrongUsage(EDIT_NOT_UNDERSTOOD, written=written, form="; ".join(one.says for one in FORMS.values()))
    told: dict[str, Any] = dict(form.fixed)
    places: dict[str, Triple] = {}
    ways: dict[str, Triple] = {}
    try:
        for word in words:
            _take(word, form, told, places, ways)
    except ValueError:
        raise WrongUsage(EDIT_NOT_UNDERSTOOD, written=written, form=form.says) from None
    given = {*told, *places, *ways}
    if not {one for one in (form.number, form.place, form.radius, form.way) if one} <= given:
        raise WrongUsage(EDIT_NOT_UNDERSTOOD, written=written, form=form.says)
    return Edit(function=form.function, plain=told, places=places, directions=ways)


def _take(word: str, form: _Form, told: dict[str, Any], places: dict[str, Triple], ways: dict[str, Triple]) -> None:
    """Put one word where it belongs; ValueError if it belongs nowhere or stands there twice."""
    key, equals, value = word.casefold().partition("=")
    if form.switch is not None and word.casefold() == form.switch[0]:
        told[form.switch[1]] = True
    elif equals and key == "r" and form.radius is not None and form.radius not in told:
        told[form.radius] = _positive(value)
    elif equals and key == "normal" and form.way is not None and not ways:
        ways[form.way] = _triple(value)
    elif not equals and "," in word and form.place is not None and not places:
        places[form.place] = _triple(word)
    elif not equals and form.number is not None and form.number not in told:
        told[form.number] = form.sign * _positive(word)
    else:
        raise ValueError(word)


def _points(written: str, count: int) -> tuple[Triple, ...]:
    wrong = WrongUsage(POSITION_NOT_UNDERSTOOD, written=written, form=ONE if count == 1 else TWO)
    parts = written.split(":")
    if len(parts) != count:
        raise wrong
    try:
        return tuple(_triple(part) for part in parts)
    except ValueError:
        raise wrong from None


def _triple(written: str) -> Triple:
    x, y, z = (_number(part) for part in written.split(","))
    return x, y, z


def _positive(written: str) -> float:
    value = _number(written)
    if value <= 0.0:
        raise ValueError(written)
    return value


def _number(written: str) -> float:
    # A minus as people typeset it is one too.
    value = float(written.strip().replace("\N{MINUS SIGN}", "-"))
    if not math.isfinite(value):
        raise ValueError(written)
    return value
