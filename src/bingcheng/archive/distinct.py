"""The few different values of a column with many rows, found by its index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select


def distinct(connection: Connection, column: Column[str], *conditions: ColumnElement[bool]) -> list[str]:
    """The values of a column in ascending order, of the rows that fulfil the conditions.

    Each is looked up as the least beyond the one before: a ``SELECT DISTINCT`` reads every row of the index on either
    database.
    """
    least: Any = select(func.min(column).label("value")).where(*conditions)
    steps = least.cte("steps", recursive=True)
    following = least.where(column > steps.c.value).correlate(steps).scalar_subquery()
    steps = steps.union_all(select(following).where(steps.c.value.is_not(None)))
    return list(connection.scalars(select(steps.c.value).where(steps.c.value.is_not(None))))
