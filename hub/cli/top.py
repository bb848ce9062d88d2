"""``renkei top``."""

import json
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import StateOption, site_file
from hub.cli.options import MaybeSiteOption

if TYPE_CHECKING:
    from monitoring.figures.look import Figures

_WIDE = 160


def top(
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    once: Annotated[
        bool, typer.Option("--once", help="Look twice, print what is seen, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a look, one a line.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=2, max=60, help="How long after a look the next one is.")
    ] = 2.0,
) -> None:
    """Show the figures of now: flows with rate, delay, queue, errors; processes; the ledger.

    Rates and delays are counted in the ledger from the moment when this begins, over a quarter of
    an hour at most; queues and processes are asked for their metrics. What does not answer shows
    `?`, and never 0. Nothing is changed, and no message is looked at. Control-C ends it.
    """
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.figures import opened_figures  # noqa: PLC0415

    settings, catalogue = load_checked(site_file(site, state), ())
    with opened_figures(settings, lambda: catalogue) as figures, suppress(KeyboardInterrupt):
        if once or as_json or not sys.stdout.isatty():
            _printed(figures, seconds, once=once or not as_json, as_json=as_json)
        else:
            _watched(figures, seconds)


def _printed(figures: "Figures", seconds: float, *, once: bool, as_json: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main

    from hub.cli.top_shown import facts, screen, shares  # noqa: PLC0415

    before = figures.look()
    while True:
        time.sleep(seconds)
        after = figures.look()
        used = shares(before, after)
        if as_json:
            typer.echo(json.dumps(facts(after, used), ensure_ascii=False))
        else:
            Console(width=_WIDE).print(screen(after, used))
        if once:
            return
        before = after


def _watched(figures: "Figures", seconds: float) -> None:
    from rich.live import Live  # noqa: PLC0415 - only where people look

    from hub.cli.top_shown import screen, shares  # noqa: PLC0415

    before = figures.look()
    with Live(screen(before, {}), screen=True, auto_refresh=False) as shown:
        while True:
            time.sleep(seconds)
            after = figures.look()
            shown.update(screen(after, shares(before, after)), refresh=True)
            before = after
