"""What persons decided about pictures and faces, as a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bingcheng.archive.deidentify.batch import Approval
from bingcheng.archive.deidentify.devices import regions_of
from bingcheng.archive.deidentify.problems import BAD_PROFILE
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

_FIELDS = frozenset(("uid", "regions", "face_allowed"))


def read_approvals(path: Path) -> Mapping[str, Approval]:
    """Approvals by SOP Instance UID or Series Instance UID.

    The file is TOML: a table ``[[object]]`` each, with ``uid``, ``regions`` (lists of x, y, width and height; an empty
    list says that the picture was looked at and is clean) and ``face_allowed``.

    Raises
    ------
    InputError
        ``archive.bad-profile``.
    """
    try:
        stored = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(BAD_PROFILE, fault=text("the file can't be read")) from error
    return dict(_approval(one) for one in stored.get("object", ()))


def _approval(stored: Mapping[str, Any]) -> tuple[str, Approval]:
    for name in stored:
        if name not in _FIELDS:
            raise InputError(BAD_PROFILE, fault=text("unknown field '{name}'", name=name))
    if not isinstance(stored.get("uid"), str):
        raise InputError(BAD_PROFILE, fault=text("a decision says no uid"))
    regions = stored.get("regions")
    return stored["uid"], Approval(
        regions=None if regions is None else regions_of(regions), face_allowed=stored.get("face_allowed") is True
    )
