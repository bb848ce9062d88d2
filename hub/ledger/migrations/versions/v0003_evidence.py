"""The ledger with its tree. What stood before it had no hashes and cannot be carried over."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the one row of the head."""
    big = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *_numbers("size", "messages", "terms", "access", "cases", "checkpoints"),
        *_texts("seal", "fault"),
    )
    counts = dict.fromkeys(("size", "messages", "terms", "access", "cases", "checkpoints"), 0)
    op.bulk_insert(head, [{"id": 1, **counts, "seal": "", "fault": ""}])
    op.create_table(
        "ledger_months",
        sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
        *_numbers("first_entry", "first_message", "destroyed"),
    )
    op.create_table(
        "ledger_terms",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        *_texts("kind", "message_type", "flow", "sender", "receiver", "code", "basis", "purpose"),
        *_texts("released", "withheld", "said"),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "ledger_access",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        *_texts("staff", "department", "terminal", "reason", "operation", "said"),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
    )
    op.create_index("ix_ledger_access_staff", "ledger_access", ["staff"])
    op.create_table(
        "ledger_cases",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        *_numbers("terms_id", "access_id"),
    )
    op.create_index("ledger_cases_pair", "ledger_cases", ["terms_id", "access_id"], unique=True)
    op.create_index("ledger_cases_access", "ledger_cases", ["access_id"])
    op.create_table(
        "ledger_messages",
        sa.Column("no", big, primary_key=True, autoincrement=False),
        *_texts("sender", "message_id", "resident"),
    )
    op.create_index(
        "ledger_messages_key",
        "ledger_messages",
        ["sender", "message_id", "resident"],
        unique=True,
    )
    op.create_index(
        "ledger_messages_resident",
        "ledger_messages",
        [sa.text("(no >> 12)"), "resident"],
        sqlite_where=sa.text("resident != ''"),
        postgresql_where=sa.text("resident != ''"),
    )
    op.create_table(
        "ledger_tiles",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", big, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        *_numbers("size"),
        *_texts("note"),
    )
    op.create_index("ix_ledger_checkpoints_size", "ledger_checkpoints", ["size"])
    if op.get_bind().dialect.name == "postgresql":
        # These rows change with every append: what they leave behind is to go at once.
        for table in ("ledger_head", "ledger_tiles"):
            op.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0,"
                " autovacuum_vacuum_threshold = 1000, toast.autovacuum_vacuum_scale_factor = 0,"
                " toast.autovacuum_vacuum_threshold = 2000)"
                if table == "ledger_tiles"
                else f"ALTER TABLE {table} SET (fillfactor = 10,"
                " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)"
            )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
