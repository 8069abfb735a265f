"""The index of received objects. What a person searches by stands in columns; the rest of a level in one JSON column.

Columns that end in ``_key`` hold what is compared (see `bingcheng.archive.objects.attributes`), never what is shown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
    event,
    func,
    literal_column,
    null,
)
from sqlalchemy.exc import DBAPIError

from bingcheng.archive.schema import POSTGRESQL, metadata

SPACE, UID = 96, 64


def _key(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def pairs_in(words: ColumnElement[str]) -> ColumnElement[Any]:
    """All characters beyond ASCII of a text, and all pairs of neighbours, as an array of PostgreSQL.

    Of the pairs come first those that begin at the odd places, then those at the even ones. It is written of what every
    server has, in words that don't depend on values that are bound: only so an index is found by it. A text has some
    ten of them, where with those of ASCII it had a hundred, which every object of a study would pay for.
    """
    ascii_alone: ColumnElement[str] = literal_column("'[ -~]+'")
    pair: ColumnElement[str] = literal_column("'(..)'")
    parted: ColumnElement[str] = literal_column(r"E'\\1\n'")
    end: ColumnElement[str] = literal_column(r"E'\n'")
    each, blank, second = (literal_column(one, Text) for one in ("'g'", "' '", "2"))

    def every_other(begun: ColumnElement[str]) -> ColumnElement[Any]:
        return func.string_to_array(func.regexp_replace(begun, pair, parted, each), end)

    others = func.regexp_replace(words, ascii_alone, blank, each)
    pairs = every_other(others).op("||")(every_other(func.substr(others, second)))
    return pairs.op("||")(func.string_to_array(others, null()))


ON_SERVER = Index("stored_study_pairs", pairs_in(column("words_key")), postgresql_using="gin", info=POSTGRESQL).ddl_if(
    dialect="postgresql"
)
"""Finds one or two Chinese characters, which are too short for a trigram."""

stored_study = Table(
    "stored_study",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(SPACE), nullable=False),
    Column("study_uid", String(UID), nullable=False),
    _key("patient_id_key"),
    _key("issuer_key"),
    _key("name_alphabetic_key"),
    _key("name_ideographic_key"),
    _key("name_phonetic_key"),
    _key("birth_date_key"),
    _key("sex_key"),
    _key("study_date_key"),
    _key("study_time_key"),
    _key("accession_key"),
    _key("study_id_key"),
    _key("description_key"),
    _key("referring_key"),
    Column("words_key", Text, nullable=False, server_default="", comment="what people look for, without case"),
    Column("modalities_key", Text, nullable=False, server_default="\\", comment="each between backslashes"),
    Column("series_count", Integer, nullable=False, server_default="0"),
    Column("instance_count", Integer, nullable=False, server_default="0"),
    Column("byte_count", BigInteger, nullable=False, server_default="0"),
    Column("received_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0", comment="raised with every change"),
    Column("worked_revision", Integer, nullable=False, server_default="0", comment="what the background has seen"),
    Column("patient_differs", Boolean, nullable=False, comment="objects of one study name different patients"),
    Column("attributes", Text, nullable=False),
    UniqueConstraint("space", "study_uid"),
    # All that a list of studies is filtered by: a search reads this index only, in the order of the list, and stops
    # when the page is full.
    Index(
        "stored_study_search",
        "space",
        "study_date_key",
        "study_time_key",
        "name_alphabetic_key",
        "name_ideographic_key",
        "name_phonetic_key",
        "patient_id_key",
        "accession_key",
        "birth_date_key",
        "sex_key",
        "modalities_key",
        "description_key",
        "words_key",
        # What SQLite has in every index: with it PostgreSQL reads the index alone, too.
        postgresql_include=["id"],
    ),
    # The same for words alone: where few studies or none hold them the whole of it is read, half as long as the other.
    Index("stored_study_words", "space", "study_date_key", "study_time_key", "words_key"),
    ON_SERVER,
    # With what a list is ordered by, or SQLite would rather read the other index from its beginning than sort.
    Index("stored_study_patient", "space", "patient_id_key", "study_date_key", "study_time_key"),
    Index("stored_study_accession", "space", "accession_key", "study_date_key", "study_time_key"),
    Index("stored_study_changed", "changed_at"),
    # How much a hospital holds is summed up from this alone.
    Index("stored_study_amounts", "space", "series_count", "instance_count", "byte_count"),
    # Whose an exam is, is asked by its UID in all spaces.
    Index("stored_study_uid", "study_uid"),
)

stored_series = Table(
    "stored_series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_id", ForeignKey("stored_study.id", ondelete="CASCADE"), nullable=False),
    Column("series_uid", String(UID), nullable=False, index=True),
    _key("modality_key"),
    Column("number", Integer),
    _key("series_description_key"),
    _key("step_date_key"),
    _key("step_time_key"),
    _key("body_part_key"),
    _key("manufacturer_key"),
    _key("model_key"),
    _key("station_key"),
    _key("institution_key"),
    _key("protocol_key"),
    _key("scheduled_step_key"),
    _key("requested_procedure_key"),
    Column("series_instance_count", Integer, nullable=False, server_default="0"),
    Column("series_byte_count", BigInteger, nullable=False, server_default="0"),
    Column("series_received_at", DateTime, nullable=False),
    Column("series_revision", Integer, nullable=False, server_default="0"),
    Column("series_attributes", Text, nullable=False),
    UniqueConstraint("study_id", "series_uid"),
)

stored_instance = Table(
    "stored_instance",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series_id", ForeignKey("stored_series.id", ondelete="CASCADE"), nullable=False),
    Column("instance_space", String(SPACE), nullable=False),
    Column("sop_uid", String(UID), nullable=False),
    Column("sop_class_uid", String(UID), nullable=False),
    Column("transfer_syntax_uid", String(UID), nullable=False),
    Column("instance_number", Integer),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("frames", Integer),
    Column("bits_allocated", Integer),
    Column("samples", Integer),
    _key("content_date_key"),
    _key("content_time_key"),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("file", String(64), nullable=False, comment="the last part of its key in the storage"),
    Column("pixel_offset", BigInteger, comment="of the pixel value in the file; null where a seek can't reach it"),
    Column("pixel_length", BigInteger, comment="null if encapsulated"),
    Column("instance_received_at", DateTime, nullable=False),
    Column("origin_kind", String(16), nullable=False),
    Column("origin_peer", Text, nullable=False),
    Column("origin_person", Integer),
    Column("instance_attributes", Text, nullable=False),
    UniqueConstraint("instance_space", "sop_uid"),
    Index("stored_instance_of_series", "series_id", "instance_number"),
)

# Other bytes under a UID that is stored already: kept aside until a person decides.
stored_conflict = Table(
    "stored_conflict",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space", String(SPACE), nullable=False),
    Column("study_uid", String(UID), nullable=False),
    Column("series_uid", String(UID), nullable=False),
    Column("sop_uid", String(UID), nullable=False),
    Column("sop_class_uid", String(UID), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("location", Text, nullable=False),
    Column("received_at", DateTime, nullable=False),
    Column("origin_kind", String(16), nullable=False),
    Column("origin_peer", Text, nullable=False),
    Column("origin_person", Integer),
    UniqueConstraint("space", "sop_uid", "sha256"),
)

# Files whose rows are gone but which may still lie there: a crash between the two must not bring them back.
stored_removal = Table("stored_removal", metadata, Column("location", String(255), primary_key=True))

# DICOM JSON of a whole series, compressed; of use only while the series' revision is the one it was made from.
stored_metadata = Table(
    "stored_metadata",
    metadata,
    Column("series_id", ForeignKey("stored_series.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("uids", Text, nullable=False),
    Column("lines", LargeBinary, nullable=False),
)


def _add_trigrams(_table: Table, connection: Connection, **_: object) -> None:
    """On PostgreSQL, find pieces of words by an index: without it such a search reads all studies of a hospital.

    The extension is a trusted one: whoever may create in the database may make it, if the server has it installed.
    Else searches do without.
    """
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for column in ("words_key", "modalities_key"):
                connection.exec_driver_sql(
                    f"CREATE INDEX stored_study_{column} ON stored_study USING gin ({column} gin_trgm_ops)"
                )
    except DBAPIError:
        return


event.listen(stored_study, "after_create", _add_trigrams)
