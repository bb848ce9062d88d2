"""``renkei broker …``."""

import typer

from hub.cli.options import SiteOption
from hub.errors import SiteError

app = typer.Typer(help="What the hub needs of RabbitMQ: users, permissions, exchanges, queues.")


@app.callback()
def _broker() -> None:
    pass


@app.command("apply")
def apply_topology(site: SiteOption) -> None:
    """Bring about users, exchanges, queues and bindings, then read them back and compare.

    It deletes nothing, and may be run again at any time.
    """
    from hub.broker.management import Management  # noqa: PLC0415 - see hub.cli.main
    from hub.broker.topology import apply, plan  # noqa: PLC0415
    from hub.compose.checked import load_checked, passwords_of  # noqa: PLC0415
    from hub.site import read_secret  # noqa: PLC0415

    settings, _ = load_checked(site)
    broker = settings.broker
    if broker.admin_password_file is None:
        message = "broker.admin_password_file is missing in the site file"
        raise SiteError(message)
    secret = read_secret(broker.admin_password_file)
    topology = plan(tuple(settings.systems), settings.hub.partitions)
    with Management(broker.management_url, broker.admin_user, secret) as management:
        changes = apply(management, broker.vhost, topology, passwords_of(settings))
    for change in changes:
        typer.echo(str(change))
    typer.echo(f"the broker is as planned for {', '.join(sorted(settings.systems))}")
