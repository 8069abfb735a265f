"""What the tables of a database lack of this release's, and making it good without losing a row.

The version of a workspace tells which steps of `bingcheng.archive.upgrade` it has behind it. It does not tell of tables
and columns that came without a new version, or of a step that another release cut short: those are found by looking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, Index, MetaData, Table, UniqueConstraint, literal, select, update
from sqlalchemy.schema import CreateColumn

from bingcheng.archive import rooms, schema
from bingcheng.core.errors import InputError, Owner, Problem

CANNOT_COMPLETE = Problem(
    code="archive.cannot-complete",
    says="the table {table} of the workspace can't be brought to this release: its column {column} does not fit, "
    "and the table holds rows",
    remedy="Nothing was changed. Make a new workspace from the images with `bingcheng assess`, or report table and "
    "column to the developers.",
    owner=Owner.OPERATOR,
)
INCOMPLETE_WORKSPACE = Problem(
    code="archive.incomplete-workspace",
    says="the workspace lacks tables of this release",
    remedy="Run `bingcheng assess` with this workspace once: what is missing is added, and it keeps what it holds.",
    owner=Owner.OPERATOR,
)

_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        # Table, column, and whether a row must say what stands in it. Of a primary key the database knows by itself.
        "sqlite": """
            SELECT found.name, held.name, held."notnull" AND held.dflt_value IS NULL AND NOT held.pk
            FROM sqlite_master AS found JOIN pragma_table_info(found.name) AS held
            WHERE found.type = 'table'
        """,
        "postgresql": """
            SELECT found.relname, held.attname, held.attnotnull AND NOT held.atthasdef AND held.attidentity = ''
                AND NOT EXISTS (
                    SELECT 1 FROM pg_constraint AS key
                    WHERE key.conrelid = found.oid AND key.contype = 'p' AND held.attnum = ANY (key.conkey)
                )
            FROM pg_attribute AS held JOIN pg_class AS found ON found.oid = held.attrelid
            WHERE found.relnamespace = current_schema()::regnamespace AND found.relkind IN ('r', 'p')
                AND held.attnum > 0 AND NOT held.attisdropped
        """,
    }
)
_INDEXES: Mapping[str, str] = MappingProxyType(
    {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacks:
    """In what a database differs from this release's tables.

    Parameters
    ----------
    tables : that it has not.
    columns : that its tables have not.
    strict : columns, by their tables, that it wants filled in every row and this release does not fill.
    indexes : that tables which it has lack.
    """

    tables: tuple[Table, ...] = ()
    columns: tuple[Column[Any], ...] = ()
    strict: tuple[tuple[Table, str], ...] = ()
    indexes: tuple[Index, ...] = ()

    @property
    def unusable(self) -> bool:
        """Whether this release can't work with it as it is; an index that is missing costs only time."""
        return bool(self.tables or self.columns or self.strict)

    def __bool__(self) -> bool:
        """Whether anything is to be done."""
        return self.unusable or bool(self.indexes)


def lacks(connection: Connection) -> Lacks:
    """What the database lacks of this release's tables; columns and indexes beyond them do no harm."""
    dialect = connection.dialect.name
    held: dict[str, dict[str, bool]] = defaultdict(dict)
    for table, column, strict in connection.exec_driver_sql(_COLUMNS[dialect]).all():
        held[table][column] = bool(strict)
    indexes = {name for (name,) in connection.exec_driver_sql(_INDEXES[dialect]).all()}
    tables = tuple(rooms.metadata.tables.values())
    there = [table for table in tables if table.name in held]
    return Lacks(
        tables=tuple(table for table in tables if table.name not in held),
        columns=tuple(column for table in there for column in table.columns if column.name not in held[table.name]),
        strict=tuple((table, name) for table in there for name in _strict(table, held[table.name])),
        indexes=tuple(
            one
            for table in there
            for one in _by_name(table.indexes)
            if str(one.name) not in indexes and one.info.get("dialect", dialect) == dialect
        ),
    )


