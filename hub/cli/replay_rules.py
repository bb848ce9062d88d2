"""``renkei replay-rules``."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import StateOption, site_file
from hub.cli.options import MaybeSiteOption, SinceOption
from hub.cli.tables import print_table
from hub.errors import SiteError

if TYPE_CHECKING:
    from hub.catalogue.replay import Group, Kinship
    from hub.ledger.decisions import Decided, Decisions
    from hub.site import Site
    from hub.statute.model import Catalogue

_UNWATCHED_WIDTH = 240
_HEADERS = (
    "becomes",
    "sender",
    "message type",
    "flow",
    "receiver",
    "days",
    "messages",
    "why",
    "examples",
)
_COLOURS = {"permitted": "yellow", "refused": "red"}


def replay_rules(
    *,
    catalogue: Annotated[
        Path,
        typer.Option(
            help="The routes folder of the other catalogue.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ],
    since: SinceOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what of the ledger would become permitted or refused under another catalogue.

    The site's own decisions about flows count for the other catalogue too. Only metadata is
    read and nothing is written; what a message said and whose it was is not judged, since the
    ledger does not hold it.
    """
    from hub.catalogue.replay import other_persons, replay  # noqa: PLC0415 - see hub.cli.main
    from hub.clock import midnight  # noqa: PLC0415
    from hub.compose.ledger import ledger_url  # noqa: PLC0415
    from hub.ledger.decisions import open_decisions  # noqa: PLC0415

    path = site_file(site, state)
    settings, now, other = _catalogues(path, catalogue)
    begin = midnight(since)
    with open_decisions(ledger_url(settings)) as ledger, _watched(ledger, begin) as decisions:
        groups = replay(decisions, other)
    persons = other_persons(now, other)
    if as_object:
        _print_object(groups, persons, since)
    else:
        _print_table(groups, persons, since)


def _catalogues(path: Path, folder: Path) -> "tuple[Site, Catalogue, Catalogue]":
    """Give the site, its catalogue, and the other one with the site's decisions."""
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from hub.statute.catalogue import load_catalogue  # noqa: PLC0415
    from hub.statute.overrides import decided  # noqa: PLC0415

    settings, now = load_checked(path, ())
    effective = decided(load_catalogue(folder), settings.catalogue)
    if effective.faults:
        lines = "\n".join(f"  {fault.text}" for fault in effective.faults)
        raise SiteError(f"{path}: its decisions do not fit the catalogue in {folder}:\n{lines}")
    return settings, now, effective.catalogue


@contextmanager
def _watched(ledger: "Decisions", begin: dt.datetime) -> "Iterator[Iterator[Decided]]":
    """Give what was decided, with a bar where a person watches."""
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main

    console = Console(stderr=True)
    if not console.is_terminal:
        yield ledger.since(begin)
        return
    from rich.progress import (  # noqa: PLC0415 - see hub.cli.main
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("ledger entries"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=ledger.size())

        def counted() -> "Iterator[Decided]":
            for one in ledger.since(begin):
                bar.update(task, completed=one.number)
                yield one

        yield counted()


def _print_object(groups: "dict[Kinship, Group]", persons: list[str], since: dt.date) -> None:
    from hub.catalogue.replay import as_json  # noqa: PLC0415 - see hub.cli.main

    whole = {
        "since": since.isoformat(),
        "changes": as_json(groups),
        "flows_with_another_rule_about_persons": persons,
    }
    typer.echo(json.dumps(whole, ensure_ascii=False))


def _print_table(groups: "dict[Kinship, Group]", persons: list[str], since: dt.date) -> None:
    if not groups:
        typer.echo(f"nothing since {since} would become permitted or refused")
    else:
        print_table(
            _HEADERS,
            (_row(kin, group) for kin, group in groups.items()),
            unwatched=_UNWATCHED_WIDTH,
            title=f"Since {since}",
            style=lambda row: _COLOURS[row[0]],
        )
    if persons:
        typer.echo(
            f"The rule about persons differs for {', '.join(persons)}: what that changes cannot be "
            "told from the ledger."
        )


def _row(kin: "Kinship", group: "Group") -> tuple[str, ...]:
    days = str(group.first)
    if group.last != group.first:
        days += f" – {group.last}"
    change = (kin.becomes, kin.sender, kin.message_type, kin.flow, kin.receiver, days)
    return (*change, str(group.count), kin.reason, " ".join(group.examples))
