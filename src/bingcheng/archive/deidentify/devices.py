"""Where devices burn text into pictures, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bingcheng.archive.deidentify.elements import Object
from bingcheng.archive.deidentify.problems import BAD_PROFILE
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

MODALITY, MANUFACTURER, MODEL, SERIES, IMAGE_TYPE = 0x00080060, 0x00080070, 0x00081090, 0x0008103E, 0x00080008
ROWS, COLUMNS, BURNED_IN = 0x00280010, 0x00280011, 0x00280301
_FIELDS = {
    "name": str,
    "modality": str,
    "manufacturer": str,
    "model": str,
    "series": str,
    "image_type": str,
    "rows": int,
    "columns": int,
    "burned_in": bool,
    "regions": list,
    "sure": bool,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle of a picture, in pixels from its upper left corner; what lies outside the picture doesn't count."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRule:
    """Where one kind of picture holds text.

    Parameters
    ----------
    modality : must be equal; empty for any.
    manufacturer, model, series, image_type : must be contained, whatever the case; empty for any.
    rows, columns : must be equal; zero for any.
    burned_in : whether the header must say that there is burned-in text.
    sure : whether a hospital vouches for it, so that no person has to look.
    """

    name: str
    regions: tuple[Region, ...]
    modality: str = ""
    manufacturer: str = ""
    model: str = ""
    series: str = ""
    image_type: str = ""
    rows: int = 0
    columns: int = 0
    burned_in: bool = False
    sure: bool = False

    def fits(self, found: Object) -> bool:
        """Whether the rule speaks of this picture."""
        contained = {
            MANUFACTURER: self.manufacturer,
            MODEL: self.model,
            SERIES: self.series,
            IMAGE_TYPE: self.image_type,
        }
        return (
            self.modality in ("", found.words(MODALITY))
            and self.rows in (0, found.number(ROWS))
            and self.columns in (0, found.number(COLUMNS))
            and (not self.burned_in or found.words(BURNED_IN).upper() == "YES")
            and all(wanted.casefold() in found.words(tag).casefold() for tag, wanted in contained.items())
        )


@cache
def shipped_rules() -> tuple[DeviceRule, ...]:
    """The rules that ship with the program."""
    stored = files("bingcheng.archive.deidentify").joinpath("devices.toml").read_text("utf-8")
    return _rules(tomllib.loads(stored))


def own_rules(path: Path) -> tuple[DeviceRule, ...]:
    """A hospital's own rules.

    Raises
    ------
    InputError
        ``archive.bad-profile``.
    """
    try:
        return _rules(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(BAD_PROFILE, fault=text("the file can't be read")) from error


def _rules(stored: Mapping[str, Any]) -> tuple[DeviceRule, ...]:
    return tuple(_rule(one) for one in stored.get("rule", ()))


def _rule(stored: Mapping[str, Any]) -> DeviceRule:
    for name, value in stored.items():
        if name not in _FIELDS or not isinstance(value, _FIELDS[name]):
            raise InputError(BAD_PROFILE, fault=text("a device rule can't have this '{name}'", name=name))
    given = dict(stored)
    regions = regions_of(given.pop("regions", ()))
    return DeviceRule(regions=regions, **{"name": "", **given})


def regions_of(stored: Sequence[Any]) -> tuple[Region, ...]:
    """Regions written as lists of x, y, width and height.

    Raises
    ------
    InputError
        ``archive.bad-profile``.
    """
    found = []
    for one in stored:
        numbers = isinstance(one, Sequence) and len(one) == 4 and all(type(part) is int and part >= 0 for part in one)
        if not numbers or not one[2] or not one[3]:
            raise InputError(BAD_PROFILE, fault=text("a region is x, y, width and height, in whole pixels"))
        found.append(Region(x=one[0], y=one[1], width=one[2], height=one[3]))
    return tuple(found)
