"""The ledger's tables: one schema for SQLite and PostgreSQL (migrations in ``migrations/``).

Entries stand in one table a month, ``ledger_entries_YYYYMM``, made when its first entry comes.
What repeats stands once: the terms (what, between whom, by which article), the access items
(who, where, why), the cases (a pair of both), and the messages. All of these are numbered from
1 without gaps, in the order of their first use, by whoever holds the lock of the one row of
``ledger_head``. ``docs/adr/0013-the-ledgers-tables.md`` says why.
"""

from functools import cache

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()

_Big = Integer().with_variant(BigInteger, "postgresql")
RESIDENTS_TOGETHER = 12
"""Messages are indexed by resident in runs of two to the power of this; see ADR 0013."""
TIMES_TOGETHER = 14
"""Entries are indexed by time in runs of two to the power of this: a clock may be set back."""

head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("terms", BigInteger, nullable=False),
    Column("access", BigInteger, nullable=False),
    Column("cases", BigInteger, nullable=False),
    Column("checkpoints", BigInteger, nullable=False),
    Column("seal", Text, nullable=False),
    Column("fault", Text, nullable=False),
)

months = Table(
    "ledger_months",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),  # 202611
    Column("first_entry", BigInteger, nullable=False),
    Column("first_message", BigInteger, nullable=False),
    Column("destroyed", BigInteger, nullable=False),  # the entry that says so, or 0
)

terms = Table(
    "ledger_terms",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("released", Text, nullable=False),
    Column("withheld", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
)

access = Table(
    "ledger_access",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),
    Column("staff", Text, nullable=False, index=True),
    Column("department", Text, nullable=False),
    Column("terminal", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
)

cases = Table(
    "ledger_cases",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),
    Column("terms_id", BigInteger, nullable=False),
    Column("access_id", BigInteger, nullable=False),
    Index("ledger_cases_pair", "terms_id", "access_id", unique=True),
    Index("ledger_cases_access", "access_id"),
)

messages = Table(
    "ledger_messages",
    metadata,
    Column("no", _Big, primary_key=True, autoincrement=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("resident", Text, nullable=False),
    Index("ledger_messages_key", "sender", "message_id", "resident", unique=True),
)
Index(
    "ledger_messages_resident",
    text(f"(no >> {RESIDENTS_TOGETHER})"),
    messages.c.resident,
    sqlite_where=messages.c.resident != "",
    postgresql_where=messages.c.resident != "",
)

tiles = Table(
    "ledger_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("n", _Big, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False, index=True),
    Column("note", Text, nullable=False),
)

bindings = Table(
    "ledger_bindings",
    metadata,
    Column("resident", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    sqlite_with_rowid=False,
)

asides = Table(
    "ledger_asides",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),  # the entry that says it is there
    Column("list", Text, nullable=False),  # the confirmations, or the dead letters
    Column("at", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("resident", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("flow", Text, nullable=False),  # of a copy; a message as it was sent has none
    Column("receiver", Text, nullable=False),
    Column("step", Text, nullable=False),  # the one that failed, and the next three with it
    Column("detail", Text, nullable=False),
    Column("history", Text, nullable=False),  # what the broker says of it, as JSON
    Column("mark", Text, nullable=False),  # tells one death from another
    Column("died", BigInteger, nullable=False),  # microseconds; 0 where the broker did not say
    Column("age", BigInteger, nullable=False),  # the entry that makes it older than others
    Column("request", BigInteger, nullable=False),  # to replay it together with others, or 0
    Column("state", Text, nullable=False),
    Column("decided", BigInteger, nullable=False),  # the entry by which a person decided, or 0
    Column("body", LargeBinary, nullable=True),  # encrypted; none once the end is reached
)
Index(
    "ledger_asides_kept",
    asides.c.list,
    asides.c.state,
    sqlite_where=asides.c.body.is_not(None),
    postgresql_where=asides.c.body.is_not(None),
)
Index(
    "ledger_asides_mark",
    asides.c.mark,
    sqlite_where=asides.c.mark != "",
    postgresql_where=asides.c.mark != "",
)
Index("ledger_asides_message", asides.c.sender, asides.c.message_id)

STATIC = (head, months, terms, access, cases, messages, tiles, checkpoints)
"""The tables that the seal and the tree vouch for."""
BESIDE = (bindings, asides)
"""The tables beside: they are no evidence; ``hub.ledger.beside``."""

workers = Table(
    "hub_workers",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("beats", BigInteger, nullable=False),
)
"""The roster of the hub's workers; no part of the ledger, and in none of its backups."""

suspects = Table(
    "hub_suspects",
    MetaData(),
    Column("mark", Text, primary_key=True),
    Column("tries", BigInteger, nullable=False),
)
"""What may have ended a worker (``hub.ledger.suspects``); in no backup either."""

maintenance = Table(
    "hub_maintenance",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one row, or none
    Column("until", BigInteger, nullable=False),  # microseconds since 1970-01-01 UTC
    Column("reason", Text, nullable=False),
)
"""Whether people have the hub at rest (``hub.ledger.maintenance``); in no backup either."""


@cache
def entries(month: int) -> Table:
    """Give the table of a month's entries, such as 202611."""
    name = f"ledger_entries_{month:06d}"
    return Table(
        name,
        MetaData(),
        Column("seq", _Big, primary_key=True, autoincrement=False),
        Column("at", BigInteger, nullable=False),  # microseconds since 1970-01-01 UTC
        Column("case_id", _Big, nullable=False),
        Column("message_no", _Big, nullable=False),
        Column("digest", Text, nullable=False),
        Column("salt_check", Text, nullable=False),
        Column("detail", Text, nullable=False),  # a JSON string, quoted
        Column("salt", LargeBinary, nullable=True),  # none where there is none, or it is erased
        Index(f"{name}_message", "message_no"),
        # In SQLite the number stands behind every key already.
        Index(f"{name}_case", "case_id").ddl_if(dialect="sqlite"),
        Index(f"{name}_case", "case_id", "seq").ddl_if(dialect="postgresql"),
        Index(f"{name}_time", text(f"(seq >> {TIMES_TOGETHER})"), "at"),
    )
