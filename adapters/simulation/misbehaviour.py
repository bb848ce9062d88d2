"""The ways in which a simulated system can go wrong on request."""

from enum import StrEnum


class Misbehaviour(StrEnum):
    """How a system can go wrong on request."""

    SLOW = "slow"  # a file grows slowly; an answer takes long
    DOWN = "down"  # nothing comes, nobody answers
    TRUNCATED = "truncated"  # a file or an answer ends in the middle
    DUPLICATE = "duplicate"  # the same content comes twice, under another name
    WRONG_ENCODING = "wrong-encoding"  # text in another encoding than the layout's
    WRONG_TOTALS = "wrong-totals"  # a file's trailer says another number than its records
    WRONG_CODE = "wrong-code"  # a record is of another kind than its place or its file says
    OUT_OF_ORDER = "out-of-order"  # the newer before the older
