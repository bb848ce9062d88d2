"""``renkei ledger watch``."""

from hub.cli.options import SiteOption


def watch_ledger(site: SiteOption) -> None:
    """Watch the ledger until told to stop; ``renkei up`` runs this beside the hub.

    It recomputes what is added, and the whole again and again. A fault halts the ledger, so
    that nothing moves until a later look finds it right. The newest sealed head is kept in
    ledger_witness_file. It tells of the broker's queues and of flows that are due as well. Metrics
    and health are on watch_metrics_port.
    """
    from hub.cli.main import begin  # noqa: PLC0415 - it imports this module
    from hub.compose.watch import run_watch  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415
    from monitoring.logs import log_as  # noqa: PLC0415

    stop = begin()
    settings = load_site(site)
    log_as(settings.logs, "ledger-watch")
    run_watch(site, settings, stop)
