"""``renkei rules``."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import SiteOption
from hub.cli.targets import written
from hub.errors import QuestionError


def rules(
    site: SiteOption,
    runbooks: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where alerts' pages are; by default the site's console, if it has one.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write; by default it is printed.", dir_okay=False),
    ] = None,
) -> None:
    """Write the alert rules for Prometheus, each with a link to the page that helps.

    They are those of `monitoring/prometheus/alerts.yml`, and differ in `runbook_url` alone: there
    it is the page's path in the project, here it is the page's address in the console
    (`origin` of `[console]`, `/help/` and the alert's name), or behind ADDRESS. The file is
    written whole or not at all, so it may be written while Prometheus reads it.
    """
    from hub.compose.console import origin_of  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415
    from monitoring.rules.alerts import GROUPS, alerts  # noqa: PLC0415
    from monitoring.rules.write import is_address  # noqa: PLC0415
    from monitoring.rules.write import rules as text_of  # noqa: PLC0415

    read = load_site(site)
    if not runbooks and read.console is not None:
        runbooks = f"{origin_of(read)}/help/"
    if runbooks and not is_address(runbooks):
        raise QuestionError(f"{runbooks} is no address of a folder, such as https://wiki.example/")
    text = text_of(GROUPS, runbooks)
    if out is None:
        typer.echo(text, nl=False)
        return
    written(out, text)
    typer.echo(f"{len(alerts())} rules are written to {out}")
