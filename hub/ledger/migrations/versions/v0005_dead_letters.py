"""Dead letters beside the confirmations, in one table; and the roster of the hub's workers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BUCKETS = 16
"""The buckets of residents from this version on; the number of a bucket before was 0 to 4095."""
_BEFORE = ("id", "at", "sender", "message_id", "message_type", "resident", "code")
_AFTER = ("state", "decided", "body")


def upgrade() -> None:
    """Carry the confirmations over into the table of all that is put aside."""
    big = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    op.create_table(
        "ledger_asides",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        *_texts("list"),
        sa.Column("at", sa.BigInteger, nullable=False),
        *_texts("sender", "message_id", "message_type", "resident", "code", "bucket"),
        *_texts("flow", "receiver", "step", "detail", "history", "mark"),
        sa.Column("died", sa.BigInteger, nullable=False),
        sa.Column("age", sa.BigInteger, nullable=False),
        sa.Column("request", sa.BigInteger, nullable=False),
        *_texts("state"),
        sa.Column("decided", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=True),
    )
    same = ", ".join((*_BEFORE, *_AFTER))
    op.execute(
        f"INSERT INTO ledger_asides ({same}, list, bucket, flow, receiver, step, detail, history, "  # noqa: S608 - ours
        "mark, died, age, request) "
        f"SELECT {same}, 'confirmation', CAST(CAST(bucket AS INTEGER) % {_BUCKETS} AS TEXT), "
        "'', '', '', '', '', '', 0, id, 0 FROM ledger_confirmations"
    )
    op.drop_table("ledger_confirmations")
    _index("kept", ["list", "state"], "body IS NOT NULL")
    _index("mark", ["mark"], "mark != ''")
    op.create_index("ledger_asides_message", "ledger_asides", ["sender", "message_id"])
    op.create_table(
        "hub_workers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("beats", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "hub_suspects",
        sa.Column("mark", sa.Text, primary_key=True),
        sa.Column("tries", sa.BigInteger, nullable=False),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        f"ledger_asides_{name}",
        "ledger_asides",
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
