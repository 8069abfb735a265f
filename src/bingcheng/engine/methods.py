"""The measures of this installation: ours and those of installed plug-ins, found once a process."""

from __future__ import annotations

import hashlib
from functools import cache

import bingcheng
from bingcheng.core.case import Methods

PACKAGES = (
    "bingcheng.quality",
    "bingcheng.quantify.diffusion",
    "bingcheng.quantify.intensity.hounsfield",
    "bingcheng.quantify.size",
    "bingcheng.quantify.uptake",
)
"""Where measures and derived inputs stand. Looking for them imports these, and not the rooms of kernels beside them."""
PLUGINS = "bingcheng.measures"
"""Entry point group by which an installed package offers its own measures."""


@cache
def installed() -> Methods:
    """All measures and derived inputs that can be run here.

    Raises
    ------
    CatalogueError
        see `Methods.of`.
    """
    return Methods.of(*PACKAGES, entry_point_group=PLUGINS)


def fingerprint(methods: Methods) -> str:
    """A digest that changes when any result may: release, measures, their revisions or settings."""
    parts = [bingcheng.__version__]
    parts += [f"{one.key}/{one.revision}/{sorted(one.parameters.items())}" for one in methods.measures]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
