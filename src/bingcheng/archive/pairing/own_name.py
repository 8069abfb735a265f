"""What this installation calls itself on its pairing card."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive import schema
from bingcheng.archive.codec import storable
from bingcheng.archive.pairing.card import LONGEST_NAME

KEY = "pairing-name"
UNNAMED = "Bingcheng"


def own_name(connection: Connection) -> str:
    """The name; that of the program until somebody gave one."""
    stored: str | None = connection.scalar(select(schema.about.c.value).where(schema.about.c.key == KEY))
    return stored or UNNAMED


def keep(connection: Connection, name: str) -> None:
    """Give the installation a name; an empty one takes it away."""
    clean = storable(" ".join(name.split()))[:LONGEST_NAME].strip()
    about = schema.about
    connection.execute(delete(about).where(about.c.key == KEY))
    if clean:
        connection.execute(insert(about), {"key": KEY, "value": clean})
