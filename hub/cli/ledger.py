"""``renkei ledger …``."""

import typer

from hub.cli.options import SiteOption

app = typer.Typer(help="The ledger (授受簿): what moved, from whom to whom, by which article.")


@app.callback()
def _ledger() -> None:
    pass


@app.command("migrate")
def migrate_ledger(site: SiteOption) -> None:
    """Bring the ledger's schema up to date; nothing happens when it is."""
    from hub.compose.worker import ledger_url  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.schema import migrate  # noqa: PLC0415
    from hub.site import load_site  # noqa: PLC0415

    migrate(ledger_url(load_site(site)))
    typer.echo("the ledger's schema is up to date")
