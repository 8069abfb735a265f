"""Where the keys of projects and the encrypted originals stand."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint

from bingcheng.archive.schema import metadata

deidentify_project = Table(
    "deidentify_project",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(128), nullable=False, unique=True, comment="of the hospital or project"),
    Column("made_at", DateTime, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("cost", Integer, nullable=False, comment="of scrypt as a power of two; 0 for a key file"),
    Column("wrapped", LargeBinary, nullable=False, comment="the project's keys, encrypted"),
)

deidentify_entry = Table(
    "deidentify_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", ForeignKey("deidentify_project.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False, comment="patient or uid"),
    Column("replacement", String(64), nullable=False, comment="what stands outside"),
    Column("sealed", LargeBinary, nullable=False, comment="the original, encrypted"),
    UniqueConstraint("project", "kind", "replacement"),
)
