"""``renkei broker …``."""

from pathlib import Path
from typing import Annotated

import typer

from hub.broker.management import Management
from hub.broker.topology import apply, plan
from hub.compose import load_checked
from hub.errors import SiteError
from hub.site import HUB_USER, read_secret

app = typer.Typer(help="What the hub needs of RabbitMQ: users, permissions, exchanges, queues.")


@app.callback()
def _broker() -> None:
    pass


@app.command("apply")
def apply_topology(
    site: Annotated[
        Path, typer.Option("--site", help="The site file.", exists=True, dir_okay=False)
    ],
) -> None:
    """Bring about users, exchanges, queues and bindings, then read them back and compare.

    It deletes nothing, and may be run again at any time.
    """
    settings, catalogue = load_checked(site)
    broker = settings.broker
    if broker.admin_password_file is None:
        message = "broker.admin_password_file is missing in the site file"
        raise SiteError(message)
    passwords = {HUB_USER: read_secret(settings.hub.password_file)} | {
        name: read_secret(system.password_file) for name, system in settings.systems.items()
    }
    topology = plan(tuple(settings.systems), settings.hub.partitions)
    secret = read_secret(broker.admin_password_file)
    with Management(broker.management_url, broker.admin_user, secret) as management:
        changes = apply(management, broker.vhost, topology, passwords)
    for change in changes:
        typer.echo(str(change))
    typer.echo(f"the broker is as planned for {', '.join(sorted(catalogue.connected()))}")
