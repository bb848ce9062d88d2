"""``renkei ledger checkpoint`` and ``renkei ledger key``."""

from typing import Annotated

import typer

from hub.cli.ledger.common import StateOption, opened, site_file
from hub.cli.ledger.files import OutOption, write_new
from hub.cli.options import MaybeSiteOption
from hub.errors import LedgerError


def sign_checkpoint(
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    out: OutOption = None,
    cosigned: Annotated[
        bool,
        typer.Option(
            "--cosigned",
            help="Sign nothing: give the newest checkpoint that a second party has cosigned.",
        ),
    ] = False,
) -> None:
    """Sign a checkpoint of the ledger as it is now, keep it, and print it.

    A checkpoint is a signed note of three lines: the log's name, how many entries it has, and
    the root of its tree. It tells nothing about anybody and may be given to anyone.
    """
    from hub.ledger.evidence.cosign import newest_cosigned  # noqa: PLC0415 - see hub.cli.main

    with opened(site, state) as (_, ledger):
        if cosigned:
            found = newest_cosigned(ledger)
            if found is None:
                raise LedgerError("no checkpoint of this ledger is cosigned")
            note = found.encode()
        else:
            note = ledger.checkpoint().encode()
    if out is not None:
        write_new(out, note)
    typer.echo(note.decode(), nl=False)


def show_key(*, site: MaybeSiteOption = None, state: StateOption = None) -> None:
    """Print the public key that the ledger's signatures are checked with.

    Each line after it is a retired one, with @ and the number of entries up to which it signed.
    Give them to auditors on a way that the hub's operators cannot change, such as on paper.
    """
    from hub.compose.ledger import ledger_signer  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    for key in ledger_signer(load_site(site_file(site, state))).verifier.keys:
        typer.echo(key.text())
