"""``renkei site …``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import SiteOption

app = typer.Typer(help="The site file: make what it names, and find everything wrong with it.")


def _there(path: Path) -> Path:
    if not path.exists():
        message = (
            f"{path} is not there: cp deploy/site.example.toml {path} (deploy/site.city.toml where "
            "systemd's units run it), and name in it what is connected"
        )
        raise typer.BadParameter(message)
    return path


NewSiteOption = Annotated[
    Path,
    typer.Option(
        "--site",
        help="The site file (TOML); docs/site-file.md explains it.",
        callback=_there,
        dir_okay=False,
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def _site() -> None:
    pass


@app.command("init")
def make_what_is_missing(site: NewSiteOption, *, as_json: JsonOption = False) -> None:
    """Make the secrets and folders that the site file names and that are missing.

    Secrets get random content and are readable by this account alone. What is there is left as
    it is: it may be run again at any time. With --json: {"made", "left"}.
    """
    from hub.compose.install import prepare  # noqa: PLC0415 - see hub.cli.main

    made, left = prepare(site)
    if as_json:
        typer.echo(json.dumps({"made": list(map(str, made)), "left": left}, ensure_ascii=False))
        return
    for path in made:
        typer.echo(f"made: {path}")
    if not made:
        typer.echo("nothing was missing")
    typer.echo(
        "\nleft to do, in this order, as far as it is not done (docs/operations/install.md):"
    )
    for number, step in enumerate(left, 1):
        typer.echo(f"  {number}. {step}")


@app.command("check")
def check_whole(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """Find everything wrong with the site file, its secrets and its decisions, without a broker.

    All secrets are looked at, that of the broker's administrator too, and the certificates that
    are here (renkei pki check looks for all). Exit status: 0 nothing is wrong; 1 there are
    faults. With --json: {"faults", "notes"}; notes are no faults, and go to stderr without it.
    """
    from hub.compose.certificates import faults_here  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.checked import load_checked  # noqa: PLC0415
    from hub.compose.install import notes  # noqa: PLC0415
    from hub.errors import SiteError  # noqa: PLC0415

    try:
        settings, catalogue = load_checked(site, administrator=True)
        faults_here(site, settings)
    except SiteError as error:
        if not as_json:
            raise
        faults = [line.strip() for line in str(error).splitlines()[1:]]
        typer.echo(json.dumps({"faults": faults or [str(error)]}, ensure_ascii=False))
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"faults": [], "notes": notes(site, settings)}, ensure_ascii=False))
        return
    for note in notes(site, settings):
        typer.echo(f"note: {note}", err=True)
    systems = ", ".join(settings.systems) or "none"
    typer.echo(f"nothing is wrong; systems: {systems}; flows: {len(catalogue.flows)}")
