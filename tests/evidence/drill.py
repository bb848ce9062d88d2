"""How long a drill of tampering is, and what chance each of its rounds has."""

import random

LONG = 10_000
SEED = 20261120


def seeded(number: int, again: int) -> random.Random:
    """Give the chance of a round, and of its next try where nothing came of one."""
    return random.Random(f"{SEED} {number} {again}")  # noqa: S311 - to be had again, not secret
