"""What the index knows of the inside of reports, segmentations and outlines, so that a page need not open them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from bingcheng.archive.schema import metadata

stored_content = Table(
    "stored_content",
    metadata,
    Column("instance_id", ForeignKey("stored_instance.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False, comment="of how it was read; what another one read is read anew"),
    Column("content", Text, nullable=False),
)
