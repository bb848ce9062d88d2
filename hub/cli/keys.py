"""``renkei keys …``."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import DepartmentOption, ReasonOption, StaffOption
from hub.cli.options import SiteOption, SiteOrDemoOption

if TYPE_CHECKING:
    from hub.compose.keys import Exchanged

app = typer.Typer(
    help="The keys of a site's pseudonyms and of its ledger: list them, and exchange them.\n\n"
    "Certificates and the keys of encryption are renkei pki's. How and when: "
    "docs/operations/keys.md."
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class Which(StrEnum):
    """A key that can be exchanged."""

    PSEUDONYM = "pseudonym"
    LEDGER = "ledger"


@app.callback()
def _keys() -> None:
    pass


@app.command("list")
def list_keys(site: SiteOrDemoOption, *, as_json: JsonOption = False) -> None:
    """List the keys by their ids, and see that none is lost by which kept entries were made.

    Exit status: 0 all are there; 1 one is not, or it could not be found out. With --json:
    {"keys": [{"which", "id", "last"}]}; last is empty for the key in use.

    Example: renkei keys list --site site.toml
    """
    from hub.compose.keys import keys_of  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    found = keys_of(load_site(site))
    if as_json:
        typer.echo(json.dumps({"keys": [asdict(one) for one in found]}))
        return
    for one in found:
        state = "in use" if one.last is None else f"retired at entry {one.last}"
        typer.echo(f"{one.which}  {one.id}  {state}")


@app.command("rotate")
def rotate_key(  # noqa: PLR0913 - typer makes an option of each
    which: Annotated[
        Which,
        typer.Argument(
            help="pseudonym: what residents and numbers are told apart by; ledger: what signs it.",
            show_default=False,
        ),
    ],
    site: SiteOption,
    *,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="Go on although messages wait that could not move any more (pseudonym).",
        ),
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a new key and put it in place of the one in use, which is kept to look up and to check.

    Stop the hub first (renkei up, and workers on other machines); back up the file of the key
    before and after. The exchange is entered in the ledger. Where it breaks off, run it again:
    it goes on with the key that it made.

    Exit status: 0 the new key is in use; 1 it could not be done, and the text says why.

    Examples: renkei keys rotate pseudonym --site site.toml --reason "yearly";
    renkei keys rotate ledger --site site.toml --reason "an operator has left"
    """
    import datetime as dt  # noqa: PLC0415 - see hub.cli.main

    from hub.cli.ledger.common import asked_by  # noqa: PLC0415
    from hub.clock import JST  # noqa: PLC0415
    from hub.compose.keys import exchange_ledger_key, exchange_pseudonym_key  # noqa: PLC0415
    from hub.compose.ledger import ledger_signer  # noqa: PLC0415
    from hub.ledger.years.records import Order  # noqa: PLC0415
    from hub.site import load_site  # noqa: PLC0415

    settings = load_site(site)
    access = asked_by(staff, department, reason, f"renkei keys rotate {which}")
    order = Order(access, dt.datetime.now(JST), ledger_signer(settings))
    if which is Which.PSEUDONYM:
        done = exchange_pseudonym_key(settings, order, anyway=anyway)
    else:
        done = exchange_ledger_key(settings, order)
    if as_json:
        typer.echo(json.dumps(asdict(done) | {"file": str(done.file)}))
        return
    for line in _said(which, done):
        typer.echo(line)


def _said(which: Which, done: "Exchanged") -> list[str]:
    lines = [
        f"key {done.new} is in use; {done.old} is retired at entry {done.entries}, and both are in",
        f"  {done.file}",
        f"copy {done.file} to where the ledger's backup is not, in place of the copy before",
    ]
    if which is Which.LEDGER:
        lines.append("give the lines of renkei ledger key to auditors and cosigners")
    lines += (
        f"legal hold {name} names a resident by the old key: hold the resident anew (renkei "
        f"ledger hold add), then lift {name}"
        for name in done.holds
    )
    return [*lines, "start the hub again: renkei up"]
