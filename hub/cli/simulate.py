"""``renkei simulate``."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from adapters.simulation.misbehaviour import Misbehaviour
from hub.errors import QuestionError
from hub.processes import end_with_parent
from hub.stop import Stop

DEFAULT_FOLDER = Path("var/simulate")
_FEWEST = 50


def _systems() -> list[str]:
    import adapters  # noqa: PLC0415 - only for completion

    return list(adapters.systems())


def simulate(  # noqa: PLR0913 - the options of a command
    system: Annotated[
        str,
        typer.Argument(
            help="The system's id, such as bank.", autocompletion=_systems, show_default=False
        ),
    ],
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="The system's drive, with to-hub and from-hub; default: var/simulate/SYSTEM.",
            show_default=False,
        ),
    ] = None,
    residents: Annotated[
        int, typer.Option(min=_FEWEST, help="How many residents the city has.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    days: Annotated[
        int | None,
        typer.Option(min=0, help="Days after the initial load; by default without end."),
    ] = None,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two days.")] = 10.0,
    idle: Annotated[
        bool, typer.Option("--idle", help="Write nothing of its own; only answer and check.")
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65_535, help="Port of 127.0.0.1 of a served system; 0 takes a free one."
        ),
    ] = 0,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the secret of a served system; by default one is made up and told.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    misbehave: Annotated[
        list[Misbehaviour] | None,
        typer.Option(help="How it goes wrong; may be given several times.", show_default=False),
    ] = None,
) -> None:
    """Play one connected system alone, so that an adapter can be built against it.

    It writes a synthetic city's files day by day, answers what it is sent, and checks that as
    the real system would; nothing else of the hub has to run. A system that is reached by HTTP
    is served on a port of this machine. SIGINT or SIGTERM ends it: exit status 0.
    """
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main

    import adapters  # noqa: PLC0415
    from hub.broker.free import free_ports  # noqa: PLC0415
    from hub.demo.simulate import Wanted  # noqa: PLC0415
    from hub.demo.simulate import simulate as play  # noqa: PLC0415
    from hub.site import read_secret  # noqa: PLC0415

    stop = Stop().on_signals()
    end_with_parent()
    out = Console()

    def say(line: str) -> None:
        out.print(line, markup=False, highlight=False, soft_wrap=True)

    if not adapters.simulator(system).served and (port or secret_file):
        raise QuestionError(f"{system} is reached by files: it has neither port nor secret")
    secret = ""
    if adapters.simulator(system).served:
        secret = read_secret(secret_file).get_secret_value() if secret_file else _made_up(say)
        port = port or free_ports(1)[0]
    where = folder if folder is not None else DEFAULT_FOLDER / system
    play(
        Wanted(
            system,
            where.resolve(),
            residents,
            seed,
            days,
            every,
            idle=idle,
            port=port,
            secret=secret,
            misbehaves=frozenset(misbehave or ()),
        ),
        say,
        stop,
    )


def _made_up(say: Callable[[str], None]) -> str:
    secret = secrets.token_urlsafe(16)
    say(f"the secret of this run: {secret}")
    return secret