def _strict(table: Table, held: Mapping[str, bool]) -> Iterator[str]:
    for name, wanted in held.items():
        column = table.columns.get(name)
        if wanted and (column is None or column.nullable or column.server_default is not None):
            yield name


def _by_name(indexes: Iterable[Index]) -> list[Index]:
    return sorted(indexes, key=lambda index: str(index.name))


def complete(connection: Connection) -> None:
    """Add what is missing. A column that came to the table of exams lets them be judged anew, which fills it.

    Raises
    ------
    InputError
        ``archive.cannot-complete``: a table with rows can't take a column on; whoever calls must then undo everything.
    """
    found = lacks(connection)
    columns: dict[Table, list[Column[Any]]] = defaultdict(list)
    for column in found.columns:
        columns[column.table].append(column)
    strict: dict[Table, list[str]] = defaultdict(list)
    for table, name in found.strict:
        strict[table].append(name)
    for table in rooms.metadata.sorted_tables:
        if columns[table] or strict[table]:
            _complete(connection, table, columns[table], strict[table])
    rooms.metadata.create_all(connection)
    for index in lacks(connection).indexes:
        index.create(connection)
    if any(column.table is schema.exam for column in found.columns):
        connection.execute(update(schema.exam).values(judged=None))


def _complete(connection: Connection, table: Table, columns: Iterable[Column[Any]], strict: Iterable[str]) -> None:
    empty = connection.execute(select(literal(1)).select_from(table).limit(1)).first() is None
    if empty and not _leaned_on(connection, table):
        table.drop(connection)  # with its indexes; there is nothing in it to lose
        table.create(connection)
        return
    for name in strict:
        if connection.dialect.name == "sqlite":  # which can't let a column be empty that it had to be filled
            raise InputError(CANNOT_COMPLETE, table=table.name, column=name)
        written = connection.dialect.identifier_preparer.quote(name)
        connection.exec_driver_sql(f"ALTER TABLE {_name(connection, table)} ALTER COLUMN {written} DROP NOT NULL")
    for column in columns:
        _add(connection, table, column)


def _leaned_on(connection: Connection, table: Table) -> bool:
    """Whether other tables refer to this one, so that PostgreSQL would not let it go even without rows."""
    if connection.dialect.name == "sqlite":
        return False
    others = (other for other in rooms.metadata.tables.values() if other is not table)
    return any(key.column.table is table for other in others for key in other.foreign_keys)


def _add(connection: Connection, table: Table, column: Column[Any]) -> None:
    default = _default(column)
    key = any(column.name in one.columns for one in table.constraints if isinstance(one, UniqueConstraint))
    if column.primary_key or key or not (column.nullable or default is not None):
        raise InputError(CANNOT_COMPLETE, table=table.name, column=column.name)
    # A column of a table by itself: the one that is missing belongs to a table that is not made here.
    alone = Column(column.name, column.type, nullable=column.nullable, server_default=default)
    Table(table.name, MetaData(), alone)
    words = str(CreateColumn(alone).compile(dialect=connection.dialect))
    connection.exec_driver_sql(
        f"ALTER TABLE {_name(connection, table)} ADD COLUMN {words}{_reference(connection, column)}"
    )


def _default(column: Column[Any]) -> Any:
    """What stands in the rows that are there: as the database would fill the column, or as the program would."""
    if column.server_default is not None:
        return getattr(column.server_default, "arg", None)
    if column.default is not None and column.default.is_scalar:
        return literal(column.default.arg, column.type)  # type: ignore[attr-defined]
    return None


def _reference(connection: Connection, column: Column[Any]) -> str:
    words = ""
    for key in column.foreign_keys:
        quoted = connection.dialect.identifier_preparer.quote(key.column.name)
        words += f" REFERENCES {_name(connection, key.column.table)} ({quoted})"
        words += f" ON DELETE {key.ondelete}" if key.ondelete else ""
    return words


def _name(connection: Connection, table: Any) -> str:
    return str(connection.dialect.identifier_preparer.format_table(table))
