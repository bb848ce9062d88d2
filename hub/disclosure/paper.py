"""A document on paper: what stands around its blocks, whatever it is about."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.disclosure.content import Block


@dataclass(frozen=True, slots=True)
class Paper:
    """A document: its title, the city and the office, and the blocks below these.

    ``foot`` stands at the foot of each printed sheet, so that loose ones can be told apart.
    """

    title: str
    city: str
    office: str
    foot: str
    made_at: dt.datetime
    blocks: Sequence[Block] = field(repr=False)
