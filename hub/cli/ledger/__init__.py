"""``renkei ledger …``: one module for each thing that people do with the ledger.

Every module has functions that typer makes commands of; their names are given here, in the
order in which ``renkei ledger --help`` lists them.
"""

import typer

from hub.cli.ledger.archive import archive_ledger, make_key
from hub.cli.ledger.backup import back_up_ledger, drill_backup, restore_ledger
from hub.cli.ledger.check import check_evidence
from hub.cli.ledger.checkpoint import show_key, sign_checkpoint
from hub.cli.ledger.cosign import app as cosign_app
from hub.cli.ledger.disclose import disclose_ledger
from hub.cli.ledger.export import export_ledger
from hub.cli.ledger.hold import app as hold_app
from hub.cli.ledger.migrate import migrate_ledger
from hub.cli.ledger.prove import prove_consistency, prove_message
from hub.cli.ledger.reconcile import reconcile_ledger
from hub.cli.ledger.retain import erase_salts, retain
from hub.cli.ledger.search import search_ledger
from hub.cli.ledger.verify import verify_ledger
from hub.cli.ledger.watch import watch_ledger

app = typer.Typer(help="The ledger (授受簿): what moved, from whom to whom, by which article.")
app.command("migrate")(migrate_ledger)
app.command("watch")(watch_ledger)
app.command("search")(search_ledger)
app.command("disclose")(disclose_ledger)
app.command("verify")(verify_ledger)
app.command("export")(export_ledger)
app.command("prove")(prove_message)
app.command("consistency")(prove_consistency)
app.command("check")(check_evidence)
app.command("checkpoint")(sign_checkpoint)
app.command("key")(show_key)
app.command("reconcile")(reconcile_ledger)
app.add_typer(cosign_app, name="cosign")
app.command("archive")(archive_ledger)
app.command("archive-key")(make_key)
app.command("retain")(retain)
app.add_typer(hold_app, name="hold")
app.command("erase")(erase_salts)
app.command("backup")(back_up_ledger)
app.command("restore")(restore_ledger)
app.command("drill")(drill_backup)


@app.callback()
def _ledger() -> None:
    pass
