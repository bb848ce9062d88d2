"""Put many rows into a table at once: the fastest plain way of each database."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, text

from hub.ledger.leaf import json_text


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows whose values stand in the order of the table's columns."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_for_sqlite(table), [tuple(row) for row in rows])
    else:
        # One parameter instead of a round trip for each row (docs/adr/0006).
        connection.execute(text(_for_postgresql(table)), {"rows": json_text(_jsonable(rows))})


def put_tiles(connection: Connection, table: Table, rows: Sequence[tuple[int, int, bytes]]) -> None:
    """Write tiles; one that is there already grows."""
    statement = (
        f"INSERT INTO {table.name} (level, n, hashes) VALUES (:level, :n, :hashes) "  # noqa: S608 - a table of ours
        "ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes"
    )
    values = [{"level": level, "n": n, "hashes": hashes} for level, n, hashes in rows]
    connection.execute(text(statement), values)


@cache
def _for_sqlite(table: Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"  # noqa: S608 - ours


@cache
def _for_postgresql(table: Table) -> str:
    columns = ", ".join(
        f"(r.row->>{place})::{_type(column.type)}"
        if not isinstance(column.type, LargeBinary)
        else f"decode(r.row->>{place}, 'hex')"
        for place, column in enumerate(table.columns)
    )
    return (
        f"INSERT INTO {table.name} ({_names(table)}) SELECT {columns} "  # noqa: S608 - ours
        "FROM json_array_elements(CAST(:rows AS json)) AS r(row)"
    ).replace("::", "\\:\\:")


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _type(kind: object) -> str:
    return "bigint" if isinstance(kind, BigInteger | Integer) else "text"


def _jsonable(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    return [[value.hex() if isinstance(value, bytes) else value for value in row] for row in rows]
