"""The table of the audit trail. Rows are only ever added; changing one is refused by the database itself."""

from __future__ import annotations

from sqlalchemy import DDL, Column, DateTime, Index, Integer, String, Table, Text, event

from bingcheng.archive.schema import metadata

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3, ... without gaps"),
    Column("at", DateTime, nullable=False, index=True),
    Column("hospital", Integer, comment="whose data or people; null for what is the installation's"),
    Column("actor_hospital", Integer, comment="whose person asked"),
    Column("person", Integer),
    Column("login", String(64), nullable=False),
    Column("code", String(16), nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("record", Text, nullable=False, comment="the whole event as JSON"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the previous row's digest and this record"),
    Index("audit_event_of_hospital", "hospital", "at"),
    Index("audit_event_of_person", "person", "at"),
)

audit_study = Table(
    "audit_study",
    metadata,
    Column("event", Integer, primary_key=True),
    Column("study_uid", String(64), primary_key=True, index=True),
)

audit_start = Table(
    "audit_start",
    metadata,
    Column("event", Integer, primary_key=True, comment="the last event that was removed when its time was over"),
    Column("digest", String(64), nullable=False, comment="its digest, from which the chain goes on"),
    Column("at", DateTime, nullable=False),
)

_UNCHANGEABLE_IN_SQLITE = DDL(  # type: ignore[no-untyped-call]
    "CREATE TRIGGER audit_event_unchangeable BEFORE UPDATE ON audit_event "
    "BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"
)
_UNCHANGEABLE_IN_POSTGRESQL = DDL(  # type: ignore[no-untyped-call]
    "CREATE OR REPLACE FUNCTION audit_event_unchangeable() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit events are never changed'; END $$; "
    "CREATE TRIGGER audit_event_unchangeable BEFORE UPDATE ON audit_event "
    "FOR EACH ROW EXECUTE FUNCTION audit_event_unchangeable()"
)
event.listen(audit_event, "after_create", _UNCHANGEABLE_IN_SQLITE.execute_if(dialect="sqlite"))
event.listen(audit_event, "after_create", _UNCHANGEABLE_IN_POSTGRESQL.execute_if(dialect="postgresql"))
