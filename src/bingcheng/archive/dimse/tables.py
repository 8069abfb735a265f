"""The tables of the peers, and of what they wait to be told."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, Table, Text, UniqueConstraint

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

commitment = Table(
    "dimse_commitment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("peer", ForeignKey("dimse_peer.id", ondelete="CASCADE"), nullable=False),
    Column("transaction_uid", String(64), nullable=False),
    Column("requested", Text, nullable=False, comment="class and UID of each object, as JSON"),
    Column("asked_at", DateTime, nullable=False),
    Column("next_at", DateTime, nullable=False, index=True, comment="when the peer is called"),
    Column("tries", Integer, nullable=False),
    UniqueConstraint("peer", "transaction_uid", name="dimse_commitment_once"),
)
