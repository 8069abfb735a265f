"""The tables of hospitals and people. Of every secret only a digest is stored."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bingcheng.archive.schema import metadata


def _person() -> Column[int]:
    return Column("person", ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True)


hospital = Table(
    "hospital",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("code", String(16), nullable=False, unique=True, comment="short, for tables and charts"),
    Column("emergency", Boolean, nullable=False, comment="radiologists of others may open an exam in an emergency"),
    Column("made_at", DateTime, nullable=False),
    Column("disabled_at", DateTime),
    Column("issuer", String(64), comment="of whom patient numbers without an issuer are; null: of nobody known"),
)

hospital_spelling = Table(
    "hospital_spelling",
    metadata,
    Column("folded", String(256), primary_key=True, comment="the spelling in lower case, without double spaces"),
    Column("hospital", ForeignKey("hospital.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("spelling", Text, nullable=False, comment="as the scanner writes InstitutionName"),
)

hospital_group = Table(
    "hospital_group",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
)

hospital_group_member = Table(
    "hospital_group_member",
    metadata,
    Column("hospital_group", ForeignKey("hospital_group.id", ondelete="CASCADE"), primary_key=True),
    Column("hospital", ForeignKey("hospital.id", ondelete="CASCADE"), primary_key=True, index=True),
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True, comment="in lower case"),
    Column("name", Text, nullable=False),
    Column("hospital", ForeignKey("hospital.id"), index=True),
    Column("language", String(8), nullable=False, comment="empty: as the browser asks"),
    Column("theme", String(8), nullable=False),
    Column("password_hash", Text, comment="argon2id; null for those who sign in elsewhere only"),
    Column("issuer", String(256), comment="of the OpenID provider"),
    Column("issuer_subject", String(256)),
    Column("made_at", DateTime, nullable=False),
    Column("disabled_at", DateTime),
    UniqueConstraint("issuer", "issuer_subject", name="person_elsewhere"),
)

person_role = Table(
    "person_role",
    metadata,
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), primary_key=True),
)

session = Table(
    "session",
    metadata,
    Column("digest", String(64), primary_key=True),
    _person(),
    Column("made_at", DateTime, nullable=False),
    Column("seen_at", DateTime, nullable=False),
    Column("address", String(64), nullable=False),
    Column("program", Text, nullable=False, comment="what the browser calls itself"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("hospital", ForeignKey("hospital.id", ondelete="CASCADE"), index=True),
    Column("roles", Text, nullable=False, comment="separated by spaces"),
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), comment="whose password it sets anew; else null"),
    Column("note", Text, nullable=False, comment="for whom it is, as the one who invites calls them"),
    Column("made_by", ForeignKey("person.id", ondelete="SET NULL")),
    Column("made_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("used_at", DateTime),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    _person(),
    Column("digest", String(64), nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False, comment="separated by spaces"),
    Column("made_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("used_at", DateTime),
    Column("revoked_at", DateTime),
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, comment="digest of what was typed: it may have been a password"),
    Column("address", String(64), nullable=False),
    Column("at", DateTime, nullable=False),
    Index("login_failure_by_login", "login", "at"),
    Index("login_failure_by_address", "address", "at"),
)

broken_glass = Table(
    "broken_glass",
    metadata,
    Column("id", Integer, primary_key=True),
    _person(),
    Column("hospital", ForeignKey("hospital.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("study_uid", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
)

emergency_try = Table(
    "emergency_try",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    Column("by", String(16), nullable=False, comment="what is tried: a patient, or the UID of an exam"),
    Column("at", DateTime, nullable=False),
    Index("emergency_try_of_person", "person", "by", "at"),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    _person(),
    Column("at", DateTime, nullable=False),
    Column("says", Text, nullable=False, comment="a text with its facts, as JSON"),
    Column("link", Text, nullable=False, comment="path on this server; empty without one"),
    Column("read_at", DateTime),
)
