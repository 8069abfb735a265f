"""What the exchange asks of the room of cases. Any object with these functions will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.pairing.manifest import CaseContent, Deidentification


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseBundle:
    """A published case, ready to leave.

    Parameters
    ----------
    version : raised with each change that was published.
    space : where its objects stand.
    instances : the objects that belong to it; None for all of the space.
    """

    case: int
    version: int
    space: str
    content: CaseContent
    deidentification: Deidentification
    instances: Sequence[Instance] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOrigin:
    """Where a case came from.

    Parameters
    ----------
    peer : number of the installation.
    name : what that calls itself.
    case : by which all versions of the case are known.
    """

    peer: int
    name: str
    case: str
    version: int


class CaseRoom(Protocol):
    """The room of cases as the exchange sees it."""

    def export_case(self, connection: Connection, case: int) -> CaseBundle:
        """The published case of a number; ``archive.not-found`` or ``archive.withdrawn-case`` otherwise."""

    def is_published(self, connection: Connection, case: int) -> bool:
        """Whether a case of ours may still be given to others; one that may not is withdrawn from them by itself."""

    def check_import(self, content: CaseContent) -> None:
        """Raise ``archive.not-whitelisted`` unless a case of this content could be kept here."""

    def begin_import(self, connection: Connection, content: CaseContent, origin: CaseOrigin, now: datetime) -> int:
        """Make a case that nobody sees yet, for objects to be put into its space; or, for a later version of one that
        was imported, that one. Returns its number.
        """

    def finish_import(self, connection: Connection, case: int, content: CaseContent, now: datetime) -> None:
        """Its objects are all there: show it to those whom the installation's rules name."""

    def withdraw_import(self, connection: Connection, case: int, now: datetime) -> None:
        """It was withdrawn where it came from: nobody reads it any more. Doing so twice does no harm."""
