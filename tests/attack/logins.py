"""What the watch of a site tells of logins that its broker refused, asked as the watch asks."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from hub.compose.watch import broker_watch
from monitoring.broker import BrokerMetrics
from tests.attack.victim import Victim

METRIC = "renkei_broker_logins_refused_total"
ALERT = "RenkeiBrokerLogins"


def refused_logins(victim: Victim, protocol: str) -> Callable[[], str]:
    """Give what waits until the broker has counted another one, and says which metric rose.

    The victim's site has no account that only looks; the administrator's stands for it.
    """
    site, _ = victim.ground.checked()
    looks_as = {
        "monitor_user": site.broker.admin_user,
        "monitor_password_file": site.broker.admin_password_file,
    }
    broker = site.broker.model_copy(update=looks_as)
    registry = CollectorRegistry()
    watch = broker_watch(site.model_copy(update={"broker": broker}), BrokerMetrics(registry))
    assert watch is not None

    def counted() -> float:
        survey = watch.look()
        assert not survey.silent
        return registry.get_sample_value(METRIC, {"protocol": protocol}) or 0.0

    assert counted() == 0

    def rises() -> str:
        victim.until(lambda: counted() > 0, f"rise of {METRIC}")
        return f'`{METRIC}{{protocol="{protocol}"}}`, {ALERT}'

    return rises
