"""Verifies that the ledger's database has its tables, and only values of their types."""

from collections.abc import Iterable, Sequence
from functools import cache

from sqlalchemy import Connection, LargeBinary, Table, Text, create_engine
from sqlalchemy.dialects import postgresql

from hub.ledger.months import Month
from hub.ledger.reading import driver_rows
from hub.ledger.schema import VERSION_TABLE, upgrade
from hub.ledger.tables import entries, metadata
from hub.ledger.verify.fault import Fault, reading

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # it has no annotations

_OURS = "ledger"
_SQLITE_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_POSTGRESQL_COLUMNS = """
    SELECT c.table_name, c.column_name, c.data_type, c.is_nullable
    FROM information_schema.columns c
    WHERE c.table_schema = current_schema() AND left(c.table_name, 6) = ?
"""
_POSTGRESQL_INDEXES = """
    SELECT indexname FROM pg_catalog.pg_indexes
    WHERE schemaname = current_schema() AND left(tablename, 6) = ?
"""
_POSTGRESQL_EXTRAS = """
    SELECT 'table', relname FROM pg_catalog.pg_class c
    WHERE relnamespace = current_schema()::regnamespace AND left(relname, 6) = ?
      AND relkind NOT IN ('r', 'i')
    UNION ALL
    SELECT 'trigger', tgname FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND left(c.relname, 6) = ?
    UNION ALL
    SELECT 'rule', rulename FROM pg_catalog.pg_rules
    WHERE schemaname = current_schema() AND left(tablename, 6) = ?
"""


def check_tables(connection: Connection, kept: Sequence[Month]) -> None:
    """See that there are the ledger's tables and indexes, for these months, and nothing else.

    Raises:
        Fault: one is missing, there is another, or it is made differently.
    """
    with reading("the list of tables"):
        if connection.dialect.name == "sqlite":
            found = _sqlite_objects(connection)
            wanted = _wanted_of_sqlite(kept)
        else:
            found = _postgresql_objects(connection)
            wanted = _wanted_of_postgresql(kept)
    for name in sorted(wanted.keys() - found.keys()):
        raise Fault(_first_of(name, kept), f"{name} is missing from the database")
    for name in sorted(found.keys() - wanted.keys()):
        raise Fault(None, f"{name} stands in the database and is no part of the ledger")
    for name in sorted(wanted):
        if wanted[name] != found[name]:
            raise Fault(None, f"{name} is not made as this program makes it")


def _first_of(name: str, kept: Iterable[Month]) -> int | None:
    return next((month.first_entry for month in kept if month.table in name), None)


def _sqlite_objects(connection: Connection) -> dict[str, object]:
    rows = driver_rows(connection, _SQLITE_OBJECTS)
    # How the lines are broken says nothing, and another release may break them elsewhere.
    return {
        f"{kind} {name}": (table, " ".join(sql.split()) if isinstance(sql, str) else sql)
        for kind, name, table, sql in rows
        if not str(name).startswith("sqlite_stat")
    }


def _wanted_of_sqlite(kept: Iterable[Month]) -> dict[str, object]:
    wanted = dict(_fresh_sqlite(None))
    for month in kept:
        wanted.update(_fresh_sqlite(month.month))
    return wanted


@cache
def _fresh_sqlite(month: int | None) -> dict[str, object]:
    """Give what a database is made of in which only a month was made, or all but months."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            if month is None:
                upgrade(connection)
            else:
                entries(month).create(connection)
            return _sqlite_objects(connection)
    finally:
        engine.dispose()


def _postgresql_objects(connection: Connection) -> dict[str, object]:
    columns: dict[str, set[tuple[str, ...]]] = {}
    for table, *column in driver_rows(connection, _POSTGRESQL_COLUMNS, _OURS):
        columns.setdefault(f"table {table}", set()).add(tuple(column))
    indexes = driver_rows(connection, _POSTGRESQL_INDEXES, _OURS)
    extras = driver_rows(connection, _POSTGRESQL_EXTRAS, _OURS, _OURS, _OURS)
    named = {f"index {name}": None for (name,) in indexes if not name.endswith(("_pkey", "_pkc"))}
    return {**columns, **named, **{f"{kind} {name}": None for kind, name in extras}}


def _wanted_of_postgresql(kept: Iterable[Month]) -> dict[str, object]:
    wanted: dict[str, object] = {
        f"table {VERSION_TABLE}": {("version_num", "character varying", "NO")}
    }
    for table in (*metadata.tables.values(), *(entries(month.month) for month in kept)):
        wanted[f"table {table.name}"] = {
            (
                column.name,
                column.type.compile(_POSTGRESQL).lower(),
                "YES" if column.nullable else "NO",
            )
            for column in table.columns
        }
        for index in table.indexes:
            wanted[f"index {index.name}"] = None
        for column in table.columns:
            if column.unique:
                wanted[f"index {table.name}_{column.name}_key"] = None
    return wanted


def check_types(connection: Connection, table: Table, first: int = 0, after: int = 0) -> None:
    """See that each value has its column's type: SQLite takes any value in any column.

    ``first`` and ``after`` cut out a range of entries, where the table is a month's.

    Raises:
        Fault: one has not; a NULL where none may be is such, too.
    """
    if connection.dialect.name != "sqlite":
        return
    wrong = " OR ".join(
        f"typeof({column.name}) NOT IN ({_types(column.type, nullable=bool(column.nullable))})"
        for column in table.columns
    )
    # The rows count and not an index that may differ from them.
    rows_of = f"FROM {table.name} NOT INDEXED WHERE ({wrong})"
    with reading(table.name):
        if after:
            query = f"SELECT min(seq) {rows_of} AND seq >= ? AND seq < ?"
            ((entry,),) = driver_rows(connection, query, first, after)
        else:
            entry = None
            if not driver_rows(connection, f"SELECT 1 {rows_of} LIMIT 1"):
                return
    if entry is not None or not after:
        raise Fault(entry, f"{table.name}: a value is not of its column's type")


def _types(kind: object, *, nullable: bool) -> str:
    name = "text" if isinstance(kind, Text) else "blob" if isinstance(kind, LargeBinary) else None
    return f"'{name or 'integer'}'" + (", 'null'" if nullable else "")
