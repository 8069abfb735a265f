"""What this installation calls itself on its pairing card."""

from __future__ import annotations

from sqlalchemy import Connection

from bingcheng.archive.about import held, hold
from bingcheng.archive.codec import storable
from bingcheng.archive.pairing.card import LONGEST_NAME

KEY = "pairing-name"
UNNAMED = "Bingcheng"


def own_name(connection: Connection) -> str:
    """The name; that of the program until somebody gave one."""
    return held(connection, KEY) or UNNAMED


def keep(connection: Connection, name: str) -> None:
    """Give the installation a name; an empty one takes it away."""
    clean = storable(" ".join(name.split()))[:LONGEST_NAME].strip()
    hold(connection, KEY, clean or None)
