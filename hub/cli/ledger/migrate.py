"""``renkei ledger migrate``."""

from typing import Annotated

import typer

from hub.cli.options import SiteOption


def migrate_ledger(
    site: SiteOption,
    *,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Begin with an empty ledger although the site has worked."),
    ] = False,
) -> None:
    """Make the ledger of a new site, or bring its schema up to date.

    A site whose adapters have already worked has had a ledger: where it is gone, its backup is
    to be restored. An empty one would have forgotten what was sent to whom, and which message
    ids are used.
    """
    from hub.compose.ledger import prepare_ledger  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    prepare_ledger(load_site(site), anew=anew)
    typer.echo("the ledger's schema is up to date")
