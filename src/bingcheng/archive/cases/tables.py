"""The tables of cases. What leads back to originals (source UIDs, pictures that wait) only their hospital reads."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
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


def _case(*, primary_key: bool = False) -> Column[int]:
    return Column(
        "case_id",
        ForeignKey("shared_case.id", ondelete="CASCADE"),
        nullable=False,
        index=not primary_key,
        primary_key=primary_key,
    )


def _person(name: str = "person") -> Column[int]:
    return Column(name, ForeignKey("person.id"), nullable=False, index=True)


shared_case = Table(
    "shared_case",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hospital", ForeignKey("hospital.id"), nullable=False, index=True),
    _person("author"),
    Column("status", String(16), nullable=False, index=True),
    Column("profile", String(64), nullable=False, comment="of de-identification"),
    Column("made_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("published_at", DateTime),
    Column("withdrawn_at", DateTime),
    Column("version", Integer, nullable=False),
    Column("record", Text, nullable=False, comment="what is written about it, as JSON"),
    # Of the record, so that a search need not read it.
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False, comment="all that is searched for, without case"),
    Column("body_part", Text, nullable=False),
    Column("modality", Text, nullable=False),
    Column("diagnosis", Text, nullable=False),
    Column("diagnosis_code", String(32), nullable=False),
    Column("show_hospital", Boolean, nullable=False),
    # Null where nothing is hidden: by these only they find a case who know its answer.
    Column("answer_words", Text, comment="all that is searched for, and the answer that the case hides"),
    Column("answer_diagnosis", Text),
    Column("answer_code", String(32)),
    Column("issuer", String(64), comment="of numbers that name none, as when its key was made; null before that"),
    # All that tells who may see a case and what cases are narrowed by, so that counting reads nothing that is written.
    Index("shared_case_seen", "status", "hospital", "show_hospital", "body_part"),
)

case_version = Table(
    "case_version",
    metadata,
    _case(primary_key=True),
    Column("version", Integer, primary_key=True),
    _person(),
    Column("at", DateTime, nullable=False),
    Column("record", Text, nullable=False),
)

case_tag = Table(
    "case_tag",
    metadata,
    _case(primary_key=True),
    Column("tag", String(64), primary_key=True),
    Index("case_tag_cases", "tag", "case_id"),
)

case_selection = Table(
    "case_selection",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("study_uid", String(64), nullable=False, comment="the original's"),
    Column("series_uid", String(64), nullable=False),
    Column("sop_uid", String(64), comment="of a key image; null for the whole series"),
)

case_exam = Table(
    "case_exam",
    metadata,
    _case(primary_key=True),
    Column("number", Integer, primary_key=True, comment="in time, from 1"),
    Column("study_uid", String(64), nullable=False, index=True, comment="the new one, of this case alone"),
    Column("day", Integer, comment="days since the case's first exam"),
    Column("modalities", Text, nullable=False),
    Column("instances", Integer, nullable=False),
    Index("case_exam_modalities", "case_id", "modalities"),
)

case_picture = Table(
    "case_picture",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("study_uid", String(64), nullable=False, comment="the original's"),
    Column("series_uid", String(64), nullable=False),
    Column("sop_uid", String(64), nullable=False),
    Column("code", String(64), nullable=False, comment="why it waits, or may not leave"),
    Column("reason", Text, nullable=False),
    Column("regions", Text, nullable=False, comment="proposed, then decided: lists of x, y, width, height"),
    Column("decision", String(16), nullable=False),
    Column("decided_by", ForeignKey("person.id")),
    Column("decided_at", DateTime),
    # Null in rows of earlier releases, of which the code tells it.
    Column("asks", String(32), comment="what a person must say yes to: text, face"),
    Column("allowed", String(32), comment="what a person said yes to"),
    UniqueConstraint("case_id", "sop_uid"),
)

case_value = Table(
    "case_value",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("exam", Integer, nullable=False),
    Column("lesion", Integer, comment="number within the case; null for a measure of a series"),
    Column("modality", String(16), nullable=False),
    Column("key", String(128), nullable=False),
    Column("label", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("standard_uncertainty", Float),
    Column("unit", String(32), nullable=False),
    Index("case_value_by_key", "key", "unit", "value"),
)

case_protocol = Table(
    "case_protocol",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("exam", Integer, nullable=False),
    Column("protocol", String(64), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("passed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
)

case_change = Table(
    "case_change",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("lesion", Integer, nullable=False, comment="number within the case, as those of the exams"),
    Column("before", Integer, nullable=False),
    Column("after", Integer, nullable=False),
    Column("record", Text, nullable=False),
)

case_grant = Table(
    "case_grant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False, comment="of what: a case, a collection, a shared method"),
    Column("subject", Integer, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("hospital", ForeignKey("hospital.id", ondelete="CASCADE"), index=True),
    Column("hospital_group", ForeignKey("hospital_group.id", ondelete="CASCADE"), index=True),
    Column("download", Boolean, nullable=False),
    Column("made_by", ForeignKey("person.id"), nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("expires_at", DateTime),
    Column("withdrawn_at", DateTime),
    Index("case_grant_of", "kind", "subject"),
)

case_comment = Table(
    "case_comment",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("answers", ForeignKey("case_comment.id", ondelete="CASCADE"), comment="the comment that it replies to"),
    _person(),
    Column("at", DateTime, nullable=False),
    Column("words", Text, nullable=False),
    Column("anchor", Text, nullable=False, comment="a place in an image, a lesion, or the whole case, as JSON"),
    Column("edited_at", DateTime),
    Column("deleted_at", DateTime),
    Column("hidden_at", DateTime),
    Column("hidden_by", ForeignKey("person.id")),
    Column("hidden_because", Text),
    Column("told", Text, comment="numbers of those whom it names, as JSON; null in rows of earlier releases"),
)

case_comment_version = Table(
    "case_comment_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("comment", ForeignKey("case_comment.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", DateTime, nullable=False, comment="until when it stood so"),
    Column("words", Text, nullable=False),
)

case_comment_report = Table(
    "case_comment_report",
    metadata,
    Column("comment", ForeignKey("case_comment.id", ondelete="CASCADE"), primary_key=True),
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("because", Text, nullable=False),
    Column("settled_at", DateTime, comment="when a moderator hid the comment or let it stand"),
)

case_comment_found = Table(
    "case_comment_found",
    metadata,
    Column("comment", ForeignKey("case_comment.id", ondelete="CASCADE"), primary_key=True),
    Column("at", DateTime, nullable=False, comment="when it was written, before comments were searched"),
    Column("because", Text, nullable=False, comment="what tells who the patient is, and where; never the words"),
    Column("settled_at", DateTime),
)

case_attachment = Table(
    "case_attachment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("comment", ForeignKey("case_comment.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", String(64), nullable=False, comment="media type, by content"),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("taken", String(128), comment="what was taken out of it; null: it was attached before files were cleaned"),
)

case_answer = Table(
    "case_answer",
    metadata,
    _case(primary_key=True),
    Column(
        "question", String(32), primary_key=True, comment="digest of what was asked: a changed question is a new one"
    ),
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("choice", Integer, nullable=False),
    Column("at", DateTime, nullable=False),
)

case_opinion = Table(
    "case_opinion",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    _person("asked_by"),
    Column("asked_at", DateTime, nullable=False),
    Column("question", Text, nullable=False),
    Column("hospital", ForeignKey("hospital.id"), nullable=False, index=True),
    Column("person", ForeignKey("person.id"), comment="one person of it; null for anybody"),
    Column("due_on", Date),
    Column("state", String(16), nullable=False),
    Column("answered_by", ForeignKey("person.id")),
    Column("answered_at", DateTime),
    Column("conclusion", Text, nullable=False, comment="as JSON; empty while it is open"),
    Column("reminded_at", DateTime),
)

case_collection = Table(
    "case_collection",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hospital", ForeignKey("hospital.id"), nullable=False, index=True),
    _person("author"),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("removed_at", DateTime),
)

case_collection_item = Table(
    "case_collection_item",
    metadata,
    Column("collection", ForeignKey("case_collection.id", ondelete="CASCADE"), primary_key=True),
    _case(primary_key=True),
    Column("place", Integer, nullable=False),
    Column("note", Text, nullable=False),
)

shared_method = Table(
    "shared_method",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("hospital", ForeignKey("hospital.id"), index=True, comment="null for the province's"),
    _person("author"),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("content", Text, nullable=False, comment="a protocol as TOML; a method's description as JSON"),
    Column("evidence", Text, nullable=False, comment="what `bingcheng verify` said, as JSON; empty without"),
    Column("made_at", DateTime, nullable=False),
    Column("withdrawn_at", DateTime),
)

case_reading = Table(
    "case_reading",
    metadata,
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    _case(primary_key=True),
    Column("added_at", DateTime, nullable=False),
    Column("read_at", DateTime, comment="null: still to be read"),
)

case_opened = Table(
    "case_opened",
    metadata,
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    _case(primary_key=True),
    Column("at", DateTime, nullable=False, comment="the first time"),
)

case_unlocked = Table(
    "case_unlocked",
    metadata,
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    _case(primary_key=True),
    Column("at", DateTime, nullable=False, comment="when the person first knew the answer that the case hides"),
)

case_mute = Table(
    "case_mute",
    metadata,
    Column("person", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
)
