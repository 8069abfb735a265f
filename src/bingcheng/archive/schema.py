"""The tables of a workspace. Identity stands in tables of its own, which no query of results touches: `identity`, and
`exam_source`, as folders are often named after patients.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 4
"""Raised with each change of the tables (see `bingcheng.archive.upgrade`); a program never opens a workspace of a later
version than its own."""

metadata = MetaData()
POSTGRESQL = {"dialect": "postgresql"}
"""What an index says of itself that a file has not."""


def _exam_uid() -> Column[str]:
    return Column("exam_uid", ForeignKey("exam.uid", ondelete="CASCADE"), nullable=False, index=True)


about = Table("about", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

identity = Table(
    "identity",
    metadata,
    Column("patient", String(32), primary_key=True, comment="pseudonym"),
    Column("patient_id", Text, nullable=False),
    Column("issuer", Text),
    Column("name", Text),
    Column("birth_date", String(16)),
)

exam = Table(
    "exam",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("patient", String(32), nullable=False, index=True),
    Column("site", Text, nullable=False, index=True),
    Column("performed_at", DateTime),
    Column("description", Text, nullable=False),
    Column("version", String(32), nullable=False, comment="release that assessed it"),
    Column("judged", String(64), comment="digest of what its findings were judged from; null before the first time"),
    # Of its findings, so that a list of exams need not count them.
    Column("failed", Integer, nullable=False, server_default="0", comment="required criteria that it broke"),
    Column("unknown", Integer, nullable=False, server_default="0", comment="required criteria that it left open"),
    Column("passed", Integer, nullable=False, server_default="0", comment="criteria that it met"),
)

exam_source = Table(
    "exam_source",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("path", Text, nullable=False, comment="folder or archive that held the exam when it was read"),
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("uid", String(64), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("volume_count", Integer, nullable=False),
    Column("voxel_mm3", Float),
    Column("acquisition", Text, nullable=False),
    Column("image", LargeBinary),
)

lesion = Table(
    "lesion",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("series_uid", String(64), nullable=False),
    Column("lesion", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("image", LargeBinary),
)

measurement = Table(
    "measurement",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("series_uid", String(64), nullable=False),
    Column("lesion", Text, comment="null for a measure of the whole series"),
    Column("key", String(128), nullable=False),
    Column("value", Float),
    Column("standard_uncertainty", Float),
    Column("unit", String(32), nullable=False),
    Column("record", Text, nullable=False),
    Index("measurement_by_key", "key", "exam_uid"),
)

radiomics = Table(
    "radiomics",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("series_uid", String(64), nullable=False),
    Column("lesion", Text, nullable=False),
    Column("modality", String(16), nullable=False),
    Column("image_type", String(64), nullable=False),
    Column("digest", String(16), nullable=False, comment="of the settings"),
    # One row a lesion: its two hundred values are only ever read together, and share all that explains them.
    Column("record", Text, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("protocol", String(64), nullable=False),
    Column("criterion", String(64), nullable=False),
    Column("role", String(64), comment="null for a criterion of the exam"),
    Column("outcome", String(16), nullable=False),
    Column("level", String(16), nullable=False),
    Column("gates", Boolean, nullable=False),
    Column("value", Float, comment="what was measured, in the limit's unit"),
    Column("distance", Float, comment="how far beyond the limit"),
    Column("record", Text, nullable=False),
    # Holds all that a summary reads, so that none has to touch the records.
    Index("finding_summary", "protocol", "criterion", "role", "outcome", "level", "distance", "exam_uid"),
)

dose = Table(
    "dose",
    metadata,
    Column("id", Integer, primary_key=True),
    _exam_uid(),
    Column("record", Text, nullable=False, comment="one for each phantom that the exam's doses refer to"),
)

refusal = Table(
    "refusal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("exam_uid", ForeignKey("exam.uid", ondelete="CASCADE"), index=True, comment="null for unreadable files"),
    Column("code", String(64), nullable=False),
    Column("record", Text, nullable=False),
)

statement = Table(
    "statement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("exam_uid", String(64), index=True, comment="no foreign key: it outlives an exam that is assessed again"),
    Column("site", Text),
    Column("made_at", DateTime, nullable=False),
    Column("withdrawn_at", DateTime),
    Column("record", Text, nullable=False),
)

# Neither refers to the exam table: what was matched or decided outlives exams that are assessed again.
matching = Table(
    "matching",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("earlier_uid", String(64), nullable=False, index=True),
    Column("later_uid", String(64), nullable=False, index=True),
    Column("modality", String(16), nullable=False),
    Column("digest", String(64), nullable=False, comment="of what it was made from"),
    Column("record", Text, nullable=False),
)

lesion_edit = Table(
    "lesion_edit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("earlier_uid", String(64), nullable=False, index=True),
    Column("later_uid", String(64), nullable=False, index=True),
    Column("made_at", DateTime, nullable=False),
    Column("undone_at", DateTime),
    Column("undone_by", Text, comment="who took it back; null where nobody said"),
    Column("record", Text, nullable=False),
)
