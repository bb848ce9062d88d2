"""``renkei broker …``."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.options import SiteOption
from hub.errors import BrokerError

if TYPE_CHECKING:
    from hub.broker.topology import Difference

app = typer.Typer(
    help="What the hub needs of RabbitMQ: users, permissions, exchanges, queues, policies.\n\n"
    "All of it follows from the catalogue and the site file."
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def _broker() -> None:
    pass


@app.command("plan")
def show_plan(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """Show how the broker differs from what is planned; change nothing.

    Needs the administrator's password only. With --json: {"vhost", "as_planned", "changes",
    "queues_to_grow", "nodes_without_message_limit"}, each change with "change" (missing,
    different, unplanned), "kind", "name" and "differs"; the queues are those with fewer members
    than a cluster has nodes for, the nodes those that take larger messages than they should.
    """
    from hub.broker.read import read  # noqa: PLC0415 - see hub.cli.main
    from hub.broker.topology import diff  # noqa: PLC0415
    from hub.clock import today  # noqa: PLC0415
    from hub.compose.broker import (  # noqa: PLC0415
        administrator,
        broker_plan,
        queues_to_grow,
        too_generous_nodes,
    )
    from hub.compose.checked import load_checked  # noqa: PLC0415

    settings, catalogue = load_checked(site, ())
    vhost = settings.broker.vhost
    with administrator(settings) as management:
        planned = broker_plan(settings, catalogue, today())
        differences = diff(planned, read(management, vhost))
        to_grow = queues_to_grow(management, vhost)
    generous = too_generous_nodes(settings)
    if as_json:
        answer = {
            "vhost": vhost,
            "as_planned": not differences,
            "changes": [one.as_json() for one in differences],
            "queues_to_grow": list(to_grow),
            "nodes_without_message_limit": list(generous),
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    _show(differences)
    _show_small(to_grow)
    _show_generous(generous)
    typer.echo(_summary(vhost, differences))


@app.command("apply")
def apply_topology(
    site: SiteOption,
    *,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove what nobody planned as well; a queue that holds messages or is being "
            "read is kept.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring about what is planned, then read it back and compare.

    May be run again at any time: after a change of the catalogue it has to be. Without --prune
    it deletes nothing but what an earlier version had and this one replaces; anything else that
    nobody planned is named, and the exit status is 1 while it is there. A user whose rights
    or password changed is disconnected, and the number of connections said. Where the site has
    certificates, users get no password: they log in by those alone. Another number of
    partitions (hub.partitions) is taken over only while these are empty and neither the hub nor a
    sender is at work.
    """
    from hub.broker.apply import apply  # noqa: PLC0415
    from hub.clock import today  # noqa: PLC0415
    from hub.compose.broker import (  # noqa: PLC0415
        administrator,
        broker_plan,
        depth_of,
        passwords_to_set,
        queues_to_grow,
        too_generous_nodes,
    )
    from hub.compose.checked import load_checked  # noqa: PLC0415

    settings, catalogue = load_checked(site, administrator=True)
    vhost = settings.broker.vhost
    passwords = passwords_to_set(settings)
    with administrator(settings) as management:
        planned = broker_plan(settings, catalogue, today())
        depth = depth_of(settings)
        try:
            done = apply(management, vhost, planned, passwords, depth=depth, prune=prune)
        except BrokerError as error:
            hint = "" if prune or "unplanned" not in str(error) else "; --prune removes it"
            raise BrokerError(f"{error}{hint}") from error
        to_grow = queues_to_grow(management, vhost)
    generous = too_generous_nodes(settings)
    made = [one for one in done.changes if one.change != "unplanned"]
    gone = [*done.removed, *(one for one in done.changes if one.change == "unplanned")]
    if as_json:
        answer = {
            "vhost": vhost,
            "as_planned": True,
            "made": [one.as_json() for one in made],
            "removed": [one.as_json() for one in gone],
            "passwords": list(done.passwords),
            "connections_closed": done.closed,
            "queues_to_grow": list(to_grow),
            "nodes_without_message_limit": list(generous),
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for one in made:
        typer.echo(_done(one))
    for one in gone:
        typer.echo(f"removed: {one.part.KIND} {one.part.name}")
    for user in done.passwords:
        typer.echo(f"changed: the password of {user}")
    _show_closed(done.closed)
    _show_small(to_grow)
    _show_generous(generous)
    summary = f"{len(made)} made or changed, {len(gone)} removed"
    typer.echo(f"{summary}; {_as_planned(vhost)}")


@app.command("config")
def write_config(  # noqa: PLR0913 - the options of a command
    site: SiteOption,
    *,
    host: Annotated[
        str | None,
        typer.Option(help="The node, as the site file names it; without it broker.host."),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(help="The node's inner address, where the site file names it by a name."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the certificates lie on the node's machine, if not as here."),
    ] = None,
    nodes: Annotated[
        str | None,
        typer.Option(
            help="Its address for the cluster's other nodes, where that is another network's."
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="Write the files into this folder instead of showing them; it is made where it "
            "is missing, and a file that says something else is kept as NAME.before-TIME."
        ),
    ] = None,
) -> None:
    """Write the configuration of a RabbitMQ node: TLS alone, and by certificate alone.

    Files for /etc/rabbitmq; epmd.socket.conf becomes /etc/systemd/system/epmd.socket.d/renkei.conf
    where systemd has Erlang's port mapper. They hold no secret, and every account may read them.
    The machine's own name has to lead to the address of --listen, or of --nodes: there rabbitmqctl
    looks for the node. It needs trust, crls and its own folder of those that renkei pki makes,
    readable by the account rabbitmq; start it again afterwards.

    Example: renkei broker config --site site.toml --folder /etc/rabbitmq/pki --into /etc/rabbitmq
    """
    from hub.compose.broker_files import (  # noqa: PLC0415 - see hub.cli.main
        broker_files,
        write_broker_files,
    )
    from hub.site import load_site  # noqa: PLC0415

    files = broker_files(load_site(site), host, listen, folder, nodes)
    if into is None:
        typer.echo("\n".join(f"# {name}\n{text}" for name, text in files.items()), nl=False)
        return
    for path in write_broker_files(files, into):
        typer.echo(f"kept as it was: {path}")
    typer.echo(f"written: {', '.join(str(into / name) for name in files)}; start the node again")


def _show_closed(closed: Mapping[str, int]) -> None:
    """Say who was disconnected: their processes connect again by themselves."""
    if closed:
        each = ", ".join(f"{count} of {user}" for user, count in closed.items())
        typer.echo(f"connections closed: {each}; what had the old password or rights")


def _show_generous(nodes: Sequence[str]) -> None:
    if nodes:
        from hub.broker.limit import SETTING  # noqa: PLC0415 - see hub.cli.main

        typer.echo(
            f"takes messages that are too large: {', '.join(nodes)}; write {SETTING} into its "
            "rabbitmq.conf and start it again (docs/operations/install.md)",
            err=True,
        )


def _show(differences: Sequence["Difference"]) -> None:
    for one in differences:
        typer.echo(str(one))


def _show_small(queues: Sequence[str]) -> None:
    if queues:
        grow = "on each node that lacks them: rabbitmq-queues grow NODE all"
        typer.echo(f"too few members: queue {', '.join(queues)}; {grow}")


def _done(one: "Difference") -> str:
    """Say what was put right."""
    changed = ", ".join(name for name, _, _ in one.attributes())
    named = f"{one.part.KIND} {one.part.name}"
    return f"changed: {named} ({changed})" if changed else f"created: {named}"


def _summary(vhost: str, differences: Sequence["Difference"]) -> str:
    if not differences:
        return _as_planned(vhost)
    counts: dict[str, int] = {}
    for one in differences:
        counts[one.change] = counts.get(one.change, 0) + 1
    said = ", ".join(f"{count} {change}" for change, count in counts.items())
    return f"{said}: renkei broker apply puts it right (with --prune, what is unplanned goes)"


def _as_planned(vhost: str) -> str:
    return f"the vhost {vhost} is as planned"
