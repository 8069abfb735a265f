"""What a workspace holds one of: its name, its agreement, numbers worked out last; each a text under a key."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive import schema


def held(connection: Connection, key: str) -> str | None:
    """What is held under `key`; None for nothing."""
    found: str | None = connection.scalar(select(schema.about.c.value).where(schema.about.c.key == key))
    return found


def hold(connection: Connection, key: str, value: str | None) -> None:
    """Hold `value` under `key` in place of what was there; None for nothing."""
    connection.execute(delete(schema.about).where(schema.about.c.key == key))
    if value is not None:
        connection.execute(insert(schema.about), {"key": key, "value": value})
