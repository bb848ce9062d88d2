"""The ledger's tables: one schema for SQLite and PostgreSQL (migrations in ``migrations/``).

Texts that repeat on almost every entry (the article and the field lists; who sent from which
terminal) stand once in ``ledger_terms`` and ``ledger_access``. ``ledger_head`` has one row:
whoever appends takes that row's lock first, so numbers have no gaps, whatever the number of
workers. The Merkle tree will be appended to in the same transaction.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text

metadata = MetaData()

_Id = Integer().with_variant(BigInteger, "postgresql")

head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
)

terms = Table(
    "ledger_terms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("basis", Text, nullable=False),
    Column("released", Text, nullable=False),
    Column("withheld", Text, nullable=False),
)

access = Table(
    "ledger_access",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("staff", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("terminal", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("operation", Text, nullable=False),
)

entries = Table(
    "ledger_entries",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),  # microseconds since 1970-01-01 UTC
    Column("kind", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("resident", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("terms_id", Integer, ForeignKey("ledger_terms.id"), nullable=False),
    Column("access_id", Integer, ForeignKey("ledger_access.id"), nullable=False),
    Index("ledger_entries_message", "message_id", "sender"),
)
Index(
    "ledger_entries_resident",
    entries.c.resident,
    sqlite_where=entries.c.resident != "",
    postgresql_where=entries.c.resident != "",
)
Index(
    "ledger_entries_catalogue",
    entries.c.seq,
    sqlite_where=entries.c.kind == "catalogue-change",
    postgresql_where=entries.c.kind == "catalogue-change",
)
