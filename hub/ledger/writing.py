"""Put many rows into a table at once: the fastest plain way of each database."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, TextClause, text


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows whose values stand in the order of the table's columns."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_for_sqlite(table), [tuple(row) for row in rows])
    else:
        # One parameter a column, not a round trip a row (docs/adr/0006).
        columns = tuple(map(_array, zip(*rows, strict=True)))
        connection.exec_driver_sql(_for_postgresql(table), columns)


def put_tiles(connection: Connection, table: Table, rows: Sequence[tuple[int, int, bytes]]) -> None:
    """Write tiles; one that is there already grows."""
    values = [{"level": level, "n": n, "hashes": hashes} for level, n, hashes in rows]
    connection.execute(_growing(table), values)


@cache
def _growing(table: Table) -> TextClause:
    return text(
        f"INSERT INTO {table.name} (level, n, hashes) VALUES (:level, :n, :hashes) "  # noqa: S608 - a table of ours
        "ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes"
    )


@cache
def _for_sqlite(table: Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"  # noqa: S608 - ours


@cache
def _for_postgresql(table: Table) -> str:
    arrays = ", ".join(f"%s::{_type(column.type)}[]" for column in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - ours


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _type(kind: object) -> str:
    if isinstance(kind, LargeBinary):
        return "bytea"
    return "bigint" if isinstance(kind, BigInteger | Integer) else "text"


def _array(values: Sequence[object]) -> str:
    """Write one column's values as PostgreSQL writes an array."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
