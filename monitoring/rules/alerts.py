"""Every alert."""

from monitoring.rules.console import CONSOLE
from monitoring.rules.evidence import EVIDENCE
from monitoring.rules.model import Alert, Group
from monitoring.rules.moving import MOVING
from monitoring.rules.upkeep import UPKEEP

GROUPS: tuple[Group, ...] = (MOVING, EVIDENCE, UPKEEP, CONSOLE)


def alerts() -> tuple[Alert, ...]:
    """Give all of them, in the order of the file."""
    return tuple(alert for group in GROUPS for alert in group.alerts)
