"""``renkei ledger …``: one module for each thing that people do with the ledger.

Every module has functions that typer makes commands of; their names are given here, in the
order in which ``renkei ledger --help`` lists them.
"""

import typer

from hub.cli.ledger.migrate import migrate_ledger
from hub.cli.ledger.watch import watch_ledger

app = typer.Typer(help="The ledger (授受簿): what moved, from whom to whom, by which article.")
app.command("migrate")(migrate_ledger)
app.command("watch")(watch_ledger)


@app.callback()
def _ledger() -> None:
    pass
