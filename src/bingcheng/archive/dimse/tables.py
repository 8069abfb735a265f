"""The table of the peers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from bingcheng.archive.schema import metadata

peer = Table(
    "dimse_peer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ae_title", String(16), nullable=False, index=True),
    Column("networks", Text, nullable=False, comment="separated by a space"),
    Column("space", String(64), nullable=False, index=True),
    Column("may", Text, nullable=False, comment="what it may ask for, separated by a space"),
    Column("host", Text, comment="null for a peer that only calls us"),
    Column("port", Integer),
    Column("tls", Boolean, nullable=False),
    Column("note", Text, nullable=False),
)
