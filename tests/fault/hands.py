"""What somebody breaks by hand, so that the check after a drill has something to find."""

import signal

import sqlalchemy as sa

from hub.compose.ledger import ledger_url
from hub.names import outbound_queue
from tests.fault.drill import Drill
from tests.fault.ground import SUPERVISOR

WAITING_SECONDS = 2.0
"""Long enough for the load to leave something in a queue that nobody reads."""


def take_out_of_a_queue(drill: Drill) -> None:
    """Let copies wait for a receiver, and throw them away."""
    ground = drill.ground
    ground.strike(SUPERVISOR, signal.SIGSTOP, 60)  # it would start the adapter again
    ground.strike("adapter-union", signal.SIGKILL)
    drill.wait(WAITING_SECONDS)
    with ground.broker().management() as management:
        management.delete("queues", ground.vhost, outbound_queue("union"), "contents")


def change_an_entry(drill: Drill) -> None:
    """Change a row of the ledger behind the hub's back."""
    site, _ = drill.ground.checked()
    engine = sa.create_engine(ledger_url(site))
    with engine.begin() as database:
        tables = sa.inspect(database).get_table_names()
        entries = min(name for name in tables if name.startswith("ledger_entries_"))
        database.execute(sa.text(f"UPDATE {entries} SET at = at + 1 WHERE seq = 5"))  # noqa: S608
    engine.dispose()
