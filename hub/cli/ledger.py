"""``renkei ledger …``."""

from pathlib import Path
from typing import Annotated

import typer

from hub.compose import ledger_url
from hub.ledger.schema import migrate
from hub.site import load_site

app = typer.Typer(help="The ledger (授受簿): what moved, from whom to whom, by which article.")


@app.callback()
def _ledger() -> None:
    pass


@app.command("migrate")
def migrate_ledger(
    site: Annotated[
        Path, typer.Option("--site", help="The site file.", exists=True, dir_okay=False)
    ],
) -> None:
    """Bring the ledger's schema up to date; nothing happens when it is."""
    migrate(ledger_url(load_site(site)))
    typer.echo("the ledger's schema is up to date")
