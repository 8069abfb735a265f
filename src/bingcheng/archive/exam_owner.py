"""Which hospital's copy of a study the results of an exam were made from."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from bingcheng.archive.schema import metadata

HOSPITALS = "hospital/"
"""With what the space of a hospital begins; what is in other spaces belongs to no hospital."""
exam_owner = Table(
    "exam_owner",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("space", String(64), nullable=False, index=True, comment="of the hospital; stays when its objects are gone"),
)
