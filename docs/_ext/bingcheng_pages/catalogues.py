"""What the pages are made from, read once a build."""

from __future__ import annotations

import pkgutil
from functools import cache

import bingcheng
from bingcheng.core.case import Methods
from bingcheng.core.catalogue import Catalogue
from bingcheng.core.errors import Problem
from bingcheng.engine.methods import PACKAGES


@cache
def methods() -> Methods:
    """The measures that ship with the program; plug-ins of the machine that builds the pages are left out."""
    return Methods.of(*PACKAGES)


@cache
def problems() -> Catalogue[Problem]:
    """Every problem that any floor declares."""
    floors = sorted(f"bingcheng.{one.name}" for one in pkgutil.iter_modules(bingcheng.__path__) if one.ispkg)
    return Catalogue.of(Problem, *(floor for floor in floors if floor != "bingcheng.locale"))
