"""What became of an object that was sent to us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal


class ReceivedStatus(StrEnum):
    """What was done with it."""

    STORED = "stored"
    ALREADY = "already"
    """The same data set is stored already, whoever wrote the meta header before it; nothing was changed."""
    CONFLICT = "conflict"
    """Another data set is stored under its UID: it was kept aside for a person to decide."""


DERIVED: Final = "derived"
DRAWN: Final = "drawn"
OriginKind = Literal["dimse", "stow", "import", "pairing", "drawn", "derived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an object came from.

    Parameters
    ----------
    kind : the way by which it came; ``drawn`` if a person drew it in the viewer, ``derived`` if this program made it
        of the study that it lies in.
    peer : AE title and address, login, or folder.
    person : the person's row number, None for a machine.
    """

    kind: OriginKind
    peer: str
    person: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of one object."""

    status: ReceivedStatus
    space: str
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """An object that was kept aside, since other bytes are stored under its UID."""

    id: int
    space: str
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    size: int
    sha256: str
    location: str
    received_at: datetime
    origin: Origin
