"""Options that several commands have, and what they stand for."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hub.statute.model import Catalogue

_SITE_HELP = "The site file (TOML); docs/site-file.md explains it."

SiteOption = Annotated[
    Path,
    typer.Option("--site", help=_SITE_HELP, exists=True, dir_okay=False, show_default=False),
]


def _of_a_demo(path: Path) -> Path:
    file = path / "site.toml"
    if not path.is_dir():
        return path
    if not file.is_file():
        raise typer.BadParameter(f"{path} is no demo's folder: it has no site.toml")
    return file


SiteOrDemoOption = Annotated[
    Path,
    typer.Option(
        "--site",
        "--state",
        help=f"{_SITE_HELP} Or, as --state, a demo's folder.",
        exists=True,
        callback=_of_a_demo,
        show_default=False,
    ),
]

MaybeSiteOption = Annotated[
    Path | None,
    typer.Option(
        "--site",
        help=f"{_SITE_HELP} Its decisions about flows count.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        message = f"{text} is no day; write it as 2026-04-01"
        raise typer.BadParameter(message) from None


OnOption = Annotated[
    dt.date | None,
    typer.Option(
        "--on",
        "--date",
        metavar="DATE",
        parser=_day,
        help="The day that counts, as 2026-04-01; by default today in Japan.",
        show_default=False,
    ),
]

SinceOption = Annotated[
    dt.date,
    typer.Option(
        "--since",
        metavar="DATE",
        parser=_day,
        help="The first day that counts, as 2026-04-01, in Japan.",
        show_default=False,
    ),
]


def day_or_today(on: dt.date | None) -> dt.date:
    """Give the day that was asked for, or the day that it is in Japan."""
    from hub.clock import today  # noqa: PLC0415 - see hub.cli.main

    return on if on is not None else today()


def catalogue_of(site: Path | None) -> "Catalogue":
    """Read the catalogue: the shipped one, or that of a site with its decisions.

    Raises:
        RenkeiError: site or catalogue has faults; all of them are named.
    """
    if site is not None:
        from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main

        # Nobody's secrets are needed to look at the catalogue.
        return load_checked(site, ())[1]
    from hub.statute.catalogue import load_catalogue  # noqa: PLC0415

    return load_catalogue()
