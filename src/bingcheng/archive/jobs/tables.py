"""The tables of the queue."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, String, Table, Text

from bingcheng.archive.schema import metadata

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("space", String(64), nullable=False),
    Column("study_uid", String(64), nullable=False),
    Column("target", String(64), comment="where it is to be sent, as `target.Target` writes it"),
    Column("state", String(16), nullable=False),
    Column("asked_at", DateTime, nullable=False),
    Column("started_at", DateTime),
    Column("ended_at", DateTime),
    Column("tries", Integer, nullable=False, default=0),
    # Of jobs that were asked for before these were known, they are null: not lost, not urgent, at once.
    Column("lost", Integer, comment="how often its worker was lost"),
    Column("urgent", Boolean, comment="a person waits for it"),
    Column("not_before", DateTime, comment="when it is tried again"),
    Column("step", Text, comment="what is being done, as it is told to people"),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False, default=0),
    Column("reason", Text, comment="why it failed, as a refusal"),
    Column("digest", String(64), comment="of the objects that it was done with"),
    Index("job_of_study", "study_uid", "space", "id"),
    Index("job_by_state", "state", "id"),
    # What a hospital's pages ask for: how many are in each state, and those that failed, the latest first.
    Index("job_of_space", "space", "state", "id"),
)

# What a peer confirmed of an exam that is being sent, so that another try sends the rest.
job_taken = Table(
    "job_taken",
    metadata,
    # No foreign key: it would keep PostgreSQL from making an empty table of jobs anew (`workspace_tables`).
    Column("job", Integer, primary_key=True, autoincrement=False),
    Column("sop_uid", String(64), primary_key=True),
    Column("sha256", String(64), nullable=False, comment="of the bytes that it took"),
    Column("taken_at", DateTime, nullable=False),
)
