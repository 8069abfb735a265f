"""Where the room of cases is, if this release has one; looked up late, as it is large."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from fastapi import FastAPI

from bingcheng.archive.pairing.case_room import CaseRoom

ROOM = "bingcheng.archive.pairing.case_exchange"
"""The module whose functions are those of `CaseRoom`."""


def room_of(application: FastAPI) -> CaseRoom | None:
    """The room of cases: the application's own if it was given one, else the package's; None without any."""
    given: CaseRoom | None = getattr(application.state, "case_room", None)
    return given if given is not None else package_room()


def package_room() -> CaseRoom | None:
    """That of the package."""
    if find_spec("bingcheng.archive.cases") is None or find_spec(ROOM) is None:
        return None
    return cast("CaseRoom", import_module(ROOM))
