"""``renkei maintenance``."""

import datetime as dt
import json
from typing import Annotated

import typer

from hub.cli.ledger.common import DepartmentOption, StaffOption, StateOption, asked_by, opened
from hub.cli.options import MaybeSiteOption
from hub.cli.shelf import JsonOption, WhyOption, why
from hub.clock import JST

app = typer.Typer(
    help="Have the hub at rest for a while: it takes nothing, and the queues hold.\n\n"
    "Files are read and written all the same. Nothing is lost, nothing is late in the ledger's "
    "sense. It ends by itself, within 24 hours at the latest.",
    no_args_is_help=True,
)


def _moment(text: str) -> dt.datetime:
    """Read a time of the day, or a day and time, as in Japan."""
    now = dt.datetime.now(JST)
    try:
        clock = dt.time.fromisoformat(text)
    except ValueError:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            message = f"{text} is no time; write it as 23:30 or 2026-04-01T02:00"
            raise typer.BadParameter(message) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=JST)
    today = dt.datetime.combine(now.date(), clock.replace(tzinfo=None), JST)
    return today if today > now else today + dt.timedelta(days=1)


UntilOption = Annotated[
    dt.datetime,
    typer.Option(
        "--until",
        metavar="TIME",
        parser=_moment,
        help="When it ends by itself, in Japan: 23:30, or 2026-04-01T02:00.",
        show_default=False,
    ),
]


@app.command("on")
def begin(  # noqa: PLR0913 - a command's options
    *,
    reason: WhyOption,
    until: UntilOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Have the hub at rest: its workers end what is under way and take nothing, within seconds.

    That is recorded in the ledger first. Said once more, the new time counts.
    """
    from hub.desks.maintenance import rest  # noqa: PLC0415 - see hub.cli.main

    access = asked_by(staff, department, why(reason), "renkei maintenance on")
    with opened(site, state) as (_, ledger):
        said = rest(ledger, until, access, dt.datetime.now(JST))
    typer.echo(f"the hub rests until {_shown(said.until)}; renkei maintenance off ends it before")


@app.command("off")
def end(
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Let the hub go on: its workers take up their queues within seconds."""
    from hub.desks.maintenance import go_on  # noqa: PLC0415 - see hub.cli.main

    access = asked_by(staff, department, "", "renkei maintenance off")
    with opened(site, state) as (_, ledger):
        was_on = go_on(ledger, access, dt.datetime.now(JST))
    typer.echo("the hub goes on" if was_on else "there was no maintenance")


@app.command("status")
def status(
    *, site: MaybeSiteOption = None, state: StateOption = None, as_json: JsonOption = False
) -> None:
    """Say whether the hub is at rest, until when, and why."""
    from hub.ledger.maintenance import read_maintenance  # noqa: PLC0415 - see hub.cli.main

    with opened(site, state) as (_, ledger):
        said = read_maintenance(ledger.engine, dt.datetime.now(JST))
    if as_json:
        until = said and said.until.astimezone(JST).isoformat()
        facts = {"on": said is not None, "until": until, "reason": said and said.reason}
        typer.echo(json.dumps(facts, ensure_ascii=False))
    elif said is None:
        typer.echo("there is no maintenance")
    else:
        typer.echo(f"the hub rests until {_shown(said.until)}: {said.reason}")


def _shown(moment: dt.datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M}"
