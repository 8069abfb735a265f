"""By which protocols the exams of a workspace are judged besides those that fit by themselves; kept from run to run."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from bingcheng.archive.about import held, hold

KEY = "agreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a run asked for: identifiers of protocols, and protocols of the hospital's own as they were read (JSON)."""

    asked: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def agreement(connection: Connection) -> Agreement:
    """What was asked for last; nothing before the first time."""
    stored = held(connection, KEY)
    if stored is None:
        return Agreement()
    kept = json.loads(stored)
    return Agreement(asked=tuple(kept["asked"]), own=tuple(kept["own"]))


def agree(connection: Connection, made: Agreement) -> None:
    """Keep what was asked for in place of what was kept before."""
    hold(connection, KEY, json.dumps({"asked": made.asked, "own": made.own}, ensure_ascii=False))
