"""Where an adapter publishes and reads."""

INBOUND_PREFIX = "in."


def inbound_exchange(system: str) -> str:
    """Give the exchange that only this system may publish to."""
    return INBOUND_PREFIX + system
