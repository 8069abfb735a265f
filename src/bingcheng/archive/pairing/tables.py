"""The tables of the exchange between installations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bingcheng.archive.schema import metadata


def _peer() -> Column[int]:
    return Column("peer", ForeignKey("pairing_peer.id", ondelete="CASCADE"), nullable=False, index=True)


peer = Table(
    "pairing_peer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("keyid", String(64), nullable=False, unique=True, comment="SHA-256 of the public key"),
    Column("public", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column(
        "authority", Text, nullable=False, comment="PEM that alone may have signed its certificate; empty: any known"
    ),
    Column("pin", String(64), nullable=False, comment="SHA-256 of its certificate; empty: not pinned"),
    Column("may", Text, nullable=False, comment="what we allow to it, separated by spaces"),
    Column("allows", Text, nullable=False, comment="what it last said that it allows to us"),
    Column("hospital", Integer, comment="of this installation: the one that receives its cases; null: none does"),
    Column("made_at", DateTime, nullable=False),
    Column("confirmed_at", DateTime, comment="when a person compared the fingerprints; null: not yet"),
    Column("confirmed_by", Integer),
    Column("revoked_at", DateTime),
    Column("heard_at", DateTime, comment="when its last signed message came"),
    Column(
        "clock_here", DateTime, comment="when a message of it was last refused for its time; null: not since heard_at"
    ),
    Column("clock_there", DateTime, comment="the time that this message bore"),
)

nonce = Table(
    "pairing_nonce",
    metadata,
    Column("peer", ForeignKey("pairing_peer.id", ondelete="CASCADE"), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("at", DateTime, nullable=False, index=True),
)

bundle = Table(
    "pairing_bundle",
    metadata,
    Column("id", Integer, primary_key=True),
    _peer(),
    Column("incoming", Boolean, nullable=False),
    Column("name", String(32), nullable=False, comment="by which both sides know it"),
    Column("manifest", LargeBinary, nullable=False, comment="the signed bytes; empty where only its withdrawal came"),
    Column("signature", LargeBinary, nullable=False),
    # Of the manifest, so that the versions of a case are found without reading it; null in rows of earlier releases.
    Column("of_case", String(32), comment="by which all versions of the case are known"),
    Column("version", Integer, comment="of the case, as the manifest says"),
    Column("case_number", Integer, comment="of this installation; null before it is imported"),
    Column("state", String(16), nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("until", DateTime, comment="of ours: after it the peer may not fetch it any more; null: without an end"),
    UniqueConstraint("peer", "incoming", "name", name="pairing_bundle_once"),
    Index("pairing_bundle_of_case", "case_number"),
    Index("pairing_bundle_versions", "peer", "of_case"),
)

transfer = Table(
    "pairing_transfer",
    metadata,
    Column("id", Integer, primary_key=True),
    _peer(),
    Column("kind", String(16), nullable=False),
    Column("name", String(32), nullable=False, comment="of the bundle; empty where there is none"),
    Column("state", String(16), nullable=False),
    Column("asked_at", DateTime, nullable=False),
    Column("asked_by", Integer, comment="the person who wanted it; null: the program itself, or nobody knows"),
    Column("next_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column("tries", Integer, nullable=False),
    Column("done", BigInteger, nullable=False, comment="bytes"),
    Column("total", BigInteger, nullable=False),
    Column("reason", Text, comment="what went wrong last, as a text"),
    Index("pairing_transfer_due", "state", "next_at"),
)

statistics = Table(
    "pairing_statistics",
    metadata,
    Column("peer", ForeignKey("pairing_peer.id", ondelete="CASCADE"), primary_key=True),
    Column("document", LargeBinary, nullable=False, comment="the signed bytes"),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", DateTime, nullable=False),
)
