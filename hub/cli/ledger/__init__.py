"""``renkei ledger …``: one module for each thing that people do with the ledger.

Every module has functions that typer makes commands of; their names are given here, in the
order in which ``renkei ledger --help`` lists them.
"""

import typer

from hub.cli.ledger.check import check_evidence
from hub.cli.ledger.checkpoint import show_key, sign_checkpoint
from hub.cli.ledger.cosign import app as cosign_app
from hub.cli.ledger.export import export_ledger
from hub.cli.ledger.migrate import migrate_ledger
from hub.cli.ledger.prove import prove_consistency, prove_message
from hub.cli.ledger.watch import watch_ledger

app = typer.Typer(help="The ledger (授受簿): what moved, from whom to whom, by which article.")
app.command("migrate")(migrate_ledger)
app.command("watch")(watch_ledger)
app.command("export")(export_ledger)
app.command("prove")(prove_message)
app.command("consistency")(prove_consistency)
app.command("check")(check_evidence)
app.command("checkpoint")(sign_checkpoint)
app.command("key")(show_key)
app.add_typer(cosign_app, name="cosign")


@app.callback()
def _ledger() -> None:
    pass
