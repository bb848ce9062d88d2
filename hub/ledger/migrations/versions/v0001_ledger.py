"""The ledger's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the one row of the head."""
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0}])
    op.create_table(
        "ledger_terms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("released", sa.Text, nullable=False),
        sa.Column("withheld", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger_access",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("staff", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("terminal", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
    )
    big = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    op.create_table(
        "ledger_entries",
        sa.Column("seq", big, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (
                "kind",
                "sender",
                "message_id",
                "message_type",
                "flow",
                "receiver",
                "resident",
                "digest",
                "code",
            )
        ),
        sa.Column("terms_id", sa.Integer, sa.ForeignKey("ledger_terms.id"), nullable=False),
        sa.Column("access_id", sa.Integer, sa.ForeignKey("ledger_access.id"), nullable=False),
    )
    op.create_index("ledger_entries_message", "ledger_entries", ["message_id", "sender"])
    op.create_index(
        "ledger_entries_resident",
        "ledger_entries",
        ["resident"],
        sqlite_where=sa.text("resident != ''"),
        postgresql_where=sa.text("resident != ''"),
    )
